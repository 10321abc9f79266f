"""Long work started by somebody: each scan, import and enrichment is a row of `batch_operations` with live counts."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from soulspot.enrich import EnrichmentService
from soulspot.store import operations as rows

log = structlog.get_logger()

Advance = Callable[[int, int, int], None]
"""advance(total, done, failed): tell how far the operation is."""


class Operations:
    """Starts operations as tasks of the running loop and keeps their rows up to date."""

    def __init__(self, service: EnrichmentService, *, now: Callable[[], float] = time.time) -> None:
        self._service = service
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()

    async def scan(self, places: Sequence[bytes] = ()) -> int:
        """Start a scan of the library, or of these places in it. Returns the operation's id."""

        async def work(advance: Advance) -> None:
            def tell(report: Any) -> None:
                advance(report.found, report.found, report.unreadable)

            await self._service.scan(places, tell)

        return await self._start(
            "scan", {"places": [place.decode("utf-8", "backslashreplace") for place in places]}, work
        )

    async def import_file(self, path: Path, *, name: str, remove: bool = False) -> int:
        """Start an import of a file called `name`; with `remove` the file goes when it has been read."""

        async def work(advance: Advance) -> None:
            try:
                await self._service.import_file(
                    path, lambda report: advance(report.rows, report.rows, len(report.bad))
                )
            finally:
                if remove:
                    path.unlink(missing_ok=True)

        return await self._start("import", {"file": name}, work)

    async def enrich(self, places: Sequence[bytes] = ()) -> int:
        """Start a scan, if there is anything to scan, that ends when nothing of the queue can be asked any more."""

        async def work(advance: Advance) -> None:
            if places or self._service.has_library:
                await self._service.scan(places)
            await self._service.settled()
            counts = (await self._service.status())["tracks"]
            advance(counts["total"], counts["total"] - counts.get("pending", 0), counts.get("failed", 0))

        return await self._start("enrich", {}, work)

    async def retry(self, states: Sequence[str], provider: str | None) -> int:
        """Queue given-up lookups again. Returns the operation's id."""

        async def work(advance: Advance) -> None:
            count = await self._service.retry(states, provider)
            advance(count, count, 0)

        return await self._start("retry", {"states": list(states), "provider": provider}, work)

    async def stop(self) -> None:
        """Cancel what still runs; what it has queued stays queued."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(
        self, kind: str, metadata: Mapping[str, Any], work: Callable[[Advance], Coroutine[Any, Any, None]]
    ) -> int:
        operation_id: int = await self._write(lambda c: rows.start(c, kind, metadata, self._now()))
        task = asyncio.create_task(self._run(operation_id, kind, work), name=f"{kind}-{operation_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return operation_id

    async def _run(self, operation_id: int, kind: str, work: Callable[[Advance], Awaitable[None]]) -> None:
        progress = _Progress(self, operation_id)
        status, error = "completed", None
        try:
            await work(progress.advance)
        except asyncio.CancelledError:
            status, error = "cancelled", "the daemon stopped"
            raise
        except Exception as failure:
            status, error = "failed", f"{type(failure).__name__}: {failure}"
            log.exception("operation_failed", operation=operation_id, kind=kind)
        finally:
            await asyncio.shield(self._finish(operation_id, kind, progress, status, error))

    async def _finish(
        self, operation_id: int, kind: str, progress: _Progress, status: str, error: str | None
    ) -> None:
        await progress.save()
        await self._write(lambda c: rows.finish(c, operation_id, self._now(), status=status, error=error))
        self._service.telemetry.event(
            "operation_finished", operation=operation_id, kind=kind, status=status, error=error,
            total=progress.counts[0], failed=progress.counts[2],
        )  # fmt: skip

    async def save_counts(self, operation_id: int, counts: tuple[int, int, int]) -> None:
        total, done, failed = counts
        await self._write(
            lambda c: rows.advance(c, operation_id, self._now(), total=total, done=done, failed=failed)
        )

    async def _write(self, change: Callable[[sqlite3.Connection], Any]) -> Any:
        return await self._service.database.write(change)


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
            self._saving = asyncio.create_task(self._operations.save_counts(self._id, self.counts))

    async def save(self) -> None:
        if self._saving:
            with contextlib.suppress(Exception):
                await self._saving
        await self._operations.save_counts(self._id, self.counts)
