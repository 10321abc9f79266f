"""`soulspot write-tags`: write what was found into the tags of files, or take that back."""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer

from soulspot.assembly import cover_sources, tag_rules
from soulspot.cli import running
from soulspot.cli.options import ConfigOption, JsonOption, absolute_paths, parse_path, refuse_missing
from soulspot.client.daemon_client import DaemonClient, paths_for_api
from soulspot.client.daemon_search import running_daemon
from soulspot.client.workplace import Completed, Operation, run_in_daemon, run_operation
from soulspot.config import Config
from soulspot.operations.kinds import readable_paths
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.store import cover_index, tag_journal, taggable
from soulspot.store.database import Database
from soulspot.store.migrations import require_current_schema
from soulspot.tagging.file_copies import TagsNotWritten
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.preview import cover_to_embed, cover_would_change, display_path, preview_tags
from soulspot.tagging.request import TagRequest, changes_to_json, nothing_to_undo_message, request_to_json, tag_request
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import complain, print_answer, print_result

ROUTE = "/api/v1/write-tags"
NOTHING = "(none)"  # stands for a tag without a value
PAGE_TRACKS, LISTED_OPERATIONS = 100, 100

T = TypeVar("T")


def write_tags(
    paths: Annotated[list[Path] | None, typer.Argument(metavar="PATH", parser=parse_path,
        help="Files or folders (default: all accepted tracks).")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write; without it the differences are only shown.")] = False,
    fields: Annotated[str | None, typer.Option(metavar="A,B,C",
        help=f"Only these fields (default: write_tags.fields), of: {' '.join(FIELDS)}.")] = None,
    policy: Annotated[Literal["only-empty", "overwrite"] | None, typer.Option(metavar="POLICY",
        help="only-empty or overwrite (default: write_tags.policy).")] = None,
    embed_covers: Annotated[bool | None, typer.Option("--embed-covers/--no-embed-covers",
        help="Front covers too (default: write_tags.embed_covers).")] = None,
    undo: Annotated[int | None, typer.Option(metavar="OPERATION", min=1,
        help="Give every file of this operation its old tags back.")] = None,
    force: Annotated[bool, typer.Option("--force",
        help="With --undo: also files that have changed since, if their audio has not.")] = False,
    list_: Annotated[bool, typer.Option("--list",
        help="List what was written, by operation, the latest first.")] = False,
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Write the enriched fields into the tags of accepted files.

    Without --apply it only shows, file by file, what would change. Files are replaced whole, their
    audio stays as it is to the bit, and every write can be taken back: --list has the operations,
    --undo OPERATION takes one back.

    Example: soulspot write-tags ~/Music/new --fields genres,release_date --apply"""
    if sum((apply, undo is not None, list_)) > 1 or (force and undo is None):
        running.refuse("give one of --apply, --undo and --list; --force goes with --undo")
    if (undo is not None or list_) and (paths or fields or policy or embed_covers is not None):
        running.refuse("--undo and --list go with neither PATH nor --fields, --policy and --embed-covers")
    names = None if fields is None else [name.strip() for name in fields.split(",") if name.strip()]
    if names == []:
        running.refuse(f"--fields names no field; there are {', '.join(FIELDS)}")
    loaded = running.load_or_exit(config, needs_contact=False)
    running.log_beside_progress(loaded)
    database = loaded.database.path
    can_read = os.access(database, os.R_OK)
    has_daemon = running.exit_on_error(lambda: asyncio.run(_has_daemon(loaded)), database)
    if not can_read and not has_daemon:
        why = f"there is no database yet at {database}: `soulspot enrich PATH` finds out what could be written"
        running.exit_with(running.INCOMPLETE, why)
    if list_:
        listed = running.exit_on_error(lambda: _read_journal(loaded, can_read=can_read), database)
        _print_journal(listed, as_json=json_)
        return
    if undo is not None:
        ended = running.run_command(loaded, lambda bars: _undo(loaded, undo, bars, force=force), quiet=json_)
        _print_report(ended, "taken back", as_json=json_)
        return
    if embed_covers and not loaded.export.covers.enabled:
        running.refuse("--embed-covers: no covers are fetched; set export.covers.enabled = true in config.toml first")
    refuse_missing(paths or [])
    try:
        request = tag_request(
            tag_rules(loaded), fields=names, policy=policy, embed_covers=embed_covers, apply=apply,
            paths=tuple(absolute_paths(paths)),
        )  # fmt: skip
    except ValueError as error:
        running.refuse(f"--{error}")
    operation = _write_operation(request)
    if apply:
        ended = running.run_command(loaded, lambda bars: run_operation(loaded, operation, bars), quiet=json_)
        _print_report(ended, "written", as_json=json_)
    elif can_read:
        running.exit_on_error(lambda: _print_previews(preview(loaded, request), as_json=json_), database)
    else:
        # the daemon's report names only the first files
        ended = running.run_command(
            loaded, lambda bars: _in_daemon(loaded, lambda client: run_in_daemon(client, operation, bars)), quiet=json_
        )
        for one in () if json_ else ended.report["files"]:
            _print_changes(one["path"], one["changes"])
        _print_report(ended, "to be written", as_json=json_)


async def _has_daemon(config: Config) -> bool:
    if client := await running_daemon(config):
        await client.close()
    return client is not None


def _write_operation(request: TagRequest) -> Operation:
    names = {"fields": list(request.fields), "policy": request.policy}
    body = {**names, "paths": paths_for_api(request.paths), "embed_covers": request.embed_covers}
    body |= {"apply": True} if request.apply else {}
    metadata = {"places": readable_paths(request.paths), **names, "apply": request.apply}
    return Operation("write_tags", request_to_json(request), metadata, lambda client: client.start(ROUTE, json=body))


async def _undo(config: Config, operation_id: int, bars: Bars, *, force: bool) -> Completed:
    """Give the files that an operation wrote their old tags back, in the daemon or here.

    Raises UsageError when there is nothing to take back."""
    request = {"operation": operation_id, "force": force}

    async def start(client: DaemonClient) -> int:
        return await client.start(f"{ROUTE}/{operation_id}/undo", json={"force": force})

    async def prepare(service: EnrichmentService) -> None:
        if not await service.database.read(lambda c: tag_journal.has_undoable_writes(c, operation_id)):
            raise running.UsageError(nothing_to_undo_message(operation_id))
        # else the next daemon would go on writing what is taken back now
        await Operations(service).give_up(operation_id, "taken back before it had ended")

    return await run_operation(config, Operation("undo_tags", request, request, start, prepare), bars)


@dataclass(frozen=True, slots=True)
class Preview:
    """The fate of one file: `outcome` is written, unchanged, or skipped for a `reason`."""

    path: str
    outcome: str
    # by field: its values under "old" and "new"
    changes: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    reason: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the entry of this file in the document that `--json` prints."""
        detail = {"reason": self.reason} if self.reason else {"changes": self.changes}
        return {"path": self.path, "outcome": self.outcome, **detail}


def preview(config: Config, request: TagRequest) -> Iterator[Preview]:
    """Yield what would become of each file. Only reads, whoever works on the database."""
    file_policy, covers = tag_rules(config).file_policy, cover_sources(config)
    with closing(Database.open_read_only(config.database.path, long_running=True)) as connection:
        require_current_schema(connection, config.database.path)
        after = 0
        while page := taggable.page(connection, after, PAGE_TRACKS, request.paths):
            for track in page:
                found = preview_tags(track, request, file_policy, time.time(), config.limits.max_file_size)
                path = display_path(track.path)
                if isinstance(found, TagsNotWritten):
                    yield Preview(path, "skipped", reason=str(found))
                elif found is not None:
                    if config.export.covers.enabled and (url := cover_to_embed(found, request)):
                        known = cover_index.find(connection, covers.address(url), time.time())
                        found = found.with_cover(url) if cover_would_change(found, known) else found
                    yield Preview(path, "written" if found.changes else "unchanged", changes_to_json(found.changes))
            after = page[-1].track_id


async def _in_daemon(config: Config, work: Callable[[DaemonClient], Awaitable[T]]) -> T:
    client = await running_daemon(config)
    if client is None:
        raise PermissionError(f"{config.database.path} may not be read by this user")
    async with client:
        return await work(client)


def _read_journal(config: Config, *, can_read: bool) -> list[dict[str, Any]]:
    if not can_read:
        answer = asyncio.run(_in_daemon(config, lambda client: client.request("GET", ROUTE, "operations")))
        return list(answer["operations"])
    with closing(Database.open_read_only(config.database.path)) as connection:
        return tag_journal.list_operations(connection, LISTED_OPERATIONS)


def _print_previews(previews: Iterator[Preview], *, as_json: bool) -> None:
    """Print each difference as soon as it is found: memory does not grow with the library."""
    counts = {"looked": 0, "written": 0, "unchanged": 0, "skipped": 0}
    fields: Counter[str] = Counter()
    # one document, but never all of it in memory
    if as_json:
        print('{"applied": false, "files": [', end="")
    for one in previews:
        counts["looked"] += 1
        counts[one.outcome] += 1
        fields.update(one.changes.keys())
        if one.outcome == "unchanged":
            continue
        if as_json:
            is_first = counts["written"] + counts["skipped"] == 1
            print(("" if is_first else ", ") + json.dumps(one.as_json()), end="")
        elif one.reason:
            complain(f"{one.path}: {one.reason}")
        else:
            _print_changes(one.path, one.changes)
    if as_json:
        print("], " + json.dumps({**counts, "fields": fields})[1:])
        return
    print_result(_counts_line(counts, "to be written", fields))
    if not counts["looked"]:
        print_result("there is no accepted track here (`soulspot status` says how the library stands)")
    if counts["written"]:
        print_result("next: the same with --apply")


def _print_changes(path: str, changes: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    print_result(path)
    for name, change in changes.items():
        old, new = ("; ".join(change[side]) or NOTHING for side in ("old", "new"))
        print_result(f"    {name}: {old} -> {new}")


def _print_report(ended: Completed, verb: str, *, as_json: bool) -> None:
    """Print a report; exit with code 1 when a file failed, or was not taken back."""
    report = ended.report
    lines = [_counts_line(report, verb, report["fields"])]
    if verb == "written" and report["written"]:
        lines.append(f"to take it back: soulspot write-tags --undo {ended.operation_id}")
    print_answer({"operation": ended.operation_id, **report}, as_json, *lines)
    # what could not be written at all was asked for in vain
    is_vain = report["skipped"] and report["skipped"] == report["looked"]
    for reason in {one["reason"] for one in report["problems"]} if is_vain else ():
        complain(f"nothing was {verb}: {reason}")
    if report["failed"] or report["covers_postponed"] or is_vain or (verb == "taken back" and report["skipped"]):
        raise typer.Exit(running.INCOMPLETE)


def _counts_line(counts: Mapping[str, Any], verb: str, fields: Mapping[str, int]) -> str:
    parts = [f"{counts['looked']} files looked at", f"{counts['written']} {verb}"]
    parts += [f"{counts[name]} {name}" for name in ("unchanged", "skipped", "failed") if counts.get(name)]
    if covers := counts.get("covers_postponed"):
        parts.append(f"{covers} covers that cannot be had now")
    by_field = f" ({', '.join(f'{name} {count}' for name, count in fields.items())})" if fields else ""
    return ", ".join(parts) + by_field


def _print_journal(operations: list[dict[str, Any]], *, as_json: bool) -> None:
    lines = [
        f"operation {one['operation']}  {one['at']}  {one['written']} files written"
        + (f", {one['undone']} taken back" if one["undone"] else "")
        for one in operations
    ]
    print_answer({"operations": operations}, as_json, *(lines or ["nothing was written that could be taken back"]))
