"""Statistics of a period from its log, in bounded memory: speed, fill, waits, success."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from soulspot.telemetry.numbers import Distribution

# Seconds; a longer silence was no work. Busy processes log a `summary` every minute.
MAX_PAUSE = 90.0
# Services, statuses or events that are told apart: a broken log must not fill the memory.
MAX_NAMES = 200
OTHER = "other"  # collects the names beyond MAX_NAMES
OUTCOMES = ("ok", "missing", "failed", "postponed")
RESULTS = ("accepted", "review", "unmatched", "failed")


@dataclass(slots=True)
class ServiceStats:
    """Requests to one service, and the lookups that they answered."""

    statuses: Counter[str] = field(default_factory=Counter)  # HTTP status or "none" -> requests
    outcomes: Counter[str] = field(default_factory=Counter)
    batches: int = 0
    items: float = 0.0
    room: float = 0.0  # items that the batches could have held
    tracks: float = 0.0  # served by the answers
    limited: int = 0  # times that the service's gate went down
    request_ms: Distribution = field(default_factory=Distribution)
    waited_ms: Distribution = field(default_factory=Distribution)
    batch_ms: Distribution = field(default_factory=Distribution)

    def as_json(self) -> dict[str, Any]:
        """Return all numbers: rates in percent, times in milliseconds, None if not measured."""
        requests = self.statuses.total()
        return {
            "requests": requests, "statuses": dict(sorted(self.statuses.items())), "http_429": self.statuses["429"],
            "http_503": self.statuses["503"], "limited": self.limited, "request_ms": percentiles(self.request_ms),
            "batches": self.batches, "lookups": int(self.items),
            "outcomes": {name: self.outcomes[name] for name in OUTCOMES}, "success_rate": success_rate(self.outcomes),
            "batch_fill": percent(self.items, self.room), "waited_ms": percentiles(self.waited_ms),
            "batch_ms": percentiles(self.batch_ms), "tracks": int(self.tracks),
            "requests_saved": max(0, int(self.tracks) - requests),
        }  # fmt: skip


class Stats:
    """Sums up a log line by line, from `since` to before `until` (epoch seconds)."""

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
        self._errors: Counter[str] = Counter()
        self._alarms: Counter[str] = Counter()
        self._peak_mb = 0.0
        self._services: defaultdict[str, ServiceStats] = defaultdict(ServiceStats)

    def add_line(self, text: str | bytes) -> None:
        """Count one line of the log. A line that is no event with a time only counts as skipped."""
        try:
            facts = json.loads(text)
            moment = datetime.fromisoformat(facts["at"])
            at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            event = facts["event"]
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
            self.skipped += bool(text.strip())
            return
        if not isinstance(event, str):
            self.skipped += 1
        elif (self._since is None or at >= self._since) and (self._until is None or at < self._until):
            self._count(event, at, facts)

    def _count(self, event: str, at: float, facts: Mapping[str, Any]) -> None:
        self.lines += 1
        self._first = at if self._first is None else min(self._first, at)
        self._last = at if self._last is None else max(self._last, at)
        if facts.get("level") in ("error", "critical"):
            self._errors[_bounded_name(self._errors, event)] += 1
        if event in ("request", "batch_flushed", "limited"):
            name = _bounded_name(self._services, str(facts.get("provider")))
            self._count_service(event, self._services[name], facts)
        elif event == "decided":
            self._results.update({name: int(_number(facts.get(name))) for name in RESULTS})
        elif event == "operation_finished":
            name = _bounded_name(self._operations, f"{facts.get('kind')} {facts.get('status')}")
            self._operations[name] += 1
        elif event == "alarm":
            self._alarms[_bounded_name(self._alarms, str(facts.get("alarm")))] += 1
        elif event == "summary":
            self._peak_mb = max(self._peak_mb, _number(facts.get("peak_rss_mb")), _number(facts.get("rss_mb")))
        if event in ("request", "batch_flushed", "decided"):
            if self._worked_at is not None and 0 < at - self._worked_at <= MAX_PAUSE:
                self._busy += at - self._worked_at
            self._worked_at = at

    def _count_service(self, event: str, service: ServiceStats, facts: Mapping[str, Any]) -> None:
        if event == "limited":
            service.limited += 1
        elif event == "request":
            status = facts.get("status")
            name = "none" if status is None else str(status)
            service.statuses[_bounded_name(service.statuses, name)] += 1
            service.request_ms.add(_number(facts.get("duration_ms")))
        else:
            # The log has the fill and not the room; an empty batch tells nothing of either.
            items, fill = _number(facts.get("items")), _number(facts.get("fill"))
            service.batches += 1
            service.items += items
            service.room += items / fill if fill else items
            service.tracks += _number(facts.get("tracks"))
            service.outcomes.update({name: int(_number(facts.get(name))) for name in OUTCOMES})
            service.waited_ms.add(_number(facts.get("waited_ms")))
            service.batch_ms.add(_number(facts.get("duration_ms")))

    def as_json(self) -> dict[str, Any]:
        """Return the statistics as `soulspot stats --json` prints them. `busy_seconds` leaves out
        silences longer than MAX_PAUSE; `tracks_per_second` is over it. Rates are in percent."""
        stats = self._services.values()
        services = {name: self._services[name].as_json() for name in sorted(self._services)}
        outcomes: Counter[str] = Counter()
        for service in stats:
            outcomes.update(service.outcomes)
        tracks, requests = self._results.total(), sum(one["requests"] for one in services.values())
        return {
            "since": _iso(self._first), "until": _iso(self._last), "busy_seconds": round(self._busy, 1),
            "tracks": tracks, "results": {name: self._results[name] for name in RESULTS},
            "tracks_per_second": round(tracks / self._busy, 2) if self._busy else None, "requests": requests,
            "requests_saved": max(0, sum(one["tracks"] for one in services.values()) - requests),
            "success_rate": success_rate(outcomes),
            "batch_fill": percent(sum(one.items for one in stats), sum(one.room for one in stats)),
            "services": services, "operations": dict(sorted(self._operations.items())),
            "alarms": dict(sorted(self._alarms.items())), "errors": dict(sorted(self._errors.items())),
            "peak_rss_mb": self._peak_mb or None, "lines": self.lines, "skipped": self.skipped,
        }  # fmt: skip


def success_rate(outcomes: Mapping[str, int]) -> float | None:
    """Return the percentage of answered lookups that did not fail; "missing" is an answer too."""
    good = outcomes.get("ok", 0) + outcomes.get("missing", 0)
    return percent(good, good + outcomes.get("failed", 0))


def percent(part: float, whole: float) -> float | None:
    """Return `part` of `whole` in percent with one decimal; None when `whole` is 0."""
    return round(100 * part / whole, 1) if whole else None


def percentiles(values: Distribution) -> dict[str, float | None]:
    """Return {"p50": ..., "p95": ...}, at most 2.2 % off; None without values."""
    found = {"p50": values.quantile(0.5), "p95": values.quantile(0.95)}
    return {name: None if value is None else round(value, 1) for name, value in found.items()}


def _number(value: Any) -> float:
    """Return `value` as a float if it is a number from 0 to below 1e15, not a bool; else 0."""
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15
    return float(value) if sound else 0.0


def _bounded_name(known: Mapping[str, Any], name: str) -> str:
    # A log full of different names must not fill the memory.
    """Return the key to count `name` under: its first 80 characters, or OTHER when it is new and
    MAX_NAMES names are known. A log full of names must not fill the memory."""
    return name[:80] if name[:80] in known or len(known) < MAX_NAMES else OTHER


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
