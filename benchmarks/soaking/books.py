"""The books of a daemon after a soak: every track, lookup, event and operation accounted for."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

from tests.support.flow import looking_at


def unbalanced(database: Path, files: Collection[Path], keys: Collection[str], heard: Sequence[int]) -> list[str]:
    """Return a sentence for each thing that is not accounted for; none when the books are balanced.

    `files` are on disk, `keys` were imported, and `heard` are the ids of the events that one client
    was sent, in their order."""
    with looking_at(database) as connection:
        return [
            *_tracks(connection, files, keys),
            *_lookups(connection),
            *_events(connection, heard),
            *_operations(connection),
            *_integrity(connection),
        ]


def _tracks(connection: sqlite3.Connection, files: Collection[Path], keys: Collection[str]) -> list[str]:
    there = {bytes(path) for (path,) in connection.execute(
        "SELECT path FROM tracks WHERE path IS NOT NULL AND vanished_at IS NULL")}  # fmt: skip
    wanted = {os.fsencode(path) for path in files}
    imported = {key for (key,) in connection.execute("SELECT source_key FROM tracks WHERE source_key IS NOT NULL")}
    sql = """SELECT count(*) FROM tracks LEFT JOIN enriched_tracks USING (track_id)
             WHERE enriched_tracks.track_id IS NULL OR enriched_tracks.status = 'pending'"""
    return _named(
        ("files without a track", len(wanted - there)),
        ("tracks whose file is gone and not marked as vanished", len(there - wanted)),
        ("imported rows without a track", len(set(keys) - imported)),
        ("tracks without a row, or pending for ever", _count(connection, f"{sql} AND vanished_at IS NULL")),
    )


def _lookups(connection: sqlite3.Connection) -> list[str]:
    made = _count(connection, "SELECT count(*) FROM lookups")
    told = _count(connection, "SELECT coalesce(sum(lookups), 0) FROM lookup_totals")
    waiting = "SELECT count(*) FROM lookups WHERE state IN ('leased', 'pending')"
    return _named(
        ("lookups that the totals do not have", abs(made - told)),
        ("lookups that still wait", _count(connection, waiting)),
        ("links to a lookup that is not there", _count(
            connection, "SELECT count(*) FROM track_lookups WHERE lookup_id NOT IN (SELECT lookup_id FROM lookups)")),
    )  # fmt: skip


def _events(connection: sqlite3.Connection, heard: Sequence[int]) -> list[str]:
    there = [number for (number,) in connection.execute("SELECT event_id FROM events ORDER BY event_id")]
    latest = max(heard, default=0)
    return _named(
        ("numbers of events that are missing", there[-1] - there[0] + 1 - len(there) if there else 0),
        ("events that a returning client heard twice or out of order", sum(
            later <= earlier for earlier, later in pairwise(heard))),
        # what came after, such as the end of the daemon's own work, nobody waited for
        ("events that a returning client never heard", len({one for one in there if one <= latest} - set(heard))),
    )  # fmt: skip


def _operations(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT count(*) FROM batch_operations WHERE status"
    return _named(
        ("operations that have not ended", _count(connection, f"{sql} IN ('pending', 'processing')")),
        ("operations that failed", _count(connection, f"{sql} = 'failed'")),
    )


def _integrity(connection: sqlite3.Connection) -> list[str]:
    return [line for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]


def _count(connection: sqlite3.Connection, sql: str) -> int:
    return int(connection.execute(sql).fetchone()[0])


def _named(*counted: tuple[str, int]) -> list[str]:
    return [f"{count} {what}" for what, count in counted if count]
