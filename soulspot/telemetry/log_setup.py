"""The log of this process: events as JSON lines or for a console, from us and from libraries."""

import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

import structlog

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

# (event, level) of the lines that no Telemetry counts: what our modules log by themselves
uncounted_lines: Counter[tuple[str, str]] = Counter()
# True while a Telemetry logs a line that it has counted itself
is_counted: ContextVar[bool] = ContextVar("is_counted", default=False)

_open_file: TextIO | None = None  # the log file that `configure_logging` opened last


@contextlib.contextmanager
def warnings_only() -> Iterator[None]:
    """Log only warnings, to stderr, while the block runs; leave a log that is set up as it is. The
    events of a run would bury a notebook, or what a script prints."""
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


def configure_logging(format: str, level: str, file: Path | None = None, stream: TextIO | None = None) -> None:
    """Send events to `file` as JSON lines, or to `stream` (default stderr) as `format` says: "json"
    or "console". `level` is a key of LEVELS. Warnings of libraries (`logging`) go the same way.
    Raises OSError when `file` cannot be opened; the earlier log then goes on."""
    global _open_file
    stream = stream or sys.stderr
    target = file.open("a", encoding="utf-8", buffering=1) if file else stream
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=True, sort_keys=False)
        if format == "json" or file is not None
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[shared[0], _count_line, *shared[1:], _decode_bytes, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(target),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(target)
    # Lines of libraries are not counted: their texts vary without limit, counters must not.
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter(), _decode_bytes],
    ))  # fmt: skip
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(LEVELS[level], logging.WARNING))
    if _open_file is not None:
        _open_file.close()
    _open_file = target if file else None


def _count_line(_logger: Any, _method: str, event: Any) -> Any:
    """Count a line that no Telemetry has counted. A structlog processor."""
    if not is_counted.get():
        uncounted_lines[str(event.get("event")), str(event.get("level"))] += 1
    return event


def _decode_bytes(_logger: Any, _method: str, event: Any) -> Any:
    # Paths need not be UTF-8, and JSON must be.
    return {
        name: value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
        for name, value in event.items()
    }
