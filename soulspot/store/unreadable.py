"""Files that no tag could be read from, with the reason; only reads."""

from __future__ import annotations

import os
import sqlite3


def unreadable_files(connection: sqlite3.Connection, limit: int | None = None) -> list[tuple[str, str]]:
    """(path, reason) of the files that could not be read and have not vanished since, in the order of paths.

    Names that are not UTF-8 are escaped."""
    found = connection.execute(
        "SELECT path, unreadable FROM tracks WHERE unreadable IS NOT NULL AND vanished_at IS NULL"
        " ORDER BY path LIMIT ?",
        (-1 if limit is None else limit,),
    )
    return [(_shown(path), str(reason)) for path, reason in found]


def count_unreadable(connection: sqlite3.Connection) -> int:
    """How many files `unreadable_files` has without a limit."""
    return int(
        connection.execute(
            "SELECT count(*) FROM tracks WHERE unreadable IS NOT NULL AND vanished_at IS NULL"
        ).fetchone()[0]
    )


def _shown(path: bytes | str | None) -> str:
    return os.fsdecode(path or b"").encode("utf-8", "backslashreplace").decode()
