"""The performance report: requests, times and results of some work, from counters."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from soulspot.telemetry import NON_TRACK_PROVIDERS, Distribution, ServiceStats, Telemetry, percent, success_rate


class Measurement:
    """The counters since this was made; other work of the same process counts as well."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._began = time.monotonic()
        self._results = Counter(telemetry.results)
        self._services = self._counted()
        self._memory = telemetry.memory.start_peak()

    def report(self) -> dict[str, Any]:
        """Return the performance since the start, with the keys that `soulspot stats` has too.
        Rates are in percent, times in milliseconds unless the key says otherwise."""
        seconds = time.monotonic() - self._began
        results = self._telemetry.results - self._results
        services = {name: _difference(now, self._services[name]) for name, now in self._counted().items()}
        outcomes = sum((stats.outcomes for stats in services.values()), Counter[str]())
        shown = {name: stats.as_json() for name, stats in sorted(services.items()) if stats.statuses or stats.batches}
        requests = sum(stats["requests"] for name, stats in shown.items() if name not in NON_TRACK_PROVIDERS)
        served = sum(stats["tracks"] for stats in shown.values())
        # Take a last sample of the memory.
        self._telemetry.rss_bytes()
        return {
            "seconds": round(seconds, 1),
            "tracks": results.total(),
            "results": dict(results),
            "tracks_per_second": round(results.total() / seconds, 2) if seconds > 0 else None,
            "requests": requests,
            "requests_saved": max(0, served - requests),
            "success_rate": success_rate(outcomes),
            "batch_fill": percent(
                sum(stats.items for stats in services.values()), sum(stats.room for stats in services.values())
            ),
            "services": shown,
            "peak_rss_mb": round(self._memory.peak / 1e6, 1),
        }

    def _counted(self) -> defaultdict[str, ServiceStats]:
        counted = self._telemetry
        found: defaultdict[str, ServiceStats] = defaultdict(ServiceStats)
        for (provider, status), count in counted.statuses.items():
            found[provider].statuses["none" if status is None else str(status)] = count
        for (provider, outcome), count in counted.answers.items():
            found[provider].outcomes[outcome] = count
        for (provider, _), count in counted.batches.items():
            found[provider].batches += count
        for provider, stats in found.items():
            stats.items, stats.room = counted.batch_items[provider], counted.batch_room[provider]
            stats.tracks, stats.limited = counted.served[provider].count, counted.limits[provider]
            for name in ("request_ms", "waited_ms", "batch_ms"):
                setattr(stats, name, getattr(counted, name)[provider].copy())
        return found


def _difference(now: ServiceStats, before: ServiceStats) -> ServiceStats:
    def subtract(name: str) -> Any:
        new, old = getattr(now, name), getattr(before, name)
        return new.minus(old) if isinstance(new, Distribution) else new - old

    return ServiceStats(**{field.name: subtract(field.name) for field in fields(ServiceStats)})


def performance_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield a performance report as lines for people: a summary, and one line a service."""
    yield (
        f"{report['tracks']} tracks in {duration_text(report['seconds'])}, {report['tracks_per_second'] or 0:g} a second;"
        f" peak memory {report['peak_rss_mb']:.0f} MB"
    )
    for name, stats in report["services"].items():
        parts = [f"{name}: {stats['requests']} requests"]
        # a saved report has no key for what there was none of
        if stats["request_ms"].get("p50") is not None:
            parts.append(f"{stats['request_ms']['p50']:.0f} ms each (p95 {stats['request_ms']['p95']:.0f})")
        if stats["batches"] and stats["requests"]:
            wait = stats["waited_ms"].get("p95")
            waited = "-" if wait is None else f"{wait / 1000:.1f} s"
            parts.append(f"batches {stats['batch_fill'] or 0:g}% full, p95 of their wait {waited}")
        parts += [f"{stats[f'http_{status}']} times {status}" for status in (429, 503) if stats[f"http_{status}"]]
        yield ", ".join(parts)


def duration_text(seconds: float) -> str:
    """Return a duration for people: "2 h 5 min", "3 min 7 s" or "12 s"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
