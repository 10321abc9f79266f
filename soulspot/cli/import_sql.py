"""`soulspot import --from-sql`: copy the rows of a query, and remember how far that has come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from soulspot.cli.running import refuse, run_command
from soulspot.client.daemon_client import DaemonClient
from soulspot.client.workplace import in_daemon_or_here
from soulspot.config import Config
from soulspot.imports.rows import BadRow, parse_row
from soulspot.imports.sql.keys import display_key, key_from_json
from soulspot.imports.sql.reader import Page, SqlSource
from soulspot.imports.sql.url import SourceError
from soulspot.operations.reports.results import MAX_NOTES
from soulspot.pipeline import DECIDE_EVERY, EnrichmentService
from soulspot.store import sql_imports
from soulspot.store.sql_imports import Position
from soulspot.store.tracks import ImportedTrack
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import complain

POSITION = "/api/v1/import/position"


def import_by_sql(
    config: Config, url: str, query: str, keys: Sequence[str], page: int, *, restart: bool, quiet: bool
) -> dict[str, Any]:
    """Import a query, `page` rows at a time; complain about unusable rows unless `quiet`.

    Returns the report: `rows`, `queued`, `bad`, `source` and `notes`. Exits with code 2 when the
    database or the query cannot be used."""
    try:
        source = SqlSource(url, query, list(keys), page)
        source.read_columns()
    except SourceError as error:
        refuse(error)
    report = run_command(config, lambda bars: import_query(config, source, bars, restart=restart), quiet=quiet)
    for note in () if quiet else report.notes:
        complain(note)
    return {"rows": report.rows, "queued": report.queued, "bad": report.bad,
            "source": source.name, "notes": report.notes}  # fmt: skip


@dataclass(slots=True)
class SqlReport:
    """Counts of one import by SQL, and notes: the first of each kind, and how many more."""

    rows: int = 0
    queued: int = 0
    bad: int = 0
    shared: int = 0  # rows whose key another row has too
    keyless: int = 0
    remarked: int = 0  # rows or values that cannot be used
    notes: list[str] = field(default_factory=list)

    def add_notes_on_the_rest(self, source: SqlSource) -> None:
        """Add the notes that can only be written when all rows have been read."""
        if self.remarked > MAX_NOTES:
            self.notes.append(f"... and {self.remarked - MAX_NOTES} more values or rows that cannot be used")
        if self.shared:
            self.notes.append(
                f"{self.shared} rows share their key with others: they have no source_key, equal ones are one track"
            )
        if self.keyless:
            self.notes.append(f"{self.keyless} rows have no key: they are read again by every import")
        if source.unknown_columns:
            self.notes.append(f"columns that are not used: {', '.join(source.unknown_columns[:100])}")


Row = tuple[dict[str, Any], ImportedTrack]
"""A row as the query has it, and the track that it was read as."""


async def import_query(config: Config, source: SqlSource, bars: Bars, *, restart: bool = False) -> SqlReport:
    """Queue the rows behind the last one that was imported before, or all of them with `restart`.

    `source.read_columns()` must have been called. The source is closed at the end."""
    return await in_daemon_or_here(
        config,
        lambda client: _copy(source, _DaemonTarget(client), bars, restart=restart),
        lambda service: _copy(source, _ServiceTarget(service), bars, restart=restart),
    )


async def _copy(source: SqlSource, target: _ServiceTarget | _DaemonTarget, bars: Bars, *, restart: bool) -> SqlReport:
    # one thread for all pages: a connection to SQLite belongs to the thread that opened it
    report, pool = SqlReport(), ThreadPoolExecutor(1, thread_name_prefix="soulspot-sql")
    loop = asyncio.get_running_loop()
    try:
        before = None if restart else await target.load_position(source.digest)
        if before:
            after = display_key(key_from_json(before.position))
            report.notes.append(
                f"goes on behind key {after}, {before.rows} rows were taken before; --restart takes all"
            )
        imported = before.rows if before else 0
        pages = source.pages(before.position if before else None)
        while (page := await loop.run_in_executor(pool, lambda: next(pages, None))) is not None:
            await _import_page(page, target, report)
            imported += len(page.rows)
            # after the rows: a crash in between imports a page again, which changes nothing
            if page.position is not None:
                await target.save_position(source.digest, Position(source.name, page.position, imported))
            bars.show("import", report.rows, None, f"{report.bad} cannot be used" if report.bad else "")
        await target.finish()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        source.close()
    report.add_notes_on_the_rest(source)
    return report


async def _import_page(page: Page, target: _ServiceTarget | _DaemonTarget, report: SqlReport) -> None:
    good: list[Row] = []
    for key, record in page.rows:
        row = parse_row(0, record)
        for remark in (row.reason,) if isinstance(row, BadRow) else row.remarks:
            report.remarked += 1
            if report.remarked <= MAX_NOTES:
                report.notes.append(f"key {key}: {remark}" if key else f"a row without key: {remark}")
        if isinstance(row, BadRow) or not row.can_be_looked_up:
            report.bad += 1
        if not isinstance(row, BadRow):
            good.append((record, ImportedTrack(row.key, row.tags)))
    if good:
        report.queued += await target.import_rows(good)
    report.rows += len(page.rows)
    report.shared += page.shared
    report.keyless += sum(not key for key, _ in page.rows)


class _ServiceTarget:
    """The database of a service of this process. A source is known by its digest."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._undecided = 0

    async def load_position(self, digest: str) -> Position | None:
        return await self._service.database.read(lambda c: sql_imports.load(c, digest))

    async def import_rows(self, rows: list[Row]) -> int:
        _, queued = await self._service.add_rows([track for _, track in rows])
        # many rows at once, but not all of an endless import: their statuses should show
        self._undecided += queued
        if self._undecided >= DECIDE_EVERY:
            await self.finish()
        return queued

    async def save_position(self, digest: str, position: Position) -> None:
        await self._service.database.write(lambda c: sql_imports.save(c, digest, position, time.time()))

    async def finish(self) -> None:
        self._undecided = 0
        await self._service.decide_new()


class _DaemonTarget:
    """The database of the running daemon, over HTTP. A source is known by its digest."""

    def __init__(self, client: DaemonClient) -> None:
        self._client = client

    async def load_position(self, digest: str) -> Position | None:
        found = await self._client.request("GET", POSITION, "position", params={"source": digest})
        if found["position"] is None:
            return None
        return Position(str(found.get("name")), found["position"], int(found.get("rows", 0)))

    async def import_rows(self, rows: list[Row]) -> int:
        body = b"".join(json.dumps(record).encode() + b"\n" for record, _ in rows)
        operation = await self._client.wait_for(await self._client.start_import("rows.ndjson", body))
        return int(operation["metadata"]["report"]["queued"])

    async def save_position(self, digest: str, position: Position) -> None:
        body = {"source": digest, "name": position.name, "position": position.position, "rows": position.rows}
        await self._client.request("POST", POSITION, "position", json=body)

    async def finish(self) -> None:
        """Do nothing: the daemon decides about each page by itself."""
