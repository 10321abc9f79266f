"""How far imports from other databases have come, so that the next one goes on there."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class Position:
    """The last key that was taken, as JSON has it, and how many rows there were up to it."""

    name: str
    position: list[Any]
    rows: int


def load(connection: sqlite3.Connection, source: str) -> Position | None:
    """Where the import from this source has come to; None when it was never begun."""
    row = connection.execute(
        "SELECT name, position, rows FROM sql_imports WHERE source = ?", (source,)
    ).fetchone()
    return Position(row[0], json.loads(row[1]), row[2]) if row else None


def save(connection: sqlite3.Connection, source: str, at: Position, now: float) -> None:
    """Note how far it is."""
    connection.execute(
        "INSERT INTO sql_imports (source, name, position, rows, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET name = excluded.name, position = excluded.position, rows = excluded.rows,"
        " updated_at = excluded.updated_at",
        (source, at.name, json.dumps(at.position), at.rows, iso(now)),
    )
