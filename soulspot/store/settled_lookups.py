"""Settled lookups (answered or given up) of a part of the library: counted, and queued again."""

import sqlite3
from collections.abc import Sequence

from soulspot.store.queue import SETTLED
from soulspot.store.sql import AT_OR_BELOW, IN_ARRAY, fetch_column, path_bounds, to_array
from soulspot.store.times import iso

_SERVING = "SELECT link.lookup_id FROM track_lookups AS link JOIN tracks USING (track_id) WHERE vanished_at IS NULL"


def count_by_kind(connection: sqlite3.Connection, paths: Sequence[bytes]) -> list[tuple[str, str, bool, int]]:
    """Return (provider, kind, needs its own request, count) of the settled lookups of these files.
    Lookups count when they serve a track at or below one of `paths`; without paths, any track."""
    serving, values = _serving(paths)
    rows = connection.execute(
        "SELECT provider, kind, json_extract(query, '$.scope') IS 'wide', count(*) FROM lookups"
        f" WHERE state IN {SETTLED} AND lookup_id IN ({serving}) GROUP BY 1, 2, 3",
        values,
    )
    return [(provider, kind, bool(alone), count) for provider, kind, alone, count in rows]


def requeue(
    connection: sqlite3.Connection, paths: Sequence[bytes], now: float, *, before: float | None = None
) -> list[int]:
    """Queue the settled lookups of the files at or below `paths` (none: of all tracks) again at
    once; with `before` (epoch seconds) only those not answered since then. Returns their ids,
    ascending. Answers stay until new ones replace them."""
    serving, values = _serving(paths)
    rows = connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0, due_at = ?"
        f" WHERE state IN {SETTLED} AND lookup_id IN ({serving})"
        " AND (answered_at IS NULL OR ? IS NULL OR answered_at < ?) RETURNING lookup_id",
        (iso(now), *values, *([None if before is None else iso(before)] * 2)),
    )
    return sorted(lookup_id for (lookup_id,) in rows.fetchall())


def never_answered(connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Return those of these lookups that never had an answer: their tracks wait for one."""
    return fetch_column(
        connection,
        f"SELECT lookup_id FROM lookups WHERE answered_at IS NULL AND lookup_id {IN_ARRAY}",
        to_array(lookup_ids),
    )


def _serving(paths: Sequence[bytes]) -> tuple[str, list[bytes]]:
    """Return the SQL for the ids of lookups that serve tracks at or below `paths` (none: any track
    that has not vanished), and its values."""
    if not paths:
        return _SERVING, []
    # A UNION instead of an OR: each part is a range of the index on path.
    sql = " UNION ".join([f"{_SERVING} AND {AT_OR_BELOW}"] * len(paths))
    return sql, [value for path in paths for value in path_bounds(path)]
