"""`soulspot status`: how far the library is, and what it waits for."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.results import STATUSES, counts_table, read_unreadable_files, results_table
from soulspot.cli.running import BAD_CONFIG, INCOMPLETE, exit_on_error, exit_with, load_or_exit, refuse
from soulspot.client.daemon_client import describe_owner
from soulspot.client.daemon_search import read_daemon_status
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.operations.reports.waits import current_waits
from soulspot.store import library_counts, missing_files, operations, provider_state
from soulspot.store.database import Database
from soulspot.store.ownership import describe_file
from soulspot.store.times import iso
from soulspot.telemetry import empty_status_numbers
from soulspot.terminal.console import out, print_answer, print_result
from soulspot.version import __version__

SHOWN_OPERATIONS = 10

TERMINAL_INTERVAL, LINE_INTERVAL = 2.0, 10.0  # seconds between two looks with --watch

ReadStatus = Callable[[], Awaitable[Mapping[str, Any] | None]]


def status(
    config: ConfigOption = None,
    unreadable: Annotated[bool, typer.Option("--unreadable",
        help="List the files that could not be read, and why.")] = False,
    watch_: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it until Ctrl-C.")] = False,
    json_: JsonOption = False,
) -> None:  # fmt: skip
    """Show how far the library is, and what it waits for.

    Reads the running daemon's status, or the database when none runs.

    Example: soulspot status --watch"""
    loaded = load_or_exit(config, needs_contact=False)
    database = loaded.database.path
    # SQLite would call a folder a disk I/O error
    if os.path.isdir(database):
        exit_with(BAD_CONFIG, f"database.path: {database} is a folder; name a file in it")
    if watch_:
        if json_ or unreadable:
            refuse("--watch goes with neither --json nor --unreadable")
        exit_on_error(lambda: _watch_until_interrupted(loaded))
        return
    if unreadable:
        files, _ = exit_on_error(lambda: asyncio.run(read_unreadable_files(loaded)))
        document = [{"path": path, "reason": reason} for path, reason in files]
        print_answer(document, json_, *(f"{path}: {reason}" for path, reason in files))
        return
    found = exit_on_error(lambda: asyncio.run(read_status(loaded)))
    if found is None:
        exit_with(
            INCOMPLETE, f"there is no database yet at {database}; `soulspot enrich PATH` or `soulspot daemon` makes it"
        )
    if json_:
        print(json.dumps(found))
        return
    owner = describe_owner(database)
    at_work = f"{owner} is running" if owner else "no daemon runs"
    print_result(f"daemon at {found['daemon']}" if found["daemon"] else at_work)
    print_result(*operation_lines(found), *status_parts(found))


def _watch_until_interrupted(config: Config) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(watch(lambda: read_status(config), out))


async def read_status(config: Config) -> dict[str, Any] | None:
    """Return the daemon's status, else the database's; None when there is no database yet.

    Both have the keys of `GET /api/v1/status` and `daemon`, the daemon's address or None. Raises
    what `read_daemon_status` does."""
    if found := await read_daemon_status(config):
        return found
    # not `Path.exists`, which raises where this user may not look
    if not os.path.exists(config.database.path):
        return None
    return await asyncio.to_thread(_status_of_database, config.database.path)


def _status_of_database(path: Path) -> dict[str, Any]:
    """Return a status in the daemon's form; what only a process has (requests, pumps) is empty."""
    with closing(Database.open_read_only(path)) as connection:
        now = time.time()
        states = provider_state.list_all(connection)
        return {
            "daemon": None,
            "version": __version__,
            "pid": None,
            "database": describe_file(path),
            "tracks": library_counts.count_tracks_by_status(connection),
            "unasked": library_counts.count_unasked_tracks(connection),
            "lookups": library_counts.count_lookups_by_state(connection),
            "oldest_waiting": library_counts.oldest_waiting_lookup(connection),
            "gates": [_remembered_gate(one, now) for one in states if one["key"].startswith("gate:")],
            "pumps": {},
            "tracks_per_second": None,
            "eta_seconds": None,
            "services": {},
            "operations": operations.list_latest_without_reports(connection, SHOWN_OPERATIONS),
            "questions": missing_files.questions_as_json(connection),
            **empty_status_numbers(),
        }


