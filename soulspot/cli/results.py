"""Results that several commands show: tables of tracks and requests, unreadable files, waits."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from rich.table import Table

from soulspot.client.daemon_search import running_daemon
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.operations.reports.waits import OFFLINE, UNREACHABLE, clock_text
from soulspot.store.database import Database
from soulspot.store.failures import count_unreadable_files, list_unreadable_files
from soulspot.terminal.console import print_result

if TYPE_CHECKING:
    from soulspot.pipeline import Postponed

STATUSES = ("accepted", "review", "unmatched", "failed", "pending")
NAMED_FILES, MOST_FILES = 10, 100_000
UNREADABLE = "/api/v1/unreadable"


def counts_table(title: str, name: str, *counts: str) -> Table:
    """Return an empty table: a first column called `name`, then columns of numbers."""
    table = Table(title=title, title_justify="left")
    table.add_column(name)
    for count in counts:
        table.add_column(count, justify="right")
    return table


def results_table(counts: Mapping[str, int]) -> Table:
    """Return a table of what `store.library_counts.count_tracks_by_status` counts, by result."""
    table = counts_table("Tracks", "result", "tracks")
    for status in STATUSES:
        if counts.get(status) or status == "accepted":
            table.add_row(status, str(counts.get(status, 0)))
        if status == "failed" and counts.get(status) and (unreadable := counts.get("unreadable")):
            table.add_row("  of these unreadable", str(unreadable))
    table.add_row("all", str(counts.get("total", 0)), style="bold")
    return table


def requests_table(requests: Mapping[str, int], served: Mapping[str, int]) -> Table:
    """Return a table of tracks served, requests used and requests saved (tracks minus requests) by
    provider."""
    table = counts_table("Requests", "service", "tracks served", "requests used", "saved")
    for provider in sorted({*requests, *served}):
        used, tracks = requests.get(provider, 0), served.get(provider, 0)
        table.add_row(provider, str(tracks), str(used), str(max(0, tracks - used)))
    used, tracks = sum(requests.values()), sum(served.values())
    table.add_row("all", str(tracks), str(used), str(max(0, tracks - used)), style="bold")
    return table


def postponed_lines(postponed: Sequence[Postponed], answered: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for each provider with postponed lookups, and one if the network may be down.

    `answered` are lookups by provider."""
    for one in postponed:
        until = clock_text(one.until, full=True)
        yield f"postponed: {one.lookups} lookups at {one.provider} until {until}: {one.why}"
    # one unreachable service may be down itself; all of them at once are the network here
    if postponed and not any(answered.values()) and all(p.why.startswith(UNREACHABLE) for p in postponed):
        yield OFFLINE


async def read_unreadable_files(config: Config, limit: int = MOST_FILES) -> tuple[list[tuple[str, str]], int]:
    """Return at most `limit` unreadable files as (path, reason), and how many there are: from the
    daemon, else from the database."""
    if client := await running_daemon(config):
        async with client:
            found = await client.request("GET", UNREADABLE, "files", "count", params={"limit": str(limit)})
        return [(one["path"], one["reason"]) for one in found["files"]], found["count"]
    if not config.database.path.exists():
        makers = "`soulspot enrich PATH` or `soulspot daemon`"
        raise SoulSpotError(f"there is no database yet at {config.database.path}; {makers} makes it")
    with closing(Database.open_read_only(config.database.path)) as connection:
        return list_unreadable_files(connection, limit), count_unreadable_files(connection)


def print_unreadable_files(config: Config) -> None:
    """Print the first of the files that could not be read, and how to see the others."""
    # the work is done: a daemon that has ended since must not make a failure of it
    with contextlib.suppress(SoulSpotError, OSError, sqlite3.Error):
        files, count = asyncio.run(read_unreadable_files(config, NAMED_FILES))
        if count:
            print_result(f"{count} file{'' if count == 1 else 's'} could not be read:")
        for path, reason in files:
            print_result(f"  {path}: {reason}")
        if count > NAMED_FILES:
            print_result(f"  ... and {count - NAMED_FILES} more: soulspot status --unreadable")
