"""`soulspot export`: what was found out, as a table in a file or on stdout."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, NoReturn

import typer

from soulspot.cli.console import bars, complain, err
from soulspot.cli.running import (
    BAD_CONFIG,
    INCOMPLETE,
    TERMINATED,
    USAGE,
    as_path,
    guarded,
    load,
    log_quietly,
    run,
)
from soulspot.config import Config
from soulspot.export import TableReport, export_table
from soulspot.export.columns import COLUMNS, choose_columns
from soulspot.export.formats import FORMATS, format_of
from soulspot.export.tables import check_spreadsheet, parse_filters
from soulspot.export.target import BUFFER_BYTES
from soulspot.models import Status

if TYPE_CHECKING:
    from soulspot.cli.export_covers import CoversReport

DDEX = "ddex"
STDOUT = Path("-")
LEFT = "no file was written or changed"
QUIET_SECONDS = 1.0  # what is quick says nothing on the way: cron would mail it


def export(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            parser=as_path,
            help="The file to write, replaced whole; .gz packs it (default, or -: standard output). A folder for ddex.",
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help=f"{', '.join(FORMATS)} (default: by the file's ending, else csv), or ddex: release messages.",
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help=f"Only these columns, in this order, of: {' '.join(COLUMNS)}."),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STATUS", help=f"Only tracks of this status, {', '.join(Status)}; may be repeated."
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only rows that changed since: 7d back from now, or a date and time."
        ),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Only tracks with these words (beginnings will do) in title, artist or album.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Only the first N of these tracks.")
    ] = None,
    spreadsheet: Annotated[
        bool,
        typer.Option(
            "--spreadsheet",
            help="CSV for Excel and its like: what would be run as a formula gets a ' before it.",
        ),
    ] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="ddex: write only what is valid by the schema.")
    ] = False,
    schema: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            parser=as_path,
            help="ddex: release-notification.xsd or its folder, to validate with (default: export.ddex.schema).",
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="ddex: the columns whose values make tracks one release (default: the release id, else the "
            "barcode, else label and catalogue number, else album artist and album).",
        ),
    ] = None,
    max_failures: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="ddex: stop after N releases that cannot be written."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, metavar="N", help="ddex: build in N processes (default: as many as pay)."
        ),
    ] = None,
    covers: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            parser=as_path,
            help="Save the front covers of these tracks there, too, one a release; needs export.covers.enabled.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="config.toml to use.", metavar="PATH")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="Report as one JSON document on stdout; goes with --out FILE.")
    ] = False,
) -> None:
    """Write the tracks and what was found as a table or messages.

    Rows are in the order of track_id.
    It works beside a running daemon, and reads one moment's state. Lists are JSON in csv and sqlite."""
    if format_ == DDEX:
        from soulspot.cli.export_ddex import export_ddex  # with lxml, which no other command needs

        _refuse_any(
            {"--columns": columns, "--limit": limit, "--spreadsheet": spreadsheet, "--covers": covers},
            "tables, not with ddex",
        )
        export_ddex(
            out, config, status=status or (), since=since, query=query, validate=validate, schema=schema,
            group_by=group_by, processes=processes, max_failures=max_failures, as_json=json_,
        )  # fmt: skip
        return
    of_ddex = {"--validate": validate, "--schema": schema, "--group-by": group_by,
               "--max-failures": max_failures, "--processes": processes}  # fmt: skip
    _refuse_any(of_ddex, "--format ddex alone")
    place = None if out in (None, STDOUT) else out
    asked: dict[str, Any] = {
        "format": format_, "columns": None if columns is None else [name.strip() for name in columns.split(",")],
        "status": status or (), "since": since, "query": query, "limit": limit, "spreadsheet": spreadsheet,
    }  # fmt: skip
    _refuse(asked, place, json_)
    if covers is not None and covers.exists() and not covers.is_dir():
        complain(f"{covers} is a file; name a folder for the covers")
        raise typer.Exit(USAGE)
    loaded = load(config, needs_contact=False)
    if covers is not None and not loaded.export.covers.enabled:
        complain("no covers are fetched: set export.covers.enabled = true")
        raise typer.Exit(BAD_CONFIG)
    log_quietly(loaded)
    with _ending_in_order(stream=place is None):
        report = guarded(lambda: _export(loaded, place, asked, quiet=json_), left=LEFT)
    if report is None:
        return
    saved = None if covers is None else _save_covers(loaded, covers, asked, quiet=json_)
    if json_:
        print(json.dumps(report.as_json() | ({"covers": saved.as_json()} if saved else {})))
    elif place is not None:
        err.print(f"{report.rows} tracks in {place}", markup=False, soft_wrap=True)
    for note in () if json_ else report.notes():
        err.print(note, markup=False, soft_wrap=True)
    if saved is not None and covers is not None:
        if not json_:
            err.print(saved.words(covers), markup=False, soft_wrap=True)
        if saved.postponed:
            raise typer.Exit(INCOMPLETE)


