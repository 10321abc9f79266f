"""Alarms: much that fails, little that gets done, nothing that moves. Thresholds are of the configuration."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from soulspot.telemetry.events import Telemetry

ENOUGH = 20  # lookups or requests in the window; of fewer no share is worth an alarm


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`failure_rate` is a share of 0 to 1, `low_rate` in lookups a second, the others in seconds; 0 turns one off."""

    window: float = 600.0
    failure_rate: float = 0.5
    low_rate: float = 0.02
    stall_after: float = 900.0


class _Sample(NamedTuple):
    at: float
    answered: int
    failed: int
    requests: int
    unanswered: int


class Alarms:
    """Looks at the counters now and then; `alarm(name, why)` hears what it finds, with None when that is over."""

    def __init__(
        self,
        telemetry: Telemetry,
        thresholds: Thresholds,
        *,
        alarm: Callable[[str, str | None], object] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._telemetry = telemetry
        self._thresholds = thresholds
        self._alarm = alarm or telemetry.on_alarm
        self._clock = clock
        self._samples = deque([self._sample()])
        self._busy_since: float | None = None  # since when there has been something to do all the time
        self._moved_at = clock()

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Judge by these from now on."""
        self._thresholds = thresholds

    def check(self, *, busy: bool) -> None:
        """Compare with what was counted a window ago; `busy`: there is something that could be done now."""
        sample = self._sample()
        if sample[1:3] != self._samples[-1][1:3]:
            self._moved_at = sample.at
        self._busy_since = (
            None if not busy else self._busy_since if self._busy_since is not None else sample.at
        )
        self._samples.append(sample)
        while len(self._samples) > 2 and self._samples[1].at <= sample.at - self._thresholds.window:
            self._samples.popleft()
        before = self._samples[0]
        self._alarm("failure_rate", self._failing(before, sample))
        self._alarm("low_rate", self._slow(before, sample))
        self._alarm("stall", self._stalled(sample.at))

    def _sample(self) -> _Sample:
        counted = self._telemetry
        answers = counted.answers.items()
        return _Sample(
            self._clock(),
            sum(count for (_, outcome), count in answers if outcome in ("ok", "missing")),
            sum(count for (_, outcome), count in answers if outcome == "failed"),
            sum(counted.statuses.values()),
            sum(count for (_, status), count in counted.statuses.items() if status is None or status >= 500),
        )

    def _failing(self, before: _Sample, now: _Sample) -> str | None:
        most = self._thresholds.failure_rate
        failed, answered = now.failed - before.failed, now.answered - before.answered
        unanswered, requests = now.unanswered - before.unanswered, now.requests - before.requests
        for part, whole, what in (
            (failed, failed + answered, "lookups failed"),
            (unanswered, requests, "requests got no answer or HTTP 5xx"),
        ):
            if most and whole >= ENOUGH and part > most * whole:
                return f"{part} of the last {whole} {what}"
        return None

    def _slow(self, before: _Sample, now: _Sample) -> str | None:
        least, window = self._thresholds.low_rate, self._thresholds.window
        if not least or self._busy_since is None or now.at - self._busy_since < window:
            return None
        done = now.answered + now.failed - before.answered - before.failed
        rate = done / max(now.at - before.at, 1.0)
        if not 0 < rate < least:  # none at all is a stall
            return None
        return f"{done} lookups answered in {_span(now.at - before.at)}, though more wait"

    def _stalled(self, now: float) -> str | None:
        longest = self._thresholds.stall_after
        if not longest or self._busy_since is None:
            return None
        still = now - max(self._moved_at, self._busy_since)
        return f"lookups wait, and none was answered for {_span(still)}" if still >= longest else None


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"
