"""Operations of the daemon: each is a row with live counts, and a task of the running loop. A row
outlives its process: the next daemon resumes what was not finished."""

import asyncio
import contextlib
import math
import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soulspot.errors import DatabaseError, SoulSpotError, is_disk_full
from soulspot.operations import kinds
from soulspot.operations.exports import FOLDER, Exports
from soulspot.operations.own_work import OWN, OwnWork
from soulspot.operations.progress import Counts, Ending, Progress, save_counts
from soulspot.operations.reports.results import OperationReport, retry_refusal
from soulspot.operations.reports.waits import clock_text
from soulspot.operations.uploads import Uploads, remove
from soulspot.pipeline import EnrichmentService
from soulspot.store import library_counts, operations
from soulspot.store.database import lock_patience
from soulspot.store.operations import UnfinishedOperation
from soulspot.tagging.request import TagRequest, request_to_json, tag_request
from soulspot.telemetry import get_logger

log = get_logger(__name__)

# Seconds until work or a write that failed is tried again: doubled each time, up to the second.
TRY_AGAIN, TRY_AGAIN_CAP = 1.0, 60.0
# SQLite's trouble with the disk, or with other processes.
PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
           sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)  # fmt: skip
ENDS_WITHIN = 10.0  # seconds that a request to cancel waits for the operation to stop
# An operation that was cut off so many times in a row at one place starts later and later: see
# `_suspicion`. At the last number it is given up.
SUSPECT_AFTER, CUT_OFF_AT_MOST = 3, 12


@dataclass(slots=True)
class _Running:
    operation: UnfinishedOperation
    progress: Progress
    task: asyncio.Task[None] | None = None
    is_cancelled: bool = False  # on request; otherwise a cancellation is the end of this process
    paused: str | None = None  # why it does nothing now, for people


