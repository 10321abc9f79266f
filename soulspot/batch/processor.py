"""`BatchProcessor`: collect items and answer many of them with one call of an async function.

Nothing here sets a timer: the owner of one (APScheduler in the daemon) calls `flush_if_needed`.
Times are the running loop's, in seconds. docs/reference/batch.md is the user's guide.

The way of an item: `add`, `add_batch` or `submit` accepts it into the batch that is collecting, or
parks it while `max_pending` items are pending. A full or flushed batch is due and gets a task, of
which `max_in_flight` run at a time. The task calls the function, answers the items and reports."""

import asyncio
import inspect
import logging
import math
from asyncio import Future
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, Generic, Self

from soulspot.batch.call import Batch, BatchResult, ProcessorFunc, R, Reason, T, merge_results
from soulspot.errors import ProcessorClosed

logger = logging.getLogger(__name__)

# The batches, of any processor, whose call the current task runs in. Waiting there for a batch of
# the same processor would never end.
_enclosing: ContextVar[tuple[tuple[object, Batch[Any, Any]], ...]] = ContextVar("_enclosing", default=())

# The batches that the items of one `add` or `add_batch` filled: these the caller waits for.
_Filled = list[Batch[T, R]]

# An item beyond max_pending: it, its key, the future to resolve when it gets in, and the caller's
# list of filled batches (None for `submit`, whose future is the answer itself).
_Parked = tuple[T, Hashable, Future[Any], _Filled[T, R] | None]


