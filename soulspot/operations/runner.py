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

from soulspot.errors import SoulSpotError
from soulspot.operations import kinds
from soulspot.operations.exports import FOLDER, Exports
from soulspot.operations.progress import Counts, Ending, Progress, save_counts
from soulspot.operations.reports.results import OperationReport, retry_refusal
from soulspot.pipeline import EnrichmentService
from soulspot.store import library_counts, operations
from soulspot.store.database import lock_patience
from soulspot.store.operations import UnfinishedOperation
from soulspot.tagging.request import TagRequest, request_to_json, tag_request
from soulspot.telemetry import get_logger

log = get_logger(__name__)

# Seconds until a write that failed is tried again: doubled each time, up to the second.
SAVE_AGAIN, SAVE_AGAIN_CAP = 1.0, 60.0
ENDS_WITHIN = 10.0  # seconds that a request to cancel waits for the operation to stop
CUT_OFF_AT_MOST = 5  # times in a row that an operation may be cut off without an item done


@dataclass(slots=True)
class _Running:
    kind: str
    progress: Progress
    task: asyncio.Task[None]
    is_cancelled: bool = False  # on request; otherwise a cancellation is the end of this process


class Operations:
    """Starts operations as tasks of the running loop, and keeps their rows up to date."""

    def __init__(
        self, service: EnrichmentService, *, kinds: Mapping[str, kinds.Work] = kinds.KINDS, exports: Exports | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._service = service
        self.exports = exports or Exports(service.database.path.with_name(FOLDER))
        self._kinds = {**kinds, "export": self.exports.work}
        self._now = now
        self._running: dict[int, _Running] = {}
        self._endings: set[asyncio.Task[None]] = set()  # tasks that write rows of ended operations
        self._stopping = asyncio.Event()

    @property
    def uploads(self) -> Path:
        """The folder of import files that are not read yet; it outlives a restart."""
        path = self._service.database.path
        return path.with_name(path.name + "-uploads")

    # --- starting ---------------------------------------------------------------------------------

    async def scan(self, places: Sequence[bytes] = (), *, confirm_vanished: bool = False) -> int:
        """Start a scan of the library, or of these places in it. Return the operation's id."""
        request = kinds.scan_request(places, confirm_vanished=confirm_vanished)
        return await self.start("scan", request, {"places": kinds.readable_paths(places)})

    async def rescan(self) -> None:
        """Start a scan of the library, unless a scan runs; the scheduler calls this."""
        if "scan" not in self.kinds_running():
            await self.scan()

    async def import_file(self, path: Path, *, name: str, remove: bool = False) -> int:
        """Start an import of the file, called `name` by people. Return the operation's id. With
        `remove` the file is deleted when it has been read."""
        return await self.start("import", kinds.import_request(path, remove=remove), {"file": name})

    async def enrich(self, places: Sequence[bytes] = (), wait: float = 60.0, *, force: bool = False) -> int:
        """Start a scan that goes on until no lookup is due within `wait` seconds. Return its id.
        With `force`, lookups of these places that were answered before now are sent again."""
        request = kinds.enrich_request(places, wait, force_before=self._now() if force else None)
        shown = {"places": kinds.readable_paths(places), "wait": wait, "force": force}
        return await self.start("enrich", request, shown)

    async def retry(self, states: Sequence[str], provider: str | None) -> int:
        """Start a retry. Return the operation's id. ValueError when the provider is off."""
        if why := retry_refusal(self._service, provider):
            raise ValueError(why)
        request = kinds.retry_request(states, provider)
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

    async def start(self, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]) -> int:
        """Start an operation of this kind. Return its id. `request` is stored and is all that the
        work needs; `metadata` is shown to people."""
        operation_id = await self._service.database.write(
            lambda c: operations.start(c, kind, metadata, self._now(), request=request)
        )
        self._launch(UnfinishedOperation(operation_id, kind, request, metadata, (0, 0, 0)))
        return operation_id

    async def resume(self) -> set[str]:
        """Resume the operations that an earlier process has not finished. Return their kinds."""
        found = await self._service.database.read(operations.list_unfinished)
        resumed = set()
        for operation in found:
            # It was started in this process, after the daemon had begun to accept requests.
            if operation.operation_id in self._running:
                continue
            if why := self._why_not_resumed(operation):
                await self._end_unstarted(operation, Ending("failed", why))
                continue
            await self._service.database.write(
                lambda c: operations.resume(c, operation.operation_id, self._now())  # noqa: B023 - awaited here
            )
            self._launch(operation)
            resumed.add(operation.kind)
        wanted = {upload for operation in found if (upload := _upload_of(operation))}
        await asyncio.to_thread(_sweep, self.uploads, wanted)
        return resumed

    def _why_not_resumed(self, operation: UnfinishedOperation) -> str | None:
        if operation.kind not in self._kinds:
            return f"this version of SoulSpot knows no {operation.kind}"
        if operation.interruptions >= CUT_OFF_AT_MOST:
            return f"cut off {operation.interruptions} times in a row at the same place"
        return None

    # --- following --------------------------------------------------------------------------------

    def kinds_running(self) -> set[str]:
        """Return the kinds of the operations that run now."""
        return {running.kind for running in self._running.values()}

    def live(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row of an operation with `rate` (items a second) and `eta_seconds`; None for
        an operation that this process does not run."""
        running = self._running.get(operation["id"])
        rate, remaining = (running.progress.rate(), running.progress.remaining()) if running else (None, None)
        return {
            **operation,
            "rate": None if rate is None else round(rate, 2),
            "eta_seconds": None if remaining is None else round(remaining, 1),
        }

    async def idle(self) -> None:
        """Wait until every running operation has ended and its row says so."""
        await asyncio.gather(*(running.task for running in self._running.values()), return_exceptions=True)
        await asyncio.gather(*self._endings, return_exceptions=True)

    # --- ending -----------------------------------------------------------------------------------

    async def cancel(self, operation_id: int) -> bool:
        """Cancel an operation; what it has queued stays queued. False when it does not run."""
        running = self._running.get(operation_id)
        if running is None:
            return False
        running.is_cancelled = True
        # A task that is cancelled before its first step would never write its end.
        await asyncio.sleep(0)
        running.task.cancel()
        await asyncio.wait([running.task], timeout=ENDS_WITHIN)
        return True

    async def stop(self) -> None:
        """Leave the running operations to the next process; what they have queued stays queued."""
        self._stopping.set()
        # As in `cancel`: let every task take its first step.
        await asyncio.sleep(0)
        for running in self._running.values():
            running.task.cancel()
        await self.idle()

    def _launch(self, operation: UnfinishedOperation) -> None:
        number = operation.operation_id

        async def save(counts: Counts) -> None:
            await self._service.database.write(lambda c: save_counts(c, number, counts, self._now()))

        progress = Progress(save, operation.counts, operation_id=number)
        task = asyncio.create_task(self._run(operation, progress), name=f"{operation.kind}-{number}")
        self._running[number] = _Running(operation.kind, progress, task)

    async def _run(self, operation: UnfinishedOperation, progress: Progress) -> None:
        number, kind = operation.operation_id, operation.kind
        # started by a request, which is answered, or by a timer: nobody waits but the operation
        lock_patience.set(math.inf)
        beating = asyncio.create_task(progress.beat())
        cost = OperationReport(self._service)
        ending = Ending("pending")
        try:
            report, notes = await self._kinds[kind](self._service, operation.request, progress)
            more = {"report": report, "notes": notes} | await cost.end(report)
            ending = Ending("completed", more=more)
        except asyncio.CancelledError:
            if self._running[number].is_cancelled:
                ending = Ending("cancelled", "cancelled on request; what was queued stays queued")
        except Exception as failure:
            ending = Ending.failed(failure)
            log.exception("operation_failed", operation=number, kind=kind)
        finally:
            beating.cancel()
            # From here on it is too late to cancel the operation: its end must be written.
            self._running.pop(number, None)
            end = asyncio.create_task(self._finish(operation, progress, ending))
            self._endings.add(end)
            end.add_done_callback(self._endings.discard)
            await asyncio.shield(end)

    async def _finish(self, operation: UnfinishedOperation, progress: Progress, ending: Ending) -> None:
        await progress.settle()
        await self._write_at_last(
            operation.operation_id, lambda c: ending.write(c, operation.operation_id, progress.counts, self._now())
        )
        if ending.status != "pending":
            self._announce(operation, ending, progress.counts)

    async def _end_unstarted(self, operation: UnfinishedOperation, ending: Ending) -> None:
        number, counts = operation.operation_id, operation.counts
        await self._service.database.write(lambda c: ending.write(c, number, counts, self._now()))
        self._announce(operation, ending, counts)

    def _announce(self, operation: UnfinishedOperation, ending: Ending, counts: Counts) -> None:
        """Log and count an end that the row has now, and remove the upload."""
        if upload := _upload_of(operation):
            _remove(Path(os.fsdecode(upload)))
        ending.announce(self._service, operation.operation_id, operation.kind, counts)

    async def _write_at_last(self, operation_id: int, change: Callable[[sqlite3.Connection], None]) -> None:
        # Clients wait for the end. When the daemon stops first, the next one repeats the operation.
        pause = SAVE_AGAIN
        while True:
            try:
                await self._service.database.write(change)
                return
            except (sqlite3.Error, SoulSpotError) as error:
                if self._stopping.is_set():
                    raise
                log.warning("operation_not_saved", operation=operation_id, error=str(error), again_in_seconds=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, SAVE_AGAIN_CAP)


def _upload_of(operation: UnfinishedOperation) -> bytes | None:
    return bytes.fromhex(operation.request["path"]) if operation.request.get("remove") else None


def _remove(path: Path) -> None:
    # At worst the next start removes it.
    with contextlib.suppress(OSError):
        path.unlink()


def _sweep(folder: Path, wanted: set[bytes]) -> None:
    # A crash leaves uploads behind that no operation waits for.
    if folder.is_dir():
        for path in folder.iterdir():
            if os.fsencode(path.absolute()) not in wanted:
                _remove(path)
