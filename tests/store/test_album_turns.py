"""The tracks of an album wait for each other on the way to Spotify, and never for ever."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from soulspot.matching import identify_album
from soulspot.models import SPOTIFY, EnrichedTrack, Query, Status, TrackOutcome, TrackTags
from soulspot.store import albums, tracks
from tests.support.factories import NOW, scanned, spotify_id, tags

FOLDER = "/music/The Lanterns/Night Shift"
ALBUM = spotify_id(500)
SEARCH = Query.of(SPOTIFY, "album", album="Night Shift", artist="The Lanterns")


def bring(connection: sqlite3.Connection, names: Iterable[str]) -> dict[str, int]:
    """Files of one album, by name."""
    files = [
        scanned(os.fsencode(f"{FOLDER}/{name}.flac"), tags(name), inode=n, mtime=n) for n, name in enumerate(names)
    ]
    ids = tracks.save_scanned(connection, files, 1, NOW, exists=lambda path: True)
    albums.assign_tracks(connection, ids, identify_album)
    return dict(zip(names, ids, strict=True))


def arrives(track_id: int, *, on: str | None = None, waits: bool = False, wanted: bool = False) -> TrackOutcome:
    row = EnrichedTrack(track_id, None, None, Status.ACCEPTED, 1.0, spotify_album_id=on)
    return TrackOutcome(row, waits_for_album=waits, wanted=(SEARCH,) if wanted else ())


def saved(connection: sqlite3.Connection, *outcomes: TrackOutcome) -> set[int]:
    return tracks.save_outcomes(connection, outcomes, NOW)


def group_of(
    connection: sqlite3.Connection, track_id: int
) -> tuple[bool, tuple[str, ...], tuple[str, ...], int | None]:
    [state] = tracks.load_states(connection, [track_id])
    assert state.group
    return (
        state.group.is_searched,
        state.group.spotify_albums,
        state.group.late_spotify_albums,
        state.group.turn_of,
    )


def test_the_last_track_of_an_album_to_arrive_wakes_those_that_wait_and_they_know_where_others_were_found(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, "abcd")
    assert saved(connection, arrives(ids["a"], waits=True), arrives(ids["b"], on=ALBUM)) == set()
    assert group_of(connection, ids["a"]) == (False, (), (), None)
    assert saved(connection, arrives(ids["c"], wanted=True)) == set()  # still on its way
    assert saved(connection, arrives(ids["c"], on=ALBUM)) == set()
    assert saved(connection, arrives(ids["d"], waits=True)) == {ids["a"], ids["d"]}
    assert group_of(connection, ids["a"]) == (True, (ALBUM,), (), ids["a"])


def test_where_others_were_found_is_noted_once_whoever_is_found_there_later(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, "abc")
    saved(connection, *(arrives(one, waits=True) for one in ids.values()))
    saved(connection, arrives(ids["a"], on=ALBUM))
    assert group_of(connection, ids["b"])[1] == ()


def test_tracks_ask_for_their_links_in_the_order_of_their_paths_and_tell_the_others_what_they_found(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, "cab")  # not the order of their numbers
    everybody = set(ids.values())
    assert saved(connection, *(arrives(one, waits=True) for one in ids.values())) == everybody
    assert group_of(connection, ids["c"])[3] == ids["a"]
    assert saved(connection, arrives(ids["a"])) == {ids["b"]}  # found nowhere: the next one's turn
    assert saved(connection, arrives(ids["b"], on=ALBUM)) == {ids["c"]}
    assert group_of(connection, ids["c"]) == (True, (), (ALBUM,), ids["c"])


def test_nobody_waits_for_a_file_that_has_vanished(connection: sqlite3.Connection) -> None:
    ids = bring(connection, "ab")
    saved(connection, arrives(ids["a"], waits=True))
    connection.execute("UPDATE tracks SET scan_id = 2 WHERE track_id = ?", (ids["a"],))
    assert tracks.mark_vanished(connection, [FOLDER.encode()], 2, NOW, gone=lambda path: True) == 1
    assert ids["a"] in tracks.list_undecided(connection, 10)
    assert group_of(connection, ids["a"])[0]


def test_nobody_waits_for_a_file_that_was_given_to_another_album(connection: sqlite3.Connection) -> None:
    ids = bring(connection, "ab")
    saved(connection, arrives(ids["a"], waits=True))
    moved = replace(tags("b"), album="Day Shift")
    retag(connection, "b", moved)
    assert ids["a"] in tracks.list_undecided(connection, 10)
    assert group_of(connection, ids["a"])[0]


def retag(connection: sqlite3.Connection, name: str, known: TrackTags) -> None:
    path = os.fsencode(f"{FOLDER}/{name}.flac")
    changed = tracks.save_scanned(connection, [scanned(path, known, size=99)], 2, NOW, exists=lambda path: True)
    albums.assign_tracks(connection, changed, identify_album)


def test_a_track_whose_tags_change_is_waited_for_again(connection: sqlite3.Connection) -> None:
    ids = bring(connection, "ab")
    saved(connection, arrives(ids["a"], on=ALBUM), arrives(ids["b"], waits=True))
    retag(connection, "a", replace(tags("a"), track_number=7))
    assert not group_of(connection, ids["b"])[0]
    assert saved(connection, arrives(ids["a"], on=ALBUM)) == {ids["b"]}
    assert group_of(connection, ids["b"])[:2] == (True, (ALBUM,))


def test_other_rules_let_every_album_gather_anew(connection: sqlite3.Connection) -> None:
    ids = bring(connection, "ab")
    tracks.record_rules(connection, "one", NOW)
    saved(connection, *(arrives(one, waits=True) for one in ids.values()))
    assert group_of(connection, ids["a"])[0]
    tracks.record_rules(connection, "another", NOW)
    assert not group_of(connection, ids["a"])[0]
