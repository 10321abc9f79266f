"""BatchProcessor: collects items and asks about many of them in one call, so that one request answers many.

Nothing here sets a timer: whoever owns one (APScheduler in the daemon) calls `flush_if_needed`. Time is that
of the running loop, in seconds. docs/batch.md shows how to use it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, NoReturn

from soulspot.batch.call import Batch, BatchResult, ProcessorFunc, R, Reason, T, merged
from soulspot.errors import ProcessorClosed

logger = logging.getLogger(__name__)

# The batches, of any processor, from within whose call we are called: to wait there for one's own never ends.
_within: ContextVar[tuple[tuple[object, Batch[Any, Any]], ...]] = ContextVar("_within", default=())

# An item beyond max_pending: it, its key, the future to resolve, the list to put the batch in that it fills.
_Outsider = tuple[T, Hashable, asyncio.Future[Any], list[Batch[T, R]] | None]


class BatchProcessor(Generic[T, R]):
    """Collects items and calls `processor_func` with `batch_size` of them at a time.

    batch_size      items in a call, at most
    processor_func  async, list of items -> list of answers of the same length and order; an answer that is an
                    exception fails its item alone. None: there is nothing to flush to
    max_wait_time   seconds that an item is pending before `flush_if_needed` flushes; None: for ever
    auto_flush      a full batch runs by itself; without, everything waits for a flush
    max_pending     items accepted but not yet in a call, at most: what is beyond waits outside
    max_in_flight   calls at the same time
    key             an item whose key equals that of an unanswered one is that one, and shares its answer
    split_on        exception types by which a call says that an item spoils it: the batch is halved until the
                    bad ones stand alone. Any other exception fails the batch after that one call
    on_batch_complete  gets the BatchResult of every batch, once; may be async; its failure is only logged

    Every accepted item is answered exactly once, and every batch is in at most one returned result. To cancel
    `add`, `add_batch` or `flush` cancels the call they wait for, unless another of them waits for it as well:
    its items fail with BatchCancelled, while items that are still pending stay so. To cancel an answer of
    `submit` does nothing to anybody else. From inside `processor_func` and `on_batch_complete` nothing here
    waits: what is filled or flushed there runs afterwards.
    """

    def __init__(
        self,
        batch_size: int,
        processor_func: ProcessorFunc[T, R] | None = None,
        max_wait_time: float | None = None,
        auto_flush: bool = True,
        *,
        max_pending: int | None = None,
        max_in_flight: int = 1,
        key: Callable[[T], Hashable] | None = None,
        split_on: type[Exception] | tuple[type[Exception], ...] = (),
        on_batch_complete: Callable[[BatchResult[T, R]], object] | None = None,
    ) -> None:
        _check_count("batch_size", batch_size)
        _check_count("max_in_flight", max_in_flight)
        if max_pending is not None:
            _check_count("max_pending", max_pending)
            if max_pending < batch_size:
                raise ValueError(f"max_pending must be at least batch_size ({batch_size}), not {max_pending}")
        if max_wait_time is not None and not max_wait_time >= 0:  # in this form NaN is refused as well
            raise ValueError(f"max_wait_time must be None or at least 0 seconds, not {max_wait_time!r}")
        _check_function("processor_func", processor_func)
        _check_function("key", key)
        _check_function("on_batch_complete", on_batch_complete)
        self._split_on = split_on if isinstance(split_on, tuple) else (split_on,)
        if not all(isinstance(kind, type) and issubclass(kind, Exception) for kind in self._split_on):
            raise TypeError(f"split_on must be a tuple of exception types, not {split_on!r}")
        self._batch_size = batch_size
        self._processor_func = processor_func
        self._max_wait_time = max_wait_time
        self._auto_flush = auto_flush
        self._max_pending = math.inf if max_pending is None else max_pending
        self._max_in_flight = max_in_flight
        self._key = key
        self._on_batch_complete = on_batch_complete

        self._collecting: Batch[T, R] | None = None  # takes the next item
        self._queue: deque[Batch[T, R]] = deque()  # have no task yet; the due ones are in front
        self._live: dict[Batch[T, R], None] = {}  # are not over, oldest first
        self._known: dict[Hashable, Batch[T, R]] = {}  # where the unanswered item of a key is
        self._outside: deque[_Outsider[T, R]] = deque()  # first come, first served
        self._pending = 0
        self._in_flight = 0
        self._running = 0
        self._closed = False
        self._aborted = False

    async def add(self, item: T) -> BatchResult[T, R] | None:
        """Accept `item`; the result of the batch that it filled, and so ran, else None.

        Waits while `max_pending` items are pending; to cancel it then withdraws the item. Raises
        ProcessorClosed after `close`, and ValueError for an item that would fill a batch when there is no
        processor function."""
        if self._closed or self._processor_func is None:
            self._check_open(1)
        filled: list[Batch[T, R]] = []
        place = self._enter(item, None if self._key is None else self._key(item), filled)
        if place is None and not filled:
            return None
        batches = await self._ended(filled, () if place is None else (place,))
        return batches[0].result if batches else None

    async def add_batch(self, items: Iterable[T]) -> list[BatchResult[T, R]]:
        """Accept `items`, all or none; the results of the batches they filled, in order. Else like `add`."""
        items = list(items)
        self._check_open(len(items))
        keys = [None if self._key is None else self._key(item) for item in items]
        frozenset(keys)  # what is no key is refused before anything is accepted
        filled: list[Batch[T, R]] = []
        places = [self._enter(item, key, filled) for item, key in zip(items, keys, strict=True)]
        batches = await self._ended(filled, [place for place in places if place is not None])
        return [batch.result for batch in batches if batch.result is not None]

    def submit(self, item: T) -> asyncio.Future[R]:
        """Accept `item`; its own answer or exception, to await or to drop.

        Needs a running loop. Beyond `max_pending` the item waits outside, where cancelling the answer
        withdraws it; further on, that gives up the answer alone. Raises ProcessorClosed after `close`, and
        ValueError without processor function."""
        if self._closed or self._processor_func is None:
            self._check_open(self._batch_size)
        key = None if self._key is None else self._key(item)
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        if self._pending >= self._max_pending and self._has_to_wait(key):
            self._outside.append((item, key, answer, None))
        else:
            self._put(item, key, answer)
        return answer

    async def flush(self) -> BatchResult[T, R]:
        """Run and await everything pending; one result over all of it that no `add` returns.

        What is in flight already is not part of it. Items that come before its last batch starts ride along.
        Raises ValueError without processor function; everything then stays pending."""
        self._require_function()
        return await self._flush("manual")

    async def flush_if_needed(self) -> BatchResult[T, R] | None:
        """`flush` if the oldest item that nothing runs so far is pending for `max_wait_time`, else None."""
        oldest = next((batch for batch in self._queue if not batch.due), None)
        if oldest is None or self._max_wait_time is None:
            return None
        if asyncio.get_running_loop().time() < oldest.since + self._max_wait_time:
            return None
        self._require_function()
        return await self._flush("timer")

    async def close(self) -> BatchResult[T, R]:
        """Refuse new items, flush, and wait for what is in flight too; closing again only waits.

        However it ends, every item is answered. To cancel it fails what is unanswered with BatchCancelled.
        Without processor function what is pending fails with the ValueError, which is raised here as well."""
        self._closed = True
        self._let_in()
        try:
            result = await self._flush("shutdown")
            if not self._is_inside():
                for batch in list(self._live):
                    await batch.wait()
        except asyncio.CancelledError:
            self._aborted = True
            self._start_due()
            await _wait_for([batch.stop() or batch.task for batch in self._live])
            raise
        if result.total_items:
            self._require_function()
        return result

    async def __aenter__(self) -> BatchProcessor[T, R]:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def get_pending_count(self) -> int:
        """Items that are accepted and not yet in a call."""
        return self._pending

    def in_flight_count(self) -> int:
        """Items that are in a call."""
        return self._in_flight

    # Accepting. None of it awaits, so none of it needs a lock.

    def _check_open(self, count: int) -> None:
        if self._closed:
            raise ProcessorClosed("this BatchProcessor is closed and takes no more items")
        if self._auto_flush and self._pending + count >= self._batch_size:
            self._require_function()

    def _require_function(self) -> None:
        if self._processor_func is None:
            _no_function()

    def _has_to_wait(self, key: Hashable) -> bool:
        """While there is no room. What joins a known item needs none; what comes from inside gets it anyway."""
        return not (self._key is not None and key in self._known) and not self._is_inside()

    def _is_inside(self) -> bool:
        return any(processor is self and not batch.over for processor, batch in _within.get())

    def _enter(self, item: T, key: Hashable, filled: list[Batch[T, R]]) -> asyncio.Future[Any] | None:
        """Accept the item, and add a batch it fills to `filled`; or a future that says when that is."""
        if self._pending >= self._max_pending and self._has_to_wait(key):
            place: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._outside.append((item, key, place, filled))
            return place
        batch = self._put(item, key)
        if batch is not None and not self._is_inside():
            batch.claim(filled)
            filled.append(batch)
        return None

    def _let_in(self) -> None:
        """Accept from outside, as far as there is room; a closed processor takes in everybody."""
        while self._outside and (self._closed or self._pending < self._max_pending):
            item, key, place, filled = self._outside.popleft()
            if place.done():  # cancelled outside
                continue
            if filled is None:
                self._put(item, key, place)
                continue
            batch = self._put(item, key)
            if batch is not None:
                batch.claim(filled)
                filled.append(batch)
            place.set_result(None)

    def _put(self, item: T, key: Hashable, answer: asyncio.Future[R] | None = None) -> Batch[T, R] | None:
        """Accept the item; the batch, when it runs because of this item."""
        if self._key is not None and key in self._known:
            if answer is not None:
                batch = self._known[key]
                batch.waiters[answer] = batch.places[key]
            return None
        batch = self._collecting or self._new_batch()
        index = len(batch.items)
        batch.items.append(item)
        self._pending += 1
        if answer is not None:
            batch.waiters[answer] = index
        if self._key is not None:
            batch.places[key] = index
            self._known[key] = batch
        if index + 1 < self._batch_size:
            return None
        self._collecting = None
        if not self._auto_flush:
            return None
        flushed = batch.due
        batch.ripe = True
        self._start_due()
        return None if flushed else batch  # who flushed it returns it

    def _new_batch(self) -> Batch[T, R]:
        batch = self._collecting = Batch[T, R](since=asyncio.get_running_loop().time())
        self._queue.append(batch)
        self._live[batch] = None
        return batch

    # Waiting, by those who return a BatchResult.

    async def _flush(self, reason: Reason) -> BatchResult[T, R]:
        batches = [batch for batch in self._live if batch.started is None]
        inside = self._is_inside()
        for batch in batches:
            if not batch.due:
                batch.reason = reason
            if inside:
                batch.ripe = True
            else:
                batch.claim(batches)
        self._start_due()
        return merged([] if inside else await self._ended(batches), reason)

    async def _ended(
        self, batches: list[Batch[T, R]], places: Sequence[asyncio.Future[Any]] = ()
    ) -> list[Batch[T, R]]:
        """Wait for `batches`, claimed in the name of this list; those of them that are its to return."""
        try:
            for place in places:
                await place
            for batch in batches:
                await batch.wait()
        except asyncio.CancelledError:
            for place in places:
                place.cancel()
            await _wait_for([batch.disclaim(batches) for batch in batches])
            raise
        own = [batch for batch in batches if batch.owner is None or batch.owner is batches]
        for batch in own:
            batch.owner = batches
            if batch.crash is not None:
                raise batch.crash
        return own

    # Running: one task a batch.

    def _start_due(self) -> None:
        while self._queue:
            if not self._aborted and (self._running >= self._max_in_flight or not self._queue[0].due):
                break
            batch = self._queue.popleft()
            self._running += 1
            batch.task = asyncio.get_running_loop().create_task(self._run(batch))
            batch.task.add_done_callback(partial(self._gone, batch))

    async def _run(self, batch: Batch[T, R]) -> None:
        _within.set((*(entry for entry in _within.get() if not entry[1].over), (self, batch)))
        self._begin(batch)
        failure: BaseException | None = None
        try:
            if self._aborted:
                raise asyncio.CancelledError("close() was cancelled")
            await batch.ask(self._processor_func or _no_function, self._split_on)
        except BaseException as error:
            failure = error
        result = self._settle(batch, failure)
        try:
            await self._report(result)
        finally:
            self._release(batch)
        if batch.crash is not None and not batch.callers:  # else they raise it
            raise batch.crash
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError

    def _begin(self, batch: Batch[T, R]) -> None:
        if self._collecting is batch:
            self._collecting = None
        batch.begin(asyncio.get_running_loop().time())
        self._pending -= len(batch.items)
        self._in_flight += len(batch.items)
        self._let_in()

    def _settle(self, batch: Batch[T, R], failure: BaseException | None) -> BatchResult[T, R]:
        result = batch.settle(failure, asyncio.get_running_loop().time())
        for key in batch.places:
            del self._known[key]
        self._in_flight -= len(batch.items)
        self._running -= 1
        self._start_due()
        return result

    async def _report(self, result: BatchResult[T, R]) -> None:
        if self._on_batch_complete is None:
            return
        try:
            outcome = self._on_batch_complete(result)
            if inspect.isawaitable(outcome):
                await outcome
        except Exception:
            logger.exception("on_batch_complete failed; the answers of the batch stand")

    def _release(self, batch: Batch[T, R]) -> None:
        del self._live[batch]
        batch.release()

    def _gone(self, batch: Batch[T, R], task: asyncio.Task[None]) -> None:
        if not batch.over:  # a stranger cancelled all tasks of the loop, this one before its first step
            self._begin(batch)
            self._settle(batch, asyncio.CancelledError())
            self._release(batch)


def _no_function(items: object = None) -> NoReturn:
    raise ValueError("No processor function configured")


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {value!r}")


def _check_function(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be a function or None, not {value!r}")


async def _wait_for(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    running = [task for task in tasks if task is not None]
    if running:
        await asyncio.wait(running)
