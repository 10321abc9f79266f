"""Tracks: files that change, move, vanish and come back; imported rows; people's decisions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

import pytest

from soulspot.models import (
    MUSICBRAINZ,
    EnrichedTrack,
    FileStamp,
    ScannedFile,
    ShownCandidate,
    Status,
    TrackOutcome,
    Verdict,
)
from soulspot.store import queue, tracks
from soulspot.store.tracks import ImportedTrack
from tests.support.factories import (
    NOW,
    add_tracks,
    claim,
    decide,
    found,
    isrc_query,
    mbid,
    recording,
    said,
    scanned,
    tags,
)


def nothing_exists(path: bytes) -> bool:
    return False


def everything_exists(path: bytes) -> bool:
    return True


def take(
    connection: sqlite3.Connection,
    *files: ScannedFile,
    scan_id: int = 1,
    exists: Callable[[bytes], bool] = nothing_exists,
) -> list[int]:
    changed = tracks.save_scanned(connection, files, scan_id, NOW, exists=exists)
    decide(connection, changed)
    return changed


def paths(connection: sqlite3.Connection) -> dict[int, bytes]:
    return dict(connection.execute("SELECT track_id, path FROM tracks ORDER BY track_id").fetchall())


def vanished(connection: sqlite3.Connection) -> list[bytes]:
    rows = connection.execute("SELECT path FROM tracks WHERE vanished_at IS NOT NULL ORDER BY path")
    return [path for (path,) in rows]


# --- files ----------------------------------------------------------------------------------------


def test_a_path_that_is_not_utf8_comes_back_byte_for_byte(connection: sqlite3.Connection) -> None:
    path = b"/music/\xff\xfe caf\xe9 \n.mp3"
    [track_id] = take(connection, scanned(path))
    assert tracks.find_ids_by_path(connection, [path, b"/music/other"]) == {path: track_id}
    assert tracks.known_stamps(connection, [path]) == {path: FileStamp(10, 100, 1)}
    [state] = tracks.load_states(connection, [track_id])
    assert state.path == path
    row = connection.execute("SELECT path FROM enriched_tracks").fetchone()
    assert row == (path,)


def test_a_moved_file_keeps_its_track_by_its_inode(connection: sqlite3.Connection) -> None:
    [track_id] = take(connection, scanned(b"/music/a.mp3", inode=7))
    retagged = scanned(b"/music/b.mp3", tags("Another Title"), inode=7)
    assert take(connection, retagged) == [track_id]
    assert paths(connection) == {track_id: b"/music/b.mp3"}
    assert connection.execute("SELECT path FROM enriched_tracks").fetchall() == [(b"/music/b.mp3",)]


def test_a_file_moved_to_another_file_system_keeps_its_track_by_tags_size_and_time(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = take(connection, scanned(b"/old/a.mp3", inode=7))
    assert take(connection, scanned(b"/new/a.mp3", inode=99)) == [track_id]
    assert paths(connection) == {track_id: b"/new/a.mp3"}


@pytest.mark.parametrize("change", [{"size": 11}, {"mtime": 101}, {"known": tags("Other")}])
def test_a_file_that_differs_in_anything_is_no_moved_file(
    connection: sqlite3.Connection, change: dict[str, object]
) -> None:
    [track_id] = take(connection, scanned(b"/old/a.mp3", inode=7))
    [other] = take(connection, scanned(b"/new/a.mp3", inode=99, **change))  # type: ignore[arg-type]
    assert other != track_id


def test_a_copied_file_is_a_track_of_its_own(connection: sqlite3.Connection) -> None:
    [first] = take(connection, scanned(b"/music/a.mp3", inode=7))
    [second] = take(connection, scanned(b"/music/copy.mp3", inode=8), exists=everything_exists)
    assert paths(connection) == {first: b"/music/a.mp3", second: b"/music/copy.mp3"}


def test_of_several_equal_files_each_moved_one_keeps_a_track_of_its_own(
    connection: sqlite3.Connection,
) -> None:
    old = [scanned(b"/old/%d.mp3" % n, inode=n) for n in (1, 2, 3)]
    new = [scanned(b"/new/%d.mp3" % n, inode=10 + n) for n in (1, 2, 3)]
    ids = take(connection, *old, exists=everything_exists)
    assert take(connection, *new, exists=lambda path: path.startswith(b"/new")) == ids
    assert len(paths(connection)) == 3


def test_a_file_that_changed_in_place_keeps_its_track_and_asks_anew(connection: sqlite3.Connection) -> None:
    [one, two] = take(
        connection,
        scanned(b"/a.mp3", tags(isrcs=[1]), inode=1),
        scanned(b"/b.mp3", tags("B", isrcs=[2]), inode=2),
    )
    assert take(connection, scanned(b"/a.mp3", tags(isrcs=[3]), inode=1, mtime=200)) == [one]
    served = {lookup.query["isrc"]: queue.tracks_served(connection, [lookup.lookup_id]) for lookup in claim(connection)}
    assert served == {"DEAB10000002": [two], "DEAB10000003": [one]}


def test_a_file_whose_tags_stayed_as_they_were_keeps_its_answers(connection: sqlite3.Connection) -> None:
    [track_id] = take(connection, scanned(b"/a.mp3", tags(isrcs=[1])))
    [lookup] = claim(connection)
    queue.settle(connection, [found(lookup, recording(1))], NOW)
    decide(connection, [track_id])
    take(connection, scanned(b"/a.mp3", tags(isrcs=[1]), mtime=999))
    rows = connection.execute("SELECT status, mb_recording_id FROM enriched_tracks").fetchall()
    assert rows == [("accepted", mbid(1))]
    assert tracks.known_stamps(connection, [b"/a.mp3"]) == {b"/a.mp3": FileStamp(10, 999, 1)}


def test_a_file_that_became_unreadable_says_why_and_one_that_became_readable_is_asked_about(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = take(connection, scanned(b"/a.mp3", tags(isrcs=[1])))
    broken = ScannedFile(b"/a.mp3", FileStamp(3, 200, 1), unreadable="damaged")
    take(connection, broken)
    assert tracks.unreadable_reasons(connection, [track_id]) == {track_id: "damaged"}
    assert connection.execute("SELECT status FROM enriched_tracks").fetchone() == ("failed",)
    take(connection, scanned(b"/a.mp3", tags(isrcs=[2]), mtime=300))
    assert tracks.unreadable_reasons(connection, [track_id]) == {}
    assert connection.execute("SELECT status FROM enriched_tracks").fetchone() == ("pending",)


# --- vanished -------------------------------------------------------------------------------------


def test_files_that_a_scan_did_not_see_are_marked_and_kept(connection: sqlite3.Connection) -> None:
    take(connection, scanned(b"/music/a.mp3", inode=1), scanned(b"/music/b.mp3", tags("B"), inode=2))
    tracks.mark_seen(connection, [b"/music/a.mp3"], 2)
    count = tracks.mark_vanished(connection, [b"/music"], 2, NOW, gone=everything_exists)
    assert count == 1
    assert vanished(connection) == [b"/music/b.mp3"]
    assert len(paths(connection)) == 2
    assert connection.execute("SELECT count(*) FROM enriched_tracks").fetchone() == (2,)


def test_only_what_is_below_the_finished_roots_and_really_gone_is_marked(
    connection: sqlite3.Connection,
) -> None:
    names = [
        b"/music/a/1.mp3",
        b"/music/a-b/2.mp3",
        b"/music/a0/3.mp3",
        b"/music/a/\xff/4.mp3",
        b"/other/5.mp3",
    ]
    take(connection, *(scanned(name, tags(str(n)), inode=n) for n, name in enumerate(names, 1)))
    tracks.mark_vanished(connection, [b"/music/a/"], 2, NOW, gone=lambda path: b"\xff" not in path)
    assert vanished(connection) == [b"/music/a/1.mp3"]
    tracks.mark_vanished(connection, [b"/"], 2, NOW, gone=everything_exists)
    assert len(vanished(connection)) == 5


def test_a_root_that_is_a_single_file_vanishes_alone(connection: sqlite3.Connection) -> None:
    take(connection, scanned(b"/m/a.mp3", inode=1), scanned(b"/m/a.mp3x", tags("B"), inode=2))
    assert tracks.mark_vanished(connection, [b"/m/a.mp3"], 2, NOW, gone=everything_exists) == 1
    assert vanished(connection) == [b"/m/a.mp3"]


def test_a_vanished_file_that_comes_back_is_the_same_track(connection: sqlite3.Connection) -> None:
    [track_id] = take(connection, scanned(b"/music/a.mp3"))
    tracks.mark_vanished(connection, [b"/music"], 2, NOW, gone=everything_exists)
    assert tracks.known_stamps(connection, [b"/music/a.mp3"]) == {}
    assert take(connection, scanned(b"/music/a.mp3"), scan_id=3) == [track_id]
    assert vanished(connection) == []


def test_a_vanished_file_that_comes_back_elsewhere_is_the_same_track(connection: sqlite3.Connection) -> None:
    [track_id] = take(connection, scanned(b"/mnt/one/a.mp3", inode=5))
    tracks.mark_vanished(connection, [b"/mnt/one"], 2, NOW, gone=everything_exists)
    assert take(connection, scanned(b"/mnt/two/a.mp3", inode=5), scan_id=3) == [track_id]
    assert vanished(connection) == []


def test_tracks_without_files_never_vanish(connection: sqlite3.Connection) -> None:
    add_tracks(connection, tags())
    assert tracks.mark_vanished(connection, [b"/"], 99, NOW, gone=everything_exists) == 0


@pytest.mark.parametrize("how", ["seen unchanged", "read"])
def test_a_file_that_a_later_scan_saw_is_not_marked_by_it_because_an_earlier_one_sees_it_too(
    connection: sqlite3.Connection, how: str
) -> None:
    take(connection, scanned(b"/music/a.mp3"), scan_id=1)
    tracks.mark_seen(connection, [b"/music/a.mp3"], 3)
    if how == "read":
        take(connection, scanned(b"/music/a.mp3", mtime=500), scan_id=2)
    else:
        tracks.mark_seen(connection, [b"/music/a.mp3"], 2)
    assert tracks.mark_vanished(connection, [b"/music"], 3, NOW, gone=everything_exists) == 0


def test_every_scan_has_a_number_of_its_own(connection: sqlite3.Connection) -> None:
    assert [tracks.next_scan_id(connection) for _ in range(3)] == [1, 2, 3]


# --- imports --------------------------------------------------------------------------------------


def imported(connection: sqlite3.Connection, *rows: ImportedTrack) -> list[int]:
    _, changed = tracks.save_imported(connection, rows, NOW)
    decide(connection, changed)
    return changed


def test_imported_rows_get_rising_track_ids_in_the_order_of_the_file(connection: sqlite3.Connection) -> None:
    names = ["z", "a", None, "m"]
    ids = imported(connection, *(ImportedTrack(key, tags(f"Song {n}")) for n, key in enumerate(names)))
    assert ids == sorted(ids)
    keys = connection.execute("SELECT source_key FROM enriched_tracks ORDER BY track_id").fetchall()
    assert [key for (key,) in keys] == names


def test_the_same_key_again_updates_its_row_and_asks_anew_when_it_says_something_else(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = imported(connection, ImportedTrack("k", tags(isrcs=[1])))
    assert imported(connection, ImportedTrack("k", tags(isrcs=[1]))) == []
    assert imported(connection, ImportedTrack("k", tags(isrcs=[2]))) == [track_id]
    [state] = tracks.load_states(connection, [track_id])
    assert state.source_key == "k"
    assert state.answer_to(isrc_query(1)) is None
    assert state.answer_to(isrc_query(2)) is not None


def test_equal_rows_without_key_fold_and_rows_with_keys_do_not(connection: sqlite3.Connection) -> None:
    without = ImportedTrack(None, tags())
    assert len(imported(connection, without, without, ImportedTrack(None, tags("Other")))) == 2
    assert imported(connection, without) == []
    assert len(imported(connection, ImportedTrack("a", tags()), ImportedTrack("b", tags()))) == 2


def test_of_two_rows_with_one_key_in_a_file_the_last_counts(connection: sqlite3.Connection) -> None:
    imported(connection, ImportedTrack("k", tags("First")), ImportedTrack("k", tags("Last")))
    rows = connection.execute("SELECT tags FROM tracks").fetchall()
    assert [json.loads(text)["title"] for (text,) in rows] == ["Last"]


# --- outcomes and decisions -----------------------------------------------------------------------


def test_what_review_shows_is_replaced_whenever_a_track_is_decided_anew(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = add_tracks(connection, tags())
    row = EnrichedTrack(track_id, None, "key 0", Status.REVIEW, 0.7)
    for score, ids in ((0.7, (1, 2)), (0.8, (2,))):
        shown = tuple(ShownCandidate(MUSICBRAINZ, mbid(n), score, Verdict.REVIEW, ("title ☂ equal",)) for n in ids)
        tracks.save_outcomes(connection, [TrackOutcome(row, shown)], NOW)
    rows = connection.execute("SELECT entity_id, score, rank, reasons FROM candidates").fetchall()
    assert rows == [(mbid(2), 0.8, 0, '["title ☂ equal"]')]


def test_only_news_becomes_an_event(connection: sqlite3.Connection) -> None:
    [track_id] = add_tracks(connection, tags())
    row = EnrichedTrack(track_id, None, "key 0", Status.ACCEPTED, 1.0)
    tracks.save_outcomes(connection, [TrackOutcome(row, is_news=True), TrackOutcome(row)], NOW)
    rows = connection.execute("SELECT kind, payload FROM events").fetchall()
    assert rows == [("track.accepted", json.dumps({"track_id": track_id}))]


def test_a_persons_last_word_on_a_candidate_counts(connection: sqlite3.Connection) -> None:
    [track_id] = add_tracks(connection, tags())
    for verdict in (Verdict.ACCEPTED, Verdict.REJECTED):
        tracks.save_decision(connection, track_id, said(MUSICBRAINZ, mbid(1), verdict))
    [state] = tracks.load_states(connection, [track_id])
    assert [one.verdict for one in state.decisions] == [Verdict.REJECTED]


def test_what_people_decided_follows_a_moved_and_retagged_file(connection: sqlite3.Connection) -> None:
    [track_id] = take(connection, scanned(b"/a.mp3", inode=7))
    decision = said(MUSICBRAINZ, mbid(1), Verdict.REJECTED)
    tracks.save_decision(connection, track_id, decision)
    take(connection, scanned(b"/b.mp3", tags("New Title"), inode=7))
    [state] = tracks.load_states(connection, [track_id])
    assert (state.path, state.decisions) == (b"/b.mp3", (decision,))


def test_states_come_in_the_order_of_their_tracks_and_unknown_ids_are_passed_over(
    connection: sqlite3.Connection,
) -> None:
    ids = add_tracks(connection, tags("One"), tags("Two"))
    states = tracks.load_states(connection, [999, *reversed(ids)])
    assert [state.track_id for state in states] == ids
    assert [state.tags.title for state in states] == ["One", "Two"]


def test_the_state_of_a_track_names_everything_it_asked(connection: sqlite3.Connection) -> None:
    [track_id] = add_tracks(connection, tags(isrcs=[1, 2]))
    decide(connection, [track_id])
    first, _ = claim(connection)
    queue.settle(connection, [found(first, recording(1))], NOW)
    [state] = tracks.load_states(connection, [track_id])
    one, two = state.answer_to(isrc_query(1)), state.answer_to(isrc_query(2))
    assert one is not None
    assert two is not None
    assert (one.is_settled, two.is_settled) == (True, False)
    assert state.row is not None
    assert state.row.status is Status.PENDING
