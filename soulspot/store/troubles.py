"""What went wrong for good, grouped by the words that were kept of it; only reads."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass

MOST = 2000  # different words that are told apart; services have few


@dataclass(frozen=True, slots=True)
class Trouble:
    """`count` lookups of a provider, or files (`provider` None), failed with these words; `example` is one of them."""

    provider: str | None
    words: str
    count: int
    example: str


def lost_lookups(connection: sqlite3.Connection) -> list[Trouble]:
    """The lookups that were given up (state failed or buried), most frequent words first."""
    rows = connection.execute(
        "SELECT provider, coalesce(last_error, ''), count(*), min(kind || ' ' || query) FROM lookups"
        " INDEXED BY lookups_by_state WHERE state IN ('failed', 'buried')"
        " GROUP BY provider, last_error ORDER BY count(*) DESC LIMIT ?",
        (MOST,),
    )
    return [Trouble(*row) for row in rows.fetchall()]


def lost_files(connection: sqlite3.Connection) -> list[Trouble]:
    """The files that could not be read and have not vanished since, most frequent reason first."""
    rows = connection.execute(
        "SELECT unreadable, count(*), min(path) FROM tracks WHERE unreadable IS NOT NULL AND vanished_at IS NULL"
        " GROUP BY unreadable ORDER BY count(*) DESC LIMIT ?",
        (MOST,),
    )
    return [Trouble(None, words, count, _shown(path)) for words, count, path in rows.fetchall()]


def _shown(path: bytes | None) -> str:
    return os.fsdecode(path or b"").encode("utf-8", "backslashreplace").decode()
