"""The outbox: what happened, in the order in which it was committed; read by event streams and deliveries."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.store.times import iso

PRUNED_AT_ONCE = 5_000  # events dropped in one statement


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened: `at` is UTC ISO 8601, `payload` what is to be said of it."""

    event_id: int
    kind: str
    payload: Mapping[str, Any]
    at: str


def add(connection: sqlite3.Connection, kind: str, payload: Mapping[str, Any], now: float) -> None:
    """Note an event in the transaction of what it tells of: both commit, or neither."""
    connection.execute(
        "INSERT INTO events (kind, payload, created_at) VALUES (?, ?, ?)",
        (kind, json.dumps(payload), iso(now)),
    )


def list_after(connection: sqlite3.Connection, after: int, limit: int) -> list[Event]:
    """The first `limit` events whose id is greater than `after`, in order."""
    rows = connection.execute(
        "SELECT event_id, kind, payload, created_at FROM events WHERE event_id > ? ORDER BY event_id LIMIT ?",
        (after, limit),
    )
    return [Event(row[0], row[1], json.loads(row[2]), row[3]) for row in rows.fetchall()]


def kept_range(connection: sqlite3.Connection) -> tuple[int, int]:
    """The ids of the oldest and the newest event that are kept; (0, 0) when there is none."""
    oldest, newest = (
        connection.execute(f"SELECT event_id FROM events ORDER BY event_id {way} LIMIT 1").fetchone()
        for way in ("ASC", "DESC")
    )
    return (oldest[0], newest[0]) if oldest else (0, 0)


def _prune_once(connection: sqlite3.Connection, before: float) -> int:
    """Drop events that are older than `before` (epoch seconds), some thousands at a time: call again while it returns
    as many as `PRUNED_AT_ONCE`. The newest stays, however old, so that no id is ever given twice."""
    return connection.execute(
        "DELETE FROM events WHERE event_id IN (SELECT event_id FROM ("
        "SELECT event_id, created_at FROM events ORDER BY event_id LIMIT ?) WHERE created_at < ?)"
        " AND event_id < (SELECT max(event_id) FROM events)",
        (PRUNED_AT_ONCE, iso(before)),
    ).rowcount


def prune(connection: sqlite3.Connection, before: float) -> None:
    """Drop outbox events that are older than `before` (epoch seconds)."""
    while _prune_once(connection, before) == PRUNED_AT_ONCE:
        pass
