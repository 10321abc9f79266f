"""Long work started by somebody: each scan, import and enrichment is a row of `batch_operations` with live counts."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from soulspot.enrich import EnrichmentService
from soulspot.errors import SoulSpotError
from soulspot.reports import Enrichment, import_notes, imported, scan_notes, scanned, why_not_retried
from soulspot.store import operations as rows

log = structlog.get_logger()

Advance = Callable[[int, int, int], None]
"""advance(total, done, failed): tell how far the operation is."""

Work = Callable[[Advance], Awaitable[tuple[dict[str, Any], list[str]]]]
"""The work of an operation: its report, and what a person should hear of it."""

BEAT = 30.0  # seconds between two signs of life in the row of an operation whose counts stand still
COUNT = 2.0  # seconds between two looks at how far an enrichment is
SAVE_AGAIN, SAVE_AGAIN_CAP = 1.0, 60.0  # seconds until a write that failed is tried again; doubled each time


class Operations:
    """Starts operations as tasks of the running loop and keeps their rows up to date."""

    def __init__(self, service: EnrichmentService, *, now: Callable[[], float] = time.time) -> None:
        self._service = service
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self._endings: set[asyncio.Task[None]] = set()  # rows of ended operations that are being written
        self._stopping = asyncio.Event()

    async def scan(self, places: Sequence[bytes] = ()) -> int:
        """Start a scan of the library, or of these places in it. Returns the operation's id."""

        async def work(advance: Advance) -> tuple[dict[str, Any], list[str]]:
            def tell(report: Any) -> None:
                advance(report.found, report.found, report.unreadable)

            report = await self._service.scan(places, tell)
            return scanned(report), scan_notes(report)

        return await self._start("scan", {"places": _words(places)}, work)

    async def import_file(self, path: Path, *, name: str, remove: bool = False) -> int:
        """Start an import of a file called `name`; with `remove` the file goes when it has been read."""

        async def work(advance: Advance) -> tuple[dict[str, Any], list[str]]:
            try:
                report = await self._service.import_file(
                    path, lambda report: advance(report.rows, report.rows, len(report.bad))
                )
            finally:
                if remove:
                    path.unlink(missing_ok=True)
            return imported(report), import_notes(report)

        return await self._start("import", {"file": name}, work)

    async def enrich(self, places: Sequence[bytes] = (), wait: float = 60.0) -> int:
        """Start a scan, if there is anything to scan, that ends when nothing can be asked within `wait` seconds."""

        async def work(advance: Advance) -> tuple[dict[str, Any], list[str]]:
            notes: list[str] = []
            enrichment = Enrichment(self._service)
            await enrichment.scan(places, lambda report: None, notes.append)
            counting = asyncio.create_task(self._count(advance))
            try:
                postponed = await self._service.settled(wait)
            finally:
                counting.cancel()
                await asyncio.gather(counting, return_exceptions=True)
            report = await enrichment.report(postponed)
            _advance_to(advance, report.tracks)
            return report.as_json(), notes

        return await self._start("enrich", {"places": _words(places), "wait": wait}, work)

    async def retry(self, states: Sequence[str], provider: str | None) -> int:
        """Queue given-up lookups again. Returns the operation's id. ValueError when the provider is off."""
        if why := why_not_retried(self._service, provider):
            raise ValueError(why)

        async def work(advance: Advance) -> tuple[dict[str, Any], list[str]]:
            count = await self._service.retry(states, provider)
            advance(count, count, 0)
            return {"queued": count}, []

        return await self._start("retry", {"states": list(states), "provider": provider}, work)

    async def stop(self) -> None:
        """Cancel what still runs; what it has queued stays queued."""
        self._stopping.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def _start(self, kind: str, metadata: Mapping[str, Any], work: Work) -> int:
        operation_id: int = await self._write(lambda c: rows.start(c, kind, metadata, self._now()))
        task = asyncio.create_task(self._run(operation_id, kind, work), name=f"{kind}-{operation_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation_id

    async def _run(self, operation_id: int, kind: str, work: Work) -> None:
        progress = _Progress(self, operation_id)
        beating = asyncio.create_task(progress.beat())
        status, error, more = "completed", None, {}
        try:
            report, notes = await work(progress.advance)
            more = {"report": report, "notes": notes}
        except asyncio.CancelledError:
            status, error = "cancelled", "the daemon stopped"
            raise
        except Exception as failure:
            status, error = "failed", f"{type(failure).__name__}: {failure}"
            log.exception("operation_failed", operation=operation_id, kind=kind)
        finally:
            beating.cancel()
            end = asyncio.create_task(self._finish(operation_id, kind, progress, status, error, more))
            self._endings.add(end)
            end.add_done_callback(self._endings.discard)
            await asyncio.shield(end)

    async def _finish(
        self, operation_id: int, kind: str, progress: _Progress, status: str, error: str | None,
        more: Mapping[str, Any],
    ) -> None:  # fmt: skip
        await progress.settle()
        total, done, failed = progress.counts

        def end(connection: sqlite3.Connection) -> None:
            rows.advance(connection, operation_id, self._now(), total=total, done=done, failed=failed)
            rows.finish(connection, operation_id, self._now(), status=status, error=error, more=more)

        await self._write_at_last(operation_id, end)
        self._service.telemetry.event(
            "operation_finished", operation=operation_id, kind=kind, status=status, error=error,
            total=total, failed=failed,
        )  # fmt: skip

    async def _write_at_last(self, operation_id: int, change: Callable[[sqlite3.Connection], None]) -> None:
        """Whoever waits for this operation would wait for ever if its end were not written: try until it is.

        When the daemon stops, the next start marks the operation as interrupted."""
        pause = SAVE_AGAIN
        while True:
            try:
                await self._write(change)
                return
            except (sqlite3.Error, SoulSpotError) as error:
                if self._stopping.is_set():
                    raise
                log.warning(
                    "operation_not_saved", operation=operation_id, error=str(error), again_in_seconds=pause
                )
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, SAVE_AGAIN_CAP)

    async def _count(self, advance: Advance) -> None:
        """Tell how far the tracks are while an enrichment runs."""
        while True:
            with contextlib.suppress(sqlite3.Error):
                _advance_to(advance, await self._service.database.read(rows.track_counts))
            await asyncio.sleep(COUNT)

    async def save_counts(self, operation_id: int, counts: tuple[int, int, int]) -> None:
        total, done, failed = counts
        await self._write(
            lambda c: rows.advance(c, operation_id, self._now(), total=total, done=done, failed=failed)
        )

    async def _write(self, change: Callable[[sqlite3.Connection], Any]) -> Any:
        return await self._service.database.write(change)


