"""Looking at tracks: a page of rows by status and words, and one track with all that is known of it."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from soulspot.store import enriched

MOST_WORDS = 16  # of a search; what is said beyond them hardly narrows it
_WORD = re.compile(r"[^\W_]+")
_ROW = ", ".join(f"e.{name}" for name in enriched.COLUMNS)


def page(
    connection: sqlite3.Connection,
    *,
    after: int = 0,
    limit: int = 50,
    status: str | None = None,
    words: str | None = None,
) -> tuple[list[dict[str, Any]], int | None]:
    """Rows whose track_id is greater than `after`, ascending, and the `after` of the next page (None at the end).

    `words` are beginnings of words in title, artist or album (or the file's name where there is no title); all of
    them must occur. Every page costs the same, however far down: no row that is not shown is counted or skipped."""
    sql, values = _wanted(status, words)
    if sql is None:
        return [], None
    cursor = connection.execute(f"{sql} LIMIT ?", (*values, after, limit + 1))
    found = [_row(row) for row in cursor.fetchall()]
    more = len(found) > limit
    return found[:limit], found[limit - 1]["track_id"] if more else None


def _wanted(status: str | None, words: str | None) -> tuple[str | None, tuple[str, ...]]:
    """The SQL that finds the rows, up to its LIMIT, and the values before `after`; None where nothing can match."""
    if words is not None:
        match = match_expression(words, () if status is None else (status,))
        if match is None:
            return None, ()
        # CROSS: the search leads, in the order of its rowid, which is the track_id
        return (
            f"SELECT {_ROW} FROM track_search CROSS JOIN enriched_tracks AS e ON e.track_id = track_search.rowid"
            " WHERE track_search MATCH ? AND track_search.rowid > ? ORDER BY track_search.rowid"
        ), (match,)
    if status is not None:
        # a common status would be better found without the index, a rare one not at all
        return (
            f"SELECT {_ROW} FROM enriched_tracks AS e INDEXED BY idx_enriched_tracks_status"
            " WHERE e.status = ? AND e.track_id > ? ORDER BY e.track_id"
        ), (status,)
    return f"SELECT {_ROW} FROM enriched_tracks AS e WHERE e.track_id > ? ORDER BY e.track_id", ()


def match_expression(words: str, statuses: Sequence[str] = ()) -> str | None:
    """What track_search is asked for these words, among tracks of these statuses (none: of all); None where nothing
    can match."""
    terms = _WORD.findall(words)[:MOST_WORDS]
    if not terms:
        return None
    match = "{title artist album file} : (" + " AND ".join(f'"{term}" *' for term in terms) + ")"
    if statuses:
        match += " AND status : (" + " OR ".join(f'"{status}"' for status in statuses) + ")"
    return match


def load_track(connection: sqlite3.Connection, track_id: int) -> dict[str, Any] | None:
    """All that is known of a track: its row, what the library says, candidates, lookups, decisions; None when there
    is no such track."""
    row = connection.execute(
        f"SELECT {_ROW} FROM enriched_tracks AS e WHERE e.track_id = ?", (track_id,)
    ).fetchone()
    own = connection.execute(
        "SELECT path, source_key, tags, unreadable, added_at, changed_at, vanished_at FROM tracks WHERE track_id = ?",
        (track_id,),
    ).fetchone()
    if own is None:
        return None
    return {
        "track": _row(row) if row else None,
        "library": {
            "path": printable_path(own[0]), "source_key": own[1], "tags": json.loads(own[2]), "unreadable": own[3],
            "added_at": own[4], "changed_at": own[5], "vanished_at": own[6],
        },
        "candidates": _candidates(connection, track_id),
        "lookups": _lookups(connection, track_id),
        "decisions": _dicts(
            connection,
            "SELECT provider, entity_id, verdict, by, at, reason FROM decisions WHERE track_id = ? ORDER BY at",
            track_id,
        ),
    }  # fmt: skip


def _candidates(connection: sqlite3.Connection, track_id: int) -> list[dict[str, Any]]:
    """Best first, each with the facts that its own provider has of it."""
    found = _dicts(
        connection,
        "SELECT provider, entity_id, rank, score, verdict, reasons, (SELECT fields FROM facts WHERE facts.provider ="
        " candidates.provider AND facts.entity_id = candidates.entity_id AND facts.kind IN ('recording', 'track')"
        " ORDER BY facts.kind LIMIT 1) AS fields FROM candidates WHERE track_id = ? ORDER BY provider, rank",
        track_id,
    )
    for candidate in found:
        candidate["reasons"] = json.loads(candidate["reasons"])
        candidate["fields"] = json.loads(candidate["fields"] or "{}")
    return found


def _lookups(connection: sqlite3.Connection, track_id: int) -> list[dict[str, Any]]:
    found = _dicts(
        connection,
        "SELECT lookup_id, provider, kind, query, state, attempts, misses, due_at, last_error, created_at, answered_at,"
        " json_array_length(answer) AS answers FROM track_lookups JOIN lookups USING (lookup_id) WHERE track_id = ?"
        " ORDER BY lookup_id",
        track_id,
    )
    for lookup in found:
        lookup["query"] = json.loads(lookup["query"])
    return found


def _dicts(connection: sqlite3.Connection, sql: str, track_id: int) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, (track_id,))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _row(values: Sequence[Any]) -> dict[str, Any]:
    row = dict(zip(enriched.COLUMNS, values, strict=True))
    row["path"] = printable_path(row["path"])
    for name in enriched.LIST_COLUMNS:
        row[name] = json.loads(row[name] or "[]")
    row["sources"] = json.loads(row["sources"] or "{}")
    row["explicit"] = None if row["explicit"] is None else bool(row["explicit"])
    return row


def printable_path(path: bytes | None) -> str | None:
    """A path as text; bytes that are not UTF-8 are escaped."""
    return None if path is None else path.decode("utf-8", "backslashreplace")
