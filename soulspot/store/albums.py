"""Albums of the library: which tracks are one, and how most of them name it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable

from soulspot.models import AlbumGroup, AlbumMember, GroupedTrack, TrackTags
from soulspot.store import album_turns, tags_json

MOST_MEMBERS = (
    60  # of a larger album the tracks stay each by itself: they are read with every decision on one of them
)


def assign_tracks(
    connection: sqlite3.Connection,
    track_ids: Iterable[int],
    member: Callable[[bytes | None, TrackTags], AlbumMember | None],
) -> None:
    """Note to which album each of these tracks belongs."""
    for track_id, path, tags in connection.execute(
        "SELECT track_id, path, tags FROM tracks WHERE track_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(track_ids)),),
    ).fetchall():
        one = member(path, tags_json.decode(tags))
        columns = (one.key, one.album, one.artist) if one else (None, None, None)
        album_turns.wake_album_before_move(connection, track_id, columns[0])
        connection.execute(
            "UPDATE tracks SET album_key = ?, album = ?, album_lead = ? WHERE track_id = ?",
            (*columns, track_id),
        )


def load_groups(connection: sqlite3.Connection, wanted: str) -> dict[int, AlbumGroup]:
    """The albums of these tracks (a JSON list of track_id), by track_id."""
    keys: dict[int, bytes] = dict(
        connection.execute(
            "SELECT track_id, album_key FROM tracks WHERE album_key IS NOT NULL"
            " AND track_id IN (SELECT value FROM json_each(?))",
            (wanted,),
        ).fetchall()
    )
    found = {key: _group(connection, key) for key in set(keys.values())}
    return {track_id: found[key] for track_id, key in keys.items()}


def _group(connection: sqlite3.Connection, key: bytes) -> AlbumGroup:
    names, leads = count_names(connection, key)
    name, lead, size = majority_names(names, leads)
    members = _members(connection, key) if 2 <= size <= MOST_MEMBERS else ()
    group = AlbumGroup(name, lead, size, members)
    return album_turns.with_progress(connection, key, group) if 2 <= size <= album_turns.LARGEST else group


def count_names(connection: sqlite3.Connection, key: bytes) -> tuple[Counter[str], Counter[str]]:
    """How many tracks of this album give it which name, and how many which artist."""
    names: Counter[str] = Counter()
    leads: Counter[str] = Counter()
    for lead, album, count in connection.execute(
        "SELECT album_lead, album, count(*) FROM tracks WHERE album_key = ? AND vanished_at IS NULL GROUP BY 1, 2",
        (key,),
    ):
        names[album] += count
        leads[lead] += count
    return names, leads


def majority_names(names: Counter[str], leads: Counter[str]) -> tuple[str, str | None, int]:
    """The name that most tracks give their album, the artist where half of them agree on one, and how many tracks."""
    size = names.total()
    name = min(names, key=lambda one: (not one, -names[one], one), default="")
    lead = min(leads, key=lambda one: (-leads[one], one), default="")
    return name, lead if lead and leads[lead] * 2 >= size else None, size


def _members(connection: sqlite3.Connection, key: bytes) -> tuple[GroupedTrack, ...]:
    return tuple(
        GroupedTrack(track_id, tags_json.decode(tags), path)
        for track_id, path, tags in connection.execute(
            "SELECT track_id, path, tags FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND unreadable IS NULL"
            " ORDER BY track_id",
            (key,),
        )
    )
