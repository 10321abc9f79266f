"""The counters of a process: each event is logged once and counted once, here."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from soulspot.limits import LimitEvent, RequestRecord
from soulspot.store.times import iso
from soulspot.telemetry.log_setup import get_logger, is_counted, uncounted_lines
from soulspot.telemetry.numbers import DailyTracks, Distribution
from soulspot.telemetry.resident_memory import ResidentMemory

# Hosts that are asked for images: their requests are not weighed against tracks.
NON_TRACK_PROVIDERS = frozenset({"covers"})


class Telemetry:
    """The counters of this process, and the events about them; all that shows counts reads these.
    Counters only grow; times are in milliseconds."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.events: Counter[tuple[str, str]] = Counter()  # (event, level)
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, int | None]] = Counter()  # (provider, HTTP status)
        self.request_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.batches: Counter[tuple[str, str]] = Counter()  # (provider, reason)
        self.batch_items: Counter[str] = Counter()
        self.batch_room: Counter[str] = Counter()  # items that those batches could have held
        self.waited_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.batch_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.answers: Counter[tuple[str, str]] = Counter()  # (provider, outcome)
        self.served: defaultdict[str, DailyTracks] = defaultdict(DailyTracks)
        self.results: Counter[str] = Counter()  # tracks that came to their first result, by status
        self.operations: Counter[tuple[str, str]] = Counter()  # (kind, status)
        self.deliveries: Counter[str] = Counter()  # webhooks, by outcome
        self.gauges: dict[str, float] = {}
        self.limited: dict[str, LimitEvent] = {}  # by host, while its gate is down
        self.limits: Counter[str] = Counter()  # how often a provider's gate went down
        self.alarms: dict[str, str] = {}  # alarms that are on, with the reason
        self.memory = ResidentMemory()
        self._flushed: Counter[tuple[str, str]] = Counter()  # counts as of the last `batch_flushed`
        self._summed = (time.monotonic(), 0)  # time and results as of the last `summary`
        self._uncounted_before = Counter(uncounted_lines)
        self._log = get_logger(__name__)

    def line_counts(self) -> Counter[tuple[str, str]]:
        """Return the number of log lines by (event, level) since this object was made. Events of
        this object count even where the log's level drops them."""
        return self.events + (uncounted_lines - self._uncounted_before)

    def event(self, name: str, **facts: Any) -> None:
        """Log an event at level info with `facts` as its fields, and count it."""
        if name == "operation_finished":
            self.operations[str(facts.get("kind")), str(facts.get("status"))] += 1
        self._write(self._log.info, name, "info", facts)

    def warning(self, name: str, **facts: Any) -> None:
        """Log an event at level warning with `facts` as its fields, and count it."""
        self._write(self._log.warning, name, "warning", facts)

    def _write(self, log: Callable[..., Any], name: str, level: str, facts: Mapping[str, Any]) -> None:
        self.events[name, level] += 1
        token = is_counted.set(True)
        try:
            log(name, **facts)
        finally:
            is_counted.reset(token)

    def set_gauges(self, **values: float) -> None:
        """Set gauges and log them as one `gauge` event."""
        self.gauges.update(values)
        self.event("gauge", **values)

    def on_request(self, record: RequestRecord) -> None:
        """Count an HTTP request that a gate let through, and log it as `request`."""
        self.requests[record.provider] += 1
        self.statuses[record.provider, record.status] += 1
        self.request_ms[record.provider].add(record.duration_ms)
        self.event(
            "request", provider=record.provider, host=record.host, endpoint=record.endpoint, status=record.status,
            duration_ms=round(record.duration_ms, 1), attempt=record.attempt,
        )  # fmt: skip

    def on_limit(self, event: LimitEvent) -> None:
        """Note that a gate went down or came up again, and log it as `limited` or `recovered`."""
        if event.kind == "limited":
            self.limited[event.host] = event
            self.limits[event.provider] += 1
            until = iso(event.until) if event.until is not None else None
            self.warning("limited", provider=event.provider, host=event.host, until=until, why=event.why)
        else:
            self.limited.pop(event.host, None)
            self.event("recovered", provider=event.provider, host=event.host)

    def on_answers(self, provider: str, outcomes: Mapping[str, int]) -> None:
        """Count the lookups of a batch by outcome: ok, missing, failed, postponed."""
        for outcome, count in outcomes.items():
            self.answers[provider, outcome] += count

    def on_tracks(self, provider: str, track_ids: Iterable[int]) -> None:
        """Count the tracks that an answer of this provider served."""
        self.served[provider].add(track_ids)

    def on_results(self, results: Mapping[str, int]) -> None:
        """Count tracks that came to their first result, by status, and log them as `decided`."""
        if not results:
            return
        self.results.update(results)
        self.event(
            "decided", tracks=sum(results.values()), accepted=results.get("accepted", 0),
            review=results.get("review", 0), unmatched=results.get("unmatched", 0), failed=results.get("failed", 0),
        )  # fmt: skip

    def on_batch(
        self, provider: str, outcomes: Mapping[str, int], *, items: int, room: int, waited_ms: float,
        duration_ms: float, reason: str,
    ) -> None:  # fmt: skip
        """Count a finished batch of `items` with room for `room`, and log it as `batch_flushed`.
        `outcomes` counts items by ok, missing, failed, postponed; `waited_ms` is the wait of the
        oldest item; `reason` is full, timer, manual or shutdown."""
        room = max(items, room)
        self.batches[provider, reason] += 1
        self.batch_items[provider] += items
        self.batch_room[provider] += room
        self.waited_ms[provider].add(waited_ms)
        self.batch_ms[provider].add(duration_ms)
        self.event(
            "batch_flushed", provider=provider, items=items,
            ok=outcomes.get("ok", 0), missing=outcomes.get("missing", 0), failed=outcomes.get("failed", 0),
            postponed=outcomes.get("postponed", 0),
            requests=self._since_last_batch(provider, "requests", self.requests[provider]),
            tracks=self._since_last_batch(provider, "tracks", self.served[provider].count),
            fill=round(items / max(room, 1), 3), waited_ms=round(waited_ms, 1),
            duration_ms=round(duration_ms, 1), reason=reason,
        )  # fmt: skip

    def _since_last_batch(self, provider: str, name: str, count: int) -> int:
        """Return how much a provider's count grew since its last batch, and note the new count."""
        growth = count - self._flushed[provider, name]
        self._flushed[provider, name] = count
        return growth

    def on_alarm(self, alarm: str, why: str | None) -> bool:
        """Raise an alarm, or end it with `why` None. Logs a change; returns whether it is one."""
        was_on = alarm in self.alarms
        if why is None:
            self.alarms.pop(alarm, None)
            if was_on:
                self.event("alarm_over", alarm=alarm)
            return was_on
        self.alarms[alarm] = why
        if not was_on:
            self.warning("alarm", alarm=alarm, why=why)
        return not was_on

    def log_summary(
        self, tracks: Mapping[str, int], lookups: Mapping[str, Mapping[str, int]], oldest_waiting: str | None
    ) -> None:
        """Log the `summary` of a busy minute; speed is measured since the last one. `tracks` counts
        tracks by status, `lookups` lookups by provider and state; `oldest_waiting` is when the
        oldest lookup was queued (ISO 8601)."""
        now, results = time.monotonic(), sum(self.results.values())
        earlier, counted = self._summed
        self._summed = (now, results)
        self.event(
            "summary", tracks=dict(tracks),
            tracks_per_second=round((results - counted) / max(now - earlier, 0.001), 2),
            queued=sum(states.get("pending", 0) + states.get("leased", 0) for states in lookups.values()),
            oldest_waiting=oldest_waiting, lookups={provider: dict(states) for provider, states in lookups.items()},
            requests=dict(self.requests), requests_saved=self.requests_saved(),
            rss_mb=round(self.rss_bytes() / 1e6, 1), peak_rss_mb=round(self.peak_rss_bytes / 1e6, 1),
        )  # fmt: skip

    def requests_saved(self) -> int:
        """Return the requests saved against one for each track and service that served it."""
        tracks = sum(served.count for served in self.served.values())
        requests = sum(count for name, count in self.requests.items() if name not in NON_TRACK_PROVIDERS)
        return max(0, tracks - requests)

    def rss_bytes(self) -> int:
        """Measure the resident memory in bytes, and bring `peak_rss_bytes` up to date."""
        return self.memory.now()

    @property
    def peak_rss_bytes(self) -> int:
        """The most resident memory seen so far, in bytes."""
        return self.memory.peak

    def status_numbers(self) -> dict[str, Any]:
        """Return the counters that `status` shows, in the shape of `empty_status_numbers`."""
        answers: dict[str, dict[str, int]] = {}
        for (provider, outcome), count in self.answers.items():
            answers.setdefault(provider, {})[outcome] = count
        return {
            "requests": dict(self.requests), "requests_saved": self.requests_saved(), "answers": answers,
            "results": dict(self.results),
            "alarms": [{"alarm": alarm, "why": why} for alarm, why in self.alarms.items()],
            "memory": {"rss_bytes": self.rss_bytes(), "peak_bytes": self.peak_rss_bytes},
        }  # fmt: skip


def empty_status_numbers() -> dict[str, Any]:
    """Return the counters that `status` shows while no process counts: all zero or empty."""
    memory = {"rss_bytes": 0, "peak_bytes": 0}
    return {
        "requests": {}, "requests_saved": 0, "answers": {}, "results": {}, "alarms": [], "memory": memory,
    }  # fmt: skip
