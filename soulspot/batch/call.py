"""One batch: its items, the call that answers them, who waits for it, and the BatchResult that it becomes."""

from __future__ import annotations

import asyncio
import inspect
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
    """What became of the items of a batch, or of all batches of a flush: distinct items, in the order given.

    `duration` is in seconds, from the first call of the processor function to the last answer; `waited` is
    how many seconds the oldest item was pending before that; `reason` is what made the batch start."""

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
        """0 to 100; 0.0 when there was no item."""
        return 100.0 * self.success_count / self.total_items if self.total_items else 0.0


@dataclass(slots=True, eq=False)
class Batch(Generic[T, R]):
    """Items that share a call. It collects, becomes due, begins, is settled (has a `result`), and is over."""

    since: float  # loop time of the first item
    items: list[T] = field(default_factory=list)
    places: dict[Hashable, int] = field(default_factory=dict)  # of the items that have a key
    waiters: dict[asyncio.Future[R], int] = field(default_factory=dict)  # who waits for which item
    reason: Reason = "full"
    ripe: bool = False  # runs whether or not somebody waits for it
    callers: int = 0  # those who wait for the whole of it
    owner: object = None  # the one of them whose result it belongs to
    task: asyncio.Task[None] | None = None
    started: float | None = None
    ended: float = 0.0
    answers: list[Any] = field(default_factory=list)
    result: BatchResult[T, R] | None = None
    crash: BaseException | None = None  # KeyboardInterrupt and its like: must go further than the items
    over: bool = False
    watchers: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def due(self) -> bool:
        return self.ripe or self.callers > 0

    def begin(self, now: float) -> None:
        self.started = now
        self.answers = [_UNANSWERED] * len(self.items)

    async def ask(self, function: ProcessorFunc[T, R], split_on: tuple[type[Exception], ...]) -> None:
        """Fill `answers`; what this raises is the answer of every item that has none by then."""
        parts = [(0, len(self.items))]
        while parts:
            start, end = parts.pop()
            try:
                self.answers[start:end] = await _call(function, self.items[start:end])
            except split_on as error:
                if end - start == 1:
                    self.answers[start] = error
                else:
                    middle = (start + end) // 2
                    parts += [(middle, end), (start, middle)]

    def settle(self, failure: BaseException | None, now: float) -> BatchResult[T, R]:
        """Answer every item; `failure` is the answer to those that the call left without."""
        assert self.started is not None
        answers = self.answers
        if failure is not None:
            answers = [failure if answer is _UNANSWERED else answer for answer in answers]
            if not isinstance(failure, Exception | asyncio.CancelledError):
                self.crash = failure
        bad = {i: _failure(answer) for i, answer in enumerate(answers) if isinstance(answer, BaseException)}
        self.ended = now
        self.result = BatchResult(
            successful=[answer for i, answer in enumerate(answers) if i not in bad] if bad else answers,
            failed=[(self.items[i], error) for i, error in bad.items()],
            duration=now - self.started,
            waited=self.started - self.since,
            reason=self.reason,
        )
        for waiter, i in self.waiters.items():
            if waiter.done():  # cancelled by the one who had it
                continue
            if i in bad:
                waiter.set_exception(bad[i])
                waiter.exception()  # counts as seen, so that asyncio does not complain when nobody awaits it
            else:
                waiter.set_result(answers[i])
        return self.result

    def release(self) -> None:
        """It is over: wake those who wait for it."""
        self.over = True
        for watcher in self.watchers:
            if not watcher.done():
                watcher.set_result(None)

    async def wait(self) -> None:
        """Until it is over; to be cancelled here does nothing to the batch."""
        if not self.over:
            watcher = asyncio.get_running_loop().create_future()
            self.watchers.append(watcher)
            await watcher

    def claim(self, owner: object) -> None:
        """One more waits for the whole of it; the first to claim it gets it into his result."""
        self.callers += 1
        if self.owner is None:
            self.owner = owner

    def disclaim(self, owner: object) -> asyncio.Task[None] | None:
        """One less, by cancellation. The task, now ending, of a call that nobody else waits for."""
        self.callers -= 1
        if self.owner is owner:
            self.owner = None
        return None if self.callers else self.stop()

    def stop(self) -> asyncio.Task[None] | None:
        """Cancel the call if it has begun; the task that then remains to be waited for."""
        if self.task is None or self.started is None or self.over:
            return None
        if self.result is None:
            self.task.cancel()
        return self.task


def merged(batches: Sequence[Batch[T, R]], reason: Reason) -> BatchResult[T, R]:
    """One result over batches that are over."""
    if not batches:
        return BatchResult(reason=reason)
    results = [batch.result for batch in batches if batch.result is not None]
    return BatchResult(
        successful=[answer for result in results for answer in result.successful],
        failed=[failure for result in results for failure in result.failed],
        duration=max(batch.ended for batch in batches) - min(batch.started or 0.0 for batch in batches),
        waited=max(result.waited for result in results),
        reason=reason,
    )


async def _call(function: ProcessorFunc[T, R], items: list[T]) -> Sequence[R | Exception]:
    """As many answers as items; a function that breaks its promise fails each of these items."""
    count = len(items)  # the list is the function's, to change as it likes
    awaitable = function(items)
    if not inspect.isawaitable(awaitable):
        return [
            TypeError(f"processor_func must be async, but it returned {_kind(awaitable)} at once")
        ] * count
    answers = await awaitable
    if not isinstance(answers, list | tuple):
        return [TypeError(f"processor_func must return a list of answers, not {_kind(answers)}")] * count
    if len(answers) != count:
        return [ValueError(f"processor_func returned {len(answers)} answers for {count} items")] * count
    return answers


def _failure(answer: BaseException) -> Exception:
    """What the item fails with: never something that would cancel, end or confuse its awaiter."""
    failure: Exception
    if isinstance(answer, StopIteration):
        failure = RuntimeError("the answer was a StopIteration, which no future can carry")
    elif isinstance(answer, Exception):
        return answer
    else:
        failure = BatchCancelled(f"not answered: {_kind(answer)} ended the call")
    failure.__cause__ = answer
    return failure


def _kind(value: object) -> str:
    return type(value).__name__
