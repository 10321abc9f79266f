"""Operations and the counts that status shows."""

from __future__ import annotations

import sqlite3

import pytest

from soulspot.models import MUSICBRAINZ, FileStamp, LookupState, ScannedFile, Settlement
from soulspot.store import operations, queue, tracks
from soulspot.store.times import iso
from tests.support.factories import NOW, add_lookups, add_tracks, claim, decide, scanned, tags


def test_an_operation_tells_how_far_it_is(connection: sqlite3.Connection) -> None:
    one = operations.start(connection, "scan", {"places": ["/music/☂"]}, NOW)
    begun = operations.find(connection, one)
    assert begun is not None
    assert (begun["status"], begun["progress"], begun["is_complete"]) == ("processing", 0.0, False)
    assert begun["metadata"] == {"places": ["/music/☂"]}
    operations.advance(connection, one, NOW + 1, total=8, done=3, failed=1)
    halfway = operations.find(connection, one)
    assert halfway is not None
    assert halfway["progress"] == 37.5
    counts = [
        halfway[name] for name in ("total_items", "processed_items", "successful_items", "failed_items")
    ]
    assert counts == [8, 3, 2, 1]
    operations.finish(connection, one, NOW + 2)
    done = operations.find(connection, one)
    assert done is not None
    assert (done["status"], done["progress"], done["is_complete"]) == ("completed", 100.0, True)
    assert (done["created_at"], done["completed_at"]) == (iso(NOW), iso(NOW + 2))


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_an_operation_that_did_not_end_well_says_how_far_it_came_and_why(
    connection: sqlite3.Connection, status: str
) -> None:
    one = operations.start(connection, "import", {}, NOW)
    operations.advance(connection, one, NOW, total=4, done=1, failed=0)
    operations.finish(connection, one, NOW, status=status, error="the disk is full")
    ended = operations.find(connection, one)
    assert ended is not None
    assert (ended["is_complete"], ended["progress"], ended["error_message"]) == (
        True,
        25.0,
        "the disk is full",
    )


def test_operations_of_a_process_that_died_have_failed_and_finished_ones_stay_as_they_were(
    connection: sqlite3.Connection,
) -> None:
    done = operations.start(connection, "scan", {}, NOW)
    operations.finish(connection, done, NOW)
    cut_off = operations.start(connection, "scan", {}, NOW)
    assert operations.interrupt(connection, NOW + 9) == 1
    newest, oldest = operations.latest(connection, 10)
    assert (newest["id"], newest["status"], newest["error_message"]) == (
        cut_off,
        "failed",
        "interrupted by a restart",
    )
    assert (oldest["id"], oldest["status"]) == (done, "completed")


def test_there_is_no_operation_that_was_never_started(connection: sqlite3.Connection) -> None:
    assert operations.find(connection, 1) is None
    assert operations.latest(connection, 10) == []


def test_the_newest_operations_come_first(connection: sqlite3.Connection) -> None:
    ids = [operations.start(connection, "scan", {}, NOW) for _ in range(5)]
    assert [one["id"] for one in operations.latest(connection, 3)] == ids[:-4:-1]


def test_tracks_are_counted_by_status_and_what_cannot_be_read_or_is_gone_besides(
    connection: sqlite3.Connection,
) -> None:
    files = [
        scanned(b"/m/a.mp3", tags(isrcs=[1]), inode=1),
        ScannedFile(b"/m/b.mp3", FileStamp(1, 1, 2), unreadable="damaged"),
    ]
    decide(connection, tracks.save_scanned(connection, files, 1, NOW, exists=lambda path: True))
    decide(connection, add_tracks(connection, tags(None, None, None, None)))
    tracks.mark_vanished(connection, [b"/m/a.mp3"], 2, NOW, gone=lambda path: True)
    counts = operations.track_counts(connection)
    assert counts == {"pending": 1, "failed": 1, "unmatched": 1, "total": 3, "unreadable": 1, "vanished": 1}


def test_lookups_are_counted_by_provider_and_state_and_the_oldest_that_waits_is_known(
    connection: sqlite3.Connection,
) -> None:
    assert operations.oldest_waiting(connection) is None
    add_lookups(connection, 1, 2, 3, now=NOW - 60)
    one, *_ = claim(connection, most=2)
    queue.settle(connection, [Settlement(one, LookupState.BURIED, NOW)], NOW)
    assert operations.lookup_counts(connection) == {MUSICBRAINZ: {"buried": 1, "leased": 1, "pending": 1}}
    assert operations.oldest_waiting(connection) == iso(NOW - 60)


def test_the_counts_of_status_read_indexes_alone(connection: sqlite3.Connection) -> None:
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    operations.track_counts(connection)
    operations.lookup_counts(connection)
    operations.oldest_waiting(connection)
    connection.set_trace_callback(None)
    assert len(seen) == 5
    for sql in seen:
        steps = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
        walked = [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
        first_only = sql.endswith("LIMIT 1") and walked == ["SCAN lookups USING INDEX lookups_oldest"]
        assert first_only or all("COVERING" in step or "lookup_totals" in step for step in walked), (
            sql,
            steps,
        )


def test_events_are_kept_for_their_time(connection: sqlite3.Connection) -> None:
    for moment in (NOW - 10, NOW):
        connection.execute(
            "INSERT INTO events (kind, payload, created_at) VALUES ('x', '{}', ?)", (iso(moment),)
        )
    operations.prune(connection, NOW - 5)
    assert connection.execute("SELECT created_at FROM events").fetchall() == [(iso(NOW),)]
