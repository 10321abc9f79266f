"""An operation that a command runs without a daemon, with the same row, events and reports."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from soulspot.errors import SoulSpotError, is_disk_full
from soulspot.operations.progress import Counts, Ending, Progress, save_counts
from soulspot.operations.reports.results import OperationReport
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations
from soulspot.telemetry import get_logger

log = get_logger(__name__)

INTERRUPTED = "interrupted; what was queued stays queued"


class LocalOperation:
    """The running operation as its work sees it: `progress` to advance, a result to set at the end.
    `metadata` is what the end adds to the row: report, notes, performance and errors."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.metadata: dict[str, Any] = {}

    def set_result(self, report: Mapping[str, Any], notes: Sequence[str] = ()) -> None:
        """Set the report of this kind of operation, and notes for people."""
        self.metadata = {"report": dict(report), "notes": list(notes)}


@asynccontextmanager
async def record_operation(
    service: EnrichmentService, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]
) -> AsyncIterator[LocalOperation]:
    """Keep a row about the work inside the `async with`, which an exception ends. Resumes the
    operation that the same request left unfinished (kill -9, a power cut), under its number. A
    daemon that starts earlier resumes it too, so `request` must be one that `kinds` makes."""
    database = service.database
    number, counts = await database.write(lambda c: _begin(c, kind, request, metadata))

    async def save(counts: Counts) -> None:
        await database.write(lambda c: save_counts(c, number, counts, time.time()))

    operation = LocalOperation(Progress(save, counts, operation_id=number))
    cost = OperationReport(service)
    beating = asyncio.create_task(operation.progress.beat())
    ending = Ending("cancelled", INTERRUPTED)
    try:
        yield operation
        operation.metadata |= await cost.end(operation.metadata.get("report", {}))
        ending = Ending("completed", more=operation.metadata)
    except Exception as failure:
        # With room on the disk again, the same command goes on where this one stopped.
        ending = Ending("pending") if is_disk_full(failure) else Ending.failed(failure)
        raise
    finally:
        beating.cancel()
        await operation.progress.settle()
        counts = operation.progress.counts
        try:
            await database.write(lambda c: ending.write(c, number, counts, time.time()))
        except (sqlite3.Error, SoulSpotError) as trouble:
            # The next process finds the row unfinished, and resumes the operation.
            log.warning("operation_not_saved", operation=number, error=str(trouble), again_in_seconds=None)
        if ending.status != "pending":
            ending.announce(service, number, kind, counts)


def _begin(
    connection: sqlite3.Connection, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[int, Counts]:
    for unfinished in operations.list_unfinished(connection):
        if unfinished.kind == kind and unfinished.request == request:
            operations.resume(connection, unfinished.operation_id, time.time())
            return unfinished.operation_id, unfinished.counts
    return operations.start(connection, kind, metadata, time.time(), request=request), (0, 0, 0)
