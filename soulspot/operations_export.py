"""Exports as operations: each writes a file into one folder, where it is kept for a while to be fetched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soulspot.enrich import EnrichmentService
from soulspot.export import TableReport, export_table
from soulspot.export.columns import choose
from soulspot.export.formats import FORMATS, PACKED
from soulspot.export.tables import check_spreadsheet, wanted_of
from soulspot.export.target import aside_of
from soulspot.operations_progress import Progress
from soulspot.store import operations as rows
from soulspot.store.times import iso

FOLDER = "exports"  # beside the database
KEPT = 20  # files
KEEP = 7 * 86_400.0  # seconds


class Exports:
    """The folder with the files of exports, and the work that writes them, one at a time."""

    def __init__(self, folder: Path, *, keep: float = KEEP, now: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self.keep = keep
        self._now = now
        self._one = asyncio.Lock()  # each takes its share of memory

    def request(
        self, *, format: str, columns: list[str] | None, gzip: bool, spreadsheet: bool,
        since: str | None = None, **filters: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """What the operation is made of, its file's name included. ValueError says what is wrong with it."""
        format_ = FORMATS[format]
        if gzip and format_.binary:
            raise ValueError(f"gzip: {format} is packed already")
        check_spreadsheet(spreadsheet, format_)
        choose(columns)
        moment = wanted_of(since=since, **filters).since  # "7d" means before now, not before a later start
        name = f"soulspot-{datetime.fromtimestamp(self._now(), UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return {
            "file": f"{name}{format_.suffixes[0]}{PACKED if gzip else ''}", "format": format, "columns": columns,
            "spreadsheet": spreadsheet, "since": moment, **filters,
        }  # fmt: skip

    async def work(
        self, service: EnrichmentService, request: Mapping[str, Any], progress: Progress
    ) -> tuple[dict[str, Any], list[str]]:
        """Write the file; cut off, it leaves none and is begun again."""
        asked = dict(request)
        path = self.folder / asked.pop("file")
        async with self._one:
            await asyncio.to_thread(self.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            report = await _written(service.database.path, path, asked, progress)
        progress.advance(report.rows, report.rows, 0)
        await self.sweep(service)
        return report.as_json() | {"out": path.name}, report.notes()

    def file_of(self, operation: Mapping[str, Any]) -> Path | None:
        """The file of an export that is completed; None when it is there no more."""
        path = self.folder / operation["metadata"]["file"]
        return path if path.is_file() else None

    async def sweep(self, service: EnrichmentService) -> None:
        """Remove files that are too old or too many, and what was left half done. Nobody else's are touched."""
        found = await service.database.read(rows.exports)
        oldest, kept, gone = iso(self._now() - self.keep), 0, []
        for name, status, ended in found:
            if ended is None:
                continue
            if status == "completed" and ended >= oldest and kept < KEPT:
                kept += 1
                continue
            gone.append(self.folder / name)
        await asyncio.to_thread(_remove, self.folder, gone)


async def _written(database: Path, path: Path, asked: Mapping[str, Any], progress: Progress) -> TableReport:
    """Export in a thread of its own. Cancelled, it has ended and left nothing."""
    loop, stop = asyncio.get_running_loop(), threading.Event()

    def tell(done: int, total: int) -> None:
        if stop.is_set():
            raise _Stopped
        loop.call_soon_threadsafe(progress.advance, total, done, 0)

    writing = asyncio.create_task(asyncio.to_thread(export_table, database, path, on_progress=tell, **asked))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        stop.set()
        with contextlib.suppress(Exception):
            await writing
            path.unlink()  # it was through already
        raise


class _Stopped(Exception):
    """Nobody wants this export any more."""


def _remove(folder: Path, files: list[Path]) -> None:
    try:
        there = set(os.listdir(folder))
    except FileNotFoundError:
        return
    for path in files:
        for one in (path, aside_of(path)):
            if one.name in there:
                with contextlib.suppress(OSError):  # the next time, then
                    one.unlink()
