"""The requests of the last 24 hours, counted in buckets of an hour and kept across restarts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.limits.clock import Clock

DAY, HOUR = 86400.0, 3600.0


@dataclass(slots=True)
class _Bucket:
    first: float  # loop time of its first and last request
    last: float
    count: int


class Budget:
    """A rolling window of at most `limit` requests in any 24 hours. A bucket leaves 24 hours after
    its last request, so it never leaves too early. With `limit` None requests are counted all the
    same: a limit set later knows those of this process."""

    def __init__(self, clock: Clock, limit: int | None) -> None:
        self._clock = clock
        self._buckets: list[_Bucket] = []
        self.limit = limit

    @property
    def limit(self) -> int | None:
        return self._limit

    @limit.setter
    def limit(self, limit: int | None) -> None:
        if limit is not None and limit < 0:
            raise ValueError(f"daily_budget must be 0 or more, not {limit}")
        self._limit = limit

    @property
    def length(self) -> float:
        """Seconds until a request is allowed again; 0 for now."""
        return (self.until() or self._clock.steady()) - self._clock.steady()

    @property
    def why(self) -> str:
        return f"daily budget of {self.limit} requests is spent"

    def spent(self) -> int:
        return sum(bucket.count for bucket in self._current())

    def until(self) -> float | None:
        """Return when the next request is allowed, in the loop's time; None for now."""
        if self.limit is None:
            return None
        excess = self.spent() - self.limit + 1
        if excess <= 0:
            return None
        for bucket in self._current():
            excess -= bucket.count
            if excess <= 0:
                return bucket.last + DAY
        # A budget of 0: no bucket will ever free a request.
        return self._clock.steady() + DAY

    def reserve(self) -> _Bucket:
        """Count a request before it goes out; pass the result to `confirm` or `give_back`."""
        now = self._clock.steady()
        buckets = self._current()
        if not buckets or now - buckets[-1].first >= HOUR:
            buckets.append(_Bucket(now, now, 0))
        bucket = buckets[-1]
        bucket.count += 1
        self.confirm(bucket)
        return bucket

    def confirm(self, bucket: _Bucket) -> None:
        """Note that the reserved request goes out now, after its wait for the rate."""
        bucket.last = self._clock.steady()

    def give_back(self, bucket: _Bucket) -> None:
        bucket.count -= 1

    def to_save(self) -> list[list[float]]:
        """Return the buckets as JSON-able [first, last, count] with times since the epoch."""
        wall = self._clock.to_wall
        return [[wall(b.first), wall(b.last), b.count] for b in self._current()]

    def restore(self, saved: Sequence[Any]) -> None:
        """Add the buckets that `to_save` returned. ValueError or TypeError on garbage."""
        past = self._clock.past
        older = [_Bucket(past(float(first)), past(float(last)), int(count)) for first, last, count in saved]
        self._buckets = sorted(older + self._buckets, key=lambda bucket: bucket.last)

    def _current(self) -> list[_Bucket]:
        old = self._clock.steady() - DAY
        self._buckets = [bucket for bucket in self._buckets if bucket.count > 0 and bucket.last > old]
        return self._buckets
