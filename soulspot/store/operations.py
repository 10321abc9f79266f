"""Operations: each scan, import, enrichment or export is a row of `batch_operations`."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from soulspot.store import events
from soulspot.store.sql import fetch_dicts, fetch_value, insert
from soulspot.store.times import iso

FINISHED = ("completed", "failed", "cancelled")
# Of an import whose file was given to SoulSpot for keeps, and is not read to its end.
KEEPS_UPLOAD = "json_extract(request, '$.remove') AND status IN ('pending', 'processing', 'failed')"
REPORTS = ("report", "notes", "performance", "errors")  # keys of the metadata that are long


def start(
    connection: sqlite3.Connection, kind: str, metadata: Mapping[str, Any], now: float, *,
    request: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """Insert an operation in status processing, with an event. Returns its id. `request` is all
    that the operation needs to continue after a restart."""
    row = {
        "kind": kind, "status": "processing", "metadata": json.dumps(metadata),
        "request": json.dumps(request or {}), "created_at": iso(now), "updated_at": iso(now),
    }  # fmt: skip
    operation_id = insert(connection, "batch_operations", row)
    events.add(connection, "operation.started", {"operation_id": operation_id, "kind": kind}, now)
    return operation_id


def record_progress(
    connection: sqlite3.Connection, operation_id: int, now: float, *, total: int, done: int, failed: int
) -> None:
    """Write an operation's counts; `done` includes the `failed`."""
    connection.execute(
        "UPDATE batch_operations SET total_items = ?, processed_items = ?, successful_items = ?, failed_items = ?,"
        " updated_at = ? WHERE id = ?",
        (total, done, done - failed, failed, iso(now), operation_id),
    )


def save_place(connection: sqlite3.Connection, operation_id: int, place: Mapping[str, Any]) -> None:
    """Save how far an operation has come, in the transaction of the work that this place covers."""
    connection.execute("UPDATE batch_operations SET place = ? WHERE id = ?", (json.dumps(place), operation_id))


def load_place(connection: sqlite3.Connection, operation_id: int) -> dict[str, Any] | None:
    """Return the place that `save_place` saved last; None at the beginning."""
    place = fetch_value(connection, "SELECT place FROM batch_operations WHERE id = ?", operation_id)
    return None if place is None else dict(json.loads(place))


