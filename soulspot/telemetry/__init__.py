"""Events in; log lines, counters, statistics and alarms out.

Every event is logged once and every number counted once here; the metrics and `soulspot stats` are made of them."""

from soulspot.telemetry.alarms import Alarms, Thresholds
from soulspot.telemetry.events import (
    NON_TRACK_PROVIDERS,
    Telemetry,
    configure_logging,
    empty_status_numbers,
    warnings_only,
)
from soulspot.telemetry.log_files import file_lines, journal_lines, rotated_files, stdin_lines
from soulspot.telemetry.memory_limit import MemoryLimit, run_in_pieces
from soulspot.telemetry.numbers import Distribution
from soulspot.telemetry.statistics import ServiceStats, Stats, percent, success_rate

__all__ = [
    "NON_TRACK_PROVIDERS",
    "Alarms",
    "Distribution",
    "MemoryLimit",
    "ServiceStats",
    "Stats",
    "Telemetry",
    "Thresholds",
    "configure_logging",
    "empty_status_numbers",
    "file_lines",
    "journal_lines",
    "percent",
    "rotated_files",
    "run_in_pieces",
    "stdin_lines",
    "success_rate",
    "warnings_only",
]
