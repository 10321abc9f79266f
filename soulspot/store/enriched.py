"""The table that people read, `enriched_tracks`: one row a track, with a source for every field."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from soulspot.models import EnrichedTrack, Status
from soulspot.store.sql import IN_ARRAY, to_array
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
LIST_COLUMNS = ("artists", "genres", "mb_artist_ids", "spotify_artist_ids")  # JSON arrays
_NAMES = tuple(field.name for field in fields(EnrichedTrack))


def create_table(connection: sqlite3.Connection) -> None:
    """Create `enriched_tracks`, or add the columns that `COLUMNS` has more. Runs only with a
    migration: a new column needs a new file in `schema/`, if only with a comment."""
    table = _table(connection)
    if not table.exists():
        table.create(COLUMNS, pk="track_id", not_null={"status", "updated_at"})
        table.create_index(["status"])
        return
    for name in COLUMNS.keys() - table.columns_dict.keys():
        table.add_column(name, COLUMNS[name])


def save(connection: sqlite3.Connection, tracks: Iterable[EnrichedTrack], now: float) -> None:
    """Insert or replace the rows of these tracks; an unchanged row keeps its `updated_at`."""
    rows = {track.track_id: track for track in tracks}
    before = load(connection, rows)
    changed = [_to_row(track, iso(now)) for track_id, track in rows.items() if before.get(track_id) != track]
    if changed:
        _table(connection).upsert_all(changed, pk="track_id")


def load(connection: sqlite3.Connection, track_ids: Iterable[int]) -> dict[int, EnrichedTrack]:
    """Return the rows of these tracks by track_id; tracks without a row are left out."""
    cursor = connection.execute(
        f"SELECT {', '.join(_NAMES)} FROM enriched_tracks WHERE track_id {IN_ARRAY}", (to_array(track_ids),)
    )
    return {track.track_id: track for track in _to_tracks(cursor)}


def decode_columns(row: dict[str, Any]) -> dict[str, Any]:
    """Decode the JSON and boolean columns of a row in place, and return the row."""
    for name in LIST_COLUMNS:
        row[name] = json.loads(row[name] or "[]")
    row["sources"] = json.loads(row["sources"] or "{}")
    row["explicit"] = None if row["explicit"] is None else bool(row["explicit"])
    return row


def _table(connection: sqlite3.Connection) -> Table:
    table = _sqlite_utils()(connection, recursive_triggers=False)["enriched_tracks"]
    return cast("Table", table)  # there is no view of this name


@cache
def _sqlite_utils() -> type[SqliteUtils]:
    """Return sqlite-utils' Database class, imported at the first write."""
    # sqlite-utils imports numpy and pandas where they are installed, which takes longer than all
    # the rest of a command that only reads.
    from sqlite_utils import Database

    class Utils(Database):
        """sqlite-utils without its probe for ON CONFLICT."""

        # Left to itself it finds out by creating and dropping a table in each of our transactions,
        # and takes an error meanwhile (a full disk, say) for a no. The queue needs it anyway.
        supports_on_conflict = True

    return Utils


def _to_tracks(cursor: sqlite3.Cursor) -> Iterator[EnrichedTrack]:
    for values in cursor:
        row = decode_columns(dict(zip(_NAMES, values, strict=True)))
        for name in LIST_COLUMNS:
            row[name] = tuple(row[name])
        row["status"] = Status(row["status"])
        yield EnrichedTrack(**row)


def _to_row(track: EnrichedTrack, updated_at: str) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(track, name) for name in _NAMES}
    for name in LIST_COLUMNS:
        row[name] = json.dumps(list(row[name]), ensure_ascii=False)
    row["sources"] = json.dumps(dict(track.sources), sort_keys=True)
    row["status"] = track.status.value
    row["explicit"] = None if track.explicit is None else int(track.explicit)
    row["updated_at"] = updated_at
    return row
