"""The outbox: events in the order in which they were committed, for event streams and webhooks."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.store.sql import fetch_value
from soulspot.store.times import iso

PRUNED_AT_ONCE = 5_000  # events deleted by one statement


@dataclass(frozen=True, slots=True)
class Event:
    """A row of the outbox. `at` is UTC ISO 8601; `payload` is what receivers are sent."""

    event_id: int
    kind: str
    payload: Mapping[str, Any]
    at: str


def add(connection: sqlite3.Connection, kind: str, payload: Mapping[str, Any], now: float) -> None:
    """Add an event in the transaction of the change that it reports: both commit, or neither."""
    connection.execute(
        "INSERT INTO events (kind, payload, created_at) VALUES (?, ?, ?)", (kind, json.dumps(payload), iso(now))
    )


def list_after(connection: sqlite3.Connection, after: int, limit: int) -> list[Event]:
    """Return the first `limit` events whose id is greater than `after`, in order."""
    rows = connection.execute(
        "SELECT event_id, kind, payload, created_at FROM events WHERE event_id > ? ORDER BY event_id LIMIT ?",
        (after, limit),
    )
    return [Event(event_id, kind, json.loads(payload), at) for event_id, kind, payload, at in rows]


def kept_range(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the ids of the oldest and the newest event; (0, 0) for an empty outbox."""
    # Two statements, because SQLite answers min() and max() from the index only one at a time.
    oldest = fetch_value(connection, "SELECT min(event_id) FROM events")
    return (oldest, fetch_value(connection, "SELECT max(event_id) FROM events")) if oldest else (0, 0)


def prune(connection: sqlite3.Connection, before: float) -> None:
    """Delete events older than `before` (epoch seconds), except the newest event."""
    # The newest event stays, however old, so that no id is ever given twice.
    deleted = PRUNED_AT_ONCE
    while deleted == PRUNED_AT_ONCE:
        deleted = connection.execute(
            "DELETE FROM events WHERE event_id IN (SELECT event_id FROM ("
            "SELECT event_id, created_at FROM events ORDER BY event_id LIMIT ?) WHERE created_at < ?)"
            " AND event_id < (SELECT max(event_id) FROM events)",
            (PRUNED_AT_ONCE, iso(before)),
        ).rowcount
