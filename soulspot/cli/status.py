"""`soulspot status`: how far the library is and what it waits for, from the daemon or from the database."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from soulspot.cli.console import out, print_result
from soulspot.cli.daemon_client import DaemonUnreachable, describe_owner, running_daemon
from soulspot.cli.json_documents import Commands
from soulspot.cli.options import ConfigOption, JsonOption
from soulspot.cli.running import BAD_CONFIG, INCOMPLETE, exit_on_error, exit_with, load_or_exit, refuse
from soulspot.cli.status_view import operation_lines, status_parts, watch
from soulspot.cli.unreadable_files import read_unreadable_files
from soulspot.config import Config
from soulspot.store import library_counts, operations, provider_state
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.telemetry import empty_status_numbers
from soulspot.version import __version__

SHOWN_OPERATIONS = 10

app = Commands()


@app.command()
def status(
    config: ConfigOption = None,
    unreadable: Annotated[
        bool, typer.Option("--unreadable", help="List the files that could not be read, and why.")
    ] = False,
    watch_: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it until Ctrl-C.")] = False,
    json_: JsonOption = False,
) -> None:
    """Say how far it is and what it is waiting for.

    Reads the running daemon's status, or the database when none runs.

    Example: soulspot status --watch"""
    loaded = load_or_exit(config, needs_contact=False)
    database = loaded.database.path
    if database.is_dir():  # SQLite would call it a disk I/O error
        exit_with(BAD_CONFIG, f"database.path: {database} is a folder; name a file in it")
    if watch_:
        if json_ or unreadable:
            refuse("--watch goes with neither --json nor --unreadable")
        exit_on_error(lambda: _watch_until_interrupted(loaded))
        return
    if unreadable and database.exists():
        files, _ = exit_on_error(lambda: read_unreadable_files(loaded))
        if json_:
            print(json.dumps([{"path": path, "reason": reason} for path, reason in files]))
        else:
            print_result(*(f"{path}: {reason}" for path, reason in files))
        return
    found = None if unreadable else exit_on_error(lambda: asyncio.run(read_status(loaded)))
    if found is None:
        exit_with(
            INCOMPLETE,
            f"there is no database yet at {database}; `soulspot enrich PATH` or `soulspot daemon` makes it",
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
    """Return the daemon's status, or the database's when no daemon runs; None when there is no database yet.

    Both have the keys of `GET /api/v1/status` and `daemon`, the daemon's address or None.
    Raises DaemonUnreachable when a daemon that is known to run does not answer."""
    if client := running_daemon(config):
        async with client:
            try:
                return {"daemon": client.address, **await client.status()}
            except DaemonUnreachable:
                if client.is_certain:
                    raise
    if not config.database.path.exists():
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
            "tracks": library_counts.count_tracks_by_status(connection),
            "lookups": library_counts.count_lookups_by_state(connection),
            "oldest_waiting": library_counts.oldest_waiting_lookup(connection),
            "gates": [_remembered_gate(one, now) for one in states if one["key"].startswith("gate:")],
            "pumps": {},
            "tracks_per_second": None,
            "eta_seconds": None,
            "services": {},
            "operations": operations.list_latest_without_reports(connection, SHOWN_OPERATIONS),
            **empty_status_numbers(),
        }


def _remembered_gate(state: dict[str, Any], now: float) -> dict[str, Any]:
    """Return a gate as an earlier process left it: closed only by a pause or a breaker that has not ended."""
    value = state["value"]
    pause, breaker = value.get("pause") or {}, value.get("breaker") or {}
    broken_until = breaker.get("until", 0.0)
    reasons = [
        (pause.get("blocked_until", 0.0), pause.get("why", "")),
        (broken_until, "the service did not answer"),
    ]
    until, why = max((one for one in reasons if one[0] > now), default=(None, ""))
    return {
        "provider": state["provider"],
        "host": state["key"].split(":", 2)[2],
        "requests": 0,
        "breaker": "closed" if not broken_until else "open" if broken_until > now else "half_open",
        "spent": None,  # the budget is counted by the process that spends it
        "daily_budget": None,
        "why": why,
        "limited_until": iso(until) if until else None,
    }
