"""An import from another database: page by page into ours, here or through the daemon, and how far it has come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from soulspot.assembly import open_service
from soulspot.cli.console import Bars
from soulspot.cli.daemon_client import Remote, running_daemon
from soulspot.config import Config
from soulspot.imports.rows import BadRow, parse_row
from soulspot.imports.sql.keys import display_key, key_from_json
from soulspot.imports.sql.reader import Page, SqlSource
from soulspot.operations.reports.results import MAX_NOTES
from soulspot.pipeline import DECIDE_EVERY, EnrichmentService
from soulspot.store import sql_imports
from soulspot.store.sql_imports import Position
from soulspot.store.tracks import ImportedTrack


@dataclass(slots=True)
class SqlReport:
    """Counts of one import. `notes` are for a person: the first lines of each kind, and how many there are more."""

    rows: int = 0
    queued: int = 0
    bad: int = 0
    shared: int = 0
    keyless: int = 0
    remarked: int = 0
    notes: list[str] = field(default_factory=list)


class Target(Protocol):
    """Where the rows go."""

    async def load(self, digest: str) -> Position | None: ...
    async def take(self, rows: list[tuple[dict[str, Any], ImportedTrack]]) -> int: ...
    async def save(self, digest: str, at: Position) -> None: ...
    async def end(self) -> None: ...


async def import_sql(config: Config, source: SqlSource, bars: Bars, *, restart: bool = False) -> SqlReport:
    """Queue the rows behind the last one that was taken, or with `restart` all of them. The source has been looked at."""
    report, pool = SqlReport(), ThreadPoolExecutor(1, thread_name_prefix="soulspot-sql")
    loop = asyncio.get_running_loop()
    try:
        async with _target(config) as target:
            before = None if restart else await target.load(source.digest)
            if before:
                after = display_key(key_from_json(before.position))
                report.notes.append(
                    f"goes on behind key {after}, {before.rows} rows were taken before; --restart takes all"
                )
            taken = before.rows if before else 0
            pages = source.pages(before.position if before else None)
            while (page := await loop.run_in_executor(pool, _next, pages)) is not None:
                await _take(page, target, report)
                taken += len(page.rows)
                if page.position is not None:
                    await target.save(source.digest, Position(source.name, page.position, taken))
                bars.show("import", report.rows, None, f"{report.bad} cannot be used" if report.bad else "")
            await target.end()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        source.close()
    _sum_up(report, source)
    return report


def _next(pages: Iterator[Page]) -> Page | None:
    return next(pages, None)


async def _take(page: Page, target: Target, report: SqlReport) -> None:
    good = []
    for key, record in page.rows:
        row = parse_row(0, record)
        remarks = (row.reason,) if isinstance(row, BadRow) else row.remarks
        for remark in remarks:
            report.remarked += 1
            if report.remarked <= MAX_NOTES:
                report.notes.append(f"key {key}: {remark}" if key else f"a row without key: {remark}")
        if isinstance(row, BadRow):
            report.bad += 1
        else:
            good.append((record, ImportedTrack(row.key, row.tags)))
    if good:
        report.queued += await target.take(good)
    report.rows += len(page.rows)
    report.shared += page.shared
    report.keyless += sum(not key for key, _ in page.rows)


def _sum_up(report: SqlReport, source: SqlSource) -> None:
    if report.remarked > MAX_NOTES:
        report.notes.append(f"... and {report.remarked - MAX_NOTES} more values or rows that cannot be used")
    if report.shared:
        report.notes.append(
            f"{report.shared} rows share their key with others: they have no source_key, equal ones are one track"
        )
    if report.keyless:
        report.notes.append(f"{report.keyless} rows have no key: they are read again by every import")
    if source.unknown_columns:
        report.notes.append(f"columns that are not used: {', '.join(source.unknown_columns[:100])}")


@asynccontextmanager
async def _target(config: Config) -> AsyncIterator[Target]:
    if remote := running_daemon(config):
        async with remote:
            yield _Daemon(remote)
    else:
        async with open_service(config, work=False) as service:
            yield _Here(service)


class _Here:
    """Our own database, while no daemon runs."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._undecided = 0

    async def load(self, digest: str) -> Position | None:
        return await self._service.database.read(lambda c: sql_imports.load(c, digest))

    async def take(self, rows: list[tuple[dict[str, Any], ImportedTrack]]) -> int:
        _, queued = await self._service.add_rows([row for _, row in rows])
        self._undecided += queued
        if self._undecided >= DECIDE_EVERY:
            await self.end()
        return queued

    async def save(self, digest: str, at: Position) -> None:
        await self._service.database.write(lambda c: sql_imports.save(c, digest, at, time.time()))

    async def end(self) -> None:
        self._undecided = 0
        await self._service.decide_new()


class _Daemon:
    """The database of a daemon, by its HTTP API."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    async def load(self, digest: str) -> Position | None:
        return await self._remote.import_position(digest)

    async def take(self, rows: list[tuple[dict[str, Any], ImportedTrack]]) -> int:
        body = b"".join(json.dumps(record).encode() + b"\n" for record, _ in rows)
        operation = await self._remote.finished(await self._remote.import_rows("rows.ndjson", body))
        return int(operation["metadata"]["report"]["queued"])

    async def save(self, digest: str, at: Position) -> None:
        await self._remote.save_import_position(digest, at)

    async def end(self) -> None:
        """It decides each page by itself."""
