"""Events in; log lines, counters, statistics and alarms out. Called by all that does work."""

from soulspot.telemetry.alarms import Alarms, Thresholds
from soulspot.telemetry.counters import NON_TRACK_PROVIDERS, Telemetry, empty_status_numbers
from soulspot.telemetry.log_files import file_lines, journal_lines, rotated_files, stdin_lines
from soulspot.telemetry.log_setup import configure_logging, get_logger
from soulspot.telemetry.memory_limit import MemoryLimit, run_in_pieces
from soulspot.telemetry.numbers import Distribution
from soulspot.telemetry.statistics import ServiceStats, Stats, percent, success_rate
