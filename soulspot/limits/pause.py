"""The pause of a gate: requested by the service, or taken when the service is overloaded."""

import random
from collections.abc import Mapping
from typing import Any

from soulspot.limits.backoff import LONGEST_PAUSE, full_jitter
from soulspot.limits.clock import Clock

# Seconds to wait for a spent quota where Spotify sends no Retry-After, or 0.
QUOTA_PAUSE = 3600.0


class Pause:
    """Closes the gate until a time. `strikes` counts limits in a row that followed a pause."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = float("-inf")
        self.length = 0.0
        self.why = ""
        self.strikes = 0

    def until(self) -> float | None:
        """Return when the pause ends, in the loop's time; None without a pause."""
        return self._until if self._until > self._clock.steady() else None

    def begin(self, seconds: float, why: str) -> bool:
        """Pause for `seconds` (0 to 30 days) unless a longer pause runs; return whether it did."""
        seconds = min(max(seconds, 0.0), LONGEST_PAUSE)
        end = self._clock.steady() + seconds
        if end <= max(self._until, self._clock.steady()):
            return False
        self._until, self.length, self.why = end, seconds, why
        return True

    def lift(self) -> bool:
        """End the pause before its time; return whether one ran. The next pause is short again."""
        was_paused = self.until() is not None
        self._until, self.strikes = float("-inf"), 0
        return was_paused

    def add_strike(self, status: int, asked: float | None, quota: bool, rng: random.Random) -> float:
        """Count a 429 or 503 and return the seconds to pause; `asked` is its Retry-After. Never
        less than `asked`. Without Retry-After: an hour for a spent quota, 2 to 4 s growing to 5
        minutes for another 429, 1 to 2 s growing to a minute for a 503."""
        if self.until() is None:  # else the answer to a request from before the pause
            self.strikes += 1
        grown = max(self.strikes - 1, 0)
        if quota and not asked:
            return QUOTA_PAUSE + rng.uniform(0.0, 60.0)
        if status == 429 and asked is None:
            return 2.0 + full_jitter(grown, base=2.0, cap=298.0, rng=rng)
        # MusicBrainz sheds load with 503 and Retry-After 0: believing it would hammer the server.
        backoff = 1.0 + full_jitter(grown, base=1.0, cap=59.0, rng=rng)
        asked = asked or 0.0
        return max(asked + rng.uniform(0.0, min(1.0, asked / 10)), backoff)

    def to_save(self) -> dict[str, Any]:
        """Return the pause as JSON-able values, its end in epoch seconds."""
        saved: dict[str, Any] = {"strikes": self.strikes}
        if (until := self.until()) is not None:
            saved |= {"blocked_until": self._clock.to_wall(until), "length": self.length, "why": self.why}
        return saved

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Apply what `to_save` returned, unless a longer pause runs. ValueError, TypeError or
        KeyError on garbage."""
        self.strikes = max(self.strikes, int(saved.get("strikes", 0)))
        if "blocked_until" in saved:
            length = min(float(saved["length"]), LONGEST_PAUSE)
            until = self._clock.future(float(saved["blocked_until"]), length)
            if until > max(self._until, self._clock.steady()):
                self._until, self.length, self.why = until, length, str(saved["why"])
