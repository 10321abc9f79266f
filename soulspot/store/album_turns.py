"""Turns of an album's tracks on the way to Spotify: no result may depend on the order of answers.
Tracks found without their album come first; then the others learn its Spotify albums; those that
are still not found are looked up one by one."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from soulspot.models import AlbumGroup, TrackOutcome
from soulspot.store.sql import IN_ARRAY, fetch_column, fetch_value, to_array

MAX_TRACKS = 400  # more tracks under one name are no album, and take no turns
MAX_EARLY = 3  # Spotify albums that the tracks found without their album may name
SEARCHING, WAITING, DONE = 0, 1, 2  # tracks.spotify_stage
# Independent of the ids that the tracks were given: another database has the same order.
_ORDER = "path, source_key, tags, track_id"
_OF_ALBUM = "FROM tracks WHERE album_key = ? AND vanished_at IS NULL AND spotify_stage = ?"


def with_progress(connection: sqlite3.Connection, key: bytes, group: AlbumGroup) -> AlbumGroup:
    """Return the album group with the albums found so far, and with the track whose turn it is."""
    if _has_stage(connection, key, SEARCHING):
        return replace(group, is_searched=False)
    early, late = _load_finds(connection, key) or ((), ())
    turn_of = _first_waiting(connection, key)
    return replace(group, spotify_albums=early, late_spotify_albums=late, turn_of=turn_of)


def record_progress(connection: sqlite3.Connection, outcomes: Sequence[TrackOutcome]) -> set[int]:
    """Record the stages and Spotify albums of these decided tracks. Returns the tracks to decide
    anew: those that waited for this progress of their album."""
    stages = {
        outcome.row.track_id: WAITING if outcome.waits_for_album else DONE
        for outcome in outcomes
        if outcome.waits_for_album or not outcome.wanted
    }
    arrived, waiting, left = _save_stages(connection, stages)
    spotify_albums = {outcome.row.track_id: outcome.row.spotify_album_id for outcome in outcomes}
    woken: set[int] = set()
    for key in arrived | waiting | left.keys():
        if _has_stage(connection, key, SEARCHING) or not _has_stage(connection, key, WAITING):
            continue
        finds = _load_finds(connection, key)
        if finds is None:
            _save_early_finds(connection, key)
            wakes_all = True
        else:
            late = {spotify_albums.get(track_id) for track_id in left.get(key, ())}
            wakes_all = key in arrived or _save_late_finds(connection, key, finds, late)
        if wakes_all:
            woken.update(fetch_column(connection, f"SELECT track_id {_OF_ALBUM}", key, WAITING))
        elif (turn := _first_waiting(connection, key)) is not None:
            woken.add(turn)
    return woken


def wake_albums_of(connection: sqlite3.Connection, track_ids: Iterable[int]) -> None:
    """Mark the tracks that waited for these vanished tracks of their albums as undecided."""
    connection.execute(
        "UPDATE tracks SET undecided = 1 WHERE spotify_stage = ? AND vanished_at IS NULL AND album_key IN"
        f" (SELECT album_key FROM tracks WHERE track_id {IN_ARRAY})",
        (WAITING, to_array(track_ids)),
    )


def wake_album_before_move(connection: sqlite3.Connection, track_id: int, key: bytes | None) -> None:
    """Mark tracks that wait for `track_id` as undecided, before it moves to another album `key`."""
    connection.execute(
        "UPDATE tracks SET undecided = 1 WHERE spotify_stage = ? AND vanished_at IS NULL AND album_key ="
        " (SELECT album_key FROM tracks WHERE track_id = ? AND album_key IS NOT ?)",
        (WAITING, track_id, key),
    )


def _save_stages(
    connection: sqlite3.Connection, stages: Mapping[int, int]
) -> tuple[set[bytes], set[bytes], dict[bytes, list[int]]]:
    """Save the stage of each track. Returns album keys: those where a track has ended its own
    search, those where one of these waits, and the tracks that have stopped waiting by album."""
    arrived: set[bytes] = set()
    waiting: set[bytes] = set()
    left: dict[bytes, list[int]] = {}
    changed = []
    for track_id, key, before in connection.execute(
        f"SELECT track_id, album_key, spotify_stage FROM tracks WHERE track_id {IN_ARRAY}", (to_array(stages),)
    ):
        stage = stages[track_id]
        if stage != before:
            changed.append((stage, track_id))
        if key is None:
            continue
        if before == SEARCHING:
            arrived.add(key)
        elif before == WAITING and stage == DONE:
            left.setdefault(key, []).append(track_id)
        if stage == WAITING:
            waiting.add(key)
    connection.executemany("UPDATE tracks SET spotify_stage = ? WHERE track_id = ?", changed)
    return arrived, waiting, left


def _has_stage(connection: sqlite3.Connection, key: bytes, stage: int) -> bool:
    return bool(fetch_value(connection, f"SELECT EXISTS (SELECT 1 {_OF_ALBUM})", key, stage))


def _first_waiting(connection: sqlite3.Connection, key: bytes) -> int | None:
    """Return the waiting track of the album whose turn it is to be looked up by itself."""
    found: int | None = fetch_value(connection, f"SELECT track_id {_OF_ALBUM} ORDER BY {_ORDER} LIMIT 1", key, WAITING)
    return found


def _load_finds(connection: sqlite3.Connection, key: bytes) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the (early, late) Spotify albums of the album; None before the early are known."""
    row = connection.execute("SELECT early, late FROM album_finds WHERE album_key = ?", (key,)).fetchone()
    return (tuple(json.loads(row[0])), tuple(json.loads(row[1]))) if row else None


def _save_early_finds(connection: sqlite3.Connection, key: bytes) -> None:
    """Save the Spotify albums that most tracks of the album were found on, the commonest first."""
    albums = fetch_column(
        connection,
        "SELECT spotify_album_id FROM tracks JOIN enriched_tracks USING (track_id)"
        " WHERE album_key = ? AND vanished_at IS NULL AND spotify_album_id IS NOT NULL"
        " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ?",
        key,
        MAX_EARLY,
    )
    connection.execute("INSERT INTO album_finds (album_key, early) VALUES (?, ?)", (key, to_array(albums)))


def _save_late_finds(
    connection: sqlite3.Connection, key: bytes, finds: tuple[tuple[str, ...], tuple[str, ...]],
    albums: Iterable[str | None],
) -> bool:  # fmt: skip
    """Add Spotify albums that are not in `finds` to the late ones. Returns whether any are new."""
    early, late = finds
    new = sorted(album for album in albums if album and album not in (*early, *late))
    if new:
        connection.execute("UPDATE album_finds SET late = ? WHERE album_key = ?", (to_array([*late, *new]), key))
    return bool(new)
