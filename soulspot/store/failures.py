"""Lookups and files that have failed, with the reason that was kept of each; only reads."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from soulspot.store.browse import printable_path
from soulspot.store.library_counts import UNASKED, among
from soulspot.store.sql import IN_ARRAY, fetch_value, to_array

MAX_GROUPS = 2000  # reasons that are told apart; services have few


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Lookups of a provider, or files (`provider` None), that failed for the same reason. `example`
    is one of them: "kind query" of a lookup, the path of a file."""

    provider: str | None
    reason: str
    count: int
    example: str


@dataclass(frozen=True, slots=True)
class OpenLookup:
    """A lookup without an answer that serves a track: `is_waiting` in the queue, or given up."""

    track_id: int
    provider: str
    is_waiting: bool
    error: str | None  # of the last attempt, if there was any


def group_failed_lookups(connection: sqlite3.Connection, track_ids: Sequence[int] | None = None) -> list[FailureGroup]:
    """Return failed and buried lookups by provider and error, at most MAX_GROUPS, largest first:
    those that serve one of these tracks, or all."""
    mine, values = among(track_ids)
    serving = "1" if track_ids is None else f"lookup_id IN (SELECT lookup_id FROM track_lookups WHERE {mine})"
    rows = connection.execute(
        "SELECT provider, coalesce(last_error, ''), count(*), min(kind || ' ' || query) FROM lookups"
        f" INDEXED BY lookups_by_state WHERE state IN ('failed', 'buried') AND {serving}"
        " GROUP BY provider, last_error ORDER BY count(*) DESC LIMIT ?",
        (*values, MAX_GROUPS),
    )
    return [FailureGroup(*row) for row in rows.fetchall()]


def group_unreadable_files(
    connection: sqlite3.Connection, track_ids: Sequence[int] | None = None
) -> list[FailureGroup]:
    """Return the unreadable, not vanished files by reason, at most MAX_GROUPS, largest first: of
    these tracks, or all."""
    mine, values = among(track_ids)
    rows = connection.execute(
        "SELECT unreadable, count(*), min(path) FROM tracks WHERE unreadable IS NOT NULL AND vanished_at IS NULL"
        f" AND {mine} GROUP BY unreadable ORDER BY count(*) DESC LIMIT ?",
        (*values, MAX_GROUPS),
    )
    return [FailureGroup(None, reason, count, printable_path(path) or "") for reason, count, path in rows.fetchall()]


def group_unasked_tracks(connection: sqlite3.Connection, track_ids: Sequence[int] | None = None) -> list[FailureGroup]:
    """Return the tracks that say too little to be asked for, of these or of all, as one group."""
    mine, values = among(track_ids)
    count, path, key = connection.execute(
        f"SELECT count(*), min(path), min(source_key) FROM enriched_tracks WHERE {UNASKED} AND {mine}", values
    ).fetchone()
    example = printable_path(path) or f"the row {key}" if path or key else "a row without key"
    reason = "no title, or neither artist nor length"
    return [FailureGroup(None, reason, count, example)] if count else []


def list_unreadable_files(connection: sqlite3.Connection, limit: int | None = None) -> list[tuple[str, str]]:
    """Return (path, reason) of the unreadable files that have not vanished, in the order of paths.
    Names that are not UTF-8 are escaped."""
    found = connection.execute(
        "SELECT path, unreadable FROM tracks WHERE unreadable IS NOT NULL AND vanished_at IS NULL"
        " ORDER BY path LIMIT ?",
        (-1 if limit is None else limit,),
    )
    return [(printable_path(path) or "", reason) for path, reason in found]


def count_unreadable_files(connection: sqlite3.Connection) -> int:
    """Return the number of unreadable files that have not vanished."""
    sql = "SELECT count(*) FROM tracks WHERE unreadable IS NOT NULL AND vanished_at IS NULL"
    return int(fetch_value(connection, sql))


def load_open_lookups(connection: sqlite3.Connection, track_ids: Iterable[int]) -> list[OpenLookup]:
    """Return these tracks' lookups without an answer, by track and provider."""
    rows = connection.execute(
        "SELECT DISTINCT track_id, provider, state IN ('pending', 'leased'), last_error"
        " FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        f" WHERE track_id {IN_ARRAY} AND answered_at IS NULL"
        " AND state IN ('pending', 'leased', 'failed', 'buried') ORDER BY 1, 2, 3",
        (to_array(track_ids),),
    )
    return [OpenLookup(track_id, provider, bool(waits), error) for track_id, provider, waits, error in rows]
