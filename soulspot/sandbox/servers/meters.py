"""Request counters as the services have them: averages, windows and quotas."""

import math
from collections import deque
from dataclasses import dataclass, field


@dataclass
class AverageRate:
    """MusicBrainz' limit: at most N * `rate` + 1 requests in any N seconds, for N up to `span`.

    Refused requests count as well: everything is refused until the client slows down."""

    rate: float = 1.0  # requests a second
    span: int = 20  # seconds
    _times: deque[float] = field(default_factory=deque)

    def allow(self, now: float) -> bool:
        """Count a request at `now` (seconds) and return whether it may pass."""
        _forget_before(self._times, now - self.span)
        # Count the request before the check: refused requests count as well.
        self._times.append(now)
        for count, at in enumerate(reversed(self._times), 1):
            seconds = max(1, math.floor(now - at) + 1)  # the shortest whole window with this request in it
            if count > seconds * self.rate + 1:
                return False
        return True


@dataclass
class RollingWindow:
    """Spotify's burst limit: so many requests in any `seconds`. Refused requests do not count."""

    seconds: float = 30.0
    _times: deque[float] = field(default_factory=deque)

    def allow(self, now: float, limit: int) -> bool:
        """Count a request at `now` (seconds) unless `limit` stand in the window already."""
        _forget_before(self._times, now - self.seconds)
        if len(self._times) >= limit:
            return False
        self._times.append(now)
        return True


def _forget_before(times: deque[float], oldest: float) -> None:
    while times and times[0] <= oldest:
        times.popleft()


@dataclass
class FixedWindow:
    """ListenBrainz' limit: so many requests in each window, begun by the first request in it."""

    seconds: float = 10.0
    _began: float = -math.inf
    _used: int = 0

    def count(self, now: float, limit: int) -> tuple[bool, int, int]:
        """Count a request; return whether it may pass, requests left, and seconds left."""
        # The window begins with a request, not at a round time of the clock.
        if now >= self._began + self.seconds:
            self._began, self._used = now, 0
        self._used += 1
        left = limit - self._used
        return left >= 0, max(0, left), max(1, math.ceil(self._began + self.seconds - now))


@dataclass
class Quota:
    """Spotify's quota: a number of requests, then none until the quota is renewed."""

    _used: int = 0
    _spent_at: float | None = None

    def allow(self, now: float, limit: int, renewed_after: int | None) -> tuple[bool, int | None]:
        """Count a request; return whether it may pass, else with the Retry-After in seconds.

        A spent quota is renewed after `renewed_after` seconds, or never and without Retry-After."""
        if self._spent_at is not None and renewed_after is not None and now >= self._spent_at + renewed_after:
            self._used, self._spent_at = 0, None
        if self._used < limit:
            self._used += 1
            return True, None
        # The wait runs from the first refusal; later refusals do not lengthen it.
        if self._spent_at is None:
            self._spent_at = now
        if renewed_after is None:
            return False, None
        return False, max(1, math.ceil(self._spent_at + renewed_after - now))
