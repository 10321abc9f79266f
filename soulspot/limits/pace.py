"""The rate of a gate: strictly spaced requests, wider where a service says little is left."""

import asyncio

from aiolimiter import AsyncLimiter


class Pace:
    """Spaces requests at least 1/rate seconds apart. One waiter at a time: the gate queues them.
    The first request waits a whole period after `start`: nobody knows how shortly before it a
    killed predecessor sent its last one."""

    def __init__(self, rate: float) -> None:
        self.rate = _check_rate(rate)
        self._limiter: AsyncLimiter | None = None
        self._last = 0.0  # loop time of the last request
        self._spread_interval = 0.0
        self._spread_until = float("-inf")

    def retune(self, rate: float) -> None:
        """Change the rate. A current waiter waits at most one old period, then a new one."""
        if _check_rate(rate) != self.rate:
            self.rate = rate
            self._limiter = None

    async def start(self) -> None:
        """Start the first period, unless it has begun."""
        if self._limiter is None:
            self._limiter = AsyncLimiter(1, 1 / self.rate)
            await self._limiter.acquire()  # returns at once: a new bucket is full

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
            # Another limiter means that the rate was changed meanwhile: wait by that one.
            if limiter is self._limiter:
                self._last = loop.time()
                return

    def spread(self, remaining: int, seconds: float) -> None:
        """Space `remaining` requests over the next `seconds`, if that is slower than the rate."""
        interval = seconds / remaining
        if interval > 1 / self.rate:
            self._spread_interval = interval
            self._spread_until = asyncio.get_running_loop().time() + seconds
        else:
            self._spread_until = float("-inf")


def _check_rate(rate: float) -> float:
    if not 0 < rate < float("inf"):
        raise ValueError(f"rate must be a number of requests a second above 0, not {rate}")
    return rate
