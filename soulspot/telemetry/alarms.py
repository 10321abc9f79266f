"""Alarms by configured thresholds: many failures, slow work, or no progress at all."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from soulspot.telemetry.counters import Telemetry

MIN_SAMPLE = 20  # lookups or requests in the window below which no share raises an alarm


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits that raise alarms; 0 turns an alarm off."""

    window: float = 600.0  # seconds that counts are compared over
    failure_rate: float = 0.5  # share of lookups or requests, 0 to 1
    low_rate: float = 0.02  # lookups a second
    stall_after: float = 900.0  # seconds


class _Sample(NamedTuple):
    at: float  # seconds of the clock
    answered: int
    failed: int
    requests: int
    unanswered: int  # requests without an answer or with HTTP 5xx


class Alarms:
    """Watches the counters of a Telemetry. Each `check` calls `alarm(name, why)`, by default of the
    Telemetry, for failure_rate, low_rate and stall, with `why` None for those that are not on."""

    def __init__(
        self, telemetry: Telemetry, thresholds: Thresholds, *, alarm: Callable[[str, str | None], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._telemetry = telemetry
        self._thresholds = thresholds
        self._alarm = alarm or telemetry.on_alarm
        self._clock = clock
        self._samples = deque([self._sample()])
        self._busy_since: float | None = None  # since when there has been work without a break
        self._moved_at = clock()

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Judge by these thresholds from the next `check` on."""
        self._thresholds = thresholds

    def report(self, alarm: str, why: str | None) -> None:
        """Raise an alarm that somebody else has looked into, or end it with `why` None."""
        self._alarm(alarm, why)

    def check(self, *, busy: bool) -> None:
        """Compare the counters with those of a window ago, and raise or end alarms. `busy` tells
        whether there is work that could be done now."""
        sample = self._sample()
        if sample[1:3] != self._samples[-1][1:3]:
            self._moved_at = sample.at
        if not busy:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = sample.at
        self._samples.append(sample)
        # The oldest sample kept is the last one that is at least a window old.
        while len(self._samples) > 2 and self._samples[1].at <= sample.at - self._thresholds.window:
            self._samples.popleft()
        before = self._samples[0]
        self._alarm("failure_rate", self._failing(before, sample))
        self._alarm("low_rate", self._slow(before, sample))
        self._alarm("stall", self._stalled(sample.at))

    def _sample(self) -> _Sample:
        answers = self._telemetry.answers.items()
        statuses = self._telemetry.statuses
        return _Sample(
            self._clock(),
            sum(count for (_, outcome), count in answers if outcome in ("ok", "missing")),
            sum(count for (_, outcome), count in answers if outcome == "failed"),
            sum(statuses.values()),
            sum(count for (_, status), count in statuses.items() if status is None or status >= 500),
        )

    def _failing(self, before: _Sample, now: _Sample) -> str | None:
        limit = self._thresholds.failure_rate
        failed, answered = now.failed - before.failed, now.answered - before.answered
        unanswered, requests = now.unanswered - before.unanswered, now.requests - before.requests
        for part, whole, text in (
            (failed, failed + answered, "lookups failed"),
            (unanswered, requests, "requests got no answer or HTTP 5xx"),
        ):
            if limit and whole >= MIN_SAMPLE and part > limit * whole:
                return f"{part} of the last {whole} {text}"
        return None

    def _slow(self, before: _Sample, now: _Sample) -> str | None:
        """Return why work is too slow, or None. No answer at all is a stall instead."""
        limit, window = self._thresholds.low_rate, self._thresholds.window
        if not limit or self._busy_since is None or now.at - self._busy_since < window:
            return None
        done = now.answered + now.failed - before.answered - before.failed
        rate = done / max(now.at - before.at, 1.0)
        if not 0 < rate < limit:
            return None
        return f"{done} lookups answered in {_duration_text(now.at - before.at)}, though more wait"

    def _stalled(self, now: float) -> str | None:
        limit = self._thresholds.stall_after
        if not limit or self._busy_since is None:
            return None
        still = now - max(self._moved_at, self._busy_since)
        return f"lookups wait, and none was answered for {_duration_text(still)}" if still >= limit else None


def _duration_text(seconds: float) -> str:
    """Return "5 min" from two minutes on, else "90 s"."""
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
