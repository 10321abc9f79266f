"""Operations: every scan, import and enrichment as a row with live counts, and the counts that `status` shows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.store import events
from soulspot.store.times import iso

FINISHED = ("completed", "failed", "cancelled")
REPORTS = ("report", "notes", "performance", "errors")  # of the metadata


def start(
    connection: sqlite3.Connection,
    kind: str,
    metadata: Mapping[str, Any],
    now: float,
    *,
    request: Mapping[str, Any] | None = None,
) -> int:
    """A new operation, processing. Returns its id. `request` is all it needs to go on after a restart."""
    made = connection.execute(
        "INSERT INTO batch_operations (kind, status, metadata, request, created_at, updated_at)"
        " VALUES (?, 'processing', ?, ?, ?, ?)",
        (kind, json.dumps(metadata), json.dumps(request or {}), iso(now), iso(now)),
    )
    assert made.lastrowid is not None
    events.add(connection, "operation.started", {"operation_id": made.lastrowid, "kind": kind}, now)
    return made.lastrowid


def record_progress(
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
    """The operation has ended, and the outbox says so; `more` is added to its metadata."""
    connection.execute(
        "UPDATE batch_operations SET status = ?, error_message = ?, metadata = json_patch(metadata, ?), updated_at = ?,"
        " completed_at = ? WHERE id = ?",
        (status, error, json.dumps(more or {}), iso(now), iso(now), operation_id),
    )
    kind, total, successful, failed = connection.execute(
        "SELECT kind, total_items, successful_items, failed_items FROM batch_operations WHERE id = ?",
        (operation_id,),
    ).fetchone()
    said = {"operation_id": operation_id, "kind": kind, "status": status, "error": error, "total": total,
            "successful": successful, "failed": failed}  # fmt: skip
    events.add(connection, "operation.finished", said, now)


def suspend(connection: sqlite3.Connection, operation_id: int, now: float) -> None:
    """The process that works on this operation ends in order: the next daemon goes on with it."""
    connection.execute(
        "UPDATE batch_operations SET status = 'pending', updated_at = ? WHERE id = ?",
        (iso(now), operation_id),
    )


def mark_interrupted(connection: sqlite3.Connection, now: float) -> int:
    """Operations that an earlier process was cut off in wait for the next daemon. Returns how many.

    `metadata.cut_off` counts how often that happened in a row without any progress in between."""
    return connection.execute(
        "UPDATE batch_operations SET status = 'pending', updated_at = ?, metadata = json_set(metadata,"
        " '$.cut_off', CASE WHEN processed_items > coalesce(json_extract(metadata, '$.cut_off_at'), -1) THEN 1"
        " ELSE coalesce(json_extract(metadata, '$.cut_off'), 0) + 1 END, '$.cut_off_at', processed_items)"
        " WHERE status = 'processing'",
        (iso(now),),
    ).rowcount


@dataclass(frozen=True, slots=True)
class UnfinishedOperation:
    """An operation to go on with. `counts` are (total, done, failed) items, `cut_off` as in `interrupt`."""

    operation_id: int
    kind: str
    request: Mapping[str, Any]
    metadata: Mapping[str, Any]
    counts: tuple[int, int, int]

    @property
    def cut_off(self) -> int:
        return int(self.metadata.get("cut_off", 0))


def list_unfinished(connection: sqlite3.Connection) -> list[UnfinishedOperation]:
    """What was begun and has not ended, oldest first."""
    rows = connection.execute(
        "SELECT id, kind, request, metadata, total_items, processed_items, failed_items FROM batch_operations"
        " INDEXED BY operations_unfinished WHERE status IN ('pending', 'processing') ORDER BY id"
    )
    return [
        UnfinishedOperation(
            row[0], row[1], json.loads(row[2] or "{}"), json.loads(row[3]), (row[4], row[5], row[6])
        )
        for row in rows.fetchall()
    ]


def resume(connection: sqlite3.Connection, operation_id: int, now: float) -> None:
    """The operation is worked on again."""
    connection.execute(
        "UPDATE batch_operations SET status = 'processing', updated_at = ? WHERE id = ?",
        (iso(now), operation_id),
    )


def find(connection: sqlite3.Connection, operation_id: int) -> dict[str, Any] | None:
    """One operation with its progress (0 to 100) and whether it is complete; None when there is none."""
    cursor = connection.execute("SELECT * FROM batch_operations WHERE id = ?", (operation_id,))
    row = cursor.fetchone()
    return _operation(cursor, row) if row else None


def list_latest(
    connection: sqlite3.Connection, limit: int, before: int | None = None
) -> list[dict[str, Any]]:
    """The newest operations, newest first; with `before` those whose id is smaller."""
    cursor = connection.execute(
        "SELECT * FROM batch_operations WHERE id < ? ORDER BY id DESC LIMIT ?",
        (before if before is not None else 1 << 62, limit),
    )
    return [_operation(cursor, row) for row in cursor.fetchall()]


def list_latest_without_reports(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest operations without what they came to: their reports are long, and a status is sent often."""
    found = list_latest(connection, limit)
    for one in found:
        for name in REPORTS:
            one["metadata"].pop(name, None)
    return found


def list_exports(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    """The file, status and end (None: it goes on) of every export, the newest first."""
    return connection.execute(
        "SELECT json_extract(metadata, '$.file'), status, completed_at FROM batch_operations"
        " WHERE kind = 'export' AND json_extract(metadata, '$.file') IS NOT NULL ORDER BY id DESC"
    ).fetchall()


def _operation(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip((column[0] for column in cursor.description), row, strict=True))
    del found["request"]  # what it needs to go on is its own affair
    found["metadata"] = json.loads(found["metadata"])
    found["is_complete"] = found["status"] in FINISHED
    total = found["total_items"]
    share = found["processed_items"] / total if total else 0.0
    # 100 says that it is completed: what failed or was cancelled at its last item is not
    found["progress"] = 100.0 if found["status"] == "completed" else min(99.9, round(100 * share, 1))
    return found
