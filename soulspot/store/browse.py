"""Reading tracks for people: pages of rows by status and search words, and one track in full."""

import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

from soulspot.store import enriched
from soulspot.store.sql import fetch_dicts

MAX_WORDS = 16  # of a search; more words hardly narrow it
_WORD = re.compile(r"[^\W_]+")
_ROW = ", ".join(f"e.{name}" for name in enriched.COLUMNS)


def page(
    connection: sqlite3.Connection, *, after: int = 0, limit: int = 50, status: str | None = None,
    words: str | None = None,
) -> tuple[list[dict[str, Any]], int | None]:  # fmt: skip
    """Return rows whose track_id is greater than `after`, ascending, and the next `after` or None.
    `words` are beginnings of words in title, artist or album (in the file name, for rows without a
    title); all must occur. No row is counted or skipped that is not returned."""
    values: tuple[str, ...] = ()
    if words is not None:
        match = match_expression(words, () if status is None else (status,))
        if match is None:
            return [], None
        # CROSS JOIN makes SQLite begin with the search, whose rowids (= track_ids) come in order.
        sql = (
            f"SELECT {_ROW} FROM track_search CROSS JOIN enriched_tracks AS e ON e.track_id = track_search.rowid"
            " WHERE track_search MATCH ? AND track_search.rowid > ? ORDER BY track_search.rowid LIMIT ?"
        )
        values = (match,)
    elif status is not None:
        # Without the index a common status would be found faster, but a rare one takes minutes.
        sql = (
            f"SELECT {_ROW} FROM enriched_tracks AS e INDEXED BY idx_enriched_tracks_status"
            " WHERE e.status = ? AND e.track_id > ? ORDER BY e.track_id LIMIT ?"
        )
        values = (status,)
    else:
        sql = f"SELECT {_ROW} FROM enriched_tracks AS e WHERE e.track_id > ? ORDER BY e.track_id LIMIT ?"
    found = [_printable_row(row) for row in fetch_dicts(connection, sql, *values, after, limit + 1)]
    return found[:limit], found[limit - 1]["track_id"] if len(found) > limit else None


def match_expression(words: str, statuses: Sequence[str] = ()) -> str | None:
    """Return the MATCH expression for these words among tracks of these statuses (none: of all);
    None when `words` has no letters or digits, so that nothing can match."""
    terms = _WORD.findall(words)[:MAX_WORDS]
    if not terms:
        return None
    match = "{title artist album file} : (" + " AND ".join(f'"{term}" *' for term in terms) + ")"
    if statuses:
        match += " AND status : (" + " OR ".join(f'"{status}"' for status in statuses) + ")"
    return match


def load_track(connection: sqlite3.Connection, track_id: int) -> dict[str, Any] | None:
    """Return a track's `track` (enriched row, if any), `library` (row of `tracks`), `candidates`,
    `lookups` and `decisions`, or None when there is no such track."""
    own = fetch_dicts(
        connection,
        "SELECT path, source_key, tags, unreadable, added_at, changed_at, vanished_at FROM tracks WHERE track_id = ?",
        track_id,
    )
    if not own:
        return None
    rows = fetch_dicts(connection, f"SELECT {_ROW} FROM enriched_tracks AS e WHERE e.track_id = ?", track_id)
    return {
        "track": _printable_row(rows[0]) if rows else None,
        "library": own[0] | {"path": printable_path(own[0]["path"]), "tags": json.loads(own[0]["tags"])},
        "candidates": _load_candidates(connection, track_id),
        "lookups": _load_lookups(connection, track_id),
        "decisions": fetch_dicts(
            connection,
            "SELECT provider, entity_id, verdict, by, at, reason FROM decisions WHERE track_id = ? ORDER BY at",
            track_id,
        ),
    }


def _load_candidates(connection: sqlite3.Connection, track_id: int) -> list[dict[str, Any]]:
    """Return the candidates, best first, each with its own provider's facts under `fields`."""
    found = fetch_dicts(
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


def _load_lookups(connection: sqlite3.Connection, track_id: int) -> list[dict[str, Any]]:
    found = fetch_dicts(
        connection,
        "SELECT lookup_id, provider, kind, query, state, attempts, misses, due_at, last_error, created_at, answered_at,"
        " json_array_length(answer) AS answers FROM track_lookups JOIN lookups USING (lookup_id) WHERE track_id = ?"
        " ORDER BY lookup_id",
        track_id,
    )
    for lookup in found:
        lookup["query"] = json.loads(lookup["query"])
    return found


def _printable_row(row: dict[str, Any]) -> dict[str, Any]:
    row["path"] = printable_path(row["path"])
    return enriched.decode_columns(row)


def printable_path(path: bytes | None) -> str | None:
    """Return a path as text; bytes that are not UTF-8 are escaped as `\\xff`."""
    return None if path is None else path.decode("utf-8", "backslashreplace")
