"""Show a status document: as tables, again and again on a terminal, or as one line where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from soulspot.cli.tables import STATUSES, counts_table, results_table
from soulspot.errors import SoulSpotError
from soulspot.operations.reports.waits import current_waits

TERMINAL_INTERVAL, LINE_INTERVAL = 2.0, 10.0  # seconds between two looks

ReadStatus = Callable[[], Awaitable[Mapping[str, Any] | None]]


def status_parts(status: Mapping[str, Any]) -> Iterator[Table | str]:
    """Yield the tables and lines that show a status document to people."""
    yield results_table(status["tracks"])
    if pace := _pace(status):
        yield pace
    # only a running process knows its last minute
    is_live = bool(status.get("pumps"))
    names = ("waiting", "answered", "missing", "failed", *(("last minute", "batch fill") if is_live else ()))
    table = counts_table("Services", "service", *names)
    services = status.get("services") or {}
    for provider in sorted({*status["lookups"], *(gate["provider"] for gate in status["gates"])}):
        states = status["lookups"].get(provider, {})
        counts = [
            states.get("pending", 0) + states.get("leased", 0),
            states.get("done", 0),
            states.get("missing", 0),
            states.get("failed", 0) + states.get("buried", 0),
        ]
        recent = _recent_requests(services.get(provider) or {}) if is_live else ()
        table.add_row(provider, *map(str, counts), *recent)
    yield table
    for alarm in status.get("alarms") or ():
        yield f"alarm, {alarm['alarm']}: {alarm['why']}"
    for wait in current_waits(status["gates"], status.get("pumps") or {}, {}):
        yield str(wait)
    if count := status["tracks"].get("unreadable"):
        yield f"unreadable files: {count}: soulspot status --unreadable lists them"
    if count := status["tracks"].get("vanished"):
        yield f"vanished files: {count}"


def _recent_requests(service: Mapping[str, Any]) -> tuple[str, str]:
    """Return the requests of the last minute, and how full batches were since the start of the process."""
    fill = service.get("batch_fill")
    return str(service.get("requests_last_minute", 0)), "-" if fill is None else f"{fill:.0%}"


async def watch(
    read_status: ReadStatus, console: Console, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Show what `read_status` returns until cancelled: in place on a terminal, else a line for each change.

    A daemon that has gone is reported and waited for."""
    if not console.is_terminal:
        printed = ""
        while True:
            line = status_line(await _status_or_reason(read_status))
            if line != printed:
                console.print(f"{datetime.now().astimezone():%H:%M:%S} {line}", markup=False, soft_wrap=True)
                printed = line
            await sleep(LINE_INTERVAL)
    with Live(console=console, auto_refresh=False, screen=False, vertical_overflow="visible") as live:
        while True:
            live.update(_picture(await _status_or_reason(read_status)), refresh=True)
            await sleep(TERMINAL_INTERVAL)


async def _status_or_reason(read_status: ReadStatus) -> Mapping[str, Any] | str:
    """Return the status, or why there is none."""
    try:
        return await read_status() or "there is no database yet"
    except SoulSpotError as error:
        return str(error)


def status_line(status: Mapping[str, Any] | str) -> str:
    """Return a status (or the reason that there is none) in one line."""
    if isinstance(status, str):
        return status
    tracks = status["tracks"]
    counts = ", ".join(f"{tracks[name]} {name}" for name in STATUSES if tracks.get(name))
    share = f"{_percent_decided(tracks)} of {tracks['total']} tracks"
    return "; ".join(part for part in (share, counts, _pace(status), *operation_lines(status)) if part)


def operation_lines(status: Mapping[str, Any]) -> list[str]:
    """Return a line for each operation under way, as "enrich 3: 19 of 20, 2.0/s"."""
    return [f"{one['kind']} {one['id']}: {_operation_counts(one)}" for one in _under_way(status)]


def _under_way(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in status["operations"] if not one["is_complete"]]


def _operation_counts(operation: Mapping[str, Any]) -> str:
    words = str(operation["processed_items"])
    if operation["total_items"]:
        words += f" of {operation['total_items']}"
    if operation.get("failed_items"):
        words += f", {operation['failed_items']} failed"
    if operation.get("rate"):
        words += f", {operation['rate']:.1f}/s"
    if operation.get("eta_seconds"):
        words += f", {_minutes(operation['eta_seconds'])} left"
    return words


def _picture(status: Mapping[str, Any] | str) -> RenderableType:
    """Return all that a terminal shows of a status: bars above its tables."""
    if isinstance(status, str):
        return Text(status)
    daemon = f"daemon at {status['daemon']}" if status["daemon"] else "no daemon runs"
    head = Text(f"{daemon} · {datetime.now().astimezone():%H:%M:%S} · Ctrl-C ends this, and nothing else")
    parts = (Text(part) if isinstance(part, str) else part for part in status_parts(status))
    return Group(head, _bars(status), *parts)


def _bars(status: Mapping[str, Any]) -> Table:
    """Return a bar of the library's decided tracks, and one for each operation under way."""
    tracks = status["tracks"]
    decided = tracks["total"] - tracks.get("pending", 0)
    counts = ", ".join(part for part in (f"{decided} of {tracks['total']} tracks", _pace(status)) if part)
    bars = Table.grid(padding=(0, 1))
    bars.add_row("library", _bar(decided, tracks["total"]), _percent_decided(tracks), counts)
    for one in _under_way(status):
        name, percent = f"{one['kind']} {one['id']}", f"{int(one['progress'])} %"
        bars.add_row(name, _bar(one["progress"], 100), percent, _operation_counts(one))
    return bars


def _bar(done: float, total: float) -> ProgressBar:
    return ProgressBar(total=max(total, 1), completed=done, width=30)


def _percent_decided(tracks: Mapping[str, int]) -> str:
    """Return the share of decided tracks, rounded down: 100 % is shown when all are decided, not before."""
    total = tracks["total"]
    return f"{100 * (total - tracks.get('pending', 0)) // total if total else 0} %"


def _pace(status: Mapping[str, Any]) -> str:
    """Return the speed and the time left, as "0.2 tracks/s, 1:16 left"; "" where neither is known."""
    rate, left = status.get("tracks_per_second"), status.get("eta_seconds")
    known = [*([f"{rate:.1f} tracks/s"] if rate else []), *([f"{_minutes(left)} left"] if left else [])]
    return ", ".join(known)


def _minutes(seconds: float) -> str:
    """Return a duration as minutes and seconds, 2:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
