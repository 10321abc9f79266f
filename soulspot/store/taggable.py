"""Which tracks have tags to write: the accepted ones with a file, page by page, or those that are due for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from soulspot.models import EnrichedTrack, FileStamp
from soulspot.store import enriched
from soulspot.store.times import iso

_FILE = (
    "SELECT t.track_id, t.path, t.size, t.mtime_ns, t.inode, e.updated_at FROM tracks AS t"
    " JOIN enriched_tracks AS e USING (track_id)"
    " WHERE e.status = 'accepted' AND t.path IS NOT NULL AND t.vanished_at IS NULL AND t.unreadable IS NULL"
)


@dataclass(frozen=True, slots=True)
class Taggable:
    """An accepted track with a file: the file as the last scan saw it, and what was found out."""

    track_id: int
    path: bytes
    stamp: FileStamp
    row_at: str  # when what was found out was last written
    row: EnrichedTrack


def page(
    connection: sqlite3.Connection,
    after: int,
    limit: int,
    places: Sequence[bytes] = (),
    track_ids: Sequence[int] | None = None,
) -> list[Taggable]:
    """Tracks whose track_id is greater than `after`, ascending: of these places, or of these tracks, or all."""
    if track_ids is not None:
        wanted = sorted(one for one in track_ids if one > after)[:limit]
        found = [
            row
            for one in wanted
            for row in connection.execute(f"{_FILE} AND t.track_id = ?", (one,)).fetchall()
        ]
        return _with_rows(connection, found)
    where, values = _below(places)
    found = connection.execute(
        f"{_FILE}{where} AND t.track_id > ? ORDER BY t.track_id LIMIT ?", (*values, after, limit)
    ).fetchall()
    return _with_rows(connection, found)


def _below(places: Sequence[bytes]) -> tuple[str, list[bytes]]:
    if not places:
        return "", []
    values: list[bytes] = []
    for place in places:
        folder = place.rstrip(b"/") + b"/"
        values += [place, folder, folder[:-1] + b"0"]
    one = "(t.path = ? OR (t.path >= ? AND t.path < ?))"
    return f" AND ({' OR '.join([one] * len(places))})", values


def _with_rows(
    connection: sqlite3.Connection, found: Sequence[tuple[int, bytes, int, int, int, str]]
) -> list[Taggable]:
    rows = enriched.load(connection, (one[0] for one in found))
    return [Taggable(one[0], one[1], FileStamp(*one[2:5]), one[5], rows[one[0]]) for one in found]


def count(
    connection: sqlite3.Connection, places: Sequence[bytes] = (), track_ids: Sequence[int] | None = None
) -> int:
    """How many there are."""
    if track_ids is not None:
        return len(track_ids)
    where, values = _below(places)
    return int(connection.execute(f"SELECT count(*) FROM ({_FILE}{where})", values).fetchone()[0])


def list_due(
    connection: sqlite3.Connection, after: int, limit: int, now: float
) -> tuple[list[int], int | None]:
    """Tracks whose row is news since it was last compared with the file, in albums where nothing is asked for the first
    time any more. `limit` rows are looked at; the second value is where to go on (None at the end)."""
    rows = connection.execute(
        "SELECT t.track_id, t.album_key FROM tracks AS t JOIN enriched_tracks AS e USING (track_id)"
        " LEFT JOIN tag_seen AS s USING (track_id) WHERE t.track_id > ? AND e.status = 'accepted'"
        " AND t.path IS NOT NULL AND t.vanished_at IS NULL AND t.unreadable IS NULL AND NOT t.undecided"
        " AND (s.track_id IS NULL OR s.row_at != e.updated_at OR s.again_at <= ?) ORDER BY t.track_id LIMIT ?",
        (after, iso(now), limit),
    ).fetchall()
    waiting: dict[bytes | None, bool] = {}
    found = []
    for track_id, album_key in rows:
        if album_key is not None and album_key not in waiting:
            waiting[album_key] = _waits(connection, "m.album_key = ? AND m.vanished_at IS NULL", album_key)
        if not (
            waiting[album_key] if album_key is not None else _waits(connection, "m.track_id = ?", track_id)
        ):
            found.append(track_id)
    return found, rows[-1][0] if len(rows) == limit else None


def _waits(connection: sqlite3.Connection, which: str, value: bytes | int) -> bool:
    """Whether one of these tracks is not decided, or waits for an answer that it never had."""
    found = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM tracks AS m WHERE {which} AND m.unreadable IS NULL AND (m.undecided OR EXISTS ("
        "SELECT 1 FROM track_lookups AS l CROSS JOIN lookups AS q USING (lookup_id) WHERE l.track_id = m.track_id"
        " AND q.state IN ('pending', 'leased') AND q.answered_at IS NULL)))",
        (value,),
    ).fetchone()
    return bool(found[0])


def record_compared(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, float | None]]) -> None:
    """Note (track_id, updated_at of its row, when to try again) of tracks whose tags were compared."""
    connection.executemany(
        "INSERT INTO tag_seen (track_id, row_at, again_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
        " SET row_at = excluded.row_at, again_at = excluded.again_at",
        ((track_id, row_at, iso(again) if again is not None else None) for track_id, row_at, again in rows),
    )
