"""The requests of the last 24 hours, counted in buckets of an hour; remembered across restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.limits.clock import Clock

DAY, HOUR = 86400.0, 3600.0


@dataclass(slots=True)
class _Bucket:
    first: float  # the loop's time of its first and last request
    last: float
    count: int


class Budget:
    """A rolling window: a bucket leaves 24 h after the last request in it, so that no 24 h ever see more than
    `limit`.

    `limit` None counts all the same, so that a limit set later knows what went before in this process."""

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

    def spent(self) -> int:
        """The requests counted in the last 24 h."""
        return sum(bucket.count for bucket in self._current())

    def until(self) -> float | None:
        """The loop's time at which a request is allowed again; None when it is now."""
        if self.limit is None:
            return None
        excess = self.spent() - self.limit + 1
        if excess <= 0:
            return None
        for bucket in self._current():
            excess -= bucket.count
            if excess <= 0:
                return bucket.last + DAY
        return self._clock.steady() + DAY  # a budget of nothing

    def take(self) -> _Bucket:
        """Count a request that is about to go; `give_back` what came of it when it does not."""
        now = self._clock.steady()
        buckets = self._current()
        if not buckets or now - buckets[-1].first >= HOUR:
            buckets.append(_Bucket(now, now, 0))
        bucket = buckets[-1]
        bucket.count += 1
        self.sent(bucket)
        return bucket

    def sent(self, bucket: _Bucket) -> None:
        """The request of `take` goes out now, having waited for its turn."""
        bucket.last = self._clock.steady()

    def give_back(self, bucket: _Bucket) -> None:
        """The request of `take` did not go out."""
        bucket.count -= 1

    def to_save(self) -> list[list[float]]:
        wall = self._clock.to_wall
        return [[wall(b.first), wall(b.last), b.count] for b in self._current()]

    def restore(self, saved: Sequence[Any]) -> None:
        """Take up what was saved. ValueError or TypeError on garbage."""
        past = self._clock.past
        older = [_Bucket(past(float(first)), past(float(last)), int(count)) for first, last, count in saved]
        self._buckets = sorted(older + self._buckets, key=lambda bucket: bucket.last)

    def _current(self) -> list[_Bucket]:
        old = self._clock.steady() - DAY
        self._buckets = [bucket for bucket in self._buckets if bucket.count > 0 and bucket.last > old]
        return self._buckets
