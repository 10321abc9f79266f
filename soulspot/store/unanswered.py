"""Why tracks have no result: the lookups that they wait for, and those that failed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A lookup of a track that is unanswered (`waits`) or has failed; `error` is the last one, if any."""

    track_id: int
    provider: str
    waits: bool
    error: str | None


def unanswered(connection: sqlite3.Connection, track_ids: Iterable[int]) -> list[Unanswered]:
    """Every such lookup of these tracks, by track and provider."""
    rows = connection.execute(
        "SELECT DISTINCT track_id, provider, state IN ('pending', 'leased'), last_error"
        " FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        " WHERE track_id IN (SELECT value FROM json_each(?)) AND answered_at IS NULL"
        " AND state IN ('pending', 'leased', 'failed', 'buried') ORDER BY 1, 2, 3",
        (json.dumps(list(track_ids)),),
    )
    return [Unanswered(track_id, provider, bool(waits), error) for track_id, provider, waits, error in rows]
