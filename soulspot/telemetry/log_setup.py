"""The log of this process: events as JSON lines or for a console, from us and from libraries.

Our events are records of `logging`, below the logger "soulspot": a program that uses SoulSpot hears
nothing until it sets `logging` up, or calls `configure_logging` as the commands do."""

import logging
import os
import sys
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TextIO

import structlog

from soulspot.text import visible

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

# (event, level) of the lines that no Telemetry counts: what our modules log by themselves
uncounted_lines: Counter[tuple[str, str]] = Counter()
# True while a Telemetry logs a line that it has counted itself
is_counted: ContextVar[bool] = ContextVar("is_counted", default=False)

_open_file: TextIO | None = None  # the log file that `configure_logging` opened last
_stamp_time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")

# `logging` prints warnings to stderr where no handler takes them: of ours, and of libraries that
# only we make log.
for _name in ("soulspot", "aiohttp", "apscheduler"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


class _Facts(dict[str, Any]):
    """An event with its fields, as the message of a record."""

    def __str__(self) -> str:
        return " ".join(str(value) if name == "event" else f"{name}={value!r}" for name, value in self.items())


def _drop_below_level(logger: logging.Logger, method: str, event: Any) -> Any:
    if not logger.isEnabledFor(LEVELS.get(method, logging.CRITICAL)):
        raise structlog.DropEvent
    return event


def _count_line(_logger: Any, method: str, event: Any) -> Any:
    """Count a line that no Telemetry has counted. A structlog processor."""
    if not is_counted.get():
        uncounted_lines[str(event.get("event")), method] += 1
    return event


def _as_record(_logger: Any, _method: str, event: dict[str, Any]) -> tuple[tuple[_Facts], dict[str, Any]]:
    """Return the arguments for a method of `logging.Logger`."""
    exc_info = event.pop("exc_info", None)
    return (_Facts({"event": event.pop("event", ""), **event}),), {"exc_info": exc_info}


PROCESSORS: list[Any] = [_drop_below_level, _count_line, _as_record]


def get_logger(name: str) -> Any:
    """Return a logger of events, `log.info("scan_finished", found=3)`, for the module `name`."""
    # Not structlog's own configuration, which belongs to the program that we may be a library of.
    return structlog.wrap_logger(
        logging.getLogger(name), processors=PROCESSORS, context_class=dict,
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
    )  # fmt: skip


class _Lines(logging.Formatter):
    """Formats records, ours and those of libraries, as lines with `event`, `level` and `at`."""

    def __init__(self, renderer: Any, *, is_json: bool) -> None:
        super().__init__()
        self._renderer, self._is_json = renderer, is_json

    def format(self, record: logging.LogRecord) -> str:
        facts: dict[str, Any] = record.msg if isinstance(record.msg, _Facts) else {"event": record.getMessage()}
        facts = {name: _decoded(value) for name, value in facts.items()}
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        facts = _stamp_time(None, "", facts | {"level": record.levelname.lower()})  # type: ignore[assignment]
        return str(self._renderer(None, "", facts if self._is_json else _for_console(facts)))


def _decoded(value: Any) -> Any:
    # Paths need not be UTF-8, and JSON must be.
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _for_console(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts without characters that steer a terminal. Lines of a traceback are indented,
    so that none looks like an event."""
    shown = {name: visible(value) if isinstance(value, str) else value for name, value in facts.items()}
    if "exception" in facts:
        shown["exception"] = "\n  ".join(map(visible, facts["exception"].split("\n")))
    return shown


class _Stream(logging.StreamHandler[TextIO]):
    """Writes lines to a stream. A log that cannot be written (a full disk) stops no work."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


def configure_logging(format: str, level: str, file: Path | None = None, stream: TextIO | None = None) -> None:
    """Send events to `file` as JSON lines, or to `stream` (default stderr) as `format` says: "json"
    or "console". `level` is a key of LEVELS. Warnings of libraries (`logging`) go the same way. A
    new file is readable by its owner alone. Raises OSError when `file` cannot be opened; the
    earlier log then goes on."""
    global _open_file
    stream = stream or sys.stderr
    target = _open_private(file) if file else stream
    is_json = format == "json" or file is not None
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=True, sort_keys=False)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=target.isatty())
    )
    handler = _Stream(target)
    handler.setFormatter(_Lines(renderer, is_json=is_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Lines of libraries are not counted: their texts vary without limit, counters must not.
    root.setLevel(max(LEVELS[level], logging.WARNING))
    logging.getLogger("soulspot").setLevel(LEVELS[level])
    if _open_file is not None:
        _open_file.close()
    _open_file = target if file else None


def _open_private(file: Path) -> TextIO:
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return os.fdopen(handle, "a", encoding="utf-8", buffering=1)
