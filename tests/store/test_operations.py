"""Operations and the counts that status shows."""

from __future__ import annotations

import sqlite3

import pytest

from soulspot.models import MUSICBRAINZ, FileStamp, LookupState, ScannedFile, Settlement
from soulspot.store import events, library_counts, operations, queue, tracks
from soulspot.store.times import iso
from tests.support.factories import NOW, add_lookups, add_tracks, claim, decide, scanned, tags


def test_an_operation_tells_how_far_it_is(connection: sqlite3.Connection) -> None:
    one = operations.start(connection, "scan", {"places": ["/music/☂"]}, NOW)
    begun = operations.find(connection, one)
    assert begun is not None
    assert (begun["status"], begun["progress"], begun["is_complete"]) == ("processing", 0.0, False)
    assert begun["metadata"] == {"places": ["/music/☂"]}
    operations.record_progress(connection, one, NOW + 1, total=8, done=3, failed=1)
    halfway = operations.find(connection, one)
    assert halfway is not None
    assert halfway["progress"] == 37.5
    counts = [halfway[name] for name in ("total_items", "processed_items", "successful_items", "failed_items")]
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
    operations.record_progress(connection, one, NOW, total=4, done=1, failed=0)
    operations.finish(connection, one, NOW, status=status, error="the disk is full")
    ended = operations.find(connection, one)
    assert ended is not None
    assert (ended["is_complete"], ended["progress"], ended["error_message"]) == (
        True,
        25.0,
        "the disk is full",
    )


def test_operations_of_a_process_that_died_wait_and_finished_ones_stay_as_they_were(
    connection: sqlite3.Connection,
) -> None:
    done = operations.start(connection, "scan", {}, NOW)
    operations.finish(connection, done, NOW)
    cut_off = operations.start(connection, "scan", {"places": ["/m"]}, NOW, request={"places": ["2f6d"]})
    operations.record_progress(connection, cut_off, NOW, total=9, done=5, failed=1)
    assert operations.mark_interrupted(connection, NOW + 9) == 1
    newest, oldest = operations.list_latest(connection, 10)
    assert (newest["id"], newest["status"], newest["is_complete"]) == (cut_off, "pending", False)
    assert (oldest["id"], oldest["status"]) == (done, "completed")
    [left] = operations.list_unfinished(connection)
    assert (left.operation_id, left.kind, left.request, left.counts) == (
        cut_off, "scan", {"places": ["2f6d"]}, (9, 5, 1),
    )  # fmt: skip


def test_an_operation_that_never_gets_further_is_told_from_one_that_does(
    connection: sqlite3.Connection,
) -> None:
    one = operations.start(connection, "scan", {}, NOW)
    for done, cut_off in ((0, 1), (0, 2), (3, 1), (3, 2), (3, 3), (4, 1)):
        operations.resume(connection, one, NOW)
        operations.record_progress(connection, one, NOW, total=9, done=done, failed=0)
        operations.mark_interrupted(connection, NOW)
        [left] = operations.list_unfinished(connection)
        assert left.interruptions == cut_off


def test_what_stopped_in_order_is_not_counted_as_cut_off(connection: sqlite3.Connection) -> None:
    one = operations.start(connection, "scan", {}, NOW)
    operations.suspend(connection, one, NOW)
    assert operations.mark_interrupted(connection, NOW) == 0
    assert operations.list_unfinished(connection)[0].interruptions == 0


def test_the_outbox_tells_of_the_beginning_and_the_end_with_its_counts(
    connection: sqlite3.Connection,
) -> None:
    one = operations.start(connection, "import", {}, NOW)
    operations.record_progress(connection, one, NOW, total=4, done=4, failed=1)
    operations.finish(connection, one, NOW + 1)
    begun, ended = events.list_after(connection, 0, 10)
    assert (begun.kind, begun.payload) == ("operation.started", {"operation_id": one, "kind": "import"})
    assert (ended.kind, ended.at) == ("operation.finished", iso(NOW + 1))
    assert ended.payload == {
        "operation_id": one, "kind": "import", "status": "completed", "error": None, "total": 4, "successful": 3,
        "failed": 1,
    }  # fmt: skip


def test_progress_is_100_only_at_the_end(connection: sqlite3.Connection) -> None:
    one = operations.start(connection, "enrich", {}, NOW)
    operations.record_progress(connection, one, NOW, total=4, done=4, failed=0)
    assert operations.list_latest(connection, 1)[0]["progress"] == 99.9
    operations.finish(connection, one, NOW)
    assert operations.list_latest(connection, 1)[0]["progress"] == 100.0


def test_there_is_no_operation_that_was_never_started(connection: sqlite3.Connection) -> None:
    assert operations.find(connection, 1) is None
    assert operations.list_latest(connection, 10) == []


def test_the_newest_operations_come_first(connection: sqlite3.Connection) -> None:
    ids = [operations.start(connection, "scan", {}, NOW) for _ in range(5)]
    assert [one["id"] for one in operations.list_latest(connection, 3)] == ids[:-4:-1]


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
    counts = library_counts.count_tracks_by_status(connection)
    assert counts == {"pending": 1, "failed": 1, "unmatched": 1, "total": 3, "unreadable": 1, "vanished": 1}


def test_lookups_are_counted_by_provider_and_state_and_the_oldest_that_waits_is_known(
    connection: sqlite3.Connection,
) -> None:
    assert library_counts.oldest_waiting_lookup(connection) is None
    add_lookups(connection, 1, 2, 3, now=NOW - 60)
    one, *_ = claim(connection, most=2)
    queue.settle(connection, [Settlement(one, LookupState.BURIED, NOW)], NOW)
    assert library_counts.count_lookups_by_state(connection) == {MUSICBRAINZ: {"buried": 1, "leased": 1, "pending": 1}}
    assert library_counts.oldest_waiting_lookup(connection) == iso(NOW - 60)


def test_the_counts_of_status_read_indexes_alone(connection: sqlite3.Connection) -> None:
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    library_counts.count_tracks_by_status(connection)
    library_counts.count_lookups_by_state(connection)
    library_counts.oldest_waiting_lookup(connection)
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


def test_events_are_kept_for_their_time_and_no_id_is_given_twice(connection: sqlite3.Connection) -> None:
    for moment in (NOW - 10, NOW):
        events.add(connection, "x", {}, moment)
    events.prune(connection, NOW - 5)
    assert events.kept_range(connection) == (2, 2)
    events.prune(connection, NOW + 5)
    assert events.kept_range(connection) == (2, 2)
    events.add(connection, "x", {}, NOW)
    assert events.kept_range(connection) == (2, 3)


def test_a_long_outbox_is_pruned_in_pieces(connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "PRUNED_AT_ONCE", 3)
    for moment in range(10):
        events.add(connection, "x", {"n": moment}, NOW + moment)
    events.prune(connection, NOW + 8)
    assert [one.payload["n"] for one in events.list_after(connection, 0, 10)] == [8, 9]
