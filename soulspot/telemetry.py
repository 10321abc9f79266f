"""Structured logs and counters: every event is said once here, and every number is counted once here."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import structlog

from soulspot.limits import LimitEvent, RequestRecord
from soulspot.store.times import iso

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_file: TextIO | None = None  # the log file that is open now


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
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[
        structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer
    ], foreign_pre_chain=[*shared[:-1], structlog.stdlib.PositionalArgumentsFormatter(), _printable]))  # fmt: skip
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    if _file is not None:
        _file.close()
    _file = target if file else None


def _printable(_logger: Any, _method: str, event: Any) -> Any:
    """Paths are bytes that need not be UTF-8; a log line is always text."""
    return {
        name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
        for name, value in event.items()
    }


class Telemetry:
    """The counters of this process, and the events about them."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.requests: Counter[str] = Counter()
        self._reported: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, int | None]] = Counter()
        self.answers: Counter[tuple[str, str]] = Counter()
        self.gauges: dict[str, float] = {}
        self.limited: dict[str, LimitEvent] = {}
        self._finished: int | None = None  # unknown before the first summary: a database may hold many
        self._summed_at = time.monotonic()
        self._log = structlog.get_logger()

    def event(self, name: str, **facts: Any) -> None:
        self._log.info(name, **facts)

    def warning(self, name: str, **facts: Any) -> None:
        self._log.warning(name, **facts)

    def gauge(self, **values: float) -> None:
        """Set gauges and say them in one line."""
        self.gauges.update(values)
        self.event("gauge", **values)

    def on_request(self, record: RequestRecord) -> None:
        """Hear of every HTTP request, from the gates."""
        self.requests[record.provider] += 1
        self.statuses[record.provider, record.status] += 1
        self.event(
            "request", provider=record.provider, host=record.host, endpoint=record.endpoint, status=record.status,
            duration_ms=round(record.duration_ms, 1), attempt=record.attempt,
        )  # fmt: skip

    def requests_since_last(self, provider: str) -> int:
        """Requests to this provider since this was last asked of it."""
        fresh = self.requests[provider] - self._reported[provider]
        self._reported[provider] = self.requests[provider]
        return fresh

    def on_limit(self, event: LimitEvent) -> None:
        """Hear when a gate goes down and comes up."""
        until = iso(event.until) if event.until is not None else None
        if event.kind == "limited":
            self.limited[event.host] = event
            self.warning("limited", provider=event.provider, host=event.host, until=until, why=event.why)
        else:
            self.limited.pop(event.host, None)
            self.event("recovered", provider=event.provider, host=event.host)

    def on_answers(self, provider: str, outcomes: Mapping[str, int]) -> None:
        """Count how the lookups of a batch were answered: ok, missing, failed, postponed."""
        for outcome, count in outcomes.items():
            self.answers[provider, outcome] += count

    def summary(
        self, tracks: Mapping[str, int], lookups: Mapping[str, Mapping[str, int]], oldest_waiting: str | None
    ) -> None:
        """The minute's line: tracks a second since the last one, queue depth, requests, memory."""
        finished = tracks.get("total", 0) - tracks.get("pending", 0)
        at = time.monotonic()
        fresh = 0 if self._finished is None else max(0, finished - self._finished)
        rate = fresh / max(at - self._summed_at, 0.001)
        self._finished, self._summed_at = finished, at
        self.event(
            "summary",
            tracks=dict(tracks),
            tracks_per_second=round(rate, 2),
            queued=sum(states.get("pending", 0) + states.get("leased", 0) for states in lookups.values()),
            oldest_waiting=oldest_waiting,
            lookups={provider: dict(states) for provider, states in lookups.items()},
            requests=dict(self.requests),
            requests_saved=self.saved(),
            rss_mb=round(rss_bytes() / 1e6, 1),
        )

    def saved(self) -> int:
        """Requests saved against one per lookup answered.

        An understatement against one per track and service: a lookup that many tracks share counts once."""
        asked = sum(count for (_, outcome), count in self.answers.items() if outcome in ("ok", "missing"))
        return max(0, asked - sum(self.requests.values()))


def rss_bytes() -> int:
    """Resident memory of this process in bytes; 0 where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