class Operations:
    """Starts operations as tasks of the running loop, and keeps their rows up to date."""

    def __init__(
        self, service: EnrichmentService, *, kinds: Mapping[str, kinds.Work] = kinds.KINDS, exports: Exports | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._service = service
        path = service.database.path
        self.uploads = Uploads(path.with_name(path.name + "-uploads"))
        self.exports = exports or Exports(path.with_name(FOLDER))
        self._own = OwnWork(service)
        self._kinds = {**kinds, "export": self.exports.work}
        if asked := kinds.get("enrich"):
            self._kinds["enrich"] = self._own.instead_of(asked)
        self._now = now
        self._running: dict[int, _Running] = {}
        self._endings: set[asyncio.Task[None]] = set()  # tasks that write rows of ended operations
        self._stopping = asyncio.Event()

    # --- starting ---------------------------------------------------------------------------------

    async def scan(self, places: Sequence[bytes] = (), *, confirm_vanished: bool = False) -> int:
        """Start a scan of the library, or of these places in it. Return the operation's id."""
        request = kinds.scan_request(places, confirm_vanished=confirm_vanished)
        return await self.start("scan", request, {"places": kinds.readable_paths(places)})

    async def rescan(self) -> None:
        """Start a scan of the library, unless a scan runs; the scheduler calls this."""
        if "scan" not in self.kinds_running():
            await self.scan()

    async def import_file(
        self, path: Path, *, name: str, remove: bool = False, columns: Mapping[str, str] | None = None
    ) -> int:
        """Start an import of the file, called `name` by people. Return the operation's id. With
        `remove` the file is deleted when every row is in, or the operation is cancelled. `columns`
        has headings that are not known by themselves."""
        return await self.start("import", kinds.import_request(path, remove=remove, columns=columns), {"file": name})

    async def enrich(self, places: Sequence[bytes] = (), wait: float = 60.0, *, force: bool = False) -> int:
        """Start a scan that goes on until no lookup is due within `wait` seconds. Return its id.
        With `force`, lookups of these places that were answered before now are sent again."""
        request = kinds.enrich_request(places, wait, force_before=self._now() if force else None)
        shown = {"places": kinds.readable_paths(places), "wait": wait, "force": force}
        return await self.start("enrich", request, shown)

    async def retry(self, states: Sequence[str], provider: str | None, *, lift_pause: bool = False) -> int:
        """Start a retry. Return the operation's id. ValueError when the provider is off."""
        if why := retry_refusal(self._service, provider):
            raise ValueError(why)
        request = kinds.retry_request(states, provider, lift_pause=lift_pause)
        return await self.start("retry", request, request)

    async def export(self, **options: Any) -> int:
        """Start an export with the options of `Exports.request`. Return the operation's id.
        ValueError says what is wrong with the options."""
        request = self.exports.request(**options)
        return await self.start("export", request, request)

    async def sweep_exports(self) -> None:
        """Remove exported files that are too old or too many; the scheduler calls this."""
        await self.exports.sweep(self._service)

    async def write_tags(self, wanted: TagRequest) -> int:
        """Compare or write the tags of files. Return the operation's id."""
        shown = {"places": kinds.readable_paths(wanted.paths), "fields": list(wanted.fields), "policy": wanted.policy,
                 "apply": wanted.apply}  # fmt: skip
        return await self.start("write_tags", request_to_json(wanted), shown)

    async def undo_tags(self, operation_id: int, *, force: bool = False) -> int:
        """Restore the tags that an operation overwrote. Return the new operation's id."""
        await self.give_up(operation_id, "taken back before it had ended")
        request = {"operation": operation_id, "force": force}
        return await self.start("undo_tags", request, request)

    async def give_up(self, operation_id: int, why: str) -> None:
        """End an operation that an earlier process was cut off in, so that it is never resumed."""
        for unfinished in await self._service.database.read(operations.list_unfinished):
            if unfinished.operation_id == operation_id and operation_id not in self._running:
                await self._end_unstarted(unfinished, Ending("cancelled", why))

    async def write_due_tags(self) -> None:
        """Write the tags that are due, in one operation at a time; the scheduler calls this."""
        tagging = self._service.parts.tagging
        is_busy = {"write_tags", "undo_tags"} & self.kinds_running()
        if not tagging.rules.enabled or is_busy or self._stopping.is_set():
            return
        if due := await tagging.due():
            quiet = tagging.rules.quiet
            await self.write_tags(tag_request(tagging.rules, apply=True, track_ids=tuple(due), quiet=quiet))

    async def watch_refresh(self) -> None:
        """Start a "refresh" operation when aged answers wait to be asked again and none is running,
        so that people see its progress; the scheduler calls this."""
        if "refresh" in self.kinds_running() or self._stopping.is_set():
            return
        if await self._service.database.read(library_counts.count_refreshing_lookups):
            await self.start("refresh", {}, {})

    async def report_own_work(self) -> None:
        """Start an operation about what is enriched without one, so that it gets a report; the
        scheduler calls this."""
        if not self._stopping.is_set() and await self._own.is_unreported(self.kinds_running()):
            await self.start("enrich", OWN, OWN)

    async def start(self, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]) -> int:
        """Start an operation of this kind. Return its id. `request` is stored and is all that the
        work needs; `metadata` is shown to people."""
        operation_id = await self._service.database.write_durably(
            lambda c: operations.start(c, kind, metadata, self._now(), request=request)
        )
        self._launch(UnfinishedOperation(operation_id, kind, request, metadata, (0, 0, 0)))
        return operation_id

    async def resume(self) -> set[str]:
        """Resume the operations that an earlier process has not finished. Return their kinds."""
        found = await self._service.database.read(operations.list_unfinished)
        resumed, suspects = set(), 0
        for operation in found:
            # It was started in this process, after the daemon had begun to accept requests.
            if operation.operation_id in self._running:
                continue
            if why := self._why_not_resumed(operation):
                await self._end_unstarted(operation, Ending("failed", _with_kept_file(operation, why)))
                continue
            suspicion = _suspicion(operation.interruptions)
            suspects += suspicion > 0
            # Two suspects do not start together: else nobody knew which of them ends the process.
            self._launch(operation, starts_after=suspicion * suspects)
            resumed.add(operation.kind)
        kept = await self._service.database.read(operations.load_kept_uploads)
        await self.uploads.sweep(set(kept.values()))
        return resumed

    def _why_not_resumed(self, operation: UnfinishedOperation) -> str | None:
        if operation.kind not in self._kinds:
            return f"this version of SoulSpot knows no {operation.kind}"
        if operation.interruptions >= CUT_OFF_AT_MOST:
            return (
                f"cut off {operation.interruptions} times in a row at the same place; the process lived each time"
                " until this operation began"
            )
        return None

    # --- following --------------------------------------------------------------------------------

    def kinds_running(self) -> set[str]:
        """Return the kinds of the operations that run now."""
        return {running.operation.kind for running in self._running.values()}

    def live(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row of an operation with `rate` (items a second), `eta_seconds`, and `paused`
        (why it does nothing now); None for an operation that this process does not run."""
        running = self._running.get(operation["id"])
        rate, remaining = (running.progress.rate(), running.progress.remaining()) if running else (None, None)
        return {
            **operation,
            "paused": running.paused if running else None,
            "rate": None if rate is None else round(rate, 2),
            "eta_seconds": None if remaining is None else round(remaining, 1),
        }

    async def idle(self) -> None:
        """Wait until every running operation has ended and its row says so."""
        tasks = [running.task for running in self._running.values() if running.task]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*self._endings, return_exceptions=True)

    # --- ending -----------------------------------------------------------------------------------

    async def cancel(self, operation_id: int) -> bool:
        """Cancel an operation; what it has queued stays queued. An uploaded file is dropped, also
        that of an import which failed. False when there is nothing to cancel."""
        running = self._running.get(operation_id)
        if running is None or running.task is None:
            return await self._drop_upload(operation_id)
        running.is_cancelled = True
        # A task that is cancelled before its first step would never write its end.
        await asyncio.sleep(0)
        running.task.cancel()
        await asyncio.wait([running.task], timeout=ENDS_WITHIN)
        return True

    async def _drop_upload(self, operation_id: int) -> bool:
        kept = await self._service.database.read(operations.load_kept_uploads)
        if operation_id not in kept or operation_id in self._running:
            return False
        await self._service.database.write_durably(
            lambda c: operations.finish(
                c, operation_id, self._now(), status="cancelled", error="cancelled on request; its file was dropped"
            )
        )
        remove(Path(os.fsdecode(kept[operation_id])))
        return True

    async def stop(self) -> None:
        """Leave the running operations to the next process; what they have queued stays queued."""
        self._stopping.set()
        # As in `cancel`: let every task take its first step.
        await asyncio.sleep(0)
        for running in self._running.values():
            if running.task:
                running.task.cancel()
        await self.idle()

    def _launch(self, operation: UnfinishedOperation, *, starts_after: float = 0.0) -> None:
        number = operation.operation_id

        async def save(counts: Counts) -> None:
            await self._service.database.write(lambda c: save_counts(c, number, counts, self._now()))

        running = _Running(operation, Progress(save, operation.counts, operation_id=number))
        self._running[number] = running
        running.task = asyncio.create_task(self._run(running, starts_after), name=f"{operation.kind}-{number}")

    async def _run(self, running: _Running, starts_after: float) -> None:
        operation, progress = running.operation, running.progress
        number, kind = operation.operation_id, operation.kind
        # started by a request, which is answered, or by a timer: nobody waits but the operation
        lock_patience.set(math.inf)
        beating = asyncio.create_task(progress.beat())
        cost = OperationReport(self._service)
        ending = Ending("pending")
        try:
            if starts_after:
                await self._pause(running, f"cut off {operation.interruptions} times in a row", starts_after)
            report, notes = await self._work(running)
            more = {"report": report, "notes": notes} | await cost.end(report)
            ending = Ending("completed", more=more)
        except asyncio.CancelledError:
            if running.is_cancelled:
                ending = Ending("cancelled", "cancelled on request; what was queued stays queued")
        except Exception as failure:
            ending = Ending("failed", _with_kept_file(operation, f"{type(failure).__name__}: {failure}"))
            log.exception("operation_failed", operation=number, kind=kind)
        finally:
            beating.cancel()
            # From here on it is too late to cancel the operation: its end must be written.
            self._running.pop(number, None)
            end = asyncio.create_task(self._finish(operation, progress, ending))
            self._endings.add(end)
            end.add_done_callback(self._endings.discard)
            await asyncio.shield(end)

    async def _work(self, running: _Running) -> kinds.Report:
        """Do the work of an operation. Troubles that pass (a full disk, a locked database) pause
        it; then it goes on from its place."""
        operation, progress, pause = running.operation, running.progress, TRY_AGAIN
        while True:
            done = progress.counts[1]
            try:
                await self._service.database.write(lambda c: operations.resume(c, operation.operation_id, self._now()))
                return await self._kinds[operation.kind](self._service, operation.request, progress)
            except Exception as failure:
                if (why := passing_trouble(failure)) is None:
                    raise
            pause = TRY_AGAIN if progress.counts[1] > done else min(pause * 2, TRY_AGAIN_CAP)
            await self._pause(running, why, pause)

    async def _pause(self, running: _Running, why: str, seconds: float) -> None:
        number, kind = running.operation.operation_id, running.operation.kind
        running.paused = f"paused: {why}; goes on by itself at {clock_text(self._now() + seconds)}"
        self._service.telemetry.warning("operation_paused", operation=number, kind=kind, why=why, seconds=seconds)
        # A process that dies meanwhile does not die of this operation.
        with contextlib.suppress(sqlite3.Error, SoulSpotError):
            await self._service.database.write(lambda c: operations.suspend(c, number, self._now()))
        await asyncio.sleep(seconds)
        running.paused = None

    async def _finish(self, operation: UnfinishedOperation, progress: Progress, ending: Ending) -> None:
        await progress.settle()
        await self._write_at_last(
            operation.operation_id, lambda c: ending.write(c, operation.operation_id, progress.counts, self._now())
        )
        if ending.status != "pending":
            self._announce(operation, ending, progress.counts)

    async def _end_unstarted(self, operation: UnfinishedOperation, ending: Ending) -> None:
        number, counts = operation.operation_id, operation.counts
        await self._service.database.write_durably(lambda c: ending.write(c, number, counts, self._now()))
        self._announce(operation, ending, counts)

    def _announce(self, operation: UnfinishedOperation, ending: Ending, counts: Counts) -> None:
        """Log and count an end that the row has now, and remove the upload that it leaves without
        use."""
        if ending.status in ("completed", "cancelled") and operation.request.get("remove"):
            remove(Path(os.fsdecode(bytes.fromhex(operation.request["path"]))))
        ending.announce(self._service, operation.operation_id, operation.kind, counts)

    async def _write_at_last(self, operation_id: int, change: Callable[[sqlite3.Connection], None]) -> None:
        # Clients wait for the end. When the daemon stops first, the next one repeats the operation.
        pause = TRY_AGAIN
        while True:
            try:
                # Durably: the upload goes next, and no power cut may undo what was read from it.
                await self._service.database.write_durably(change)
                return
            except (sqlite3.Error, SoulSpotError) as error:
                if self._stopping.is_set():
                    raise
                log.warning("operation_not_saved", operation=operation_id, error=str(error), again_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, TRY_AGAIN_CAP)


def passing_trouble(failure: Exception) -> str | None:
    """Return what keeps work from going on that nothing is wrong with, for people; None for a
    failure of the work itself."""
    if is_disk_full(failure):
        return "the disk is full"
    # The low byte is the primary code: extended codes put more above it.
    is_passing = getattr(failure, "sqlite_errorcode", 0) & 0xFF in PASSING
    return f"the database cannot be written: {failure}" if is_passing or isinstance(failure, DatabaseError) else None


def _suspicion(interruptions: int) -> float:
    """Return the seconds that an operation stays unstarted after so many interruptions at the same
    place. A process that is killed meanwhile is not killed by this operation, and one that lives on
    until the operation begins, time and again, is."""
    return float(1 << interruptions - SUSPECT_AFTER) if interruptions >= SUSPECT_AFTER else 0.0


def _with_kept_file(operation: UnfinishedOperation, why: str) -> str:
    return f"{why} (its file is kept until it is cancelled)" if operation.request.get("remove") else why
