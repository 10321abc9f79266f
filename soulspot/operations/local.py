"""An operation that a command does itself, without a daemon: the same row, events and reports as in the daemon."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from soulspot.errors import SoulSpotError
from soulspot.operations.progress import Counts, Progress
from soulspot.operations.reports.results import OperationReport
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations as rows

log = structlog.get_logger()

INTERRUPTED = "interrupted; what was queued stays queued"


class Recorded:
    """What the work tells: how far it is (`progress`), and at its end what it came to."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.more: dict[str, Any] = {}

    def set_result(self, report: Mapping[str, Any], notes: Sequence[str] = ()) -> None:
        """The report of this kind of operation, and what a person should hear of it."""
        self.more = {"report": dict(report), "notes": list(notes)}


@asynccontextmanager
async def record_operation(
    service: EnrichmentService, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]
) -> AsyncIterator[Recorded]:
    """Keep a row about the work inside the `async with`; what it raises ends the row and is raised on.

    What the same request was cut off in (kill -9, a power cut) is gone on with, under its number. A daemon that
    starts before that goes on with it too, so `request` is what `operations_work` can work by."""
    database = service.database
    number, counts = await database.write(lambda c: _begin(c, kind, request, metadata))

    async def save(counts: Counts) -> None:
        total, done, failed = counts
        await database.write(
            lambda c: rows.record_progress(c, number, time.time(), total=total, done=done, failed=failed)
        )

    work = Recorded(Progress(save, counts, operation_id=number))
    cost = OperationReport(service)
    beating = asyncio.create_task(work.progress.beat())
    status, error = "completed", None
    try:
        yield work
        work.more |= await cost.end(work.more.get("report", {}))
    except asyncio.CancelledError:
        status, error = "cancelled", INTERRUPTED
        raise
    except Exception as failure:
        status, error = "failed", f"{type(failure).__name__}: {failure}"
        raise
    finally:
        beating.cancel()
        await work.progress.settle()
        total, done, failed = work.progress.counts

        def end(connection: sqlite3.Connection) -> None:
            rows.record_progress(connection, number, time.time(), total=total, done=done, failed=failed)
            rows.finish(connection, number, time.time(), status=status, error=error, more=work.more)

        try:
            await database.write(end)
        except (sqlite3.Error, SoulSpotError) as trouble:  # the next process finds it cut off
            log.warning("operation_not_saved", operation=number, error=str(trouble), again_in_seconds=None)
        service.telemetry.event(
            "operation_finished", operation=number, kind=kind, status=status, error=error, total=total,
            failed=failed,
        )  # fmt: skip


def _begin(
    connection: sqlite3.Connection, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any]
) -> tuple[int, Counts]:
    """The row to work on: that of the same request which was cut off, or a new one."""
    for one in rows.list_unfinished(connection):
        if one.kind == kind and one.request == request:
            rows.resume(connection, one.operation_id, time.time())
            return one.operation_id, one.counts
    return rows.start(connection, kind, metadata, time.time(), request=request), (0, 0, 0)
