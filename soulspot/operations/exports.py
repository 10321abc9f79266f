"""Exports as operations: each writes a file into one folder, which keeps it for a while."""

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
from typing import Any, NamedTuple

from soulspot.export import export_table
from soulspot.export.columns import choose_columns
from soulspot.export.formats import FORMATS, GZIP_SUFFIX
from soulspot.export.tables import check_spreadsheet, parse_filters
from soulspot.export.target import messages_folder, part_path
from soulspot.operations.progress import Counts, OnProgress, Progress
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations
from soulspot.store.times import iso

FOLDER = "exports"  # beside the database
DDEX = "ddex"  # the format that is no table
KEPT = 20  # files
KEEP = 7 * 86_400.0  # seconds


class Written(NamedTuple):
    """The result of an export: the last counts, the report as JSON, and notes for people."""

    counts: Counts
    report: dict[str, Any]
    notes: list[str]


class Exports:
    """The folder of exported files, and the work that writes them, one at a time. `keep` is in
    seconds; `ddex` is the section export.ddex of the configuration."""

    def __init__(
        self, folder: Path, *, keep: float = KEEP, ddex: Any = None, now: Callable[[], float] = time.time
    ) -> None:
        self.folder = folder
        self.keep = keep
        self._ddex = ddex
        self._now = now
        # Each export takes its share of the daemon's memory.
        self._one_at_a_time = asyncio.Lock()

    def request(
        self, *, format: str, columns: list[str] | None = None, gzip: bool = False, spreadsheet: bool = False,
        validate: bool = False, group_by: list[str] | None = None, max_failures: int | None = None,
        since: str | None = None, **filters: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Return the request stored with an export, the name of its file included. `filters` are
        status, query and limit. ValueError says what is wrong with the options."""
        of_tables = {"columns": columns, "gzip": gzip, "spreadsheet": spreadsheet}
        of_ddex = {"validate": validate, "group_by": group_by, "max_failures": max_failures}
        if format == DDEX:
            _refuse_any(of_tables, "tables, not with ddex")
            return self._ddex_request(since, of_ddex, **filters)
        _refuse_any(of_ddex, "ddex alone")
        format_ = FORMATS[format]
        if gzip and format_.binary:
            raise ValueError(f"gzip: {format} is compressed already")
        check_spreadsheet(spreadsheet, format_)
        choose_columns(columns)
        # "7d" counts back from the request, not from a start after a restart.
        changed_since = parse_filters(since=since, **filters).since
        name = self._file_name(format_.suffixes[0] + (GZIP_SUFFIX if gzip else ""))
        return {"file": name, "format": format, "columns": columns, "spreadsheet": spreadsheet,
                "since": changed_since, **filters}  # fmt: skip

    def _ddex_request(
        self, since: str | None, options: Mapping[str, Any], *, status: Any = (), query: str | None = None,
        limit: int | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        # Imported here: lxml takes a while to load, and tables do not need it.
        from soulspot.operations import ddex_exports

        ddex_exports.check_options(
            self._ddex, validate=options["validate"], group_by=options["group_by"], status=status, limit=limit
        )
        changed_since = parse_filters(status, since, query).since
        name = self._file_name(ddex_exports.SUFFIX)
        return {"file": name, "format": DDEX, **options, "status": status, "query": query, "since": changed_since}

    def _file_name(self, suffix: str) -> str:
        at = datetime.fromtimestamp(self._now(), UTC)
        return f"soulspot-{at:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}{suffix}"

    async def work(
        self, service: EnrichmentService, request: Mapping[str, Any], progress: Progress
    ) -> tuple[dict[str, Any], list[str]]:
        """Write the file of a request, whole or not at all; return report and notes."""
        options = dict(request)
        path = self.folder / options.pop("file")
        write = self._write_messages if options["format"] == DDEX else _write_table
        async with self._one_at_a_time:
            await asyncio.to_thread(self.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            written = await _in_thread(
                lambda on_progress: write(service.database.path, path, options, on_progress), path, progress
            )
        progress.advance(*written.counts)
        await self.sweep(service)
        return written.report | {"out": path.name}, written.notes

    def _write_messages(
        self, database: Path, path: Path, options: Mapping[str, Any], on_progress: OnProgress
    ) -> Written:
        from soulspot.operations.ddex_exports import write_messages

        found = write_messages(database, path, options, self._ddex, on_progress)
        report = found.as_json() | {"bytes": path.stat().st_size}
        # The metadata of an operation has "errors" of another kind.
        report["refused"] = report.pop("errors")
        return Written((found.releases, found.written + found.failed, found.failed), report, found.advice())

    def file_of(self, operation: Mapping[str, Any]) -> Path | None:
        """Return the file of a completed export; None when it has been removed."""
        path = self.folder / operation["metadata"]["file"]
        return path if path.is_file() else None

    async def sweep(self, service: EnrichmentService) -> None:
        """Remove files that are too old or too many, and remains of exports that were cut off.
        Files that no export of this database wrote are left alone."""
        oldest, kept, removed = iso(self._now() - self.keep), 0, []
        for name, status, ended in await service.database.read(operations.list_exports):
            if ended is None:
                continue
            if status == "completed" and ended >= oldest and kept < KEPT:
                kept += 1
                continue
            removed.append(self.folder / name)
        await asyncio.to_thread(_remove, self.folder, removed)


def _write_table(database: Path, path: Path, options: Mapping[str, Any], on_progress: OnProgress) -> Written:
    report = export_table(database, path, on_progress=lambda done, total: on_progress(done, total, 0), **options)
    return Written((report.rows, report.rows, 0), report.as_json(), report.notes())


def _refuse_any(options: Mapping[str, Any], format: str) -> None:
    if given := [name for name, value in options.items() if value]:
        raise ValueError(f"{', '.join(given)}: goes with {format}")


async def _in_thread(write: Callable[[OnProgress], Written], path: Path, progress: Progress) -> Written:
    """Write a file in a thread; cancelled, the thread ends first and leaves no file."""
    loop, is_stopped = asyncio.get_running_loop(), threading.Event()

    def on_progress(done: int, total: int, failed: int) -> None:
        if is_stopped.is_set():
            raise _Stopped
        loop.call_soon_threadsafe(progress.advance, total, done, failed)

    writing = asyncio.create_task(asyncio.to_thread(write, on_progress))
    try:
        return await asyncio.shield(writing)
    except asyncio.CancelledError:
        is_stopped.set()
        with contextlib.suppress(Exception):
            await writing
            # The cancellation came too late to stop it.
            path.unlink()
        raise


class _Stopped(Exception):
    """The export was cancelled."""


def _remove(folder: Path, files: list[Path]) -> None:
    # Rows of operations outlive their files: one listing saves a failed unlink for each old row.
    try:
        present = set(os.listdir(folder))
    except FileNotFoundError:
        return
    for path in files:
        for file in (path, part_path(path)):
            if file.name in present:
                # A file that cannot be removed now is removed by the next sweep.
                with contextlib.suppress(OSError):
                    file.unlink()
        if (messages := messages_folder(path)).name in present:
            shutil.rmtree(messages, ignore_errors=True)
