"""The circuit breaker of one host: after failures in a row, a rest; then one probe."""

from collections.abc import Mapping
from typing import Any, Literal

from soulspot.limits.clock import Clock

FAILURES = 5
FIRST_REST, LONGEST_REST = 60.0, 600.0
# Seconds after which a probe that reported nothing (its caller was cancelled) is given up.
PROBE_LOST = 120.0
# Seconds after which other callers may ask again while a probe is under way.
ASK_AGAIN = 2.0
State = Literal["closed", "open", "half_open"]


class Breaker:
    """Counts failures in a row: a 5xx other than 503, or no response. Times are the loop's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.failures = 0
        self._trips = 0  # rests in a row, each ended by a failed probe
        self._until: float | None = None
        self._probe_since: float | None = None

    @property
    def length(self) -> float:
        """Seconds of the current rest: 60, doubled by each failed probe up to 600."""
        return min(FIRST_REST * 2.0 ** min(self._trips - 1, 10), LONGEST_REST)

    @property
    def why(self) -> str:
        return f"{self.failures} failures in a row"

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "open" if self._clock.steady() < self._until else "half_open"

    @property
    def is_probing(self) -> bool:
        return self._probe_since is not None and self._clock.steady() < self._probe_since + PROBE_LOST

    def until(self) -> float | None:
        """Return when the next request may go, in the loop's time; None for now."""
        if self.state == "open":
            return self._until
        return self._clock.steady() + ASK_AGAIN if self.is_probing else None

    def record_request(self) -> None:
        """Note that a request goes out; it is the probe when the breaker is half open."""
        if self.state == "half_open":
            self._probe_since = self._clock.steady()

    def record_failure(self) -> bool:
        """Count a failed request; return whether it opened the breaker."""
        self.failures += 1
        self._probe_since = None
        # While open, late answers of earlier requests still arrive; they do not lengthen the rest.
        state = self.state
        if state == "open" or (state == "closed" and self.failures < FAILURES):
            return False
        self._trips += 1
        self._until = self._clock.steady() + self.length
        return True

    def record_success(self) -> bool:
        """Close the breaker: the host answered. Return whether it had been open."""
        was_closed = self._until is None
        self.failures = self._trips = 0
        self._until = self._probe_since = None
        return not was_closed

    def end_probe(self) -> None:
        """Free the way for another probe: this one ended without a word on the host's health."""
        self._probe_since = None

    def to_save(self) -> dict[str, Any]:
        """Return an open breaker as JSON-able values; an empty dictionary for a closed one."""
        if self._until is None:
            return {}
        return {"failures": self.failures, "trips": self._trips, "until": self._clock.to_wall(self._until)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Apply what `to_save` returned. ValueError, TypeError or KeyError on garbage."""
        if saved:
            failures, trips, until = int(saved["failures"]), int(saved["trips"]), float(saved["until"])
            self.failures, self._trips = max(failures, FAILURES), max(trips, 1)
            self._until = self._clock.future(until, self.length)