def _save_covers(loaded: Config, folder: Path, asked: dict[str, Any], *, quiet: bool) -> CoversReport:
    from soulspot.cli.export_covers import save_covers  # with what asks services, which a table does not need

    chosen = {name: asked[name] for name in ("status", "since", "query", "limit")}
    return run(
        lambda made: save_covers(loaded, folder, chosen, made), quiet=quiet, database=loaded.database.path
    )


def _refuse_any(options: dict[str, Any], kind: str) -> None:
    """Exit 2 when one of these was given."""
    if given := [name for name, value in options.items() if value]:
        complain(f"{', '.join(given)}: goes with {kind}")
        raise typer.Exit(USAGE)


def _refuse(asked: dict[str, Any], place: Path | None, as_json: bool) -> None:
    """Exit 2 for what cannot be meant."""
    try:
        if asked["format"] not in (None, *FORMATS):
            raise ValueError(
                f"there is no format {asked['format']!r}; there are {', '.join((*FORMATS, DDEX))}"
            )
        format_, _ = format_of(asked["format"], place)
        choose_columns(asked["columns"])
        parse_filters(asked["status"], asked["since"], asked["query"], asked["limit"])
        check_spreadsheet(asked["spreadsheet"], format_)
        if place is None and as_json:
            raise ValueError("--json goes with --out FILE: without it the table itself is on stdout")
        if place is None and format_.binary and sys.stdout.isatty():
            raise ValueError(f"{format_.name} is nothing for a terminal: say --out FILE, or redirect it")
        if place is not None and place.is_dir():
            raise ValueError(f"{place} is a folder; name a file in it")
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None


def _export(config: Config, place: Path | None, asked: dict[str, Any], *, quiet: bool) -> TableReport | None:
    """None when whoever reads our output wants no more of it."""
    began = time.monotonic()
    # a bar amid the rows would be no table
    with bars(quiet=quiet or (place is None and sys.stdout.isatty())) as made:

        def progress(done: int, total: int) -> None:
            if time.monotonic() - began > QUIET_SECONDS:
                made.show("export", done, total)

        if place is not None:
            return export_table(config.database.path, place, on_progress=progress, **asked)
        try:
            return export_table(config.database.path, _stdout(), on_progress=progress, **asked)
        except BrokenPipeError:
            _write_to_nobody()
            return None
        except OSError as error:
            if error.filename is None:  # what keeps the rows from standard output has no file's name
                error.filename = "standard output"
            raise


@contextmanager
def _ending_in_order(*, stream: bool) -> Iterator[None]:
    """SIGTERM and Ctrl-C end it by way of everything that tidies up, though nobody may read our `stream`."""

    def end(number: int, frame: object) -> NoReturn:
        if stream:
            _write_to_nobody()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        complain(f"stopped; {LEFT}")
        raise SystemExit(TERMINATED)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stdout() -> BinaryIO:
    """Standard output with a buffer for rows, not for lines."""
    sys.stdout.flush()
    try:
        return open(sys.stdout.fileno(), "wb", buffering=BUFFER_BYTES, closefd=False)
    except io.UnsupportedOperation:  # somebody has put something else in its place
        return sys.stdout.buffer


def _write_to_nobody() -> None:
    """What is still to be flushed must neither block nor fail."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nobody, sys.stdout.fileno())
    os.close(nobody)
