"""`soulspot stats`: what a person asks of a log, as tables or JSON."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from soulspot.cli.console import Bars, complain, out
from soulspot.cli.running import INCOMPLETE, USAGE, load, run
from soulspot.config import parse_time
from soulspot.operations.reports.performance import duration_text
from soulspot.telemetry import Stats, file_lines, journal_lines, rotated_files, stdin_lines

SHOW_EVERY = 20_000  # lines


def stats(
    since: Annotated[
        str | None, typer.Option(help="From then on: 1h back from now, or a date and time.", metavar="TIME")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Up to then.", metavar="TIME")] = None,
    log: Annotated[
        str | None,
        typer.Option(
            help="A log file, `journal`, or - for standard input (default: log.file, else the journal).",
            metavar="FILE",
        ),
    ] = None,
    unit: Annotated[str, typer.Option(help="The journal's unit.", metavar="NAME")] = "soulspot",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="config.toml to use.", metavar="PATH")
    ] = None,
    json_: Annotated[
        bool, typer.Option("--json", help="One JSON document on stdout, nothing else there.")
    ] = False,
) -> None:
    """Compute from the log how the work went, over any period.

    That is speed, batch fill, waits, success, requests saved and limits.
    Reads the log file and what it was rotated into, or the systemd journal."""
    now = time.time()
    try:
        start, end = (None if text is None else parse_time(text, now) for text in (since, until))
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(USAGE) from None
    loaded = load(config, needs_contact=False) if log is None else None
    if log is None and loaded is not None and loaded.log.file is not None:
        log = str(loaded.log.file)
    lines = _lines(log, unit, start, end)
    found = Stats(start, end)

    async def read(bars: Bars) -> None:
        await asyncio.to_thread(_read, lines, found, bars)

    run(read, quiet=json_)
    told = found.as_json()
    if json_:
        print(json.dumps(told))
    elif found.lines:
        for part in tables(told):
            out.print(part, markup=False) if isinstance(part, str) else out.print(part)
    if not found.lines:
        skipped = f" ({found.skipped} lines are none of ours; is log.format json?)" if found.skipped else ""
        complain(f"{_read_from(log, unit)} has no events{' of that time' if since or until else ''}{skipped}")
        raise typer.Exit(INCOMPLETE)


def _read(lines: Iterator[bytes], found: Stats, bars: Bars) -> None:
    for number, line in enumerate(lines, 1):
        found.add_line(line)
        if number % SHOW_EVERY == 0:
            bars.show("log", number, None, "lines")


def _lines(log: str | None, unit: str, since: float | None, until: float | None) -> Iterator[bytes]:
    if log == "-":
        return stdin_lines()
    if log in (None, "journal"):
        if shutil.which("journalctl") is None:
            complain("there is no journal here: set log.file, or name the log with --log FILE")
            raise typer.Exit(USAGE)
        return journal_lines(unit, since, until)
    path = Path(str(log)).expanduser()
    paths = rotated_files(path, since)
    if not paths and not rotated_files(path):
        complain(f"{path}: there is no such log")
        raise typer.Exit(USAGE)
    return file_lines(paths)


def _read_from(log: str | None, unit: str) -> str:
    """The log that was read, in words that say how to have another one read."""
    if log in (None, "journal"):
        return f"the journal of {unit} (`log.file` or --log FILE names another log, --unit another service)"
    return "standard input" if log == "-" else str(log)


def tables(told: Mapping[str, Any]) -> Iterator[Table | str]:
    """The same for people."""
    results = ", ".join(f"{count} {name}" for name, count in told["results"].items() if count)
    yield f"{told['since']} to {told['until']}, of these {duration_text(told['busy_seconds'])} at work"
    speed = "" if told["tracks_per_second"] is None else f", {told['tracks_per_second']} a second"
    yield f"tracks: {told['tracks']}{f' ({results})' if results else ''}{speed}"
    yield (
        f"requests: {told['requests']}, {told['requests_saved']} saved; success {_shown(told['success_rate'], '%')}, "
        f"batches {_shown(told['batch_fill'], '%')} full"
    )
    table = Table(title="Services", title_justify="left")
    table.add_column("")
    for name in told["services"]:
        table.add_column(name, justify="right")
    for title, show in _ROWS.items():
        table.add_row(title, *(show(one) for one in told["services"].values()))
    if told["services"]:
        yield table
    for title in ("operations", "alarms", "errors"):
        if told[title]:
            yield f"{title}: " + ", ".join(f"{count} {name}" for name, count in told[title].items())
    if told["peak_rss_mb"]:
        yield f"peak memory: {told['peak_rss_mb']:.0f} MB"
    if told["skipped"]:
        yield f"{told['skipped']} lines are none of ours"


def _shown(value: Any, unit: str = "") -> str:
    return "-" if value is None else f"{value:g}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _both(values: Mapping[str, float | None]) -> str:
    return " / ".join("-" if value is None else f"{value:.0f}" for value in values.values())


_ROWS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "requests": lambda one: _shown(one["requests"]),
    "requests saved": lambda one: _shown(one["requests_saved"]),
    "request ms, p50 / p95": lambda one: _both(one["request_ms"]),
    "429": lambda one: _shown(one["http_429"]),
    "503": lambda one: _shown(one["http_503"]),
    "no answer": lambda one: _shown(one["statuses"].get("none", 0)),
    "times limited": lambda one: _shown(one["limited"]),
    "lookups": lambda one: _shown(one["lookups"]),
    "batches": lambda one: _shown(one["batches"]),
    "batch fill": lambda one: _shown(one["batch_fill"], "%"),
    "wait ms, p50 / p95": lambda one: _both(one["waited_ms"]),
    "success": lambda one: _shown(one["success_rate"], "%"),
    "failed": lambda one: _shown(one["outcomes"]["failed"]),
}
