"""One batch: its items, the call that answers them, its waiters, and its BatchResult."""

import asyncio
import inspect
from asyncio import Future
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from soulspot.errors import BatchCancelled

T = TypeVar("T")
R = TypeVar("R")
Reason = Literal["full", "timer", "manual", "shutdown"]
ProcessorFunc = Callable[[list[T]], Awaitable[Sequence[R | Exception]]]
_UNANSWERED: Any = object()


@dataclass(slots=True)
class BatchResult(Generic[T, R]):
    """The answers of one batch, or of all batches of a flush: distinct items in the order given.
    `duration` is the seconds from the first call of the function to the last answer, `waited` the
    seconds that the oldest item was pending before, `reason` what started the batch."""

    successful: list[R] = field(default_factory=list)
    failed: list[tuple[T, Exception]] = field(default_factory=list)
    duration: float = 0.0
    waited: float = 0.0
    reason: Reason = "manual"

    @property
    def total_items(self) -> int:
        return len(self.successful) + len(self.failed)

    @property
    def success_count(self) -> int:
        return len(self.successful)

    @property
    def failure_count(self) -> int:
        return len(self.failed)

    @property
    def success_rate(self) -> float:
        """The share of successful items, 0 to 100; 0.0 without items."""
        return 100.0 * self.success_count / self.total_items if self.total_items else 0.0


@dataclass(slots=True, eq=False)
class Batch(Generic[T, R]):
    """Items that share one call: collecting, due, begun, answered (with a `result`), then over."""

    since: float  # loop time of the first item
    items: list[T] = field(default_factory=list)
    index_by_key: dict[Hashable, int] = field(default_factory=dict)  # of items with a key
    index_by_future: dict[Future[R], int] = field(default_factory=dict)
    reason: Reason = "full"
    must_run: bool = False  # runs even when no caller waits for it
    callers: int = 0  # tasks that wait for the whole batch
    owner: object = None  # the caller that returns the result of this batch
    task: asyncio.Task[None] | None = None
    started: float | None = None
    ended: float = 0.0
    answers: list[Any] = field(default_factory=list)
    result: BatchResult[T, R] | None = None
    crash: BaseException | None = None  # a KeyboardInterrupt, say: raised beyond the items
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_due(self) -> bool:
        return self.must_run or self.callers > 0

    async def call(self, function: ProcessorFunc[T, R], split_on: tuple[type[Exception], ...]) -> None:
        """Fill `answers` by calling `function`, on halves of the batch after a `split_on` error.
        Any other exception passes through; items answered before keep their answers."""
        self.answers = [_UNANSWERED] * len(self.items)
        parts = [(0, len(self.items))]
        while parts:
            start, end = parts.pop()
            try:
                self.answers[start:end] = await _checked_call(function, self.items[start:end])
            except split_on as error:
                if end - start == 1:
                    self.answers[start] = error
                else:
                    middle = (start + end) // 2
                    parts += [(middle, end), (start, middle)]

    def resolve(self, failure: BaseException | None, now: float) -> BatchResult[T, R]:
        """Set `result` and resolve the items' futures; unanswered items fail with `failure`."""
        assert self.started is not None
        answers = self.answers or [_UNANSWERED] * len(self.items)
        if failure is not None:
            answers = [failure if answer is _UNANSWERED else answer for answer in answers]
            if not isinstance(failure, Exception | asyncio.CancelledError):
                self.crash = failure
        bad = {i: _as_failure(answer) for i, answer in enumerate(answers) if isinstance(answer, BaseException)}
        self.ended = now
        self.result = BatchResult(
            successful=[answer for i, answer in enumerate(answers) if i not in bad] if bad else answers,
            failed=[(self.items[i], error) for i, error in bad.items()],
            duration=now - self.started,
            waited=self.started - self.since,
            reason=self.reason,
        )
        for future, i in self.index_by_future.items():
            if future.done():  # cancelled by its holder
                continue
            if i in bad:
                future.set_exception(bad[i])
                # Mark it as seen: a caller may drop the future, of which asyncio would complain.
                future.exception()
            else:
                future.set_result(answers[i])
        return self.result

    def add_caller(self, caller: object) -> None:
        """Count one more task that waits for the batch; the first `caller` becomes its owner."""
        self.callers += 1
        if self.owner is None:
            self.owner = caller

    def remove_caller(self, caller: object) -> None:
        """Count one cancelled caller less. The call goes on if it has begun: it is the items'."""
        self.callers -= 1
        if self.owner is caller:
            self.owner = None

    def cancel_call(self) -> asyncio.Task[None] | None:
        """Cancel the call if it has begun; return the task to await, or None."""
        if self.task is None or self.started is None or self.over.is_set():
            return None
        if self.result is None:
            self.task.cancel()
        return self.task


def merge_results(batches: Sequence[Batch[T, R]], reason: Reason) -> BatchResult[T, R]:
    """Return one result over batches that are over, with `reason` as its reason."""
    results = [batch.result for batch in batches if batch.result is not None]
    started = min((batch.started or 0.0 for batch in batches), default=0.0)
    return BatchResult(
        successful=[answer for result in results for answer in result.successful],
        failed=[failure for result in results for failure in result.failed],
        duration=max((batch.ended for batch in batches), default=0.0) - started,
        waited=max((result.waited for result in results), default=0.0),
        reason=reason,
    )


async def _checked_call(function: ProcessorFunc[T, R], items: list[T]) -> Sequence[R | Exception]:
    count = len(items)  # counted first: the function may change its list
    awaitable = function(items)
    if not inspect.isawaitable(awaitable):
        kind = type(awaitable).__name__
        return [TypeError(f"processor_func must be async, but it returned {kind} at once")] * count
    answers = await awaitable
    if not isinstance(answers, list | tuple):
        kind = type(answers).__name__
        return [TypeError(f"processor_func must return a list of answers, not {kind}")] * count
    if len(answers) != count:
        return [ValueError(f"processor_func returned {len(answers)} answers for {count} items")] * count
    return answers


def _as_failure(answer: BaseException) -> Exception:
    """Return an exception that an item may carry without cancelling or ending its awaiter."""
    if isinstance(answer, Exception) and not isinstance(answer, StopIteration):
        return answer
    failure: Exception = BatchCancelled(f"not answered: {type(answer).__name__} ended the call")
    if isinstance(answer, StopIteration):
        failure = RuntimeError("the answer was a StopIteration, which no future can carry")
    failure.__cause__ = answer
    return failure
