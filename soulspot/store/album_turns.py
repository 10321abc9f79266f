"""How the tracks of an album wait for each other on the way to Spotify, so that what one learns from another does not
depend on who was answered first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from soulspot.models import AlbumGroup, TrackOutcome

LARGEST = 400  # tracks of one name that may be an album
MOST_EARLY = 3
ON_ITS_WAY, WAITS, DONE = 0, 1, 2
# whatever ids the tracks were given: one album is one in the same order, also in another database
_ORDER = "path, source_key, tags, track_id"


def with_progress(connection: sqlite3.Connection, key: bytes, group: AlbumGroup) -> AlbumGroup:
    """The group with how far its tracks are."""
    if _count(connection, key, ON_ITS_WAY):
        return replace(group, is_searched=False)
    early, late = _finds(connection, key) or ((), ())
    return replace(
        group, spotify_albums=early, late_spotify_albums=late, turn_of=_first_waiting(connection, key)
    )


def record_progress(connection: sqlite3.Connection, outcomes: Sequence[TrackOutcome]) -> set[int]:
    """Note how far these tracks have come. Returns the tracks that have waited for that."""
    stages = {
        one.row.track_id: WAITS if one.waits_for_album else DONE
        for one in outcomes
        if one.waits_for_album or not one.wanted
    }
    arrived, waiting, left = _moved(connection, stages)
    on_album = {one.row.track_id: one.row.spotify_album_id for one in outcomes if one.row.spotify_album_id}
    again: set[int] = set()
    for key in arrived | waiting | left.keys():
        if _count(connection, key, ON_ITS_WAY) or not _count(connection, key, WAITS):
            continue
        finds = _finds(connection, key)
        if finds is None:
            _note_early(connection, key)
            again |= _waiting(connection, key)
        elif key in arrived or _note_late(
            connection, key, finds, [on_album.get(one) for one in left.get(key, ())]
        ):
            again |= _waiting(connection, key)
        elif (turn := _first_waiting(connection, key)) is not None:
            again.add(turn)
    return again


def wake_albums_of(connection: sqlite3.Connection, track_ids: Iterable[int]) -> None:
    """These tracks have vanished: nobody waits for them any more."""
    connection.execute(
        "UPDATE tracks SET undecided = 1 WHERE spotify_stage = ? AND vanished_at IS NULL AND album_key IN"
        " (SELECT album_key FROM tracks WHERE track_id IN (SELECT value FROM json_each(?)))",
        (WAITS, json.dumps(list(track_ids))),
    )


def wake_album_before_move(connection: sqlite3.Connection, track_id: int, key: bytes | None) -> None:
    """This track is about to belong to another album, if it belongs to one: there nobody waits for it any more."""
    connection.execute(
        "UPDATE tracks SET undecided = 1 WHERE spotify_stage = ? AND vanished_at IS NULL AND album_key ="
        " (SELECT album_key FROM tracks WHERE track_id = ? AND album_key IS NOT ?)",
        (WAITS, track_id, key),
    )


def _moved(
    connection: sqlite3.Connection, stages: Mapping[int, int]
) -> tuple[set[bytes], set[bytes], dict[bytes, list[int]]]:
    """Write the stages down. Returns the albums where a track has arrived, those where one waits, and which tracks
    have stopped waiting, by album."""
    arrived: set[bytes] = set()
    waiting: set[bytes] = set()
    left: dict[bytes, list[int]] = {}
    changed = []
    for track_id, key, before in connection.execute(
        "SELECT track_id, album_key, spotify_stage FROM tracks WHERE track_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(stages)),),
    ):
        stage = stages[track_id]
        if stage != before:
            changed.append((stage, track_id))
        if key is None:
            continue
        if before == ON_ITS_WAY:
            arrived.add(key)
        elif before == WAITS and stage == DONE:
            left.setdefault(key, []).append(track_id)
        if stage == WAITS:
            waiting.add(key)
    connection.executemany("UPDATE tracks SET spotify_stage = ? WHERE track_id = ?", changed)
    return arrived, waiting, left


def _count(connection: sqlite3.Connection, key: bytes, stage: int) -> int:
    found = connection.execute(
        "SELECT count(*) FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND spotify_stage = ?",
        (key, stage),
    )
    return int(found.fetchone()[0])


def _waiting(connection: sqlite3.Connection, key: bytes) -> set[int]:
    found = connection.execute(
        "SELECT track_id FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND spotify_stage = ?",
        (key, WAITS),
    )
    return {track_id for (track_id,) in found}


def _first_waiting(connection: sqlite3.Connection, key: bytes) -> int | None:
    found = connection.execute(
        "SELECT track_id FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND spotify_stage = ?"
        f" ORDER BY {_ORDER} LIMIT 1",
        (key, WAITS),
    ).fetchone()
    return int(found[0]) if found else None


def _finds(connection: sqlite3.Connection, key: bytes) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    found = connection.execute("SELECT early, late FROM album_finds WHERE album_key = ?", (key,)).fetchone()
    return (tuple(json.loads(found[0])), tuple(json.loads(found[1]))) if found else None


def _note_early(connection: sqlite3.Connection, key: bytes) -> None:
    found = connection.execute(
        "SELECT spotify_album_id FROM tracks JOIN enriched_tracks USING (track_id)"
        " WHERE album_key = ? AND vanished_at IS NULL AND spotify_album_id IS NOT NULL"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?",
        (key, MOST_EARLY),
    )
    albums = json.dumps([album_id for (album_id,) in found])
    connection.execute("INSERT INTO album_finds (album_key, early) VALUES (?, ?)", (key, albums))


def _note_late(
    connection: sqlite3.Connection,
    key: bytes,
    finds: tuple[tuple[str, ...], tuple[str, ...]],
    albums: Iterable[str | None],
) -> bool:
    """Whether any of these albums is news."""
    early, late = finds
    news = [one for one in dict.fromkeys(sorted(one for one in albums if one)) if one not in (*early, *late)]
    if news:
        connection.execute(
            "UPDATE album_finds SET late = ? WHERE album_key = ?", (json.dumps([*late, *news]), key)
        )
    return bool(news)
