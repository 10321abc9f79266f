"""Whose SQLite file it is: ours carry an application id, and anybody else's is not touched."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from soulspot.errors import DatabaseError

APPLICATION_ID = (
    0x536F756C  # "Soul"; `file` and sqlite3's .dbinfo show it (https://sqlite.org/fileformat2.html)
)


def sign(connection: sqlite3.Connection) -> None:
    """Make the file ours; part of the caller's transaction."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseError unless the file is ours or still empty. Only reads."""
    (whose,) = connection.execute("PRAGMA application_id").fetchone()
    (entries,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if whose == APPLICATION_ID or (not whose and not entries):
        return
    raise DatabaseError(
        f"{path}: this database belongs to another program; choose another file as database.path,"
        " SoulSpot leaves this one as it is"
    )
