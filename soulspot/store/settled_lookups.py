"""Which settled lookups serve which part of the library, and putting them back into the queue."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from soulspot.store.queue import SETTLED
from soulspot.store.times import iso

# the lookups of tracks that are still there; of all of them without places, else of the files at or below one
_SERVING = (
    "SELECT link.lookup_id FROM track_lookups AS link JOIN tracks USING (track_id) WHERE vanished_at IS NULL"
)
_BELOW = " AND (path = ? OR (path >= ? AND path < ?))"


def count_by_kind(
    connection: sqlite3.Connection, places: Sequence[bytes]
) -> list[tuple[str, str, bool, int]]:
    """(provider, kind, whether each is a request of its own, how many) of the lookups that were answered or given
    up and serve a track at or below one of `places`; without places, any track."""
    serving, bound = _serving(places)
    rows = connection.execute(
        "SELECT provider, kind, json_extract(query, '$.scope') IS 'wide', count(*) FROM lookups"
        f" WHERE state IN {SETTLED} AND lookup_id IN ({serving}) GROUP BY 1, 2, 3",
        bound,
    )
    return [(provider, kind, bool(alone), count) for provider, kind, alone, count in rows]


def requeue(
    connection: sqlite3.Connection, places: Sequence[bytes], now: float, *, before: float | None = None
) -> list[int]:
    """Queue them again at once, but for those that were answered since `before`. Returns their ids, ascending. What
    they answered stays until they are answered anew."""
    serving, bound = _serving(places)
    rows = connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0, due_at = ?"
        f" WHERE state IN {SETTLED} AND lookup_id IN ({serving})"
        " AND (answered_at IS NULL OR ? IS NULL OR answered_at < ?) RETURNING lookup_id",
        (iso(now), *bound, *([None if before is None else iso(before)] * 2)),
    )
    return sorted(lookup_id for (lookup_id,) in rows.fetchall())


def never_answered(connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> list[int]:
    """Those of these lookups that were never answered: the tracks they serve wait for them again."""
    rows = connection.execute(
        "SELECT lookup_id FROM lookups WHERE answered_at IS NULL"
        " AND lookup_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(lookup_ids)),),
    )
    return [lookup_id for (lookup_id,) in rows]


def _serving(places: Sequence[bytes]) -> tuple[str, list[bytes]]:
    if not places:
        return _SERVING, []
    bound: list[bytes] = []
    for place in places:
        folder = place.rstrip(b"/") + b"/"
        bound += [place, folder, folder[:-1] + b"0"]
    return " UNION ".join([_SERVING + _BELOW] * len(places)), bound
