"""How the services count requests: averages, windows and quotas; the time is always passed in."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field


@dataclass
class AverageRate:
    """MusicBrainz: at most N+1 requests in any N seconds, for every N up to `span`, at `rate` 1 a second.

    Refused requests count as well, which is why all of them are refused until the client slows down."""

    rate: float = 1.0
    span: int = 20
    _times: deque[float] = field(default_factory=deque)

    def allow(self, now: float) -> bool:
        while self._times and self._times[0] <= now - self.span:
            self._times.popleft()
        self._times.append(now)
        for count, at in enumerate(reversed(self._times), 1):
            seconds = max(1, math.floor(now - at) + 1)  # the shortest whole window with this request in it
            if count > seconds * self.rate + 1:
                return False
        return True


@dataclass
class RollingWindow:
    """Spotify: a number of requests in any `seconds`."""

    seconds: float = 30.0
    _times: deque[float] = field(default_factory=deque)

    def allow(self, now: float, limit: int) -> bool:
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        if len(self._times) >= limit:
            return False
        self._times.append(now)
        return True


@dataclass
class FixedWindow:
    """ListenBrainz: a number of requests in each window of `seconds`, begun by the first request in it."""

    seconds: float = 10.0
    _began: float = -math.inf
    _used: int = 0

    def take(self, now: float, limit: int) -> tuple[bool, int, int]:
        """Whether the request may pass, how many are left, and in how many seconds the window ends."""
        if now >= self._began + self.seconds:
            self._began, self._used = now, 0
        self._used += 1
        left = limit - self._used
        return left >= 0, max(0, left), max(1, math.ceil(self._began + self.seconds - now))


@dataclass
class Quota:
    """Spotify: a number of requests, then none until the quota is renewed."""

    _used: int = 0
    _spent_at: float | None = None

    def allow(self, now: float, limit: int, renewed_after: int | None) -> tuple[bool, int | None]:
        """Whether the request may pass, and the Retry-After in seconds when it may not."""
        if self._spent_at is not None and renewed_after is not None and now >= self._spent_at + renewed_after:
            self._used, self._spent_at = 0, None
        if self._used < limit:
            self._used += 1
            return True, None
        if self._spent_at is None:
            self._spent_at = now
        if renewed_after is None:
            return False, None
        return False, max(1, math.ceil(self._spent_at + renewed_after - now))
