"""`soulspot export`: write the enriched tracks as a table, to a file or to standard output."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, NoReturn, cast

import typer

from soulspot.cli import running
from soulspot.cli.options import ConfigOption, parse_path
from soulspot.config import Config
from soulspot.export import TableReport, export_table
from soulspot.export.columns import COLUMNS, choose_columns
from soulspot.export.formats import FORMATS, format_of
from soulspot.export.tables import check_spreadsheet, parse_filters
from soulspot.export.target import BUFFER_BYTES
from soulspot.models import Status
from soulspot.terminal.bars import progress_bars
from soulspot.terminal.console import TerminalBytes, complain, print_note

if TYPE_CHECKING:
    from soulspot.cli.export_covers import CoversReport

DDEX = "ddex"
STDOUT = Path("-")
UNCHANGED = "no file was written or changed"
# a quick export prints no progress: cron would mail it
QUIET_SECONDS = 1.0


def export(
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", parser=parse_path,
        help="The file to write, replaced whole; .gz packs it (default, or -: standard output). A folder for "
        "ddex.")] = None,
    format_: Annotated[str | None, typer.Option("--format", "-f", metavar="FORMAT",
        help=f"{', '.join(FORMATS)} (default: by the file's ending, else csv), or ddex: release messages.")] = None,
    columns: Annotated[str | None, typer.Option(metavar="A,B,C",
        help=f"Only these columns, in this order, of: {' '.join(COLUMNS)}.")] = None,
    status: Annotated[list[str] | None, typer.Option(metavar="STATUS",
        help=f"Only tracks of this status, {', '.join(Status)}; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME",
        help="Only rows that changed since: 7d back from now, or a date and time.")] = None,
    query: Annotated[str | None, typer.Option(metavar="WORDS",
        help="Only tracks with words that begin so in title, artist or album.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N of these tracks.")] = None,
    spreadsheet: Annotated[bool, typer.Option("--spreadsheet",
        help="CSV for Excel and its like: a ' goes before each value that a spreadsheet would run as a "
        "formula.")] = False,
    validate: Annotated[bool, typer.Option("--validate",
        help="ddex: write only messages that are valid by the schema.")] = False,
    schema: Annotated[Path | None, typer.Option(metavar="PATH", parser=parse_path,
        help="ddex: release-notification.xsd or its folder, to validate with (default: export.ddex.schema).")] = None,
    group_by: Annotated[str | None, typer.Option(metavar="A,B",
        help="ddex: the columns whose values make tracks one release (default: the release id, else the barcode, "
        "else label and catalogue number, else album artist and album).")] = None,
    max_failures: Annotated[int | None, typer.Option(min=1, metavar="N",
        help="ddex: stop after N releases that cannot be written.")] = None,
    processes: Annotated[int | None, typer.Option(min=1, max=64, metavar="N",
        help="ddex: build in N processes (default: as many as pay).")] = None,
    covers: Annotated[Path | None, typer.Option(metavar="DIR", parser=parse_path,
        help="Save the front covers of these tracks there, too, one a release; needs export.covers.enabled.")] = None,
    config: ConfigOption = None,
    json_: Annotated[bool, typer.Option("--json",
        help="Report as one JSON document on stdout; goes with --out FILE.")] = False,
) -> None:  # fmt: skip
    """Write the enriched tracks as a table, or as release messages.

    Rows are in the order of track_id. It works beside a running daemon, and reads one moment's
    state. Lists are JSON in csv and sqlite.

    Example: soulspot export --status accepted --since 7d --out new.csv.gz

    Example: soulspot export --format ddex --out messages --validate"""
    # refused, not ignored: a person would believe that the option had worked
    tables_only = {"--columns": columns, "--limit": limit, "--spreadsheet": spreadsheet, "--covers": covers}
    ddex_only = {"--validate": validate, "--schema": schema, "--group-by": group_by,
                 "--max-failures": max_failures, "--processes": processes}  # fmt: skip
    is_ddex = format_ == DDEX
    if given := [name for name, value in (tables_only if is_ddex else ddex_only).items() if value]:
        running.refuse(f"{', '.join(given)}: goes with {'tables, not with ddex' if is_ddex else '--format ddex alone'}")
    if is_ddex:
        # loads lxml, which tables do not need
        from soulspot.cli.export_ddex import export_ddex

        export_ddex(
            out, config, status=status or (), since=since, query=query, validate=validate, schema=schema,
            group_by=group_by, processes=processes, max_failures=max_failures, as_json=json_,
        )  # fmt: skip
        return
    path = None if out in (None, STDOUT) else out
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    filters = {"status": status or (), "since": since, "query": query, "limit": limit}
    options = {"format": format_, "columns": names, "spreadsheet": spreadsheet, **filters}
    _refuse_impossible(options, path, as_json=json_)
    if covers is not None and covers.exists() and not covers.is_dir():
        running.refuse(f"{covers} is a file; name a folder for the covers")
    loaded = running.load_or_exit(config, needs_contact=False, reads_database=True)
    if covers is not None and not loaded.export.covers.enabled:
        running.exit_with(running.BAD_CONFIG, "no covers are fetched: set export.covers.enabled = true")
    running.log_beside_progress(loaded)
    with _ended_in_order(is_stream=path is None):
        report = running.exit_on_error(lambda: _export(loaded, path, options, quiet=json_), if_stopped=UNCHANGED)
    if report is None:
        return
    saved = None if covers is None else _save_covers(loaded, covers, filters, quiet=json_)
    if json_:
        print(json.dumps(report.as_json() | ({"covers": saved.as_json()} if saved else {})))
    else:
        if path is not None:
            print_note(f"{report.rows} tracks in {path}")
        for note in report.notes():
            print_note(note)
        if saved is not None:
            print_note(saved.summary())
    if saved is not None and saved.postponed:
        raise typer.Exit(running.INCOMPLETE)


def _save_covers(config: Config, folder: Path, filters: Mapping[str, Any], *, quiet: bool) -> CoversReport:
    # loads the service, which takes long and which a table does not need
    from soulspot.cli.export_covers import save_covers

    return running.run_command(config, lambda bars: save_covers(config, folder, filters, bars), quiet=quiet)


def _refuse_impossible(options: Mapping[str, Any], path: Path | None, *, as_json: bool) -> None:
    """Exit with code 2 for options that contradict each other or name what there is not.

    `path` is the file to write, None for standard output."""
    try:
        if options["format"] not in (None, *FORMATS):
            known = ", ".join((*FORMATS, DDEX))
            raise ValueError(f"there is no format {options['format']!r}; there are {known}")
        format_, _ = format_of(options["format"], path)
        choose_columns(options["columns"])
        parse_filters(options["status"], options["since"], options["query"], options["limit"])
        check_spreadsheet(options["spreadsheet"], format_)
        if path is None and as_json:
            raise ValueError("--json goes with --out FILE: without it the table itself is on stdout")
        if path is None and format_.binary and sys.stdout.isatty():
            raise ValueError(
                f"{format_.name} is binary and cannot be shown in a terminal: give --out FILE, or redirect the output"
            )
        if path is not None and path.is_dir():
            raise ValueError(f"{path} is a folder; name a file in it")
    except ValueError as error:
        running.refuse(error)


def _export(config: Config, path: Path | None, options: dict[str, Any], *, quiet: bool) -> TableReport | None:
    """Write the table to `path`, or to standard output if it is None.

    Returns None when the reader of standard output wants no more (as `head` does)."""
    began = time.monotonic()
    # a bar amid the rows would be no table
    with progress_bars(quiet or (path is None and sys.stdout.isatty())) as bars:

        def show(done: int, total: int) -> None:
            if time.monotonic() - began > QUIET_SECONDS:
                bars.show("export", done, total)

        if path is not None:
            return export_table(config.database.path, path, on_progress=show, **options)
        try:
            return export_table(config.database.path, _buffered_stdout(), on_progress=show, **options)
        except BrokenPipeError:
            _discard_stdout()
            return None
        except OSError as error:
            # a write to a closed or full standard output names no file
            if error.filename is None:
                error.filename = "standard output"
            raise


@contextmanager
def _ended_in_order(*, is_stream: bool) -> Iterator[None]:
    """End the export by exceptions at SIGTERM and Ctrl-C; drop what no reader of a stream takes."""

    # Python's own SIGTERM ends the process at once and would leave a temporary file behind
    def end(number: int, frame: object) -> NoReturn:
        if is_stream:
            _discard_stdout()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        complain(f"stopped; {UNCHANGED}")
        raise SystemExit(running.TERMINATED)

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _buffered_stdout() -> BinaryIO:
    """Return standard output with a buffer made for rows; Python's own is made for lines."""
    sys.stdout.flush()
    if sys.stdout.isatty():
        return cast(BinaryIO, TerminalBytes(sys.stdout.buffer))
    try:
        return open(sys.stdout.fileno(), "wb", buffering=BUFFER_BYTES, closefd=False)
    except io.UnsupportedOperation:
        # a test or a program has put another object in its place
        return sys.stdout.buffer


def _discard_stdout() -> None:
    """Drop all further output: flushing what is buffered must neither block nor fail."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