def _remembered_gate(state: dict[str, Any], now: float) -> dict[str, Any]:
    """Return a gate as an earlier process left it: closed only by what has not ended since."""
    value = state["value"]
    pause, breaker = value.get("pause") or {}, value.get("breaker") or {}
    broken_until = breaker.get("until", 0.0)
    reasons = [(pause.get("blocked_until", 0.0), pause.get("why", "")), (broken_until, "the service did not answer")]
    until, why = max((one for one in reasons if one[0] > now), default=(None, ""))
    return {
        "provider": state["provider"],
        "host": state["key"].split(":", 2)[2],
        "requests": 0,
        "breaker": "closed" if not broken_until else "open" if broken_until > now else "half_open",
        # the budget is counted by the process that spends it
        "spent": None,
        "daily_budget": None,
        "why": why,
        "limited_until": iso(until) if until else None,
        "paused": pause.get("blocked_until", 0.0) > now,
    }


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
        # a leased lookup is in a batch under way: it still waits for its answer
        waiting = states.get("pending", 0) + states.get("leased", 0)
        failed = states.get("failed", 0) + states.get("buried", 0)
        counts = waiting, states.get("done", 0), states.get("missing", 0), failed
        recent = _recent_requests(services.get(provider) or {}) if is_live else ()
        table.add_row(provider, *map(str, counts), *recent)
    yield table
    for alarm in status.get("alarms") or ():
        yield f"alarm, {alarm['alarm']}: {alarm['why']}"
    for wait in current_waits(status["gates"], status.get("pumps") or {}, {}):
        yield str(wait)
    if count := status["tracks"].get("unreadable"):
        yield f"unreadable files: {count}: soulspot status --unreadable lists them"
    if count := status.get("unasked"):
        yield f"tracks that say too little to be asked for: {count}: soulspot report names one, and what to do"
    for asked in status.get("questions") or ():
        yield asked["question"]
    if count := status["tracks"].get("vanished"):
        yield f"vanished files: {count}"


def _recent_requests(service: Mapping[str, Any]) -> tuple[str, str]:
    """Return the requests of the last minute, and how full batches were since the start."""
    fill = service.get("batch_fill")
    return str(service.get("requests_last_minute", 0)), "-" if fill is None else f"{fill:.0%}"


async def watch(
    read_status: ReadStatus, console: Console, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
) -> None:
    """Show `read_status()` in place on a terminal, else as lines; report and await lost daemons."""
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
    return [f"{_title(one)}: {_operation_counts(one)}" for one in _under_way(status)]


def _title(operation: Mapping[str, Any]) -> str:
    own = " (by itself)" if (operation.get("metadata") or {}).get("own") else ""
    return f"{operation['kind']} {operation['id']}{own}"


def _under_way(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in status["operations"] if not one["is_complete"]]


def _operation_counts(operation: Mapping[str, Any]) -> str:
    words = str(operation["processed_items"])
    if operation["total_items"]:
        words += f" of {operation['total_items']}"
    if operation.get("paused"):
        return f"{words}, {operation['paused']}"
    if operation.get("failed_items"):
        words += f", {operation['failed_items']} failed"
    if operation.get("rate"):
        words += f", {operation['rate']:.1f}/s"
    if operation.get("eta_seconds"):
        words += f", {_minutes(operation['eta_seconds'])} left"
    return words


def _picture(status: Mapping[str, Any] | str) -> RenderableType:
    if isinstance(status, str):
        return Text(status)
    daemon = f"daemon at {status['daemon']}" if status["daemon"] else "no daemon runs"
    head = Text(f"{daemon} · {datetime.now().astimezone():%H:%M:%S} · Ctrl-C ends this, and nothing else")
    parts = (Text(part) if isinstance(part, str) else part for part in status_parts(status))
    return Group(head, _bars(status), *parts)


def _bars(status: Mapping[str, Any]) -> Table:
    tracks = status["tracks"]
    decided = tracks["total"] - tracks.get("pending", 0)
    counts = ", ".join(part for part in (f"{decided} of {tracks['total']} tracks", _pace(status)) if part)
    bars = Table.grid(padding=(0, 1))
    bars.add_row("library", _bar(decided, tracks["total"]), _percent_decided(tracks), counts)
    for one in _under_way(status):
        name, percent = _title(one), f"{int(one['progress'])} %"
        bars.add_row(name, _bar(one["progress"], 100), percent, _operation_counts(one))
    return bars


def _bar(done: float, total: float) -> ProgressBar:
    return ProgressBar(total=max(total, 1), completed=done, width=30)


def _percent_decided(tracks: Mapping[str, int]) -> str:
    """Return the share of decided tracks, rounded down: 100 % means that all are decided."""
    total = tracks["total"]
    return f"{100 * (total - tracks.get('pending', 0)) // total if total else 0} %"


def _pace(status: Mapping[str, Any]) -> str:
    """Return speed and time left as "0.2 tracks/s, 1:16 left"; "" where both are unknown."""
    rate, left = status.get("tracks_per_second"), status.get("eta_seconds")
    known = [*([f"{rate:.1f} tracks/s"] if rate else []), *([f"{_minutes(left)} left"] if left else [])]
    return ", ".join(known)


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
