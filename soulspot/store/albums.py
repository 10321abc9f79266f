"""Albums of the library: which tracks form one, and the name that most of them give it."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterable

from soulspot.matching import music_path
from soulspot.models import AlbumGroup, AlbumMember, GroupedTrack, TrackTags
from soulspot.store import album_turns, tags_json
from soulspot.store.sql import IN_ARRAY, to_array

# The members of an album are read with every decision on one of them: too slow for larger albums.
MAX_MEMBERS = 60


def assign_tracks(
    connection: sqlite3.Connection,
    track_ids: Iterable[int],
    member: Callable[[bytes | None, TrackTags], AlbumMember | None],
) -> None:
    """Write the album of each of these tracks into `tracks`, as `member(path, tags)` tells it."""
    for track_id, path, tags in connection.execute(
        f"SELECT track_id, path, tags FROM tracks WHERE track_id {IN_ARRAY}", (to_array(track_ids),)
    ).fetchall():
        of = member(path, tags_json.decode(tags))
        key, album, artist = (of.key, of.album, of.artist) if of else (None, None, None)
        album_turns.wake_album_before_move(connection, track_id, key)
        connection.execute(
            "UPDATE tracks SET album_key = ?, album = ?, album_lead = ? WHERE track_id = ?",
            (key, album, artist, track_id),
        )


def load_groups(
    connection: sqlite3.Connection, track_ids: Iterable[int], roots: Collection[bytes] = ()
) -> dict[int, AlbumGroup]:
    """Return the albums of these tracks by track_id; tracks without an album are left out. Names of
    the library's `roots` are no names of music."""
    keys: dict[int, bytes] = dict(
        connection.execute(
            f"SELECT track_id, album_key FROM tracks WHERE album_key IS NOT NULL AND track_id {IN_ARRAY}",
            (to_array(track_ids),),
        ).fetchall()
    )
    groups = {key: _load_group(connection, key, roots) for key in set(keys.values())}
    return {track_id: groups[key] for track_id, key in keys.items()}


def _load_group(connection: sqlite3.Connection, key: bytes, roots: Collection[bytes]) -> AlbumGroup:
    name, artist, size = majority_names(*count_names(connection, key))
    members = _load_members(connection, key, roots) if 2 <= size <= MAX_MEMBERS else ()
    group = AlbumGroup(name, artist, size, members)
    if 2 <= size <= album_turns.MAX_TRACKS:
        return album_turns.with_progress(connection, key, group)
    return group


def count_names(connection: sqlite3.Connection, key: bytes) -> tuple[Counter[str], Counter[str]]:
    """Return how many tracks of the album give it each name, and how many each artist."""
    names: Counter[str] = Counter()
    artists: Counter[str] = Counter()
    for artist, album, count in connection.execute(
        "SELECT album_lead, album, count(*) FROM tracks WHERE album_key = ? AND vanished_at IS NULL GROUP BY 1, 2",
        (key,),
    ):
        names[album] += count
        artists[artist] += count
    return names, artists


def majority_names(names: Counter[str], artists: Counter[str]) -> tuple[str, str | None, int]:
    """Return the album's commonest name, its artist, and its number of tracks. The artist is None
    unless at least half of the tracks agree on one. Ties go by alphabet."""
    size = names.total()
    name = min(names, key=lambda one: (not one, -names[one], one), default="")
    artist = min(artists, key=lambda one: (-artists[one], one), default="")
    return name, artist if artist and artists[artist] * 2 >= size else None, size


def _load_members(connection: sqlite3.Connection, key: bytes, roots: Collection[bytes]) -> tuple[GroupedTrack, ...]:
    return tuple(
        GroupedTrack(track_id, tags_json.decode(tags), music_path(path, roots) if path else None)
        for track_id, path, tags in connection.execute(
            "SELECT track_id, path, tags FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND unreadable IS NULL"
            " ORDER BY track_id",
            (key,),
        )
    )
