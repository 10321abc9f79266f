"""The counts of a running operation, saved now and then; their rate; the operation's end."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from soulspot.errors import SoulSpotError
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations

BEAT = 30.0  # seconds between two signs of life in the row of an operation whose counts stand still
SAVE_EVERY = 1.0  # seconds between two writes of counts that change
WINDOW = 60.0  # seconds over which the rate is measured

# (total, done, failed) items
Counts = tuple[int, int, int]
# on_progress(done, total, failed). What it raises ends the work.
OnProgress = Callable[[int, int, int], None]


class Progress:
    """The counts of one operation, which `save(counts)` writes. `counts` are those of an earlier
    process that worked on it. `operation_id` is for work that keeps a journal under this id."""

    def __init__(
        self, save: Callable[[Counts], Awaitable[None]], counts: Counts = (0, 0, 0), *, operation_id: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.operation_id = operation_id
        self.counts = counts
        self._save_counts = save
        self._clock = clock
        self._saved_at = 0.0
        self._saving: asyncio.Task[None] | None = None
        self._samples: deque[tuple[float, int]] = deque()  # (time, items done) of WINDOW seconds

    def advance(self, total: int, done: int, failed: int) -> None:
        """Set the counts; they are saved at most once in `SAVE_EVERY` seconds."""
        self.counts = (total, done, failed)
        now = self._clock()
        self._samples.append((now, done))
        while now - self._samples[0][0] > WINDOW:
            self._samples.popleft()
        if now - self._saved_at >= SAVE_EVERY and (self._saving is None or self._saving.done()):
            self._saved_at = now
            self._saving = asyncio.create_task(self._save())

    def rate(self) -> float | None:
        """Return items a second over the last minute; None before the first item."""
        if not self._samples:
            return None
        (began, first), (_, last) = self._samples[0], self._samples[-1]
        passed = self._clock() - began
        return max(0.0, (last - first) / passed) if passed > 0 and last != first else None

    def remaining(self) -> float | None:
        """Return the seconds until the end at the present rate; None while that is unknown."""
        total, done, _ = self.counts
        rate = self.rate()
        return (total - done) / rate if rate and total >= done else None

    async def beat(self) -> None:
        """Save the counts every `BEAT` seconds, as a sign of life, until cancelled."""
        while True:
            await asyncio.sleep(BEAT)
            await self._save()

    async def settle(self) -> None:
        """Wait for a save that is under way."""
        if self._saving:
            await self._saving

    async def _save(self) -> None:
        # A count that is not written is no failure: the next save, or the end, writes it.
        with contextlib.suppress(sqlite3.Error, SoulSpotError):
            await self._save_counts(self.counts)


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of an operation ("pending": in this process); `more` is added to its metadata."""

    status: str
    error: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def failed(cls, failure: Exception) -> Ending:
        """The end of an operation whose work raised `failure`."""
        return cls("failed", f"{type(failure).__name__}: {failure}")

    def write(self, connection: sqlite3.Connection, operation_id: int, counts: Counts, now: float) -> None:
        """Write the last counts and the end into the operation's row."""
        save_counts(connection, operation_id, counts, now)
        if self.status == "pending":
            operations.suspend(connection, operation_id, now)
        else:
            operations.finish(connection, operation_id, now, status=self.status, error=self.error, more=self.more)

    def announce(self, service: EnrichmentService, operation_id: int, kind: str, counts: Counts) -> None:
        """Log the end and count it in the metrics."""
        total, _, failed = counts
        service.telemetry.event(
            "operation_finished", operation=operation_id, kind=kind, status=self.status, error=self.error,
            total=total, failed=failed,
        )  # fmt: skip


def save_counts(connection: sqlite3.Connection, operation_id: int, counts: Counts, now: float) -> None:
    """Write the counts into the operation's row."""
    total, done, failed = counts
    operations.record_progress(connection, operation_id, now, total=total, done=done, failed=failed)
