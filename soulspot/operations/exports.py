"""Exports as operations: each writes a file into one folder, where it is kept for a while to be fetched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soulspot.export import export_table
from soulspot.export.columns import choose_columns
from soulspot.export.formats import FORMATS, GZIP_SUFFIX
from soulspot.export.tables import check_spreadsheet, parse_filters
from soulspot.export.target import messages_folder, part_path
from soulspot.operations.progress import Progress
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations as rows
from soulspot.store.times import iso

FOLDER = "exports"  # beside the database
DDEX = "ddex"  # the format that is no table
KEPT = 20  # files
KEEP = 7 * 86_400.0  # seconds

Tell = Callable[[int, int, int], None]
"""tell(done, there are, failed). What it raises ends the export."""
Made = tuple[tuple[int, int, int], dict[str, Any], list[str]]
"""(there are, done, failed), the report, and what a person should hear of it."""


class Exports:
    """The folder with the files of exports, and the work that writes them, one at a time."""

    def __init__(
        self, folder: Path, *, keep: float = KEEP, ddex: Any = None, now: Callable[[], float] = time.time
    ) -> None:
        """`ddex` is the section export.ddex of the configuration."""
        self.folder = folder
        self.keep = keep
        self._ddex = ddex
        self._now = now
        self._one = asyncio.Lock()  # each takes its share of memory

    def request(
        self, *, format: str, columns: list[str] | None = None, gzip: bool = False, spreadsheet: bool = False,
        validate: bool = False, group_by: list[str] | None = None, max_failures: int | None = None,
        since: str | None = None, **filters: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """What the operation is made of, its file's name included. ValueError says what is wrong with it."""
        if format == DDEX:
            _refuse_any(
                {"columns": columns, "gzip": gzip, "spreadsheet": spreadsheet}, "tables, not with ddex"
            )
            return self._ddex_request(
                since, validate=validate, group_by=group_by, max_failures=max_failures, **filters
            )
        _refuse_any({"validate": validate, "group_by": group_by, "max_failures": max_failures}, "ddex alone")
        format_ = FORMATS[format]
        if gzip and format_.binary:
            raise ValueError(f"gzip: {format} is packed already")
        check_spreadsheet(spreadsheet, format_)
        choose_columns(columns)
        moment = parse_filters(
            since=since, **filters
        ).since  # "7d" means before now, not before a later start
        return {
            "file": self._name(format_.suffixes[0] + (GZIP_SUFFIX if gzip else "")), "format": format, "columns": columns,
            "spreadsheet": spreadsheet, "since": moment, **filters,
        }  # fmt: skip

    def _ddex_request(self, since: str | None, **asked: Any) -> dict[str, Any]:
        from soulspot.operations.ddex_exports import (  # with lxml, which tables do not need
            SUFFIX,
            refuse_wrong,
        )

        status, query = asked.pop("status", ()), asked.pop("query", None)
        refuse_wrong(
            self._ddex, validate=asked["validate"], group_by=asked["group_by"], status=status,
            limit=asked.pop("limit", None),
        )  # fmt: skip
        moment = parse_filters(status, since, query).since
        return {"file": self._name(SUFFIX), "format": DDEX, **asked,
                "status": status, "query": query, "since": moment}  # fmt: skip

    def _name(self, suffix: str) -> str:
        at = datetime.fromtimestamp(self._now(), UTC)
        return f"soulspot-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}{suffix}"

    async def work(
        self, service: EnrichmentService, request: Mapping[str, Any], progress: Progress
    ) -> tuple[dict[str, Any], list[str]]:
        """Write the file; cut off, it leaves none and is begun again."""
        asked = dict(request)
        path = self.folder / asked.pop("file")
        async with self._one:
            await asyncio.to_thread(self.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            make = self._messages if asked["format"] == DDEX else _table
            counts, report, notes = await _followed(
                lambda tell: make(service.database.path, path, asked, tell), path, progress
            )
        progress.advance(*counts)
        await self.sweep(service)
        return report | {"out": path.name}, notes

    def _messages(self, database: Path, path: Path, asked: Mapping[str, Any], tell: Tell) -> Made:
        from soulspot.operations.ddex_exports import write_messages

        report = write_messages(database, path, asked, self._ddex, tell)
        counts = (report.releases, report.written + report.failed, report.failed)
        told = report.as_json() | {"bytes": path.stat().st_size}
        told["refused"] = told.pop("errors")  # an operation has errors of its own
        return counts, told, report.advice()

    def file_of(self, operation: Mapping[str, Any]) -> Path | None:
        """The file of an export that is completed; None when it is there no more."""
        path = self.folder / operation["metadata"]["file"]
        return path if path.is_file() else None

    async def sweep(self, service: EnrichmentService) -> None:
        """Remove files that are too old or too many, and what was left half done. Nobody else's are touched."""
        found = await service.database.read(rows.list_exports)
        oldest, kept, gone = iso(self._now() - self.keep), 0, []
        for name, status, ended in found:
            if ended is None:
                continue
            if status == "completed" and ended >= oldest and kept < KEPT:
                kept += 1
                continue
            gone.append(self.folder / name)
        await asyncio.to_thread(_remove, self.folder, gone)


def _table(database: Path, path: Path, asked: Mapping[str, Any], tell: Tell) -> Made:
    report = export_table(database, path, on_progress=lambda done, total: tell(done, total, 0), **asked)
    return (report.rows, report.rows, 0), report.as_json(), report.notes()


def _refuse_any(options: Mapping[str, Any], kind: str) -> None:
    """ValueError when one of these was given."""
    if given := [name for name, value in options.items() if value]:
        raise ValueError(f"{', '.join(given)}: goes with {kind}")


async def _followed(make: Callable[[Tell], Made], path: Path, progress: Progress) -> Made:
    """Make a file in a thread of its own. Cancelled, it has ended and left nothing."""
    loop, stop = asyncio.get_running_loop(), threading.Event()

    def tell(done: int, total: int, failed: int) -> None:
        if stop.is_set():
            raise _Stopped
        loop.call_soon_threadsafe(progress.advance, total, done, failed)

    writing = asyncio.create_task(asyncio.to_thread(make, tell))
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
        for one in (path, part_path(path)):
            if one.name in there:
                with contextlib.suppress(OSError):  # the next time, then
                    one.unlink()
        if (messages := messages_folder(path)).name in there:
            shutil.rmtree(messages, ignore_errors=True)
