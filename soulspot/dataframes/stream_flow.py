"""The inside of a stream: one task that takes items, several that work on batches, and the count that bounds them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Coroutine
from typing import Any

from soulspot.dataframes.callbacks import told
from soulspot.dataframes.stream_values import StreamBatch, StreamProgress, StreamResult, StreamSummary
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.items import AddedItem, ItemOutcome, add_items, item_of, outcomes_of

Batch = list[tuple[int, Any]]  # items with their numbers


class Flow:
    """Items on their way through a service. At most `most` are between the producer and the consumer."""

    def __init__(
        self,
        service: EnrichmentService,
        source: AsyncIterable[Any],
        *,
        most: int,
        batch_size: int,
        max_wait_time: float,
        wait: float,
        on_progress: Callable[[StreamProgress], Any] | None,
        on_error: Callable[[Any, Exception], Any] | None,
        on_batch_complete: Callable[[StreamBatch], Any] | None,
    ) -> None:
        self._service = service
        self._iterator = aiter(source)
        self._slots = asyncio.Semaphore(most)
        self._batch_size, self._max_wait_time, self._wait = batch_size, max_wait_time, wait
        self._on_progress, self._on_error, self._on_batch = on_progress, on_error, on_batch_complete
        self._batch: Batch = []
        self._timer: asyncio.TimerHandle | None = None
        self._batches: asyncio.Queue[Batch | None] = asyncio.Queue()
        # None at the end; neither queue can grow beyond what the slots allow
        self._results: asyncio.Queue[StreamResult | None] = asyncio.Queue()
        self._early: dict[int, StreamResult] = {}
        self._taken = self._done = self._failed = self._pending = self._batches_done = self._handed_on = 0
        self._began = time.monotonic()
        self._read_all = False
        self._stopping = asyncio.Event()
        self._producer_error: Exception | None = None
        self._failure: BaseException | None = None
        self._reader: asyncio.Task[None] | None = None
        self._workers: list[asyncio.Task[None]] = []

    def start(self, workers: int) -> None:
        self._reader = asyncio.create_task(self._read(), name="stream-reader")
        self._workers = [
            asyncio.create_task(self._guarded(self._work()), name=f"stream-worker-{number}")
            for number in range(workers)
        ]

    async def next(self, *, ordered: bool) -> StreamResult | None:
        """The next result, None after the last. Raises what kept the work from going on."""
        while not (ordered and self._handed_on in self._early):
            result = await self._results.get()
            if result is None:
                if self._failure is not None:
                    raise self._failure
                return None
            number = result.number if ordered else self._handed_on
            self._early[number] = result
            if not ordered:
                break
        found = self._early.pop(self._handed_on)
        self._handed_on += 1
        self._slots.release()
        return found

    async def completed(self, on_complete: Callable[[StreamSummary], Any] | None) -> None:
        """Tell that the last item is answered, and raise what the producer ended with, if it was no end."""
        seconds = time.monotonic() - self._began
        telemetry = self._service.telemetry
        telemetry.rss_bytes()
        summary = StreamSummary(
            items=self._done, succeeded=self._done - self._failed - self._pending, failed=self._failed,
            pending=self._pending, batches=self._batches_done, seconds=round(seconds, 3),
            items_per_second=_rate(self._done, seconds), peak_rss=telemetry.peak_rss_bytes,
            error_rate=self._failed / self._done if self._done else 0.0, error=self._producer_error,
        )  # fmt: skip
        await told(on_complete, summary)
        if self._producer_error is not None:
            raise self._producer_error

    async def stop(self) -> None:
        """Take no more, store what was taken, and end every task. A cancellation waits until that is done."""
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
        await told(getattr(self._iterator, "aclose", None))
        self._send()
        known = self._failure
        for _ in self._workers:
            self._batches.put_nowait(None)
        await asyncio.gather(*self._workers)
        if self._done < self._taken:
            await self._service.decide_new()
        if self._failure is not known and self._failure is not None:
            raise self._failure

    # --- taking ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                await self._slots.acquire()
                item = await anext(self._iterator)
                self._accept(item)
        except StopAsyncIteration:
            pass
        except Exception as error:
            self._producer_error = error
        self._send()
        self._read_all = True
        self._end_if_done()

    def _accept(self, item: Any) -> None:
        self._batch.append((self._taken, item))
        self._taken += 1
        if len(self._batch) >= self._batch_size:
            self._send()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._max_wait_time, self._send)

    def _send(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._batch:
            self._batches.put_nowait(self._batch)
            self._batch = []

    # --- working --------------------------------------------------------------------------------------------------

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self._failure = self._failure or error
            self._results.put_nowait(None)

    async def _work(self) -> None:
        while (batch := await self._batches.get()) is not None:
            began = time.monotonic()
            brought = await self._bring_in(batch)
            outcomes = await self._outcomes(brought)
            if outcomes is not None:
                await self._hand_on(batch, outcomes, began)

    async def _bring_in(self, batch: Batch) -> list[AddedItem]:
        """From here on the items are in the durable queue."""
        with self._service.activity.expecting():
            brought = await add_items(self._service, [item_of(item) for _, item in batch])
            if not self._stopping.is_set():
                await self._service.decide_new()
        return brought

    async def _outcomes(self, brought: list[AddedItem]) -> list[ItemOutcome] | None:
        """None when it is stopped meanwhile."""
        work = asyncio.create_task(outcomes_of(self._service, brought, self._wait))
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
            return None if self._stopping.is_set() else work.result()
        finally:
            work.cancel()
            stopped.cancel()
            await asyncio.gather(work, stopped, return_exceptions=True)

    async def _hand_on(self, batch: Batch, outcomes: list[ItemOutcome], began: float) -> None:
        for (number, item), outcome in zip(batch, outcomes, strict=True):
            self._results.put_nowait(
                StreamResult(number, item, outcome.track, outcome.error, outcome.remarks)
            )
        number = self._batches_done
        self._batches_done += 1
        for (_, item), outcome in zip(batch, outcomes, strict=True):
            if outcome.error is None:
                continue
            if outcome.is_waiting:
                self._pending += 1
            else:
                self._failed += 1
                await told(self._on_error, item, outcome.error)
        seconds = time.monotonic() - began
        rss = self._service.telemetry.rss_bytes()
        done = StreamBatch(number, len(batch), round(seconds * 1000, 1), _rate(len(batch), seconds), rss)
        await told(self._on_batch, done)
        self._done += len(batch)
        await told(self._on_progress, StreamProgress(self._taken, self._done, self._failed, self._pending))
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._read_all and self._done == self._taken:
            self._results.put_nowait(None)


def _rate(items: int, seconds: float) -> float:
    return round(items / seconds, 2) if seconds > 0 else 0.0
