"""Albums of the library: most of its tracks say how one is called, and a folder of thousands is
none."""

from __future__ import annotations

import os
import sqlite3

import pytest

from soulspot.matching import identify_album
from soulspot.models import (
    MUSICBRAINZ,
    AlbumGroup,
    LookupState,
    Query,
    Settlement,
    TrackTags,
)
from soulspot.store import albums, queue, tracks
from tests.support.factories import DAY, NOW, decide, mbid, recording, release, scanned, tags

FOLDER = "/music/The Lanterns/Night Shift"


def bring(connection: sqlite3.Connection, *known: TrackTags, folder: str = FOLDER, scan_id: int = 1) -> list[int]:
    """Files of one folder, as a scan brings them in."""
    before = connection.execute("SELECT count(*) FROM tracks").fetchone()[0]
    files = [
        scanned(os.fsencode(f"{folder}/{before + n:04}.flac"), one, inode=before + n, mtime=before + n)
        for n, one in enumerate(known)
    ]
    ids = tracks.save_scanned(connection, files, scan_id, NOW, exists=lambda path: True)
    albums.assign_tracks(connection, ids, identify_album)
    return ids


def groups(connection: sqlite3.Connection, ids: list[int]) -> list[AlbumGroup | None]:
    return [state.group for state in tracks.load_states(connection, ids)]


def just_in(album: str, artist: str | None, size: int) -> AlbumGroup:
    """An album of which nothing has been decided yet."""
    return AlbumGroup(album, artist, size, is_searched=False)


def test_an_album_is_called_what_most_of_its_tracks_call_it(connection: sqlite3.Connection) -> None:
    names = ["Night Shift", "NIGHT SHIFT", "Night Shift", "Night Shift (2001)"]
    ids = bring(connection, *(tags(f"Song {n}", album=name) for n, name in enumerate(names)))
    assert groups(connection, ids) == [just_in("Night Shift", "The Lanterns", 4)] * 4


def test_an_album_of_many_artists_and_no_album_artist_is_a_compilation(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, *(tags(f"Song {n}", f"Artist {n}", "Hits") for n in range(6)), folder="/music/Hits")
    assert groups(connection, ids)[0] == just_in("Hits", None, 6)


def test_guests_leave_an_album_its_artist(connection: sqlite3.Connection) -> None:
    artists = ["The Lanterns", "The Lanterns feat. Guest", "Somebody Else", "The Lanterns & Other"]
    ids = bring(connection, *(tags(f"Song {n}", artist) for n, artist in enumerate(artists)))
    assert groups(connection, ids)[0] == just_in("Night Shift", "The Lanterns", 4)


def test_two_albums_in_one_folder_are_told_apart(connection: sqlite3.Connection) -> None:
    ids = bring(connection, tags("A"), tags("B"), tags("C", album="Day Shift"))
    assert [one and (one.album, one.size) for one in groups(connection, ids)] == [
        ("Night Shift", 2), ("Night Shift", 2), ("Day Shift", 1),
    ]  # fmt: skip


def test_imported_rows_of_one_album_are_an_album(connection: sqlite3.Connection) -> None:
    rows = [tracks.ImportedTrack(f"{n}", tags(f"Song {n}")) for n in range(5)]
    ids, _ = tracks.save_imported(connection, rows, NOW)
    albums.assign_tracks(connection, ids, identify_album)
    assert groups(connection, ids) == [just_in("Night Shift", "The Lanterns", 5)] * 5


def test_a_file_that_vanished_does_not_count_and_one_without_album_is_in_none(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, tags("A"), tags("B"), tags("C"))
    connection.execute("UPDATE tracks SET vanished_at = 'now' WHERE track_id = ?", (ids[0],))
    loose = bring(connection, tags("D", album=None), folder="/music")
    assert groups(connection, [*ids[1:], *loose]) == [just_in("Night Shift", "The Lanterns", 2)] * 2 + [None]


def test_a_track_whose_tags_change_changes_its_album(connection: sqlite3.Connection) -> None:
    ids = bring(connection, tags("A"), tags("B"))
    path, size = os.fsencode(f"{FOLDER}/0000.flac"), 11
    changed = tracks.save_scanned(
        connection, [scanned(path, tags("A", album="Day Shift"), size=size)], 2, NOW, exists=lambda path: True
    )
    albums.assign_tracks(connection, changed, identify_album)
    assert changed == ids[:1]
    assert [one and one.album for one in groups(connection, ids)] == ["Day Shift", "Night Shift"]


def test_the_tracks_of_an_album_share_its_question(connection: sqlite3.Connection) -> None:
    ids = bring(connection, *(tags(f"Song {n}") for n in range(6)))
    decide(connection, ids)
    assert connection.execute("SELECT kind, count(*) FROM lookups GROUP BY 1").fetchall() == [("album", 1)]
    assert connection.execute("SELECT count(*) FROM track_lookups").fetchone() == (6,)


@pytest.mark.timeout(120)
def test_a_folder_of_thousands_of_files_with_one_album_name_is_no_album_and_ends(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, *(tags(f"Song {n}", album="Unsorted Music") for n in range(2000)))
    while some := tracks.list_undecided(connection, 500):
        decide(connection, some)
    assert len(ids) == 2000
    asked = dict(connection.execute("SELECT kind, count(*) FROM lookups GROUP BY 1").fetchall())
    assert asked == {"text": 2000}


def test_a_looked_up_release_takes_no_other_release_from_its_recordings(
    connection: sqlite3.Connection,
) -> None:
    def answered(kind: str, *releases: dict[str, object]) -> None:
        query = Query.of(MUSICBRAINZ, kind, mbid=mbid(77))
        [track_id], _ = tracks.save_imported(connection, [tracks.ImportedTrack(kind, tags(kind))], NOW)
        queue.enqueue(connection, {track_id: [query]}, NOW)
        [lookup] = queue.claim(connection, MUSICBRAINZ, {kind: 1}, NOW).lookups
        entity = recording(1, releases=list(releases))
        queue.settle(connection, [Settlement(lookup, LookupState.DONE, NOW + DAY, (entity,))], NOW)

    box = release(2, "The Box", track_number=90)
    answered("recording", release(1), box)
    answered("release", box | {"status": "Promotion"})
    [fields] = connection.execute("SELECT json_extract(fields, '$.releases') FROM facts").fetchone()
    ids = connection.execute("SELECT value ->> 'id', value ->> 'status' FROM json_each(?)", (fields,)).fetchall()
    assert ids == [(box["id"], "Promotion"), (release(1)["id"], "Official")]


def test_the_tracks_of_an_album_know_each_other_and_those_of_a_huge_folder_do_not(
    connection: sqlite3.Connection,
) -> None:
    ids = bring(connection, tags("A"), tags("B"), tags("C", album="Day Shift"))
    first, second, single = groups(connection, ids)
    assert first
    assert second
    assert single
    assert [(one.track_id, one.tags.title) for one in first.members] == [(ids[0], "A"), (ids[1], "B")]
    assert first.members == second.members
    assert single.members == ()
    many = bring(connection, *(tags(f"Song {n}") for n in range(albums.MAX_MEMBERS + 1)), folder="/music/Box")
    box = groups(connection, many[:1])[0]
    assert box
    assert (box.size, box.members) == (albums.MAX_MEMBERS + 1, ())