class BatchProcessor(Generic[T, R]):
    """Collect items and call `processor_func` with `batch_size` of them at a time.

    batch_size         most items in one call
    processor_func     async function: list of items -> list of answers, same length and order; an
                       exception as an answer fails its item alone. None: nothing to flush to
    max_wait_time      seconds an item is pending before `flush_if_needed` flushes; None: for ever
    auto_flush         run full batches at once; False: everything waits for a flush
    max_pending        most items accepted and not yet in a call; further items wait outside
    max_in_flight      most calls at the same time
    key                function of an item: equal keys of unanswered items share one answer
    split_on           exception types by which a call says that one item spoils it: the batch is
                       halved until the bad items stand alone. Other exceptions fail the batch
    on_batch_complete  function, sync or async, that gets the BatchResult of every batch once; its
                       failure is only logged

    Every accepted item is answered exactly once, and every batch is in at most one returned result.
    A batch belongs to its items: who cancels `add`, `add_batch` or `flush` stops waiting, and the
    call goes on, even when nobody is left who waits; `close` waits for it. Items in no call stay
    pending. Cancelling a future of `submit` gives up that answer alone, and cancelling `close` ends
    all calls. Inside `processor_func` and `on_batch_complete` no method waits: batches filled or
    flushed there run afterwards."""

    def __init__(
        self, batch_size: int, processor_func: ProcessorFunc[T, R] | None = None,
        max_wait_time: float | None = None, auto_flush: bool = True, *, max_pending: int | None = None,
        max_in_flight: int = 1, key: Callable[[T], Hashable] | None = None,
        split_on: type[Exception] | tuple[type[Exception], ...] = (),
        on_batch_complete: Callable[[BatchResult[T, R]], object] | None = None,
    ) -> None:  # fmt: skip
        counts = [("batch_size", batch_size), ("max_in_flight", max_in_flight)]
        for name, count in counts if max_pending is None else [*counts, ("max_pending", max_pending)]:
            if not isinstance(count, int) or isinstance(count, bool) or count < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, not {count!r}")
        if max_pending is not None and max_pending < batch_size:
            raise ValueError(f"max_pending must be at least batch_size ({batch_size}), not {max_pending}")
        if max_wait_time is not None and not max_wait_time >= 0:  # in this form NaN is refused too
            raise ValueError(f"max_wait_time must be None or at least 0 seconds, not {max_wait_time!r}")
        functions = {"processor_func": processor_func, "key": key, "on_batch_complete": on_batch_complete}
        for name, function in functions.items():
            if function is not None and not callable(function):
                raise TypeError(f"{name} must be a function or None, not {function!r}")
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
        self._queue: deque[Batch[T, R]] = deque()  # without a task yet; due batches are in front
        self._unfinished: dict[Batch[T, R], None] = {}  # not over yet, oldest first
        self._batch_by_key: dict[Hashable, Batch[T, R]] = {}  # of unanswered items
        self._parked: deque[_Parked[T, R]] = deque()  # first come, first served
        self._pending = 0
        self._in_flight = 0
        self._running = 0  # tasks of batches
        self._is_closed = False
        self._is_aborted = False

    async def add(self, item: T) -> BatchResult[T, R] | None:
        """Accept `item`; return the result of the batch if this item filled it, else None.

        Waits while `max_pending` items are pending; cancelling that wait withdraws the item. Raises
        ProcessorClosed after `close`, and ValueError for a full batch without a function."""
        if self._is_closed or self._processor_func is None:
            self._check_open(1)
        filled: _Filled[T, R] = []
        admission = self._accept_or_park(item, None if self._key is None else self._key(item), filled)
        if admission is None and not filled:
            return None
        batches = await self._wait_for_batches(filled, () if admission is None else (admission,))
        return batches[0].result if batches else None

    async def add_batch(self, items: Iterable[T]) -> list[BatchResult[T, R]]:
        """Accept `items`, all or none; return the results of the batches they filled, in order.
        Waits and raises like `add`; TypeError when a key is not hashable."""
        items = list(items)
        self._check_open(len(items))
        keys = [None if self._key is None else self._key(item) for item in items]
        frozenset(keys)  # refuses an unhashable key before any item is accepted
        filled: _Filled[T, R] = []
        parked = [self._accept_or_park(item, key, filled) for item, key in zip(items, keys, strict=True)]
        batches = await self._wait_for_batches(filled, [future for future in parked if future is not None])
        return [batch.result for batch in batches if batch.result is not None]

    def submit(self, item: T) -> Future[R]:
        """Accept `item`; return a future of its own answer or exception, to await or to drop.

        Needs a running loop. An item beyond `max_pending` waits outside; cancelling its future then
        withdraws it, later only gives up the answer. Raises ProcessorClosed after `close`, and
        ValueError without a processor function."""
        if self._is_closed or self._processor_func is None:
            self._check_open(self._batch_size)
        key = None if self._key is None else self._key(item)
        answer: Future[R] = asyncio.get_running_loop().create_future()
        if self._pending >= self._max_pending and self._must_wait_for_room(key):
            self._parked.append((item, key, answer, None))
        else:
            self._accept(item, key, answer)
        return answer

    async def flush(self) -> BatchResult[T, R]:
        """Run all pending batches; return one result over those that no `add` returns. Batches
        already in flight are not part of it. Items that arrive before its last batch starts ride
        along. Without a processor function all stays pending, and ValueError is raised."""
        return await self._flush("manual")

    async def flush_if_needed(self) -> BatchResult[T, R] | None:
        """Flush if the oldest item that is not due has waited `max_wait_time`; else None."""
        oldest = next((batch for batch in self._queue if not batch.is_due), None)
        if oldest is None or self._max_wait_time is None:
            return None
        is_time = asyncio.get_running_loop().time() >= oldest.since + self._max_wait_time
        return await self._flush("timer") if is_time else None

    async def close(self) -> BatchResult[T, R]:
        """Refuse new items, flush, and wait for calls in flight; a second call only waits. Every
        item is answered. Cancelling `close` fails the unanswered items with BatchCancelled. Without
        a processor function, pending items fail with the ValueError that is raised here."""
        self._is_closed = True
        self._admit_parked()
        try:
            result = await self._flush("shutdown")
            if not self._is_inside_call():
                for batch in list(self._unfinished):
                    await batch.over.wait()
        except asyncio.CancelledError:
            self._is_aborted = True
            self._start_due_batches()
            await _wait_for_tasks([batch.cancel_call() or batch.task for batch in self._unfinished])
            raise
        if result.total_items:
            self._require_function()
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def get_pending_count(self) -> int:
        """Return the number of items that are accepted and not yet in a call."""
        return self._pending

    def in_flight_count(self) -> int:
        """Return the number of items in a call."""
        return self._in_flight

    # Accepting items. No method here awaits, so none needs a lock.

    def _check_open(self, count: int) -> None:
        """Raise ProcessorClosed, or ValueError when `count` items would fill a batch in vain."""
        if self._is_closed:
            raise ProcessorClosed("this BatchProcessor is closed and takes no more items")
        if self._auto_flush and self._pending + count >= self._batch_size:
            self._require_function()

    def _require_function(self) -> ProcessorFunc[T, R]:
        if self._processor_func is None:
            raise ValueError("No processor function configured")
        return self._processor_func

    def _must_wait_for_room(self, key: Hashable) -> bool:
        """Whether an item waits outside a full processor. An item that joins an unanswered one of
        its key needs no room. An item from inside a call gets room in any case: the call it comes
        from may be the one that would make room."""
        return not (self._key is not None and key in self._batch_by_key) and not self._is_inside_call()

    def _is_inside_call(self) -> bool:
        calls = _enclosing.get()
        return bool(calls) and any(processor is self and not batch.over.is_set() for processor, batch in calls)

    def _accept_or_park(self, item: T, key: Hashable, filled: _Filled[T, R]) -> Future[Any] | None:
        """Accept the item and append a batch that it fills to `filled`. Without room, park it and
        return a future that resolves when it is accepted."""
        if self._pending >= self._max_pending and self._must_wait_for_room(key):
            admission: Future[Any] = asyncio.get_running_loop().create_future()
            self._parked.append((item, key, admission, filled))
            return admission
        batch = self._accept(item, key)
        if batch is not None and not self._is_inside_call():
            batch.add_caller(filled)
            filled.append(batch)
        return None

    def _admit_parked(self) -> None:
        """Accept parked items while there is room; a closed processor accepts all of them."""
        while self._parked and (self._is_closed or self._pending < self._max_pending):
            item, key, future, filled = self._parked.popleft()
            if future.done():  # cancelled while parked
                continue
            batch = self._accept(item, key, future if filled is None else None)
            if filled is not None:
                if batch is not None:
                    batch.add_caller(filled)
                    filled.append(batch)
                future.set_result(None)

    def _accept(self, item: T, key: Hashable, answer: Future[R] | None = None) -> Batch[T, R] | None:
        """Put the item into a batch; return the batch if it runs because of this item."""
        if self._key is not None and (known := self._batch_by_key.get(key)):
            if answer is not None:
                known.index_by_future[answer] = known.index_by_key[key]
            return None
        if (batch := self._collecting) is None:
            batch = self._collecting = Batch(since=asyncio.get_running_loop().time())
            self._queue.append(batch)
            self._unfinished[batch] = None
        index = len(batch.items)
        batch.items.append(item)
        self._pending += 1
        if answer is not None:
            batch.index_by_future[answer] = index
        if self._key is not None:
            batch.index_by_key[key] = index
            self._batch_by_key[key] = batch
        if index + 1 < self._batch_size:
            return None
        self._collecting = None
        if not self._auto_flush:
            return None
        was_flushed = batch.is_due
        batch.must_run = True
        self._start_due_batches()
        return None if was_flushed else batch  # the flush returns its result otherwise

    async def _flush(self, reason: Reason) -> BatchResult[T, R]:
        """Make every batch that has not started due; wait, and return one result over them."""
        if reason != "shutdown":
            self._require_function()
        batches = [batch for batch in self._unfinished if batch.started is None]
        is_inside = self._is_inside_call()
        for batch in batches:
            if not batch.is_due:
                batch.reason = reason
            if is_inside:
                batch.must_run = True
            else:
                batch.add_caller(batches)
        self._start_due_batches()
        return merge_results([] if is_inside else await self._wait_for_batches(batches), reason)

    async def _wait_for_batches(self, batches: _Filled[T, R], admissions: Sequence[Future[Any]] = ()) -> _Filled[T, R]:
        """Wait for `admissions`, then for `batches`; return the batches that this caller owns. The
        list `batches` itself stands for the caller. It may grow while parked items get in."""
        try:
            for admission in admissions:
                await admission
            for batch in batches:
                await batch.over.wait()
        except asyncio.CancelledError:
            for admission in admissions:
                admission.cancel()
            for batch in batches:
                batch.remove_caller(batches)
            raise
        # The owner may have been cancelled: whoever else waited inherits its batches.
        own = [batch for batch in batches if batch.owner is None or batch.owner is batches]
        for batch in own:
            batch.owner = batches
            if batch.crash is not None:
                raise batch.crash
        return own

    def _start_due_batches(self) -> None:
        while self._queue:
            if not self._is_aborted and (self._running >= self._max_in_flight or not self._queue[0].is_due):
                break
            batch = self._queue.popleft()
            self._running += 1
            batch.task = asyncio.get_running_loop().create_task(self._run(batch))
            # The callback answers the items even when the task is cancelled before its first step.
            batch.task.add_done_callback(partial(self._finish_if_never_run, batch))

    async def _run(self, batch: Batch[T, R]) -> None:
        _enclosing.set((*(entry for entry in _enclosing.get() if not entry[1].over.is_set()), (self, batch)))
        self._begin(batch)
        failure: BaseException | None = None
        try:
            if self._is_aborted:
                raise asyncio.CancelledError("close() was cancelled")
            await batch.call(self._require_function(), self._split_on)
        except BaseException as error:
            failure = error
        result = self._answer(batch, failure)
        try:
            reported = self._on_batch_complete and self._on_batch_complete(result)
            if inspect.isawaitable(reported):
                await reported
        except Exception:
            logger.exception("on_batch_complete failed; the answers of the batch stand")
        finally:
            self._finish(batch)
        if batch.crash is not None and not batch.callers:  # else the callers raise it
            raise batch.crash
        # A cancellation was caught above to answer the items; the task still has to end cancelled.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError

    def _begin(self, batch: Batch[T, R]) -> None:
        if self._collecting is batch:
            self._collecting = None
        batch.started = asyncio.get_running_loop().time()
        self._pending -= len(batch.items)
        self._in_flight += len(batch.items)
        self._admit_parked()

    def _answer(self, batch: Batch[T, R], failure: BaseException | None) -> BatchResult[T, R]:
        result = batch.resolve(failure, asyncio.get_running_loop().time())
        for key in batch.index_by_key:
            del self._batch_by_key[key]
        self._in_flight -= len(batch.items)
        self._running -= 1
        self._start_due_batches()
        return result

    def _finish(self, batch: Batch[T, R]) -> None:
        del self._unfinished[batch]
        batch.over.set()

    def _finish_if_never_run(self, batch: Batch[T, R], task: asyncio.Task[None]) -> None:
        # Only a program that cancels all tasks of its loop gets here with a batch that is not over.
        if not batch.over.is_set():
            self._begin(batch)
            self._answer(batch, asyncio.CancelledError())
            self._finish(batch)


async def _wait_for_tasks(tasks: Iterable[asyncio.Task[None] | None]) -> None:
    running = [task for task in tasks if task is not None]
    if running:
        await asyncio.wait(running)
