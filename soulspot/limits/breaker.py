"""The circuit breaker of one host: after failures in a row nobody asks for a while, then one probe does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from soulspot.limits.clock import Clock

FAILURES = 5
FIRST_REST, LONGEST_REST = 60.0, 600.0
PROBE_LOST = 120.0
"""A probe that reported nothing for two minutes (its caller was cancelled) is given up, and another may
go."""
ASK_AGAIN = 2.0
"""While a probe is under way, the others are told to come back after two seconds."""

State = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts failures in a row: a 5xx other than 503, or no response at all. Moments are the loop's time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.failures = 0
        self._trips = 0
        self._until: float | None = None
        self._probe_since: float | None = None

    @property
    def rest(self) -> float:
        """The seconds of the present rest: a minute, doubling with each failed probe to ten minutes."""
        return min(FIRST_REST * 2.0 ** min(self._trips - 1, 10), LONGEST_REST)

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "open" if self._clock.steady() < self._until else "half_open"

    @property
    def is_probing(self) -> bool:
        """Whether a probe is under way."""
        return self._probe_since is not None and self._clock.steady() < self._probe_since + PROBE_LOST

    def until(self) -> float | None:
        """When the next request may try; None when it may now."""
        if self.state == "open":
            return self._until
        return self._clock.steady() + ASK_AGAIN if self.is_probing else None

    def admitted(self) -> None:
        """A request goes out; when half open, it is the probe."""
        if self.state == "half_open":
            self._probe_since = self._clock.steady()

    def failed(self) -> bool:
        """A request failed. True when that opened the breaker."""
        self.failures += 1
        self._probe_since = None
        state = self.state
        if state == "open" or (state == "closed" and self.failures < FAILURES):
            return False
        self._trips += 1
        self._until = self._clock.steady() + self.rest
        return True

    def passed(self) -> bool:
        """The host answered. True when that closed the breaker."""
        was_closed = self._until is None
        self.failures = self._trips = 0
        self._until = self._probe_since = None
        return not was_closed

    def undecided(self) -> None:
        """The host asked to wait: neither up nor down; a probe that got this answer is over."""
        self._probe_since = None

    def to_save(self) -> dict[str, Any]:
        if self._until is None:
            return {}
        return {"failures": self.failures, "trips": self._trips, "until": self._clock.to_wall(self._until)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take up what was saved. ValueError, TypeError or KeyError on garbage."""
        if saved:
            failures, trips, until = int(saved["failures"]), int(saved["trips"]), float(saved["until"])
            self.failures, self._trips = max(failures, FAILURES), max(trips, 1)
            self._until = self._clock.future(until, self.rest)
