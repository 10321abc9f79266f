"""Tracks whose tags can be written: accepted and with a file, by page, or those due for writing."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from soulspot.models import EnrichedTrack, FileStamp
from soulspot.store import enriched
from soulspot.store.sql import AT_OR_BELOW, fetch_value, path_bounds
from soulspot.store.times import iso

_IS_TAGGABLE = "e.status = 'accepted' AND t.path IS NOT NULL AND t.vanished_at IS NULL AND t.unreadable IS NULL"
_SELECT = (
    "SELECT t.track_id, t.path, t.size, t.mtime_ns, t.inode, e.updated_at FROM tracks AS t"
    f" JOIN enriched_tracks AS e USING (track_id) WHERE {_IS_TAGGABLE}"
)


@dataclass(frozen=True, slots=True)
class Taggable:
    """An accepted track with its file, as the last scan saw it."""

    track_id: int
    path: bytes
    stamp: FileStamp
    row_at: str  # updated_at of `row`
    row: EnrichedTrack


def page(
    connection: sqlite3.Connection, after: int, limit: int, paths: Sequence[bytes] = (),
    track_ids: Sequence[int] | None = None,
) -> list[Taggable]:  # fmt: skip
    """Return taggable tracks whose track_id is greater than `after`, ascending: those among
    `track_ids`, if given; else those at or below `paths`; else all. A page of `track_ids` looks at
    `limit` of them and may return fewer."""
    if track_ids is not None:
        ids = sorted(track_id for track_id in track_ids if track_id > after)[:limit]
        found = [row for one in ids for row in connection.execute(f"{_SELECT} AND t.track_id = ?", (one,))]
    else:
        where, values = _below(paths)
        found = connection.execute(
            f"{_SELECT}{where} AND t.track_id > ? ORDER BY t.track_id LIMIT ?", (*values, after, limit)
        ).fetchall()
    rows = enriched.load(connection, (track_id for track_id, *_ in found))
    return [
        Taggable(track_id, path, FileStamp(*stamp), row_at, rows[track_id]) for track_id, path, *stamp, row_at in found
    ]


def count(connection: sqlite3.Connection, paths: Sequence[bytes] = (), track_ids: Sequence[int] | None = None) -> int:
    """Return the number of taggable tracks at or below `paths` (none: of all), or of these ids."""
    if track_ids is not None:
        return len(track_ids)
    where, values = _below(paths)
    return int(fetch_value(connection, f"SELECT count(*) FROM ({_SELECT}{where})", *values))


def _below(paths: Sequence[bytes]) -> tuple[str, list[bytes]]:
    if not paths:
        return "", []
    at_or_below = AT_OR_BELOW.replace("path", "t.path")
    values = [value for path in paths for value in path_bounds(path)]
    return f" AND ({' OR '.join([at_or_below] * len(paths))})", values


def list_due(
    connection: sqlite3.Connection, after: int, limit: int, now: float, *, rest: float
) -> tuple[list[int], int | None]:
    """Return tracks whose row has changed since it was compared with the file, and the next
    `after`, None at the end. Looks at `limit` rows, and leaves out tracks while a track of their
    album still waits for a first answer. A track that failed comes again after its rest, `rest`
    seconds at most, whatever the clock said when it was set."""
    rows = connection.execute(
        "SELECT t.track_id, t.album_key FROM tracks AS t JOIN enriched_tracks AS e USING (track_id)"
        f" LEFT JOIN tag_seen AS s USING (track_id) WHERE t.track_id > ? AND {_IS_TAGGABLE} AND NOT t.undecided"
        " AND (s.track_id IS NULL OR s.row_at != e.updated_at OR s.again_at <= ? OR s.again_at > ?)"
        " ORDER BY t.track_id LIMIT ?",
        (after, iso(now), iso(now + rest), limit),
    ).fetchall()
    return list(_ready(connection, rows)), rows[-1][0] if len(rows) == limit else None


def _ready(connection: sqlite3.Connection, rows: Iterable[tuple[int, bytes | None]]) -> Iterator[int]:
    """Yield the tracks of (track_id, album_key) that wait for no answer, nor their albums."""
    album_waits: dict[bytes, bool] = {}
    for track_id, album_key in rows:
        if album_key is None:
            waits = _waits(connection, "m.track_id = ?", track_id)
        elif (known := album_waits.get(album_key)) is not None:
            waits = known
        else:
            waits = _waits(connection, "m.album_key = ? AND m.vanished_at IS NULL", album_key)
            album_waits[album_key] = waits
        if not waits:
            yield track_id


def _waits(connection: sqlite3.Connection, condition: str, value: bytes | int) -> bool:
    """Whether any readable track under this condition is undecided or waits for a first answer."""
    sql = (
        f"SELECT EXISTS (SELECT 1 FROM tracks AS m WHERE {condition} AND m.unreadable IS NULL AND (m.undecided OR EXISTS ("
        "SELECT 1 FROM track_lookups AS l CROSS JOIN lookups AS q USING (lookup_id) WHERE l.track_id = m.track_id"
        " AND q.state IN ('pending', 'leased') AND q.answered_at IS NULL)))"
    )
    return bool(fetch_value(connection, sql, value))


def record_compared(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, float | None]]) -> None:
    """Record compared tracks: (track_id, updated_at of the row, and after a failure the time of the
    next attempt in epoch seconds, or None)."""
    connection.executemany(
        "INSERT INTO tag_seen (track_id, row_at, again_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
        " SET row_at = excluded.row_at, again_at = excluded.again_at",
        ((track_id, row_at, iso(retry) if retry is not None else None) for track_id, row_at, retry in rows),
    )
