"""What counts and measures in bounded room: distributions with their percentiles, and tracks counted once a day."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable

STEPS = 16  # buckets for each doubling: a percentile is at most 2.2 % off
DAY = 86_400.0


class Distribution:
    """Values of 0 and more, in buckets that grow by 4.4 %: the room it takes does not grow with their number."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._zeros = 0
        self.count = 0
        self.total = 0.0

    def add(self, value: float) -> None:
        """One more value; what is negative or no number counts as 0."""
        value = value if math.isfinite(value) else 0.0
        self.count += 1
        self.total += max(value, 0.0)
        if value > 0:
            self._buckets[math.ceil(STEPS * math.log2(value))] += 1
        else:
            self._zeros += 1

    def quantile(self, share: float) -> float | None:
        """The value that this share (0 to 1) of all values do not exceed; None when there are none."""
        if not self.count:
            return None
        wanted = max(1, math.ceil(share * self.count))
        seen = self._zeros
        if seen >= wanted:
            return 0.0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= wanted:
                return float(2.0 ** ((bucket - 0.5) / STEPS))
        return None

    def count_up_to_power(self, power: int) -> int:
        """How many values do not exceed 2 ** power; exact, because that is the edge of a bucket."""
        return self._zeros + sum(n for bucket, n in self._buckets.items() if bucket <= STEPS * power)

    def minus(self, earlier: Distribution) -> Distribution:
        """What was added since `earlier`, a `copy` of this one."""
        fresh = Distribution()
        fresh._buckets = self._buckets - earlier._buckets
        fresh._zeros = self._zeros - earlier._zeros
        fresh.count, fresh.total = self.count - earlier.count, self.total - earlier.total
        return fresh

    def copy(self) -> Distribution:
        return self.minus(Distribution())


class Served:
    """Counts tracks, each once a day: a bit for each, so a million tracks take 125 kB."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._bits = bytearray()
        self.count = 0

    def add(self, track_ids: Iterable[int]) -> int:
        """Count those that were not counted today. Returns how many."""
        if self._clock() - self._since >= DAY:  # what is asked again another day is a new piece of work
            self._bits.clear()
            self._since = self._clock()
        fresh = 0
        for track_id in track_ids:
            place, bit = track_id >> 3, 1 << (track_id & 7)
            if place >= len(self._bits):
                self._bits.extend(bytes(place + 1 - len(self._bits)))
            if not self._bits[place] & bit:
                self._bits[place] |= bit
                fresh += 1
        self.count += fresh
        return fresh
