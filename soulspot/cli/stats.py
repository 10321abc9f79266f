"""`soulspot stats`: compute from the log how fast and how well a period's work went."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.results import counts_table
from soulspot.cli.running import INCOMPLETE, exit_on_error, exit_with, load_or_exit, refuse, run_with_bars
from soulspot.config import parse_time
from soulspot.operations.reports.performance import duration_text
from soulspot.telemetry import Stats, file_lines, journal_lines, rotated_files, stdin_lines
from soulspot.terminal.bars import Bars
from soulspot.terminal.console import print_answer

# lines; moving the bar costs more than reading one
SHOW_EVERY = 20_000


def stats(
    since: Annotated[str | None, typer.Option(metavar="TIME",
        help="From then on: 1h back from now, or a date and time (default: all).")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME",
        help="Up to then, in the same form (default: now).")] = None,
    log: Annotated[str | None, typer.Option(metavar="FILE",
        help="A log file, `journal`, or - for standard input (default: log.file, else the journal).")] = None,
    unit: Annotated[str, typer.Option(metavar="NAME", help="The journal's unit.")] = "soulspot",
    config: ConfigOption = None, json_: JsonOption = False,
) -> None:  # fmt: skip
    """Show from the log how fast and how well a period's work went.

    Computes speed, batch fill, waits, success, requests saved and limits.
    Reads the log file and what it was rotated into, or the systemd journal.

    Example: soulspot stats --since 1h"""
    now = time.time()
    try:
        # both by one `now`: --since 2h --until 1h is exactly an hour
        start, end = (None if text is None else parse_time(text, now) for text in (since, until))
    except ValueError as error:
        refuse(error)
    if log is None and (log_file := load_or_exit(config, needs_contact=False).log.file) is not None:
        log = str(log_file)
    lines = _log_lines(log, unit, start, end)
    stats = Stats(start, end)

    async def read(bars: Bars) -> None:
        await asyncio.to_thread(_add_lines, stats, lines, bars)

    exit_on_error(lambda: run_with_bars(read, quiet=json_))
    found = stats.as_json()
    print_answer(found, json_, *(stats_parts(found) if stats.lines else ()))
    if not stats.lines:
        skipped = f" ({stats.skipped} lines are none of ours; is log.format json?)" if stats.skipped else ""
        period = " of that time" if since or until else ""
        exit_with(INCOMPLETE, f"{_describe_log(log, unit)} has no events{period}{skipped}")


def _add_lines(stats: Stats, lines: Iterator[bytes], bars: Bars) -> None:
    for number, line in enumerate(lines, 1):
        stats.add_line(line)
        if number % SHOW_EVERY == 0:
            bars.show("log", number, None, "lines")


def _log_lines(log: str | None, unit: str, since: float | None, until: float | None) -> Iterator[bytes]:
    """Return the lines of a log (None: the journal). Exits with code 2 when there is none."""
    if log == "-":
        return stdin_lines()
    if log in (None, "journal"):
        if shutil.which("journalctl") is None:
            refuse("there is no journal here: set log.file, or name the log with --log FILE")
        return journal_lines(unit, since, until)
    if not log:
        refuse("--log is empty: name a file, `journal`, or - for standard input")
    path = Path(str(log)).expanduser()
    if path.exists() and not path.is_file():
        what = "a folder: name a file in it" if path.is_dir() else "no regular file: pipe it in, with --log -"
        refuse(f"{path} is {what}")
    paths = rotated_files(path, since)
    # a log that is older than the period is there all the same: it just has no events
    if not paths and not rotated_files(path):
        refuse(f"{path}: there is no such log")
    return file_lines(paths)


def _describe_log(log: str | None, unit: str) -> str:
    if log in (None, "journal"):
        return f"the journal of {unit} (`log.file` or --log FILE names another log, --unit another service)"
    return "standard input" if log == "-" else str(log)


def stats_parts(stats: Mapping[str, Any]) -> Iterator[Table | str]:
    """Yield the lines and the table that show the document of `Stats.as_json` to people."""
    results = ", ".join(f"{count} {name}" for name, count in stats["results"].items() if count)
    yield f"{stats['since']} to {stats['until']}, of these {duration_text(stats['busy_seconds'])} at work"
    speed = "" if stats["tracks_per_second"] is None else f", {stats['tracks_per_second']} a second"
    yield f"tracks: {stats['tracks']}{f' ({results})' if results else ''}{speed}"
    yield (
        f"requests: {stats['requests']}, {stats['requests_saved']} saved;"
        f" success {_value(stats['success_rate'], '%')}, batches {_value(stats['batch_fill'], '%')} full"
    )
    if stats["services"]:
        table = counts_table("Services", "", *stats["services"])
        for title, show in _ROWS.items():
            table.add_row(title, *map(show, stats["services"].values()))
        yield table
    for title in ("operations", "alarms", "errors"):
        if stats[title]:
            yield f"{title}: " + ", ".join(f"{count} {name}" for name, count in stats[title].items())
    if stats["peak_rss_mb"]:
        yield f"peak memory: {stats['peak_rss_mb']:.0f} MB"
    if stats["skipped"]:
        yield f"{stats['skipped']} lines are none of ours"


def _value(value: Any, unit: str = "") -> str:
    return "-" if value is None else f"{value:g}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _percentiles(values: Mapping[str, float | None]) -> str:
    return " / ".join("-" if value is None else f"{value:.0f}" for value in values.values())


_ROWS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "requests": lambda one: _value(one["requests"]),
    "requests saved": lambda one: _value(one["requests_saved"]),
    "request ms, p50 / p95": lambda one: _percentiles(one["request_ms"]),
    "429": lambda one: _value(one["http_429"]),
    "503": lambda one: _value(one["http_503"]),
    "no answer": lambda one: _value(one["statuses"].get("none", 0)),
    "times limited": lambda one: _value(one["limited"]),
    "lookups": lambda one: _value(one["lookups"]),
    "batches": lambda one: _value(one["batches"]),
    "batch fill": lambda one: _value(one["batch_fill"], "%"),
    "wait ms, p50 / p95": lambda one: _percentiles(one["waited_ms"]),
    "success": lambda one: _value(one["success_rate"], "%"),
    "failed": lambda one: _value(one["outcomes"]["failed"]),
}
