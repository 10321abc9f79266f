"""The rate of a gate: strictly spaced requests, and wider spacing when the service says little is left."""

from __future__ import annotations

import asyncio

from aiolimiter import AsyncLimiter


class Pace:
    """Requests are at least 1/rate seconds apart. One waiter at a time: the gate keeps the line.

    The bucket starts full, so the first request waits a whole period after `start`: nobody knows how shortly
    before it a predecessor, killed since, sent its last one."""

    def __init__(self, rate: float) -> None:
        self.rate = _checked(rate)
        self._limiter: AsyncLimiter | None = None
        self._last = 0.0  # the loop's time of the last request
        self._spread_interval = 0.0
        self._spread_until = float("-inf")

    def retune(self, rate: float) -> None:
        """Another rate, from now on; who waits already waits one old period at most, and then a new one."""
        if _checked(rate) != self.rate:
            self.rate = rate
            self._limiter = None

    async def start(self) -> None:
        """Start the first period, unless it has begun."""
        if self._limiter is None:
            self._limiter = AsyncLimiter(1, 1 / self.rate)
            await self._limiter.acquire()  # at once: the bucket is new

    async def wait(self) -> None:
        """Return when the next request may go."""
        loop = asyncio.get_running_loop()
        while True:
            await self.start()
            limiter = self._limiter
            assert limiter is not None
            if loop.time() < self._spread_until:
                turn = min(self._last + self._spread_interval, self._spread_until)
                await asyncio.sleep(max(turn - loop.time(), 0.0))
            await limiter.acquire()
            if limiter is self._limiter:  # else the rate was changed meanwhile
                self._last = loop.time()
                return

    def spread(self, remaining: int, seconds: float) -> None:
        """The service allows `remaining` more requests in the next `seconds`: space them over that time when
        that is slower than our own rate."""
        interval = seconds / remaining
        if interval > 1 / self.rate:
            self._spread_interval = interval
            self._spread_until = asyncio.get_running_loop().time() + seconds
        else:
            self._spread_until = float("-inf")


def _checked(rate: float) -> float:
    if not 0 < rate < float("inf"):
        raise ValueError(f"rate must be a number of requests a second above 0, not {rate}")
    return rate
