"""Operations: every scan, import and enrichment as a row with live counts, and the counts that `status` shows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from soulspot.store.times import iso

FINISHED = ("completed", "failed", "cancelled")


def start(connection: sqlite3.Connection, kind: str, metadata: Mapping[str, Any], now: float) -> int:
    """A new operation, processing. Returns its id."""
    made = connection.execute(
        "INSERT INTO batch_operations (kind, status, metadata, created_at, updated_at) VALUES (?, 'processing', ?, ?, ?)",
        (kind, json.dumps(metadata), iso(now), iso(now)),
    )
    assert made.lastrowid is not None
    return made.lastrowid


def advance(
    connection: sqlite3.Connection, operation_id: int, now: float, *, total: int, done: int, failed: int
) -> None:
    """Write the counts as they stand."""
    connection.execute(
        "UPDATE batch_operations SET total_items = ?, processed_items = ?, successful_items = ?, failed_items = ?,"
        " updated_at = ? WHERE id = ?",
        (total, done, done - failed, failed, iso(now), operation_id),
    )


def finish(
    connection: sqlite3.Connection,
    operation_id: int,
    now: float,
    *,
    status: str = "completed",
    error: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """The operation has ended; `more` is added to its metadata."""
    connection.execute(
        "UPDATE batch_operations SET status = ?, error_message = ?, metadata = json_patch(metadata, ?), updated_at = ?,"
        " completed_at = ? WHERE id = ?",
        (status, error, json.dumps(more or {}), iso(now), iso(now), operation_id),
    )


def interrupt(connection: sqlite3.Connection, now: float) -> int:
    """Operations that an earlier process left unfinished have failed; what they queued goes on. Returns how many."""
    return connection.execute(
        "UPDATE batch_operations SET status = 'failed', error_message = 'interrupted by a restart', updated_at = ?,"
        " completed_at = ? WHERE status IN ('pending', 'processing')",
        (iso(now), iso(now)),
    ).rowcount


def find(connection: sqlite3.Connection, operation_id: int) -> dict[str, Any] | None:
    """One operation with its progress (0 to 100) and whether it is complete; None when there is none."""
    cursor = connection.execute("SELECT * FROM batch_operations WHERE id = ?", (operation_id,))
    row = cursor.fetchone()
    return _operation(cursor, row) if row else None


def latest(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest operations, newest first."""
    cursor = connection.execute("SELECT * FROM batch_operations ORDER BY id DESC LIMIT ?", (limit,))
    return [_operation(cursor, row) for row in cursor.fetchall()]


def _operation(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip((column[0] for column in cursor.description), row, strict=True))
    found["metadata"] = json.loads(found["metadata"])
    found["is_complete"] = found["status"] in FINISHED
    total = found["total_items"]
    share = 1.0 if found["status"] == "completed" else found["processed_items"] / total if total else 0.0
    found["progress"] = round(100 * share, 1)
    return found


def track_counts(connection: sqlite3.Connection) -> dict[str, int]:
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


def lookup_counts(connection: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """How many lookups of each provider are in each state."""
    counts: dict[str, dict[str, int]] = {}
    for provider, state, count in connection.execute(
        "SELECT provider, state, sum(lookups) FROM lookup_totals WHERE lookups > 0 GROUP BY provider, state"
    ):
        counts.setdefault(provider, {})[state] = count
    return counts


def lost_lookups(connection: sqlite3.Connection) -> int:
    """How many lookups failed for good that a track still lacks: it is not accepted without them."""
    found = connection.execute(
        "SELECT count(*) FROM lookups WHERE state IN ('failed', 'buried') AND EXISTS ("
        "SELECT 1 FROM track_lookups JOIN enriched_tracks USING (track_id)"
        " WHERE track_lookups.lookup_id = lookups.lookup_id AND enriched_tracks.status != 'accepted')"
    ).fetchone()
    return int(found[0])


def oldest_waiting(connection: sqlite3.Connection) -> str | None:
    """When the lookup that has waited longest was queued."""
    found = connection.execute(
        "SELECT created_at FROM lookups INDEXED BY lookups_oldest WHERE state IN ('pending', 'leased')"
        " ORDER BY created_at LIMIT 1"
    ).fetchone()
    return str(found[0]) if found else None


def provider_states(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """What is remembered of the providers: pauses, budgets, capabilities."""
    cursor = connection.execute("SELECT key, provider, value, blocked_until FROM provider_state ORDER BY key")
    return [
        {"key": key, "provider": provider, "value": json.loads(value), "blocked_until": until}
        for key, provider, value, until in cursor
    ]


def prune(connection: sqlite3.Connection, before: float) -> None:
    """Drop outbox events that are older than `before` (epoch seconds)."""
    connection.execute("DELETE FROM events WHERE created_at < ?", (iso(before),))
