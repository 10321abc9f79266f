"""Structured logs and counters: every event is said once here, and every number is counted once here."""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

import structlog

from soulspot.limits import LimitEvent, RequestRecord
from soulspot.store.times import iso
from soulspot.telemetry.numbers import Distribution, Served
from soulspot.telemetry.resident_memory import ResidentMemory

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_file: TextIO | None = None  # the log file that is open now
_said: Counter[tuple[str, str]] = Counter()  # (event, level) of lines that no Telemetry counts
_counted: ContextVar[bool] = ContextVar("_counted", default=False)  # this line is counted already


@contextlib.contextmanager
def warnings_only() -> Iterator[None]:
    """Where nobody has set up a log, only warnings are said meanwhile, on stderr: the events of a run would bury a
    notebook, and what a script prints."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.reset_defaults()


def configure_logging(
    format: str, level: str, file: Path | None = None, stream: TextIO | None = None
) -> None:
    """Send events to `file` as JSON lines, or to `stream` (stderr) as JSON lines or for a console.

    Also takes what libraries log with the standard library. A file that was logged to before is closed. OSError when
    the file cannot be opened; the log goes on as before then."""
    global _file
    stream = stream or sys.stderr
    target = file.open("a", encoding="utf-8", buffering=1) if file else stream
    plain = format == "json" or file is not None
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        _count,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
        _printable,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=True, sort_keys=False)
        if plain
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    foreign = [
        one for one in shared[:-1] if one is not _count
    ]  # libraries are not counted: they may say anything
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=[*foreign, structlog.stdlib.PositionalArgumentsFormatter(), _printable],
    ))  # fmt: skip
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    if _file is not None:
        _file.close()
    _file = target if file else None


def _count(_logger: Any, _method: str, event: Any) -> Any:
    """Count what our modules say by themselves, errors above all."""
    if not _counted.get():
        _said[str(event.get("event")), str(event.get("level"))] += 1
    return event


def _printable(_logger: Any, _method: str, event: Any) -> Any:
    """Paths are bytes that need not be UTF-8; a log line is always text."""
    return {
        name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
        for name, value in event.items()
    }


NON_TRACK_PROVIDERS = frozenset({"covers"})  # asked for images, not about tracks


class Telemetry:
    """The counters of this process, and the events about them.

    The log, /metrics, `status` and the reports all read these and count nothing themselves. Counters only grow while
    the process lives; times are in milliseconds."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.events: Counter[tuple[str, str]] = Counter()  # (event, level)
        self.requests: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, int | None]] = Counter()
        self.request_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.batches: Counter[tuple[str, str]] = Counter()  # (provider, reason)
        self.batch_items: Counter[str] = Counter()
        self.batch_room: Counter[str] = Counter()  # what those batches could have held
        self.waited_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.batch_ms: defaultdict[str, Distribution] = defaultdict(Distribution)
        self.answers: Counter[tuple[str, str]] = Counter()  # (provider, outcome)
        self.served: defaultdict[str, Served] = defaultdict(Served)
        self.results: Counter[str] = Counter()  # tracks that came to a result, by status
        self.operations: Counter[tuple[str, str]] = Counter()  # (kind, status)
        self.deliveries: Counter[str] = Counter()  # webhooks, by outcome
        self.gauges: dict[str, float] = {}
        self.limited: dict[str, LimitEvent] = {}
        self.limits: Counter[str] = Counter()  # how often a provider's gate went down
        self.alarms: dict[str, str] = {}  # what is wrong now, and why
        self.memory = ResidentMemory()
        self._told: Counter[tuple[str, str]] = Counter()  # what the last `batch_flushed` said of a provider
        self._summed = (time.monotonic(), 0)
        self._said_before = Counter(_said)
        self._log = structlog.get_logger()

    def line_counts(self) -> Counter[tuple[str, str]]:
        """Lines of the log by (event, level): those of here whatever the log's level lets out, and the others'."""
        return self.events + (_said - self._said_before)

    def event(self, name: str, **facts: Any) -> None:
        self.events[name, "info"] += 1
        if name == "operation_finished":
            self.operations[str(facts.get("kind")), str(facts.get("status"))] += 1
        self._say(self._log.info, name, facts)

    def warning(self, name: str, **facts: Any) -> None:
        self.events[name, "warning"] += 1
        self._say(self._log.warning, name, facts)

    @staticmethod
    def _say(say: Callable[..., Any], name: str, facts: Mapping[str, Any]) -> None:
        before = _counted.set(True)
        try:
            say(name, **facts)
        finally:
            _counted.reset(before)

    def set_gauges(self, **values: float) -> None:
        """Set gauges and say them in one line."""
        self.gauges.update(values)
        self.event("gauge", **values)

    def on_request(self, record: RequestRecord) -> None:
        """Hear of every HTTP request, from the gates."""
        self.requests[record.provider] += 1
        self.statuses[record.provider, record.status] += 1
        self.request_ms[record.provider].add(record.duration_ms)
        self.event(
            "request", provider=record.provider, host=record.host, endpoint=record.endpoint, status=record.status,
            duration_ms=round(record.duration_ms, 1), attempt=record.attempt,
        )  # fmt: skip

    def on_limit(self, event: LimitEvent) -> None:
        """Hear when a gate goes down and comes up."""
        until = iso(event.until) if event.until is not None else None
        if event.kind == "limited":
            self.limited[event.host] = event
            self.limits[event.provider] += 1
            self.warning("limited", provider=event.provider, host=event.host, until=until, why=event.why)
        else:
            self.limited.pop(event.host, None)
            self.event("recovered", provider=event.provider, host=event.host)

    def on_answers(self, provider: str, outcomes: Mapping[str, int]) -> None:
        """Count how the lookups of a batch were answered: ok, missing, failed, postponed."""
        for outcome, count in outcomes.items():
            self.answers[provider, outcome] += count

    def on_tracks(self, provider: str, track_ids: Iterable[int]) -> None:
        """Count the tracks that an answer of this provider served."""
        self.served[provider].add(track_ids)

    def on_results(self, results: Mapping[str, int]) -> None:
        """Count tracks that came to a result, by status, and say so in one line."""
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
        """Count a batch that is over, of `items` where `room` would have fitted, and say so in one line."""
        self.batches[provider, reason] += 1
        self.batch_items[provider] += items
        self.batch_room[provider] += max(items, room)
        self.waited_ms[provider].add(waited_ms)
        self.batch_ms[provider].add(duration_ms)
        self.event(
            "batch_flushed", provider=provider, items=items, ok=outcomes.get("ok", 0),
            missing=outcomes.get("missing", 0), failed=outcomes.get("failed", 0),
            postponed=outcomes.get("postponed", 0),
            requests=self._since_last(provider, "requests", self.requests[provider]),
            tracks=self._since_last(provider, "tracks", self.served[provider].count),
            fill=round(items / max(items, room, 1), 3), waited_ms=round(waited_ms, 1),
            duration_ms=round(duration_ms, 1), reason=reason,
        )  # fmt: skip

    def _since_last(self, provider: str, what: str, now: int) -> int:
        fresh = now - self._told[provider, what]
        self._told[provider, what] = now
        return fresh

    def on_alarm(self, alarm: str, why: str | None) -> bool:
        """Hear that something is wrong, or (`why` None) no more. Returns whether that is news; only news is said."""
        if why is None:
            if self.alarms.pop(alarm, None) is None:
                return False
            self.event("alarm_over", alarm=alarm)
            return True
        news = alarm not in self.alarms
        self.alarms[alarm] = why
        if news:
            self.warning("alarm", alarm=alarm, why=why)
        return news

    def log_summary(
        self, tracks: Mapping[str, int], lookups: Mapping[str, Mapping[str, int]], oldest_waiting: str | None
    ) -> None:
        """The minute's line: tracks a second since the last one, queue depth, requests, memory."""
        at, results = time.monotonic(), sum(self.results.values())
        before, counted = self._summed
        self._summed = (at, results)
        self.event(
            "summary",
            tracks=dict(tracks),
            tracks_per_second=round((results - counted) / max(at - before, 0.001), 2),
            queued=sum(states.get("pending", 0) + states.get("leased", 0) for states in lookups.values()),
            oldest_waiting=oldest_waiting,
            lookups={provider: dict(states) for provider, states in lookups.items()},
            requests=dict(self.requests),
            requests_saved=self.requests_saved(),
            rss_mb=round(self.rss_bytes() / 1e6, 1),
            peak_rss_mb=round(self.peak_rss_bytes / 1e6, 1),
        )

    def requests_saved(self) -> int:
        """Requests saved against one for each track and service that answered for it."""
        tracks = sum(served.count for served in self.served.values())
        requests = sum(
            count for provider, count in self.requests.items() if provider not in NON_TRACK_PROVIDERS
        )
        return max(0, tracks - requests)

    def rss_bytes(self) -> int:
        """Resident memory in bytes now; the largest seen stays in `peak_rss`."""
        return self.memory.now()

    @property
    def peak_rss_bytes(self) -> int:
        """The most resident memory that was seen, in bytes."""
        return self.memory.peak

    def status_numbers(self) -> dict[str, Any]:
        """The counters as `status` shows them."""
        answers: dict[str, dict[str, int]] = {}
        for (provider, outcome), count in self.answers.items():
            answers.setdefault(provider, {})[outcome] = count
        return {
            "requests": dict(self.requests),
            "requests_saved": self.requests_saved(),
            "answers": answers,
            "results": dict(self.results),
            "alarms": [{"alarm": alarm, "why": why} for alarm, why in self.alarms.items()],
            "memory": {"rss_bytes": self.rss_bytes(), "peak_bytes": self.peak_rss_bytes},
        }


def empty_status_numbers() -> dict[str, Any]:
    """`Telemetry.numbers` where no process counts."""
    memory = {"rss_bytes": 0, "peak_bytes": 0}
    return {
        "requests": {}, "requests_saved": 0, "answers": {}, "results": {}, "alarms": [], "memory": memory,
    }  # fmt: skip