def finish(
    connection: sqlite3.Connection, operation_id: int, now: float, *, status: str = "completed",
    error: str | None = None, more: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """End an operation with one of the FINISHED statuses, and an event. `more` is merged into its
    metadata; a None in it removes the key."""
    [(kind, total, successful, failed)] = connection.execute(
        "UPDATE batch_operations SET status = ?, error_message = ?, metadata = json_patch(metadata, ?), updated_at = ?,"
        " completed_at = ? WHERE id = ? RETURNING kind, total_items, successful_items, failed_items",
        (status, error, json.dumps(more or {}), iso(now), iso(now), operation_id),
    ).fetchall()
    payload = {"operation_id": operation_id, "kind": kind, "status": status, "error": error, "total": total,
               "successful": successful, "failed": failed}  # fmt: skip
    events.add(connection, "operation.finished", payload, now)


def suspend(connection: sqlite3.Connection, operation_id: int, now: float) -> None:
    """Set an operation to pending when its process ends in order: the next daemon resumes it."""
    sql = "UPDATE batch_operations SET status = 'pending', updated_at = ? WHERE id = ?"
    connection.execute(sql, (iso(now), operation_id))


def resume(connection: sqlite3.Connection, operation_id: int, now: float) -> None:
    """Set a pending operation to processing: from now on a crash counts as one of its own."""
    sql = "UPDATE batch_operations SET status = 'processing', updated_at = ? WHERE id = ?"
    connection.execute(sql, (iso(now), operation_id))


def mark_interrupted(connection: sqlite3.Connection, now: float) -> int:
    """Set the operations that a crash interrupted to pending. Returns how many there are.
    `metadata.cut_off` counts the interruptions since the operation last came further than ever
    before, to `metadata.cut_off_at` items."""
    return connection.execute(
        "UPDATE batch_operations SET status = 'pending', updated_at = ?, metadata = json_set(metadata,"
        " '$.cut_off', CASE WHEN processed_items > coalesce(json_extract(metadata, '$.cut_off_at'), -1) THEN 1"
        " ELSE coalesce(json_extract(metadata, '$.cut_off'), 0) + 1 END,"
        " '$.cut_off_at', max(processed_items, coalesce(json_extract(metadata, '$.cut_off_at'), -1)))"
        " WHERE status = 'processing'",
        (iso(now),),
    ).rowcount


@dataclass(frozen=True, slots=True)
class UnfinishedOperation:
    """An operation that can be resumed."""

    operation_id: int
    kind: str
    request: Mapping[str, Any]
    metadata: Mapping[str, Any]
    counts: tuple[int, int, int]  # items: (total, done, failed)

    @property
    def interruptions(self) -> int:
        """The number of interruptions since the operation last made progress. One that only watches
        what the daemon does anyway (`own`) is to blame for none."""
        return 0 if self.metadata.get("own") else int(self.metadata.get("cut_off", 0))


def list_unfinished(connection: sqlite3.Connection) -> list[UnfinishedOperation]:
    """Return the pending and processing operations, oldest first."""
    rows = connection.execute(
        "SELECT id, kind, request, metadata, total_items, processed_items, failed_items FROM batch_operations"
        " INDEXED BY operations_unfinished WHERE status IN ('pending', 'processing') ORDER BY id"
    )
    return [
        UnfinishedOperation(row[0], row[1], json.loads(row[2] or "{}"), json.loads(row[3]), (row[4], row[5], row[6]))
        for row in rows
    ]


def load_kept_uploads(connection: sqlite3.Connection) -> dict[int, bytes]:
    """Return the path of each import file that was given to SoulSpot for keeps and is not read to
    its end, by operation. An import that failed keeps its file until a person cancels it."""
    rows = connection.execute(f"SELECT id, json_extract(request, '$.path') FROM batch_operations WHERE {KEEPS_UPLOAD}")
    return {operation_id: bytes.fromhex(path) for operation_id, path in rows}


def find(connection: sqlite3.Connection, operation_id: int) -> dict[str, Any] | None:
    """Return an operation's columns without `request` and `place`, with `progress` (0 to 100) and
    `is_complete`, or None when there is no such operation."""
    rows = fetch_dicts(connection, "SELECT * FROM batch_operations WHERE id = ?", operation_id)
    return _with_progress(rows[0]) if rows else None


def list_latest(connection: sqlite3.Connection, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Return operations as `find` does, the newest first; with `before` only smaller ids."""
    sql = "SELECT * FROM batch_operations WHERE id < ? ORDER BY id DESC LIMIT ?"
    rows = fetch_dicts(connection, sql, before if before is not None else 1 << 62, limit)
    return [_with_progress(row) for row in rows]


def list_latest_without_reports(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """Return the newest operations without the REPORTS in their metadata, for status messages."""
    found = list_latest(connection, limit)
    for operation in found:
        for name in REPORTS:
            operation["metadata"].pop(name, None)
    return found


def list_exports(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    """Return (file, status, end or None while it runs) of every export, the newest first."""
    return connection.execute(
        "SELECT json_extract(metadata, '$.file'), status, completed_at FROM batch_operations"
        " WHERE kind = 'export' AND json_extract(metadata, '$.file') IS NOT NULL ORDER BY id DESC"
    ).fetchall()


def _with_progress(row: dict[str, Any]) -> dict[str, Any]:
    del row["request"], row["place"]
    row["metadata"] = json.loads(row["metadata"])
    row["is_complete"] = row["status"] in FINISHED
    total = row["total_items"]
    share = row["processed_items"] / total if total else 0.0
    # Only a completed operation shows 100: not one that failed or was cancelled at its last item.
    row["progress"] = 100.0 if row["status"] == "completed" else min(99.9, round(100 * share, 1))
    return row
