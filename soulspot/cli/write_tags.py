"""`soulspot write-tags`: what was found out, into the tags of the files; and back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from soulspot.cli.console import complain, out
from soulspot.cli.running import INCOMPLETE, USAGE, as_path, guarded, load, log_quietly, refuse_absent, run
from soulspot.config import Config
from soulspot.tagging.formats.names import FIELDS

if TYPE_CHECKING:
    from soulspot.cli.tag_work import Looked
    from soulspot.tagging.request import TagRequest

NONE = "(none)"


def write_tags(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files or folders (default: all accepted tracks).", metavar="PATH", parser=as_path),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write; without it the differences are only shown.")
    ] = False,
    fields: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help=f"Only these fields (default: write_tags.fields), of: {' '.join(FIELDS)}."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(metavar="POLICY", help="only-empty or overwrite (default: write_tags.policy)."),
    ] = None,
    embed_covers: Annotated[
        bool | None,
        typer.Option("--embed-covers/--no-embed-covers", help="Front covers too (default: write_tags.embed_covers)."),
    ] = None,
    undo: Annotated[
        int | None,
        typer.Option(metavar="OPERATION", min=1, help="Give every file of this operation its old tags back."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="With --undo: also files that have changed since, if their audio has not.")
    ] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List what was written, by operation, the latest first.")
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="PATH",
            help="config.toml to use (also SOULSPOT_CONFIG; default: the first found).",
        ),
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")
    ] = False,
) -> None:  # fmt: skip
    """Write what was found into the tags of accepted files.

    Without --apply it only shows, file by file, what would change. Files are replaced whole, their audio stays as it is
    to the bit, and every write can be taken back: --list has the operations, --undo OPERATION takes one back."""
    # what enriches takes long to load, for a command that only looks up its options
    from soulspot.cli.tag_work import (
        readable,
        taken_back,
        there_is_a_daemon,
        would_write,
        would_write_there,
        writes,
        written,
    )
    from soulspot.cli.work import absolute

    if sum((apply, undo is not None, list_)) > 1 or (force and undo is None):
        complain("give one of --apply, --undo and --list; --force goes with --undo")
        raise typer.Exit(USAGE)
    if (undo is not None or list_) and (paths or fields or policy or embed_covers is not None):
        complain("--undo and --list go with neither PATH nor --fields, --policy and --embed-covers")
        raise typer.Exit(USAGE)
    loaded = load(config, needs_contact=False)
    log_quietly(loaded)
    database = loaded.database.path
    mine = readable(loaded)
    if not mine and not there_is_a_daemon(loaded):
        complain(
            f"there is no database yet at {database}: `soulspot enrich PATH` finds out what could be written"
        )
        raise typer.Exit(INCOMPLETE)
    if list_:
        _list(guarded(lambda: writes(loaded), database), json_)
        return
    if undo is not None:
        report = run(lambda bars: taken_back(loaded, undo, force, bars), quiet=json_, database=database)
        _ended(report, json_, "taken back")
        return
    if embed_covers and not loaded.export.covers.enabled:
        complain(
            "--embed-covers: no covers are fetched; set export.covers.enabled = true in config.toml first"
        )
        raise typer.Exit(USAGE)
    refuse_absent(paths or [])
    wish = _wish(loaded, fields, policy, embed_covers, apply, absolute(paths or []))
    if not apply and not mine:
        report = run(lambda bars: would_write_there(loaded, wish, bars), quiet=json_, database=database)
        for one in () if json_ else report["files"]:
            _show_file(one["path"], one["changes"])
        _ended(report, json_, "to be written")
    elif apply:
        report = run(lambda bars: written(loaded, wish, bars), quiet=json_, database=database)
        _ended(report, json_, "written")
    else:
        guarded(lambda: _show(would_write(loaded, wish), json_), database)


def _wish(
    loaded: Config,
    fields: str | None,
    policy: str | None,
    covers: bool | None,
    apply: bool,
    places: Sequence[bytes],
) -> TagRequest:
    from soulspot.assembly import tag_rules
    from soulspot.tagging.request import tag_request

    if policy not in (None, "only-empty", "overwrite"):
        complain("--policy is only-empty or overwrite")
        raise typer.Exit(USAGE)
    chosen: Literal["only-empty", "overwrite"] | None = policy  # type: ignore[assignment]
    names = [name.strip() for name in fields.split(",") if name.strip()] if fields is not None else None
    if names == []:
        complain(f"--fields names no field; there are {', '.join(FIELDS)}")
        raise typer.Exit(USAGE)
    try:
        return tag_request(
            tag_rules(loaded),
            fields=names,
            policy=chosen,
            embed_covers=covers,
            apply=apply,
            paths=tuple(places),
        )
    except ValueError as error:
        complain(f"--{error}")
        raise typer.Exit(USAGE) from None


def _show(looked: Iterator[Looked], as_json: bool) -> None:
    """The differences, as they are found; memory does not grow with them."""
    counts = {"looked": 0, "written": 0, "unchanged": 0, "skipped": 0}
    fields: dict[str, int] = {}
    if as_json:
        print('{"applied": false, "files": [', end="")
    for one in looked:
        counts["looked"] += 1
        counts[one.outcome] += 1
        for name in one.changes:
            fields[name] = fields.get(name, 0) + 1
        if one.outcome == "unchanged":
            continue
        if as_json:
            first = counts["written"] + counts["skipped"] == 1
            print(("" if first else ", ") + json.dumps(one.as_json()), end="")
        elif one.reason:
            complain(f"{one.path}: {one.reason}")
        else:
            _show_file(one.path, one.changes)
    if as_json:
        print("], " + json.dumps({**counts, "fields": fields})[1:])
        return
    out.print(f"{_counted(counts, 'to be written')}{_by_field(fields)}", markup=False, soft_wrap=True)
    if not counts["looked"]:
        out.print(
            "there is no accepted track here (`soulspot status` says how the library stands)", markup=False
        )
    if counts["written"]:
        out.print("next: the same with --apply", markup=False)


def _show_file(path: str, changes: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    out.print(path, markup=False, soft_wrap=True)
    for name, change in changes.items():
        old, new = ("; ".join(change[side]) or NONE for side in ("old", "new"))
        out.print(f"    {name}: {old} -> {new}", markup=False, soft_wrap=True)


def _ended(report: dict[str, Any], as_json: bool, verb: str) -> None:
    if as_json:
        print(json.dumps(report))
    else:
        out.print(f"{_counted(report, verb)}{_by_field(report['fields'])}", markup=False, soft_wrap=True)
        if verb == "written" and report["written"]:
            line = f"to take it back: soulspot write-tags --undo {report['operation']}"
            out.print(line, markup=False)
    if report["failed"] or report["covers_postponed"] or (verb == "taken back" and report["skipped"]):
        raise typer.Exit(INCOMPLETE)


def _counted(counts: Mapping[str, Any], verb: str) -> str:
    said = [f"{counts['looked']} files looked at", f"{counts['written']} {verb}"]
    said += [f"{counts[name]} {name}" for name in ("unchanged", "skipped", "failed") if counts.get(name)]
    if covers := counts.get("covers_postponed"):
        said.append(f"{covers} covers that cannot be had now")
    return ", ".join(said)


def _by_field(fields: Mapping[str, int]) -> str:
    return f" ({', '.join(f'{name} {count}' for name, count in fields.items())})" if fields else ""


def _list(found: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"operations": list(found)}))
        return
    for one in found:
        undone = f", {one['undone']} taken back" if one["undone"] else ""
        out.print(
            f"operation {one['operation']}  {one['at']}  {one['written']} files written{undone}", markup=False
        )
    if not found:
        out.print("nothing was written that could be taken back", markup=False)
