"""Long work started by somebody: each scan, import, enrichment, retry and refresh is a row with live counts.

A row outlives the process that works on it: the next daemon goes on with what was not finished."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from soulspot.errors import SoulSpotError
from soulspot.operations.exports import FOLDER, Exports
from soulspot.operations.kinds import (
    KINDS,
    Work,
    enrich_request,
    import_request,
    readable_paths,
    retry_request,
    scan_request,
)
from soulspot.operations.progress import Counts, Progress
from soulspot.operations.reports.results import OperationReport, retry_refusal
from soulspot.pipeline import EnrichmentService
from soulspot.store import library_counts
from soulspot.store import operations as rows
from soulspot.tagging.request import TagRequest, request_to_json, tag_request

log = structlog.get_logger()

SAVE_AGAIN, SAVE_AGAIN_CAP = 1.0, 60.0  # seconds until a write that failed is tried again; doubled each time
ENDS_WITHIN = (
    10.0  # seconds that a cancelled operation may take to stop before whoever cancelled it hears of it
)
CUT_OFF_AT_MOST = 5  # times in a row, without an item done in between, before an operation is given up


class Operations:
    """Starts operations as tasks of the running loop and keeps their rows up to date."""

    def __init__(
        self,
        service: EnrichmentService,
        *,
        kinds: Mapping[str, Work] = KINDS,
        exports: Exports | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self.exports = exports or Exports(service.database.path.with_name(FOLDER))
        self._kinds = {**kinds, "export": self.exports.work}
        self._now = now
        self._running: dict[int, tuple[str, asyncio.Task[None], Progress]] = {}
        self._cancelled: set[int] = set()  # on request, in contrast to the end of this process
        self._endings: set[asyncio.Task[None]] = set()  # rows of ended operations that are being written
        self._stopping = asyncio.Event()

    @property
    def uploads(self) -> Path:
        """Where import files lie until they have been read, beside the database: they outlive a restart."""
        path = self._service.database.path
        return path.with_name(path.name + "-uploads")

    async def scan(self, places: Sequence[bytes] = ()) -> int:
        """Start a scan of the library, or of these places in it. Returns the operation's id."""
        return await self.start("scan", scan_request(places), {"places": readable_paths(places)})

    async def rescan(self) -> None:
        """Start a scan of the library, unless one runs: a large one may take longer than the timer that calls this."""
        if "scan" not in self.kinds_running():
            await self.scan()

    async def import_file(self, path: Path, *, name: str, remove: bool = False) -> int:
        """Start an import of a file called `name`; with `remove` the file goes when it has been read."""
        return await self.start("import", import_request(path, remove=remove), {"file": name})

    async def enrich(self, places: Sequence[bytes] = (), wait: float = 60.0, *, force: bool = False) -> int:
        """Start a scan, if there is anything to scan, that ends when nothing can be asked within `wait` seconds;
        with `force` what was known of these places until now is asked again."""
        request = enrich_request(places, wait, force_before=self._now() if force else None)
        return await self.start(
            "enrich", request, {"places": readable_paths(places), "wait": wait, "force": force}
        )

    async def retry(self, states: Sequence[str], provider: str | None) -> int:
        """Queue given-up lookups again. Returns the operation's id. ValueError when the provider is off."""
        if why := retry_refusal(self._service, provider):
            raise ValueError(why)
        request = retry_request(states, provider)
        return await self.start("retry", request, request)

    async def export(self, **asked: Any) -> int:
        """Start an export, asked for as `Exports.request` takes it. ValueError says what is wrong with it."""
        request = self.exports.request(**asked)
        return await self.start("export", request, request)

    async def sweep_exports(self) -> None:
        """Remove the files of exports whose time is over."""
        await self.exports.sweep(self._service)

    async def write_tags(self, wish: TagRequest) -> int:
        """Compare tags with what was found out, or write them. Returns the operation's id."""
        shown = {
            "places": readable_paths(wish.paths),
            "fields": list(wish.fields),
            "policy": wish.policy,
            "apply": wish.apply,
        }
        return await self.start("write_tags", request_to_json(wish), shown)

    async def undo_tags(self, operation_id: int, *, force: bool = False) -> int:
        """Take back what an operation wrote. Returns the id of the operation that does it."""
        await self.give_up(operation_id, "taken back before it had ended")
        request = {"operation": operation_id, "force": force}
        return await self.start("undo_tags", request, request)

    async def give_up(self, operation_id: int, why: str) -> None:
        """Never go on with this operation if an earlier process was cut off in it."""
        for one in await self._service.database.read(rows.list_unfinished):
            if one.operation_id == operation_id and operation_id not in self._running:
                await self._end_unbegun(one, "cancelled", why)

    async def write_due_tags(self) -> None:
        """Write what is due by itself, one operation at a time; the scheduler calls it."""
        tagging = self._service.parts.tagging
        busy = {"write_tags", "undo_tags"} & self.kinds_running()
        if (
            tagging.rules.enabled
            and not busy
            and not self._stopping.is_set()
            and (due := await tagging.due())
        ):
            quiet = tagging.rules.quiet
            await self.write_tags(tag_request(tagging.rules, apply=True, track_ids=tuple(due), quiet=quiet))

    async def watch_refresh(self) -> None:
        """Follow aged answers that are being asked for again, as one operation at a time; the scheduler calls it."""
        if "refresh" in self.kinds_running() or self._stopping.is_set():
            return
        if await self._service.database.read(library_counts.count_refreshing_lookups):
            await self.start("refresh", {}, {})

    async def start(self, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]) -> int:
        """Start an operation of any of the kinds. `metadata` is shown, `request` is what its work is made of."""
        operation_id: int = await self._write(
            lambda c: rows.start(c, kind, metadata, self._now(), request=request)
        )
        self._launch(operation_id, kind, request, (0, 0, 0))
        return operation_id

    async def resume(self) -> set[str]:
        """Go on with what an earlier process has not finished. Returns the kinds of these operations."""
        found = await self._service.database.read(rows.list_unfinished)
        resumed = set()
        for one in found:
            if one.operation_id in self._running:
                continue  # somebody has asked for it since we began
            if why := self._why_not(one):
                await self._end_unbegun(one, "failed", why)
                continue
            await self._write(lambda c: rows.resume(c, one.operation_id, self._now()))  # noqa: B023
            self._launch(one.operation_id, one.kind, one.request, one.counts)
            resumed.add(one.kind)
        wanted = {os.fsencode(path) for path in self._uploaded(found)}
        await asyncio.to_thread(_sweep, self.uploads, wanted)
        return resumed

    async def _end_unbegun(self, one: rows.UnfinishedOperation, status: str, why: str) -> None:
        await self._write(lambda c: rows.finish(c, one.operation_id, self._now(), status=status, error=why))
        self._over(one.operation_id, one.kind, one.request, status, why, one.counts)

    def _why_not(self, one: rows.UnfinishedOperation) -> str | None:
        if one.kind not in self._kinds:
            return f"this version of SoulSpot knows no {one.kind}"
        if one.cut_off >= CUT_OFF_AT_MOST:
            return f"cut off {one.cut_off} times in a row at the same place"
        return None

    @staticmethod
    def _uploaded(found: Sequence[rows.UnfinishedOperation]) -> list[str]:
        return [os.fsdecode(bytes.fromhex(one.request["path"])) for one in found if one.request.get("remove")]

    async def cancel(self, operation_id: int) -> bool:
        """End an operation; what it has queued stays queued. False when it does not run (any more)."""
        running = self._running.get(operation_id)
        if running is None:
            return False
        self._cancelled.add(operation_id)
        await asyncio.sleep(
            0
        )  # a task that is cancelled before it has begun would never say that it has ended
        running[1].cancel()
        await asyncio.wait([running[1]], timeout=ENDS_WITHIN)
        return True

    def kinds_running(self) -> set[str]:
        """The kinds of operation of which one runs now."""
        return {kind for kind, _, _ in self._running.values()}

    def live(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        """The row of an operation with what only its process knows: `rate` (items a second) and `eta_seconds`."""
        running = self._running.get(operation["id"])
        rate, remaining = (running[2].rate(), running[2].remaining()) if running else (None, None)
        return {
            **operation,
            "rate": None if rate is None else round(rate, 2),
            "eta_seconds": None if remaining is None else round(remaining, 1),
        }

    async def idle(self) -> None:
        """Wait until every operation that runs has ended, and its row says so."""
        await asyncio.gather(*(task for _, task, _ in self._running.values()), return_exceptions=True)
        await asyncio.gather(*self._endings, return_exceptions=True)

    async def stop(self) -> None:
        """Leave what still runs to the next process; what it has queued stays queued."""
        self._stopping.set()
        await asyncio.sleep(0)  # as above
        tasks = [task for _, task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._endings, return_exceptions=True)

    def _launch(self, operation_id: int, kind: str, request: Mapping[str, Any], counts: Counts) -> None:
        progress = Progress(
            lambda counts: self._save(operation_id, counts), counts, operation_id=operation_id
        )
        task = asyncio.create_task(
            self._run(operation_id, kind, request, progress), name=f"{kind}-{operation_id}"
        )
        self._running[operation_id] = (kind, task, progress)

    async def _run(
        self, operation_id: int, kind: str, request: Mapping[str, Any], progress: Progress
    ) -> None:
        beating = asyncio.create_task(progress.beat())
        status, error, more = "completed", None, {}
        cost = OperationReport(self._service)
        try:
            report, notes = await self._kinds[kind](self._service, request, progress)
            more = {"report": report, "notes": notes} | await cost.end(report)
        except asyncio.CancelledError:
            status, error = "pending", None
            if operation_id in self._cancelled:
                status, error = "cancelled", "cancelled on request; what was queued stays queued"
        except Exception as failure:
            status, error = "failed", f"{type(failure).__name__}: {failure}"
            log.exception("operation_failed", operation=operation_id, kind=kind)
        finally:
            beating.cancel()
            self._running.pop(operation_id, None)  # too late to cancel it
            end = asyncio.create_task(
                self._finish(operation_id, kind, request, progress, status, error, more)
            )
            self._endings.add(end)
            end.add_done_callback(self._endings.discard)
            await asyncio.shield(end)

    async def _finish(
        self, operation_id: int, kind: str, request: Mapping[str, Any], progress: Progress, status: str,
        error: str | None, more: Mapping[str, Any],
    ) -> None:  # fmt: skip
        await progress.settle()
        total, done, failed = progress.counts

        def end(connection: sqlite3.Connection) -> None:
            rows.record_progress(connection, operation_id, self._now(), total=total, done=done, failed=failed)
            if status == "pending":
                rows.suspend(connection, operation_id, self._now())
            else:
                rows.finish(connection, operation_id, self._now(), status=status, error=error, more=more)

        await self._write_at_last(operation_id, end)
        self._cancelled.discard(operation_id)
        if status != "pending":
            self._over(operation_id, kind, request, status, error, progress.counts)

    def _over(
        self, operation_id: int, kind: str, request: Mapping[str, Any], status: str, error: str | None,
        counts: Counts,
    ) -> None:  # fmt: skip
        """Its row says that it has ended: nobody needs its upload any more, and log and metrics hear of it."""
        if request.get("remove"):
            _remove(Path(os.fsdecode(bytes.fromhex(request["path"]))))
        total, _, failed = counts
        self._service.telemetry.event(
            "operation_finished", operation=operation_id, kind=kind, status=status, error=error,
            total=total, failed=failed,
        )  # fmt: skip

    async def _write_at_last(self, operation_id: int, change: Callable[[sqlite3.Connection], None]) -> None:
        """Whoever waits for this operation would wait for ever if its end were not written: try until it is.

        When the daemon stops, the next one does it again."""
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

    async def _save(self, operation_id: int, counts: Counts) -> None:
        total, done, failed = counts
        await self._write(
            lambda c: rows.record_progress(
                c, operation_id, self._now(), total=total, done=done, failed=failed
            )
        )

    async def _write(self, change: Callable[[sqlite3.Connection], Any]) -> Any:
        return await self._service.database.write(change)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # at worst the next start removes it
        path.unlink()


def _sweep(folder: Path, wanted: set[bytes]) -> None:
    """Remove uploads that nobody waits for: a crash left them behind."""
    if folder.is_dir():
        for path in folder.iterdir():
            if os.fsencode(path.absolute()) not in wanted:
                _remove(path)
