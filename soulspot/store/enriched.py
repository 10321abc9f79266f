"""The table that people read: one row a track, written by sqlite-utils inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from soulspot.models import EnrichedTrack, Status
from soulspot.store.times import iso

if TYPE_CHECKING:
    from sqlite_utils import Database as SqliteUtils
    from sqlite_utils.db import Table

COLUMNS: dict[str, type] = {
    "track_id": int, "path": bytes, "source_key": str, "status": str, "confidence": float,
    "title": str, "artist": str, "artists": str, "album": str, "album_artist": str,
    "track_number": int, "disc_number": int, "duration_ms": int,
    "isrc": str, "release_date": str, "original_date": str, "genres": str,
    "label": str, "catalog_number": str, "barcode": str, "explicit": int, "popularity": int, "cover_url": str,
    "mb_recording_id": str, "mb_release_id": str, "mb_release_group_id": str, "mb_artist_ids": str,
    "spotify_track_id": str, "spotify_album_id": str, "spotify_artist_ids": str,
    "sources": str, "updated_at": str,
}  # fmt: skip

LIST_COLUMNS = ("artists", "genres", "mb_artist_ids", "spotify_artist_ids")
_NAMES = tuple(field.name for field in fields(EnrichedTrack))


def _table(connection: sqlite3.Connection) -> Table:
    found = _sqlite_utils()(connection, recursive_triggers=False)["enriched_tracks"]
    return cast("Table", found)  # there is no view of this name


@cache
def _sqlite_utils() -> type[SqliteUtils]:
    """sqlite-utils, loaded by whoever writes: it loads numpy and pandas too where they are installed, which takes
    longer than all the rest of a command that only reads."""
    from sqlite_utils import Database

    class Utils(Database):
        # It would find out with a table of its own, made and dropped in every one of our transactions; and an error
        # on the way, a full disk say, would be taken for the answer. The queue needs a newer SQLite than this does.
        supports_on_conflict = True

    return Utils


def create_table(connection: sqlite3.Connection) -> None:
    """Create `enriched_tracks` or add the columns that a newer version brought."""
    rows = _table(connection)
    if not rows.exists():
        rows.create(COLUMNS, pk="track_id", not_null={"status", "updated_at"})
        rows.create_index(["status"])
        return
    for name in COLUMNS.keys() - rows.columns_dict.keys():
        rows.add_column(name, COLUMNS[name])


def save(connection: sqlite3.Connection, tracks: Iterable[EnrichedTrack], now: float) -> None:
    """Write or replace the rows of these tracks. `updated_at` stays where nothing else has changed."""
    rows = {track.track_id: track for track in tracks}
    before = load(connection, rows)
    changed = [_row(track, iso(now)) for track_id, track in rows.items() if before.get(track_id) != track]
    if changed:
        _table(connection).upsert_all(changed, pk="track_id")


def load(connection: sqlite3.Connection, track_ids: Iterable[int]) -> dict[int, EnrichedTrack]:
    """The rows of these tracks, by track_id."""
    wanted = json.dumps(list(track_ids))
    cursor = connection.execute(
        f"SELECT {', '.join(_NAMES)} FROM enriched_tracks WHERE track_id IN (SELECT value FROM json_each(?))",
        (wanted,),
    )
    return {track.track_id: track for track in _tracks(cursor)}


def _tracks(cursor: sqlite3.Cursor) -> Iterator[EnrichedTrack]:
    for values in cursor:
        row: dict[str, Any] = dict(zip(_NAMES, values, strict=True))
        for name in LIST_COLUMNS:
            row[name] = tuple(json.loads(row[name] or "[]"))
        row["sources"] = json.loads(row["sources"] or "{}")
        row["status"] = Status(row["status"])
        row["explicit"] = None if row["explicit"] is None else bool(row["explicit"])
        yield EnrichedTrack(**row)


def _row(track: EnrichedTrack, updated_at: str) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(track, name) for name in _NAMES}
    for name in LIST_COLUMNS:
        row[name] = json.dumps(list(row[name]), ensure_ascii=False)
    row["sources"] = json.dumps(dict(track.sources), sort_keys=True)
    row["status"] = track.status.value
    row["explicit"] = None if track.explicit is None else int(track.explicit)
    row["updated_at"] = updated_at
    return row
