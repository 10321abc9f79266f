"""Counts of the library's tracks and of the queue's lookups, as `status` shows them."""

import sqlite3
from collections.abc import Sequence

from soulspot.store.sql import AT_OR_BELOW, IN_ARRAY, fetch_column, fetch_value, path_bounds, to_array

# Of rows of `enriched_tracks`: unmatched, though no service was asked for them.
UNASKED = (
    "status = 'unmatched' AND track_id NOT IN (SELECT track_id FROM tracks WHERE vanished_at IS NOT NULL)"
    " AND NOT EXISTS (SELECT 1 FROM track_lookups AS l WHERE l.track_id = enriched_tracks.track_id)"
)


def find_tracks(connection: sqlite3.Connection, paths: Sequence[bytes]) -> list[int]:
    """Return the tracks of the files at or below `paths` that have not vanished, ascending."""
    sql = f"SELECT track_id FROM tracks WHERE {AT_OR_BELOW} AND vanished_at IS NULL"
    return sorted({track_id for path in paths for track_id in fetch_column(connection, sql, *path_bounds(path))})


def among(track_ids: Sequence[int] | None, column: str = "track_id") -> tuple[str, tuple[str, ...]]:
    """Return the SQL condition that a row belongs to one of these tracks (None: any), and its
    values."""
    return ("1", ()) if track_ids is None else (f"{column} {IN_ARRAY}", (to_array(track_ids),))


def count_tracks_by_status(connection: sqlite3.Connection, track_ids: Sequence[int] | None = None) -> dict[str, int]:
    """Return the number of tracks by status, and of `total`, `unreadable` and `vanished`: of these
    tracks, or of all."""
    mine, values = among(track_ids)
    counts = dict(
        connection.execute(
            f"SELECT status, count(*) FROM enriched_tracks WHERE {mine} GROUP BY status", values
        ).fetchall()
    )
    counts["total"] = sum(counts.values())
    for name, column in (("unreadable", "unreadable"), ("vanished", "vanished_at")):
        counts[name] = fetch_value(
            connection, f"SELECT count(*) FROM tracks WHERE {column} IS NOT NULL AND {mine}", *values
        )
    return counts


def count_unasked_tracks(connection: sqlite3.Connection) -> int:
    """Return the number of unmatched tracks that say too little to be asked for."""
    return int(fetch_value(connection, f"SELECT count(*) FROM enriched_tracks WHERE {UNASKED}"))


def count_files(connection: sqlite3.Connection, paths: Sequence[bytes] = ()) -> int:
    """Return the number of known files that have not vanished, at or below `paths` if given."""
    if not paths:
        sql = "SELECT count(*) FROM tracks WHERE path IS NOT NULL AND vanished_at IS NULL"
        return int(fetch_value(connection, sql))
    sql = f"SELECT count(*) FROM tracks WHERE {AT_OR_BELOW} AND vanished_at IS NULL"
    return sum(fetch_value(connection, sql, *path_bounds(path)) for path in paths)


def count_lookups_by_state(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """Return the number of lookups in each state that has any: {provider: {state: count}}."""
    counts: dict[str, dict[str, int]] = {}
    for provider, state, count in connection.execute(
        "SELECT provider, state, sum(lookups) FROM lookup_totals WHERE lookups > 0 GROUP BY provider, state"
    ):
        counts.setdefault(provider, {})[state] = count
    return counts


def count_refreshing_lookups(connection: sqlite3.Connection) -> int:
    """Return the number of queued lookups whose aged answers are being refreshed."""
    sql = (
        "SELECT count(*) FROM lookups INDEXED BY lookups_refreshed"
        " WHERE state IN ('pending', 'leased') AND answered_at IS NOT NULL"
    )
    return int(fetch_value(connection, sql))


def count_lost_lookups(connection: sqlite3.Connection, track_ids: Sequence[int] | None = None) -> int:
    """Return the number of lookups that were given up and serve a track that is not accepted: one
    of these tracks, or any."""
    mine, values = among(track_ids)
    sql = (
        "SELECT count(*) FROM lookups WHERE state IN ('failed', 'buried') AND EXISTS ("
        "SELECT 1 FROM track_lookups JOIN enriched_tracks USING (track_id)"
        " WHERE track_lookups.lookup_id = lookups.lookup_id AND enriched_tracks.status != 'accepted'"
        f" AND {mine})"
    )
    return int(fetch_value(connection, sql, *values))


def oldest_waiting_lookup(connection: sqlite3.Connection) -> str | None:
    """Return when the longest waiting lookup was queued (ISO 8601); None with an empty queue."""
    sql = "SELECT created_at FROM lookups INDEXED BY lookups_oldest WHERE state IN ('pending', 'leased')"
    oldest: str | None = fetch_value(connection, f"{sql} ORDER BY created_at LIMIT 1")
    return oldest
