"""Measurements in bounded memory: distributions with percentiles, and tracks counted once a day."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable

# Buckets grow by 4.4 %, so a percentile, from the middle of one, is at most 2.2 % off.
BUCKETS_PER_DOUBLING = 16
DAY = 86_400.0  # seconds


class Distribution:
    """Numbers of 0 and more, counted in buckets that grow by 4.4 %, so memory is bounded."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self._zeros = 0
        self.count = 0
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one more value; a negative or non-finite one counts as 0."""
        value = max(value, 0.0) if math.isfinite(value) else 0.0
        self.count += 1
        self.total += value
        if value > 0:
            self._buckets[math.ceil(BUCKETS_PER_DOUBLING * math.log2(value))] += 1
        else:
            self._zeros += 1

    def quantile(self, share: float) -> float | None:
        """Return the value that a `share` (0 to 1) of all do not exceed; None without values."""
        if not self.count:
            return None
        rank = max(1, math.ceil(share * self.count))
        seen = self._zeros
        if seen >= rank:
            return 0.0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return float(2.0 ** ((bucket - 0.5) / BUCKETS_PER_DOUBLING))
        return None

    def count_up_to_power(self, power: int) -> int:
        """Return how many values do not exceed 2 ** `power`: exact, because a bucket ends there."""
        last = BUCKETS_PER_DOUBLING * power
        return self._zeros + sum(count for bucket, count in self._buckets.items() if bucket <= last)

    def minus(self, earlier: Distribution) -> Distribution:
        """Return the values added since `earlier`, which is a `copy` of this distribution."""
        added = Distribution()
        added._buckets = self._buckets - earlier._buckets
        added._zeros = self._zeros - earlier._zeros
        added.count, added.total = self.count - earlier.count, self.total - earlier.total
        return added

    def copy(self) -> Distribution:
        """Return a distribution of the same values that later `add` calls leave alone."""
        return self.minus(Distribution())


class DailyTracks:
    """A count of tracks, each once a day. One bit a track: a million tracks take 125 kB."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._day_began = clock()
        self._bits = bytearray()
        self.count = 0

    def add(self, track_ids: Iterable[int]) -> int:
        """Count the tracks not yet counted in the current day. Returns their number."""
        # A track that is looked up again on another day is a new piece of work.
        if self._clock() - self._day_began >= DAY:
            self._bits.clear()
            self._day_began = self._clock()
        added = 0
        for track_id in track_ids:
            index, bit = track_id >> 3, 1 << (track_id & 7)
            if index >= len(self._bits):
                self._bits.extend(bytes(index + 1 - len(self._bits)))
            if not self._bits[index] & bit:
                self._bits[index] |= bit
                added += 1
        self.count += added
        return added