def _words(places: Sequence[bytes]) -> list[str]:
    return [place.decode("utf-8", "backslashreplace") for place in places]


def _advance_to(advance: Advance, counts: Mapping[str, int]) -> None:
    advance(counts["total"], counts["total"] - counts.get("pending", 0), counts.get("failed", 0))


class _Progress:
    """The counts of one operation, written at most once a second."""

    def __init__(self, operations: Operations, operation_id: int) -> None:
        self._operations = operations
        self._id = operation_id
        self._saved_at = 0.0
        self._saving: asyncio.Task[None] | None = None
        self.counts = (0, 0, 0)

    def advance(self, total: int, done: int, failed: int) -> None:
        self.counts = (total, done, failed)
        if time.monotonic() - self._saved_at >= 1.0 and (self._saving is None or self._saving.done()):
            self._saved_at = time.monotonic()
            self._saving = asyncio.create_task(self._save())

    async def beat(self) -> None:
        """Write the counts now and then although they stand still, so that whoever waits knows that we live."""
        while True:
            await asyncio.sleep(BEAT)
            await self._save()

    async def settle(self) -> None:
        """Wait for a write that is under way."""
        if self._saving:
            await self._saving

    async def _save(self) -> None:
        with contextlib.suppress(sqlite3.Error, SoulSpotError):  # the next one, or the end, writes them
            await self._operations.save_counts(self._id, self.counts)
