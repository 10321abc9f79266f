"""Albums of the library: which tracks are one, and how most of them name it."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable

from soulspot.models import AlbumGroup, AlbumMember, GroupedTrack, TrackTags
from soulspot.store import codec

MOST_MEMBERS = (
    60  # of a larger album the tracks stay each by itself: they are read with every decision on one of them
)
ALBUMS_AT_SPOTIFY = 3
LARGEST_BESIDE = 400  # tracks of one name that may be an album


def assign(
    connection: sqlite3.Connection,
    track_ids: Iterable[int],
    member: Callable[[bytes | None, TrackTags], AlbumMember | None],
) -> None:
    """Note to which album each of these tracks belongs."""
    for track_id, path, tags in connection.execute(
        "SELECT track_id, path, tags FROM tracks WHERE track_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(track_ids)),),
    ).fetchall():
        one = member(path, codec.decode(tags))
        columns = (one.key, one.album, one.artist) if one else (None, None, None)
        connection.execute(
            "UPDATE tracks SET album_key = ?, album = ?, album_lead = ? WHERE track_id = ?",
            (*columns, track_id),
        )


def groups(connection: sqlite3.Connection, wanted: str) -> dict[int, AlbumGroup]:
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
    names, leads = named(connection, key)
    name, lead, size = most_say(names, leads)
    members = _members(connection, key) if 2 <= size <= MOST_MEMBERS else ()
    return AlbumGroup(name, lead, size, members, _at_spotify(connection, key))


def named(connection: sqlite3.Connection, key: bytes) -> tuple[Counter[str], Counter[str]]:
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


def most_say(names: Counter[str], leads: Counter[str]) -> tuple[str, str | None, int]:
    """The name that most tracks give their album, the artist where half of them agree on one, and how many tracks."""
    size = names.total()
    name = min(names, key=lambda one: (not one, -names[one], one), default="")
    lead = min(leads, key=lambda one: (-leads[one], one), default="")
    return name, lead if lead and leads[lead] * 2 >= size else None, size


def _members(connection: sqlite3.Connection, key: bytes) -> tuple[GroupedTrack, ...]:
    return tuple(
        GroupedTrack(track_id, codec.decode(tags), path)
        for track_id, path, tags in connection.execute(
            "SELECT track_id, path, tags FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND unreadable IS NULL"
            " ORDER BY track_id",
            (key,),
        )
    )


def _at_spotify(connection: sqlite3.Connection, key: bytes) -> tuple[str, ...]:
    """The Spotify albums that tracks of this album were found on, the commonest first."""
    found = connection.execute(
        "SELECT spotify_album_id FROM tracks JOIN enriched_tracks USING (track_id)"
        " WHERE album_key = ? AND vanished_at IS NULL AND spotify_album_id IS NOT NULL"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?",
        (key, ALBUMS_AT_SPOTIFY),
    )
    return tuple(album_id for (album_id,) in found)


def is_news(connection: sqlite3.Connection, track_id: int, spotify_album_id: str) -> bool:
    """Whether no other track of this track's album was found on that Spotify album before. Of a folder too large to be
    an album nothing is news to the others."""
    found = connection.execute(
        "SELECT count(*), max(row.spotify_album_id IS ?) FROM tracks AS one"
        " CROSS JOIN tracks AS beside ON beside.album_key = one.album_key"
        " LEFT JOIN enriched_tracks AS row ON row.track_id = beside.track_id"
        " WHERE one.track_id = ? AND beside.vanished_at IS NULL",
        (spotify_album_id, track_id),
    ).fetchone()
    return 1 < found[0] <= LARGEST_BESIDE and not found[1]


def waiting_beside(connection: sqlite3.Connection, found: Iterable[int]) -> set[int]:
    """The tracks that share an album with a track of `found`, are not found on Spotify yet and are to be searched for
    there: its Spotify album may have them."""
    rows = connection.execute(
        "SELECT DISTINCT beside.track_id FROM tracks AS one"
        " CROSS JOIN tracks AS beside ON beside.album_key = one.album_key"
        " CROSS JOIN track_lookups AS link ON link.track_id = beside.track_id"
        " CROSS JOIN lookups USING (lookup_id)"
        " WHERE one.track_id IN (SELECT value FROM json_each(?))"
        " AND provider = 'spotify' AND kind IN ('album', 'isrc', 'text') AND state = 'pending'"
        " AND answered_at IS NULL AND NOT EXISTS (SELECT 1 FROM enriched_tracks AS row"
        "  WHERE row.track_id = beside.track_id AND row.spotify_track_id IS NOT NULL)",
        (json.dumps(list(found)),),
    )
    return {track_id for (track_id,) in rows}
