"""Progress of imports from other databases, so that the next import continues there."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from soulspot.store.sql import upsert
from soulspot.store.times import iso


@dataclass(frozen=True, slots=True)
class Position:
    """The point that an import has reached."""

    name: str  # the database as people may see it
    position: list[Any]  # the key of the last imported row, as JSON values
    rows: int  # imported so far


def load(connection: sqlite3.Connection, source: str) -> Position | None:
    """Return the point that the import from `source` (a digest) has reached; None if new."""
    row = connection.execute("SELECT name, position, rows FROM sql_imports WHERE source = ?", (source,)).fetchone()
    return Position(row[0], json.loads(row[1]), row[2]) if row else None


def save(connection: sqlite3.Connection, source: str, at: Position, now: float) -> None:
    """Save the point that the import from `source` (a digest) has reached."""
    row = {"name": at.name, "position": json.dumps(at.position), "rows": at.rows, "updated_at": iso(now)}
    upsert(connection, "sql_imports", {"source": source}, row)
