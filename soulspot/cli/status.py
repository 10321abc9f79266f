"""What is there, for the commands that only look: quick to load, because nothing here enriches."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from soulspot.cli.daemon_client import DaemonUnreachable, running_daemon, who_works
from soulspot.config import Config
from soulspot.store import library_counts, operations, provider_state
from soulspot.store.database import Database
from soulspot.store.failures import count_unreadable_files, list_unreadable_files
from soulspot.store.times import iso
from soulspot.telemetry import empty_status_numbers
from soulspot.version import __version__


async def status(config: Config) -> dict[str, Any] | None:
    """The daemon's status, or that of the database when no daemon runs; None when there is no database yet."""
    if remote := running_daemon(config):
        async with remote:
            try:
                return {"daemon": remote.address, **await remote.status()}
            except DaemonUnreachable:
                if remote.certain:
                    raise
    if not config.database.path.exists():
        return None
    return await asyncio.to_thread(_status_of_file, config.database.path)


def _status_of_file(path: Path) -> dict[str, Any]:
    """The shape of the daemon's own status; what only a process has (requests, pumps) is empty."""
    connection = Database.open_read_only(path)
    try:
        now = time.time()
        states = provider_state.list_all(connection)
        return {
            "daemon": None,
            "version": __version__,
            "pid": None,
            "tracks": library_counts.count_tracks_by_status(connection),
            "lookups": library_counts.count_lookups_by_state(connection),
            "oldest_waiting": library_counts.oldest_waiting_lookup(connection),
            "gates": [_remembered(one, now) for one in states if one["key"].startswith("gate:")],
            "pumps": {},
            "tracks_per_second": None,
            "eta_seconds": None,
            "services": {},
            "operations": operations.list_latest_without_reports(connection, 10),
            **empty_status_numbers(),
        }
    finally:
        connection.close()


def who_else(config: Config) -> str | None:
    """Which process works on the database now, in words."""
    return who_works(config.database.path)


async def unreadable(config: Config, limit: int | None = None) -> tuple[list[tuple[str, str]], int]:
    """The files that could not be read (path, reason), `limit` at most, and how many there are."""

    def look() -> tuple[list[tuple[str, str]], int]:
        if not config.database.path.exists():
            return [], 0
        connection = Database.open_read_only(config.database.path)
        try:
            return list_unreadable_files(connection, limit), count_unreadable_files(connection)
        finally:
            connection.close()

    return await asyncio.to_thread(look)


def _remembered(state: dict[str, Any], now: float) -> dict[str, Any]:
    """A gate as an earlier process left it: closed by a pause or an open breaker that has not ended since."""
    value = state["value"]
    pause, breaker = value.get("pause") or {}, value.get("breaker") or {}
    broken = breaker.get("until", 0.0)
    closed = [
        (until, why)
        for until, why in (
            (pause.get("blocked_until", 0.0), pause.get("why", "")),
            (broken, "the service did not answer"),
        )
        if until > now
    ]
    until, why = max(closed, default=(None, ""))
    return {
        "provider": state["provider"],
        "host": state["key"].split(":", 2)[2],
        "requests": 0,
        "breaker": "closed" if not broken else "open" if broken > now else "half_open",
        "spent": None,  # the budget is counted by the process that spends it
        "daily_budget": None,
        "why": why,
        "limited_until": iso(until) if until else None,
    }
