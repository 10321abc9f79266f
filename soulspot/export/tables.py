"""Tables: rows of enriched_tracks to a file or a stream, in bounded memory, whatever the format."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from soulspot.config import parse_time
from soulspot.errors import ExportError
from soulspot.export.columns import choose
from soulspot.export.formats import Format, Options, format_of
from soulspot.export.target import packed, replacing, streaming
from soulspot.export.values import Values
from soulspot.models import Status
from soulspot.store import export_rows
from soulspot.store.database import Database, require_current_schema
from soulspot.store.export_rows import RowFilter, Snapshots
from soulspot.store.times import iso

PAGE = 1_000  # rows that are Python objects at one time

OnProgress = Callable[[int, int], None]
"""on_progress(rows written, rows there are), after every page. What it raises ends the export, which leaves nothing."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """What was exported. `as_of` is the moment whose state it is (UTC); `snapshots` is more than 1 when it took so
    long that later rows are as of later moments. `bytes` is None where they went into a stream."""

    format: str
    rows: int
    columns: tuple[str, ...]
    out: str | None
    bytes: int | None
    seconds: float
    as_of: str
    snapshots: int
    odd_paths: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"columns": list(self.columns)}

    def notes(self) -> list[str]:
        """What a person should hear of it."""
        notes = []
        if self.odd_paths:
            notes.append(
                f"{self.odd_paths} paths are not UTF-8: column path has those bytes escaped as \\xNN, column"
                " path_bytes has them exactly"
            )
        if self.snapshots > 1:
            notes.append(
                f"it took long: the rows are as of {self.snapshots} moments, the first at {self.as_of}"
            )
        return notes


def wanted_of(
    status: str | Sequence[str] = (),
    since: str | float | datetime | None = None,
    query: str | None = None,
    limit: int | None = None,
) -> RowFilter:
    """The filters, checked. ValueError says what is wrong with them."""
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


def check_spreadsheet(wanted: bool, format_: Format) -> None:
    """ValueError when another format than CSV is to be harmless to spreadsheets."""
    if wanted and format_.name != "csv":
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
    """Write the rows of a SoulSpot database by track_id to a file, which is replaced whole, or to an open binary stream.

    `format` is csv, json, ndjson, parquet or sqlite; without it the file's ending says which. `columns` are names of
    docs/export.md. `status` keeps to tracks of these statuses, `since` to rows that changed since ("7d", a date, epoch
    seconds), `query` to those that the words find, `limit` to the first so many. It reads beside a daemon and works
    on bounded memory. Raises ValueError for what cannot be asked, ExportError, DatabaseError or OSError for what cannot
    be done; the file is then as it was before."""
    place = Path(out) if isinstance(out, str | Path) else None
    format_, gz = format_of(format, place)
    chosen = choose(columns)
    wanted = wanted_of(status, since, query, limit)
    check_spreadsheet(spreadsheet, format_)
    began, values, snapshots = time.monotonic(), Values(), Snapshots()
    rows = 0
    with ExitStack() as stack:
        connection = stack.enter_context(closing(opened(Path(database))))
        pages = export_rows.pages(
            connection, [column.stored for column in chosen], wanted, PAGE, snapshots=snapshots
        )
        stack.enter_context(closing(pages))
        total = export_rows.count(connection, wanted) if on_progress else 0
        sink = stack.enter_context(replacing(place) if place else streaming(out))  # type: ignore[arg-type]
        if gz:
            sink = stack.enter_context(packed(sink))
        write = stack.enter_context(format_.writer()(chosen, sink, values, Options(spreadsheet)))
        for page in pages:
            track_ids, *stored = zip(*page, strict=True)
            write(track_ids, stored)
            rows += len(page)
            if on_progress:
                on_progress(rows, max(total, rows))
    return TableReport(
        format_.name, rows, tuple(column.name for column in chosen), str(place) if place else None,
        place.stat().st_size if place and place.is_file() else None, round(time.monotonic() - began, 3),
        iso(snapshots.began or time.time()), snapshots.count, values.odd_paths,
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
    """The same rows as dicts, one page in memory at a time: lists are lists, `sources` is a dict."""
    chosen, wanted, values = choose(columns), wanted_of(status, since, query, limit), Values()
    names = [column.name for column in chosen]
    with closing(opened(Path(database))) as connection:
        stored_names = [column.stored for column in chosen]
        with closing(
            export_rows.pages(connection, stored_names, wanted, PAGE, snapshots=Snapshots())
        ) as pages:
            for page in pages:
                track_ids, *stored = zip(*page, strict=True)
                made = [
                    values.made(column, one, track_ids) for column, one in zip(chosen, stored, strict=True)
                ]
                for row in zip(*made, strict=True):
                    yield dict(zip(names, row, strict=True))


def opened(path: Path) -> sqlite3.Connection:
    """A connection to read a SoulSpot database by, beside a daemon. Raises ExportError or DatabaseError."""
    if not path.exists():
        raise ExportError(
            f"there is no database yet at {path}; `soulspot enrich PATH` or `soulspot daemon` makes it"
        )
    connection = Database.open_read_only(path, long_running=True)
    try:
        require_current_schema(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
