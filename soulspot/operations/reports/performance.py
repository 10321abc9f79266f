"""The performance report: what a piece of work cost and brought, measured from the counters before and after it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from soulspot.telemetry import NON_TRACK_PROVIDERS, ServiceStats, Telemetry, percent, success_rate


class Measure:
    """Begins when it is made. Other work of the same process counts as well: requests are shared."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._began = time.monotonic()
        self._results = Counter(telemetry.results)
        self._services = self._counted()
        self._memory = telemetry.memory.start_peak()

    def report(self) -> dict[str, Any]:
        """Rates are in percent, times in milliseconds where nothing else is said; as `soulspot stats` has them.

        `peak_rss_mb` is the most memory this process has used since then."""
        seconds = time.monotonic() - self._began
        results = self._telemetry.results - self._results
        services = {name: _since(now, self._services.get(name)) for name, now in self._counted().items()}
        outcomes: Counter[str] = Counter()
        for one in services.values():
            outcomes.update(one.outcomes)
        told = {name: one.as_json() for name, one in sorted(services.items()) if one.statuses or one.batches}
        requests, served = (
            sum(one["requests"] for name, one in told.items() if name not in NON_TRACK_PROVIDERS),
            sum(one["tracks"] for one in told.values()),
        )
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
                sum(one.items for one in services.values()), sum(one.room for one in services.values())
            ),
            "services": told,
            "peak_rss_mb": round(self._memory.peak / 1e6, 1),
        }

    def _counted(self) -> dict[str, ServiceStats]:
        """The counters as they stand; distributions are copies."""
        counted = self._telemetry
        found: dict[str, ServiceStats] = {}
        for (provider, status), count in counted.statuses.items():
            found.setdefault(provider, ServiceStats()).statuses["none" if status is None else str(status)] = (
                count
            )
        for (provider, outcome), count in counted.answers.items():
            found.setdefault(provider, ServiceStats()).outcomes[outcome] = count
        for (provider, _), count in counted.batches.items():
            found.setdefault(provider, ServiceStats()).batches += count
        for provider, one in found.items():
            one.items, one.room = counted.batch_items[provider], counted.batch_room[provider]
            one.tracks, one.limited = counted.served[provider].count, counted.limits[provider]
            one.request_ms = counted.request_ms[provider].copy()
            one.waited_ms, one.batch_ms = (
                counted.waited_ms[provider].copy(),
                counted.batch_ms[provider].copy(),
            )
        return found


def _since(now: ServiceStats, before: ServiceStats | None) -> ServiceStats:
    if before is None:
        return now
    return ServiceStats(
        now.statuses - before.statuses, now.outcomes - before.outcomes, now.batches - before.batches,
        now.items - before.items, now.room - before.room, now.tracks - before.tracks, now.limited - before.limited,
        now.request_ms.minus(before.request_ms), now.waited_ms.minus(before.waited_ms),
        now.batch_ms.minus(before.batch_ms),
    )  # fmt: skip


def performance_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield (
        f"{report['tracks']} tracks in {duration_text(report['seconds'])}, {report['tracks_per_second'] or 0:g} a second; "
        f"peak memory {report['peak_rss_mb']:.0f} MB"
    )
    for name, one in report["services"].items():
        parts = [f"{name}: {one['requests']} requests"]
        if one["request_ms"]["p50"] is not None:
            parts.append(f"{one['request_ms']['p50']:.0f} ms each (p95 {one['request_ms']['p95']:.0f})")
        if one["batches"]:
            parts.append(
                f"batches {one['batch_fill'] or 0:g}% full, p95 of their wait {_ms(one['waited_ms']['p95'])}"
            )
        parts += [
            f"{one[key]} times {what}" for key, what in (("http_429", "429"), ("http_503", "503")) if one[key]
        ]
        yield ", ".join(parts)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value / 1000:.1f} s"


def duration_text(seconds: float) -> str:
    """A length of time in words."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
