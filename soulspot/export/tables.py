"""Tables: rows of enriched_tracks to a file or a stream, in bounded memory, whatever the format."""

import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from soulspot.config import parse_time
from soulspot.errors import ExportError
from soulspot.export.columns import Column, choose_columns
from soulspot.export.formats import SPREADSHEET, Format, format_of
from soulspot.export.target import gzipped, replacing, streaming
from soulspot.export.values import Page
from soulspot.models import Status
from soulspot.store import export_rows
from soulspot.store.database import Database
from soulspot.store.export_rows import RowFilter, Snapshots
from soulspot.store.migrations import require_current_schema
from soulspot.store.times import iso

PAGE = 1_000  # rows that are Python objects at one time

OnProgress = Callable[[int, int], None]
"""on_progress(rows written, rows in all), after every page. Its exception ends the export."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """A finished export of a table."""

    format: str
    rows: int
    columns: tuple[str, ...]
    out: str | None  # None for a stream, as is `bytes`
    bytes: int | None
    seconds: float
    as_of: str  # the time whose state the rows show, UTC
    snapshots: int  # more than 1: the export took so long that later rows show later times
    odd_paths: int  # paths that are not UTF-8

    def as_json(self) -> dict[str, Any]:
        """Return the report JSON-ready: {"format": "csv", "rows": 12, "columns": [...], ...}."""
        return asdict(self) | {"columns": list(self.columns)}

    def notes(self) -> list[str]:
        """Return sentences for the user about odd paths and several snapshots."""
        notes = []
        if self.odd_paths:
            notes.append(f"{self.odd_paths} paths are not UTF-8: column path has those bytes escaped as \\xNN, "
                         "column path_bytes has them exactly")  # fmt: skip
        if self.snapshots > 1:
            notes.append(f"the export took long: its rows show {self.snapshots} points in time, the first {self.as_of}")
        return notes


def parse_filters(
    status: str | Sequence[str] = (),
    since: str | float | datetime | None = None,
    query: str | None = None,
    limit: int | None = None,
) -> RowFilter:
    """Check the filters of an export and return them as the store takes them.

    `since` is "7d" (before now), an ISO date and time, or epoch seconds. Raises ValueError."""
    statuses = tuple(dict.fromkeys([status] if isinstance(status, str) else status))
    for name in statuses:
        if name not in list(Status):
            raise ValueError(f"there is no status {name!r}; there are {', '.join(Status)}")
    if limit is not None and limit < 1:
        raise ValueError("the limit is 1 or more")
    if isinstance(since, str):
        since = parse_time(since, time.time())
    elif isinstance(since, datetime):
        since = since.timestamp()
    return RowFilter(statuses, since, query or None, limit)


def check_spreadsheet(spreadsheet: bool, format_: Format) -> None:
    """Raise ValueError when `spreadsheet` is set for a format other than CSV."""
    if spreadsheet and format_.name != "csv":
        raise ValueError("only csv can be made harmless to spreadsheets")


def export_table(
    database: Path | str,
    out: Path | str | BinaryIO,
    *,
    format: str | None = None,
    columns: Sequence[str] | None = None,
    status: str | Sequence[str] = (),
    since: str | float | datetime | None = None,
    query: str | None = None,
    limit: int | None = None,
    spreadsheet: bool = False,
    on_progress: OnProgress | None = None,
) -> TableReport:
    """Write the rows of a SoulSpot database, by track_id, to a file or an open binary stream.

    A file is replaced whole, and stays as it was when the export fails. A daemon may run meanwhile.

    format       csv, json, ndjson, parquet or sqlite; by default the file's suffix decides
    columns      names of columns (docs/howto/export-tables.md), in order; by default all
    status       only tracks of these statuses
    since        only rows changed since: "7d" before now, a date, or epoch seconds
    query        only tracks with these words in title, artist or album
    limit        only the first so many tracks
    spreadsheet  CSV in which no cell runs as a formula
    on_progress  called after every page with (rows written, rows in all)

    Raises ValueError for wrong arguments; ExportError, DatabaseError or OSError when it fails."""
    path = Path(out) if isinstance(out, str | Path) else None
    format_, gzip = format_of(format, path)
    chosen = choose_columns(columns)
    wanted = parse_filters(status, since, query, limit)
    check_spreadsheet(spreadsheet, format_)
    began, snapshots = time.monotonic(), Snapshots()
    rows = odd_paths = 0
    with ExitStack() as stack:
        connection = stack.enter_context(closing(open_database(Path(database))))
        pages = stack.enter_context(closing(_pages(connection, chosen, wanted, snapshots)))
        # Counting walks through the index, so it is left out where nobody looks at the progress.
        total = export_rows.count(connection, wanted) if on_progress else 0
        sink = stack.enter_context(replacing(path) if path else streaming(out))  # type: ignore[arg-type]
        if gzip:
            sink = stack.enter_context(gzipped(sink))
        writer = (SPREADSHEET if spreadsheet else format_).writer()
        write = stack.enter_context(writer(chosen, sink))
        for page in pages:
            write(page)
            rows += page.size
            odd_paths += page.odd_paths
            if on_progress:
                # Rows that a daemon adds meanwhile may exceed the first count.
                on_progress(rows, max(total, rows))
    return TableReport(
        format_.name, rows, tuple(column.name for column in chosen), str(path) if path else None,
        path.stat().st_size if path and path.is_file() else None, round(time.monotonic() - began, 3),
        iso(snapshots.began or time.time()), snapshots.count, odd_paths,
    )  # fmt: skip


def table_rows(
    database: Path | str,
    *,
    columns: Sequence[str] | None = None,
    status: str | Sequence[str] = (),
    since: str | float | datetime | None = None,
    query: str | None = None,
    limit: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a SoulSpot database by track_id as {column: value}, a page in memory.

    Lists are lists and `sources` is a dict. Columns and filters are those of `export_table`."""
    chosen, wanted = choose_columns(columns), parse_filters(status, since, query, limit)
    with (
        closing(open_database(Path(database))) as connection,
        closing(_pages(connection, chosen, wanted, Snapshots())) as pages,
    ):
        for page in pages:
            yield from page.objects()


def _pages(
    connection: sqlite3.Connection, columns: Sequence[Column], wanted: RowFilter, snapshots: Snapshots
) -> Generator[Page, None, None]:
    stored = [column.stored for column in columns]
    # Closed with this generator, so that the read transaction ends when an export is abandoned.
    with closing(export_rows.pages(connection, stored, wanted, PAGE, snapshots=snapshots)) as pages:
        for rows in pages:
            yield Page(columns, rows)


def open_database(path: Path) -> sqlite3.Connection:
    """Open a SoulSpot database for reading beside a daemon.

    Raises ExportError when it is absent, DatabaseError when its schema is not this version's."""
    if not path.exists():
        raise ExportError(f"there is no database yet at {path}; `soulspot enrich PATH` or `soulspot daemon` makes it")
    connection = Database.open_read_only(path, long_running=True)
    try:
        require_current_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
