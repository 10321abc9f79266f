"""Counts of the library and the queue, as `status` shows them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


def count_refreshing_lookups(connection: sqlite3.Connection) -> int:
    """How many aged answers are being asked for again."""
    found = connection.execute(
        "SELECT count(*) FROM lookups INDEXED BY lookups_refreshed"
        " WHERE state IN ('pending', 'leased') AND answered_at IS NOT NULL"
    ).fetchone()
    return int(found[0])


def count_files(connection: sqlite3.Connection, places: Sequence[bytes] = ()) -> int:
    """How many files of the library are known, in these places alone if there are any."""
    if not places:
        return int(
            connection.execute(
                "SELECT count(*) FROM tracks WHERE path IS NOT NULL AND vanished_at IS NULL"
            ).fetchone()[0]
        )
    count = 0
    for place in places:
        folder = place.rstrip(b"/") + b"/"
        count += connection.execute(
            "SELECT count(*) FROM tracks WHERE (path = ? OR (path >= ? AND path < ?)) AND vanished_at IS NULL",
            (place, folder, folder[:-1] + b"0"),
        ).fetchone()[0]
    return count


def count_tracks_by_status(connection: sqlite3.Connection) -> dict[str, int]:
    """How many tracks have each status, and how many cannot be read or have vanished."""
    counts = dict(
        connection.execute("SELECT status, count(*) FROM enriched_tracks GROUP BY status").fetchall()
    )
    counts["total"] = sum(counts.values())
    for name, column in (("unreadable", "unreadable"), ("vanished", "vanished_at")):
        counts[name] = connection.execute(
            f"SELECT count(*) FROM tracks WHERE {column} IS NOT NULL"
        ).fetchone()[0]
    return counts


def count_lookups_by_state(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """How many lookups of each provider are in each state."""
    counts: dict[str, dict[str, int]] = {}
    for provider, state, count in connection.execute(
        "SELECT provider, state, sum(lookups) FROM lookup_totals WHERE lookups > 0 GROUP BY provider, state"
    ):
        counts.setdefault(provider, {})[state] = count
    return counts


def count_lost_lookups(connection: sqlite3.Connection) -> int:
    """How many lookups failed for good that a track still lacks: it is not accepted without them."""
    found = connection.execute(
        "SELECT count(*) FROM lookups WHERE state IN ('failed', 'buried') AND EXISTS ("
        "SELECT 1 FROM track_lookups JOIN enriched_tracks USING (track_id)"
        " WHERE track_lookups.lookup_id = lookups.lookup_id AND enriched_tracks.status != 'accepted')"
    ).fetchone()
    return int(found[0])


def oldest_waiting_lookup(connection: sqlite3.Connection) -> str | None:
    """When the lookup that has waited longest was queued."""
    found = connection.execute(
        "SELECT created_at FROM lookups INDEXED BY lookups_oldest WHERE state IN ('pending', 'leased')"
        " ORDER BY created_at LIMIT 1"
    ).fetchone()
    return str(found[0]) if found else None
