"""The inside of a stream: a task takes items, several work on batches, a semaphore bounds both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Any

from soulspot.dataframes.callbacks import (
    StreamBatch,
    StreamCallbacks,
    StreamProgress,
    StreamResult,
    StreamSummary,
    call_back,
)
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.items import ItemOutcome, add_items, item_of, outcomes_of

Batch = list[tuple[int, Any]]  # items with their numbers


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """The limits of a flow; times are in seconds."""

    most: int  # items between the producer and the consumer
    batch_size: int
    max_wait_time: float  # an item waits no longer than this for its batch to fill
    wait: float  # lookups that are postponed for longer than this are not waited for


@dataclass(slots=True)
class _Counts:
    taken: int = 0
    done: int = 0
    failed: int = 0
    pending: int = 0
    batches: int = 0
    handed_on: int = 0


class Flow:
    """Items on their way from a producer through a service to a consumer."""

    def __init__(
        self, service: EnrichmentService, source: AsyncIterable[Any], limits: FlowLimits,
        callbacks: StreamCallbacks,
    ) -> None:  # fmt: skip
        self._service = service
        self._iterator = aiter(source)
        self._limits = limits
        self._callbacks = callbacks
        self._slots = asyncio.Semaphore(limits.most)
        self._batch: Batch = []
        self._timer: asyncio.TimerHandle | None = None
        # None ends a queue. Neither can grow beyond what the slots allow.
        self._batches: asyncio.Queue[Batch | None] = asyncio.Queue()
        self._results: asyncio.Queue[StreamResult | None] = asyncio.Queue()
        self._early: dict[int, StreamResult] = {}  # ready before their turn, by its number
        self._counts = _Counts()
        self._began = time.monotonic()
        self._read_all = False
        self._stopping = asyncio.Event()
        self._producer_error: Exception | None = None
        self._failure: BaseException | None = None
        self._reader: asyncio.Task[None] | None = None
        self._workers: list[asyncio.Task[None]] = []

    def start(self, workers: int) -> None:
        """Start the reader and this many workers."""
        self._reader = asyncio.create_task(self._read(), name="stream-reader")
        self._workers = [asyncio.create_task(self._work(), name=f"stream-worker-{number}") for number in range(workers)]

    async def next(self, *, ordered: bool) -> StreamResult | None:
        """Return the next result, None after the last. Raises the failure that ended a worker."""
        turn = self._counts.handed_on
        while turn not in self._early:
            result = await self._results.get()
            if result is None:
                if self._failure is not None:
                    raise self._failure
                return None
            self._early[result.number if ordered else turn] = result
        self._counts.handed_on += 1
        self._slots.release()
        return self._early.pop(turn)

    async def complete(self) -> None:
        """Call `on_complete` when every item is done; raise what the producer raised."""
        counts, seconds = self._counts, time.monotonic() - self._began
        telemetry = self._service.telemetry
        # Take a last sample of the memory.
        telemetry.rss_bytes()
        summary = StreamSummary(
            items=counts.done, succeeded=counts.done - counts.failed - counts.pending, failed=counts.failed,
            pending=counts.pending, batches=counts.batches, seconds=round(seconds, 3),
            items_per_second=_rate(counts.done, seconds), peak_rss=telemetry.peak_rss_bytes,
            error_rate=counts.failed / counts.done if counts.done else 0.0, error=self._producer_error,
        )  # fmt: skip
        await call_back(self._callbacks.on_complete, summary)
        if self._producer_error is not None:
            raise self._producer_error

    async def stop(self) -> None:
        """Take no more items, store those taken, and end every task, cancelled or not."""
        ending = asyncio.create_task(self._end(), name="stream-end")
        cancelled: asyncio.CancelledError | None = None
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError as error:
                cancelled = error
            except Exception:
                break
        if (failure := ending.exception()) is not None:
            raise failure
        if cancelled is not None:
            raise cancelled

    async def _end(self) -> None:
        self._stopping.set()
        if self._reader:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await call_back(getattr(self._iterator, "aclose", None))
        self._send_batch()
        known = self._failure
        for _ in self._workers:
            self._batches.put_nowait(None)
        await asyncio.gather(*self._workers)
        # Items of batches that were stopped are tracks by now, but nobody has decided them.
        if self._counts.done < self._counts.taken:
            await self._service.decide_new()
        if self._failure is not known and self._failure is not None:
            raise self._failure

    # --- taking items -----------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                await self._slots.acquire()
                self._take(await anext(self._iterator))
        except StopAsyncIteration:
            pass
        except Exception as error:
            self._producer_error = error
        self._send_batch()
        self._read_all = True
        self._end_if_done()

    def _take(self, item: Any) -> None:
        self._batch.append((self._counts.taken, item))
        self._counts.taken += 1
        if len(self._batch) >= self._limits.batch_size:
            self._send_batch()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._limits.max_wait_time, self._send_batch)

    def _send_batch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            self._batches.put_nowait(self._batch)
            self._batch = []

    # --- working on batches -----------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while (batch := await self._batches.get()) is not None:
                began = time.monotonic()
                outcomes = await self._enrich(batch)
                if outcomes is not None:
                    await self._hand_on(batch, outcomes, began)
        except Exception as error:
            self._failure = self._failure or error
            self._results.put_nowait(None)

    async def _enrich(self, batch: Batch) -> list[ItemOutcome] | None:
        """Return the outcome of each item; None when the flow is stopped meanwhile."""
        # From here on the items are in the durable queue.
        with self._service.activity.expecting():
            added = await add_items(self._service, [item_of(item) for _, item in batch])
            if not self._stopping.is_set():
                await self._service.decide_new()
        work = asyncio.create_task(outcomes_of(self._service, added, self._limits.wait))
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
            return None if self._stopping.is_set() else work.result()
        finally:
            work.cancel()
            stopped.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)

    async def _hand_on(self, batch: Batch, outcomes: list[ItemOutcome], began: float) -> None:
        counts, callbacks = self._counts, self._callbacks
        # Results before callbacks: a slow callback must not hold up the consumer.
        for (number, item), outcome in zip(batch, outcomes, strict=True):
            self._results.put_nowait(StreamResult(number, item, outcome.track, outcome.error, outcome.remarks))
        number = counts.batches
        counts.batches += 1
        for (_, item), outcome in zip(batch, outcomes, strict=True):
            if outcome.is_waiting:
                counts.pending += 1
            elif outcome.error is not None:
                counts.failed += 1
                await call_back(callbacks.on_error, item, outcome.error)
        seconds = time.monotonic() - began
        rss = self._service.telemetry.rss_bytes()
        ended = StreamBatch(number, len(batch), round(seconds * 1000, 1), _rate(len(batch), seconds), rss)
        await call_back(callbacks.on_batch_complete, ended)
        counts.done += len(batch)
        progress = StreamProgress(counts.taken, counts.done, counts.failed, counts.pending)
        await call_back(callbacks.on_progress, progress)
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._read_all and self._counts.done == self._counts.taken:
            self._results.put_nowait(None)


def _rate(items: int, seconds: float) -> float:
    return round(items / seconds, 2) if seconds > 0 else 0.0
