"""Events in; log lines, counters, statistics and alarms out.

Every event is logged once and every number counted once here; the metrics and `soulspot stats` are made of them."""

from soulspot.telemetry.alarms import Alarms, Thresholds
from soulspot.telemetry.events import BESIDES, Telemetry, configure_logging, no_numbers, quietly
from soulspot.telemetry.log_files import file_lines, journal_lines, rotated, stdin_lines
from soulspot.telemetry.memory_limit import Memory, in_pieces
from soulspot.telemetry.numbers import Distribution
from soulspot.telemetry.statistics import ServiceStats, Stats, percent, success

__all__ = [
    "BESIDES",
    "Alarms",
    "Distribution",
    "Memory",
    "ServiceStats",
    "Stats",
    "Telemetry",
    "Thresholds",
    "configure_logging",
    "file_lines",
    "in_pieces",
    "journal_lines",
    "no_numbers",
    "percent",
    "quietly",
    "rotated",
    "stdin_lines",
    "success",
]
