"""What a log tells of the work over a period: speed, fill, waits, success, requests saved and limits, in bounded memory."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from soulspot.telemetry.numbers import Distribution

PAUSE = 90.0  # seconds; a longer silence is no work: while there is some, something is said every minute
NAMES = 200  # different names of services, statuses or events that are told apart; a sound log has few
REST = "other"
OUTCOMES = ("ok", "missing", "failed", "postponed")
RESULTS = ("accepted", "review", "unmatched", "failed")


@dataclass(slots=True)
class ServiceStats:
    """What one service was asked and how it answered."""

    statuses: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    items: float = 0.0
    room: float = 0.0
    tracks: float = 0.0
    limited: int = 0
    request_ms: Distribution = field(default_factory=Distribution)
    waited_ms: Distribution = field(default_factory=Distribution)
    batch_ms: Distribution = field(default_factory=Distribution)

    def as_json(self) -> dict[str, Any]:
        """Rates are in percent, times in milliseconds; null where nothing was measured."""
        requests = self.statuses.total()
        return {
            "requests": requests,
            "statuses": dict(sorted(self.statuses.items())),
            "http_429": self.statuses["429"],
            "http_503": self.statuses["503"],
            "limited": self.limited,
            "request_ms": percentiles(self.request_ms),
            "batches": self.batches,
            "lookups": int(self.items),
            "outcomes": {name: self.outcomes[name] for name in OUTCOMES},
            "success_rate": success_rate(self.outcomes),
            "batch_fill": percent(self.items, self.room),
            "waited_ms": percentiles(self.waited_ms),
            "batch_ms": percentiles(self.batch_ms),
            "tracks": int(self.tracks),
            "requests_saved": max(0, int(self.tracks) - requests),
        }


class Stats:
    """Takes the lines of a log one after the other; `since` and `until` (epoch seconds) bound the period."""

    def __init__(self, since: float | None = None, until: float | None = None) -> None:
        self._since, self._until = since, until
        self.lines = 0  # events of the period
        self.skipped = 0  # lines that are no events of ours
        self._first: float | None = None
        self._last: float | None = None
        self._worked_at: float | None = None
        self._busy = 0.0
        self._results: Counter[str] = Counter()
        self._operations: Counter[str] = Counter()
        self._troubles: Counter[str] = Counter()
        self._alarms: Counter[str] = Counter()
        self._peak = 0.0
        self._services: defaultdict[str, ServiceStats] = defaultdict(ServiceStats)

    def add_line(self, text: str | bytes) -> None:
        """One line of the log. What is no event with a time is counted and passed over."""
        try:
            said = json.loads(text)
            at = datetime.fromisoformat(said["at"])
            at_seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
            event = said["event"]
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            self.skipped += bool(text.strip())
            return
        if not isinstance(event, str):
            self.skipped += 1
        elif (self._since is None or at_seconds >= self._since) and (
            self._until is None or at_seconds < self._until
        ):
            self._count(event, at_seconds, said)

    def _count(self, event: str, at: float, said: Mapping[str, Any]) -> None:
        self.lines += 1
        self._first = at if self._first is None else min(self._first, at)
        self._last = at if self._last is None else max(self._last, at)
        if said.get("level") in ("error", "critical"):
            self._troubles[_bounded(self._troubles, event)] += 1
        if event in ("request", "batch_flushed", "limited"):
            name = _bounded(self._services, str(said.get("provider")))
            self._of_service(event, self._services[name], said)
        elif event == "decided":
            self._results.update({name: int(_number(said.get(name))) for name in RESULTS})
        elif event == "operation_finished":
            self._operations[_bounded(self._operations, f"{said.get('kind')} {said.get('status')}")] += 1
        elif event == "alarm":
            self._alarms[_bounded(self._alarms, str(said.get("alarm")))] += 1
        elif event == "summary":
            self._peak = max(self._peak, _number(said.get("peak_rss_mb")), _number(said.get("rss_mb")))
        if event in ("request", "batch_flushed", "decided"):
            if self._worked_at is not None and 0 < at - self._worked_at <= PAUSE:
                self._busy += at - self._worked_at
            self._worked_at = at

    def _of_service(self, event: str, service: ServiceStats, said: Mapping[str, Any]) -> None:
        if event == "limited":
            service.limited += 1
        elif event == "request":
            status = said.get("status")
            service.statuses[_bounded(service.statuses, "none" if status is None else str(status))] += 1
            service.request_ms.add(_number(said.get("duration_ms")))
        else:
            items, fill = _number(said.get("items")), _number(said.get("fill"))
            service.batches += 1
            service.items += items
            service.room += items / fill if fill else items
            service.tracks += _number(said.get("tracks"))
            service.outcomes.update({name: int(_number(said.get(name))) for name in OUTCOMES})
            service.waited_ms.add(_number(said.get("waited_ms")))
            service.batch_ms.add(_number(said.get("duration_ms")))

    def as_json(self) -> dict[str, Any]:
        """Everything. `busy_seconds` leaves out silences of more than a minute and a half, and tracks a second are of
        that time; rates are in percent."""
        services = {name: self._services[name].as_json() for name in sorted(self._services)}
        outcomes: Counter[str] = Counter()
        for one in self._services.values():
            outcomes.update(one.outcomes)
        tracks, requests = self._results.total(), sum(one["requests"] for one in services.values())
        served = sum(one["tracks"] for one in services.values())
        return {
            "since": _iso(self._first),
            "until": _iso(self._last),
            "busy_seconds": round(self._busy, 1),
            "tracks": tracks,
            "results": {name: self._results[name] for name in RESULTS},
            "tracks_per_second": round(tracks / self._busy, 2) if self._busy else None,
            "requests": requests,
            "requests_saved": max(0, served - requests),
            "success_rate": success_rate(outcomes),
            "batch_fill": percent(
                sum(one.items for one in self._services.values()),
                sum(one.room for one in self._services.values()),
            ),
            "services": services,
            "operations": dict(sorted(self._operations.items())),
            "alarms": dict(sorted(self._alarms.items())),
            "errors": dict(sorted(self._troubles.items())),
            "peak_rss_mb": self._peak or None,
            "lines": self.lines,
            "skipped": self.skipped,
        }


def success_rate(outcomes: Mapping[str, int]) -> float | None:
    """Of the lookups that were answered, how many percent not with a failure: what is not known is an answer."""
    good = outcomes.get("ok", 0) + outcomes.get("missing", 0)
    return percent(good, good + outcomes.get("failed", 0))


def percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def percentiles(values: Distribution) -> dict[str, float | None]:
    """p50 and p95, at most 2.2 % off."""
    found = {"p50": values.quantile(0.5), "p95": values.quantile(0.95)}
    return {name: None if value is None else round(value, 1) for name, value in found.items()}


def _number(value: Any) -> float:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15
    return float(value) if sound else 0.0


def _bounded(known: Mapping[str, Any], name: str) -> str:
    """The name under which it is counted: a log full of different ones must not fill the memory."""
    return name[:80] if name[:80] in known or len(known) < NAMES else REST


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
