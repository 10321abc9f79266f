"""A pause that the service asked for, or that we take when it is overloaded; it outlives the process."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from soulspot.limits.backoff import LONGEST_PAUSE, full_jitter
from soulspot.limits.clock import Clock

QUOTA_PAUSE = 3600.0
"""A spent quota without Retry-After is asked again every hour (Spotify has been seen to omit the header)."""


class Pause:
    """Closed until a moment; `strikes` counts the limits in a row that each followed an obeyed pause."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("-inf")
        self.length = 0.0
        self.why = ""
        self.strikes = 0

    def until(self) -> float | None:
        """The loop's time at which it ends; None when it has ended."""
        return self._until if self._until > self._clock.steady() else None

    def begin(self, seconds: float, why: str) -> bool:
        """Pause for `seconds` (0 to 30 days) from now; a longer one that is running stays. True if this one
        counts."""
        seconds = min(max(seconds, 0.0), LONGEST_PAUSE)
        end = self._clock.steady() + seconds
        if end <= max(self._until, self._clock.steady()):
            return False
        self._until, self.length, self.why = end, seconds, why
        return True

    def strike(self, status: int, asked: float | None, quota: bool, rng: random.Random) -> float:
        """How many seconds to pause after an answer that says "too fast"; `asked` is its Retry-After.

        Never less than asked. MusicBrainz sheds load with 503 and Retry-After 0, so at least 1 to 2 s,
        growing to a minute while it goes on; without any Retry-After 2 to 4 s, growing to 5 minutes."""
        if self.until() is None:  # an answer to a request of before the pause is no new strike
            self.strikes += 1
        grown = max(self.strikes - 1, 0)
        if quota and not asked:
            return QUOTA_PAUSE + rng.uniform(0.0, 60.0)
        if status == 429 and asked is None:
            return 2.0 + full_jitter(grown, base=2.0, cap=298.0, rng=rng)
        backoff = 1.0 + full_jitter(grown, base=1.0, cap=59.0, rng=rng)
        asked = asked or 0.0
        return max(asked + rng.uniform(0.0, min(1.0, asked / 10)), backoff)

    def to_save(self) -> dict[str, Any]:
        if (until := self.until()) is None:
            return {"strikes": self.strikes}
        return {
            "blocked_until": self._clock.to_wall(until),
            "length": self.length,
            "why": self.why,
            "strikes": self.strikes,
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what was saved, unless a longer pause runs. ValueError, TypeError or KeyError on
        garbage."""
        self.strikes = max(self.strikes, int(saved.get("strikes", 0)))
        if "blocked_until" in saved:
            length = min(float(saved["length"]), LONGEST_PAUSE)
            until = self._clock.future(float(saved["blocked_until"]), length)
            if until > max(self._until, self._clock.steady()):
                self._until, self.length, self.why = until, length, str(saved["why"])
