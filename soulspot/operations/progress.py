"""How far an operation is: its counts, written now and then, and how fast they rise."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable

from soulspot.errors import SoulSpotError

BEAT = 30.0  # seconds between two signs of life in the row of an operation whose counts stand still
SAVE_EVERY = 1.0  # seconds between two writes of counts that move
WINDOW = 60.0  # seconds over which the rate is taken

Counts = tuple[int, int, int]
"""(total, done, failed) items."""


class Progress:
    """The counts of one operation. `save(counts)` writes them; `counts` are those of an earlier process, if any.

    `operation_id` is for work that keeps a journal of its own under it."""

    def __init__(
        self,
        save: Callable[[Counts], Awaitable[None]],
        counts: Counts = (0, 0, 0),
        *,
        operation_id: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.operation_id = operation_id
        self._save_counts = save
        self._clock = clock
        self._saved_at = 0.0
        self._saving: asyncio.Task[None] | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self.counts = counts

    def advance(self, total: int, done: int, failed: int) -> None:
        """Tell how far it is. Written at most once in `SAVE_EVERY` seconds."""
        self.counts = (total, done, failed)
        now = self._clock()
        self._samples.append((now, done))
        while now - self._samples[0][0] > WINDOW:
            self._samples.popleft()
        if now - self._saved_at >= SAVE_EVERY and (self._saving is None or self._saving.done()):
            self._saved_at = now
            self._saving = asyncio.create_task(self._save())

    def rate(self) -> float | None:
        """Items a second over the last minute; None before anything has moved."""
        if not self._samples:
            return None
        (began, first), (_, last) = self._samples[0], self._samples[-1]
        passed = self._clock() - began
        return max(0.0, (last - first) / passed) if passed > 0 and last != first else None

    def remaining(self) -> float | None:
        """Seconds until the end at this rate; None when that cannot be told."""
        total, done, _ = self.counts
        rate = self.rate()
        return (total - done) / rate if rate and total >= done else None

    async def beat(self) -> None:
        """Write the counts now and then although they stand still, so that whoever waits knows that we live."""
        while True:
            await asyncio.sleep(BEAT)
            await self._save()

    async def settle(self) -> None:
        """Wait for a write that is under way."""
        if self._saving:
            await self._saving

    async def _save(self) -> None:
        with contextlib.suppress(sqlite3.Error, SoulSpotError):  # the next one, or the end, writes them
            await self._save_counts(self.counts)
