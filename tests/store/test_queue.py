"""The durable queue: nothing accepted is lost, nothing is asked twice, nothing is hurried."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, SPOTIFY, LookupState, Query, Settlement
from soulspot.store import library_counts, queue, tracks
from soulspot.store.database import Database
from soulspot.store.times import iso
from tests.support.factories import (
    DAY,
    NOW,
    add_lookups,
    add_tracks,
    claim,
    decide,
    found,
    isrc,
    isrc_query,
    mbid,
    recording,
    scanned,
    spotify_id,
    spotify_links,
    spotify_track,
    tags,
)


def of(connection: sqlite3.Connection, lookup_id: int, columns: str) -> tuple[object, ...]:
    row: tuple[object, ...] = connection.execute(
        f"SELECT {columns} FROM lookups WHERE lookup_id = ?", (lookup_id,)
    ).fetchone()
    return row


@contextmanager
def statements(connection: sqlite3.Connection) -> Iterator[list[str]]:
    """The SQL that runs meanwhile, parameters filled in, each once: a trigger reports its
    statement again."""
    seen: list[str] = []
    connection.set_trace_callback(lambda sql: None if sql in seen else seen.append(sql))
    try:
        yield seen
    finally:
        connection.set_trace_callback(None)


def steps_of(connection: sqlite3.Connection, sql: str) -> list[str]:
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]


def many_lookups(connection: sqlite3.Connection, count: int, state: str = "pending") -> None:
    """Lookups of these ISRCs, all of one track."""
    connection.execute(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
        " INSERT INTO lookups (provider, kind, query, state, due_at, created_at)"
        " SELECT ?, 'isrc', json_object('isrc', printf('DEAB1%07d', n)), ?, ?, ? FROM numbers",
        (count, MUSICBRAINZ, state, iso(NOW), iso(NOW)),
    )
    [track_id] = add_tracks(connection, tags("Much asked"))
    connection.execute("INSERT INTO track_lookups SELECT ?, lookup_id FROM lookups", (track_id,))


# --- queueing -------------------------------------------------------------------------------------


def test_equal_questions_of_several_tracks_are_one_lookup(connection: sqlite3.Connection) -> None:
    ids = add_tracks(connection, tags("One"), tags("Two"), tags("Three"))
    queue.enqueue(connection, {track_id: [isrc_query(1)] for track_id in ids}, NOW)
    [lookup] = claim(connection)
    assert queue.tracks_served(connection, [lookup.lookup_id]) == ids


def test_a_hint_is_no_part_of_the_question(connection: sqlite3.Connection) -> None:
    ids = add_tracks(connection, tags("One"), tags("Two"))
    for track_id, album in zip(ids, ("Night Shift", "Best Of"), strict=True):
        queue.enqueue(connection, {track_id: [Query.of("spotify", "track", {"album": album}, id="x")]}, NOW)
    [lookup] = queue.claim(connection, "spotify", {"track": 50}, NOW).lookups
    assert lookup.query.hinted("album") == "Night Shift"


def test_a_track_newly_linked_to_an_answered_lookup_is_to_be_decided_at_once(
    connection: sqlite3.Connection,
) -> None:
    add_lookups(connection, 1)
    [lookup] = claim(connection)
    queue.settle(connection, [found(lookup, recording(1))], NOW)
    [late, other] = add_tracks(connection, tags("Late"), tags("Other"))
    assert queue.enqueue(connection, {late: [isrc_query(1)], other: [isrc_query(2)]}, NOW) == {late}
    assert queue.enqueue(connection, {late: [isrc_query(1)]}, NOW) == set()


def test_a_track_newly_linked_to_a_lookup_that_was_given_up_is_to_be_decided_at_once(
    connection: sqlite3.Connection,
) -> None:
    add_lookups(connection, 1)
    [lookup] = claim(connection)
    queue.settle(connection, [Settlement(lookup, LookupState.BURIED, NOW, error="five times refused")], NOW)
    [late] = add_tracks(connection, tags("Late"))
    assert queue.enqueue(connection, {late: [isrc_query(1)]}, NOW) == {late}


def wanting(track: int = 1) -> Query:
    return Query.of(SPOTIFY, "track", {"told": "anywhere"}, id=spotify_id(track))


def album_shown(connection: sqlite3.Connection, at: float, *numbers: int) -> None:
    """Store facts of these tracks, from the answer to another track's album lookup."""
    (other,) = add_tracks(connection, tags(title="Other"))
    queue.enqueue(connection, {other: [Query.of(SPOTIFY, "tracklist", id=spotify_id(900))]}, at)
    (lookup,) = queue.claim(connection, SPOTIFY, {"tracklist": 1}, at).lookups
    entities = tuple(spotify_track(number) for number in numbers)
    queue.settle(connection, [Settlement(lookup, LookupState.DONE, at + DAY, entities)], at)


def test_a_question_for_a_track_that_an_album_has_shown_is_answered_without_a_request(
    connection: sqlite3.Connection,
) -> None:
    album_shown(connection, NOW, 1, 2)
    (track,) = add_tracks(connection, tags())
    assert queue.enqueue(connection, {track: [wanting(1)]}, NOW) == {track}
    (state,) = tracks.load_states(connection, [track])
    answer = state.answer_to(wanting(1))
    assert answer is not None
    assert answer.is_settled
    assert [entity.id for entity in answer.entities] == [spotify_id(1)]
    assert not queue.claim(connection, SPOTIFY, {"track": 20}, NOW).lookups
    queue.requeue_due(connection, NOW + queue.KNOWN_FOR + 1)  # it ages, and is asked itself then
    assert len(queue.claim(connection, SPOTIFY, {"track": 20}, NOW + queue.KNOWN_FOR + 1).lookups) == 1


def test_a_question_that_waits_is_answered_by_what_an_album_shows_meanwhile_for_everyone_who_waits(
    connection: sqlite3.Connection,
) -> None:
    first, second = add_tracks(connection, tags(), tags(title="The same"))
    queue.enqueue(connection, {first: [wanting(1)], second: [wanting(1)]}, NOW)
    album_shown(connection, NOW, 1)
    assert queue.enqueue(connection, {first: [wanting(1)]}, NOW) == {first, second}
    assert queue.enqueue(connection, {first: [wanting(1)]}, NOW) == set()


def test_only_who_is_content_with_it_is_answered_by_what_was_told_and_not_by_what_was_told_long_ago(
    connection: sqlite3.Connection,
) -> None:
    album_shown(connection, NOW, 1, 2)
    (track,) = add_tracks(connection, tags())
    late = NOW + queue.KNOWN_FOR + 1
    assert queue.enqueue(connection, {track: [Query.of(SPOTIFY, "track", id=spotify_id(1))]}, NOW) == set()
    assert queue.enqueue(connection, {track: [wanting(2)]}, late) == set()
    assert len(queue.claim(connection, SPOTIFY, {"track": 20}, late).lookups) == 2


def test_a_track_knows_which_of_its_links_spotify_has_described(connection: sqlite3.Connection) -> None:
    album_shown(connection, NOW, 1, 2)
    (track,) = add_tracks(connection, tags())
    about = Query.of(LISTENBRAINZ, "spotify_ids", mbid=mbid(1))
    queue.enqueue(connection, {track: [about]}, NOW)
    (lookup,) = queue.claim(connection, LISTENBRAINZ, {"spotify_ids": 1}, NOW).lookups
    answer = Settlement(lookup, LookupState.DONE, NOW + DAY, (spotify_links(1, 2, 7),))
    queue.settle(connection, [answer], NOW)
    (state,) = tracks.load_states(connection, [track])
    assert state.described_on_spotify == {spotify_id(2)}


def test_what_a_second_look_answers_is_not_claimed_and_others_take_its_place(
    connection: sqlite3.Connection,
) -> None:
    add_lookups(connection, 1, 2, 3, 4, 5)
    looked_at: list[int] = []

    def second_look(kind: str, lookup_ids: Sequence[int]) -> None:
        looked_at.extend(lookup_ids)
        connection.execute("UPDATE lookups SET state = 'done' WHERE lookup_id IN (1, 2)")

    claimed = queue.claim(connection, MUSICBRAINZ, {"isrc": 2}, NOW, before_lease=second_look)
    assert [one.lookup_id for one in claimed.lookups] == [3, 4]
    assert looked_at == [1, 2, 3, 4]


def test_a_question_in_any_script_comes_back_as_it_was_asked(connection: sqlite3.Connection) -> None:
    asked = Query.of(MUSICBRAINZ, "text", title='東京 "☂" \\ \x01', artist="Ünïcödé", album=None)
    [track_id] = add_tracks(connection, tags())
    queue.enqueue(connection, {track_id: [asked]}, NOW)
    [lookup] = claim(connection, kind="text")
    assert lookup.query == asked
    assert lookup.query.get("album") is None


# --- claiming -------------------------------------------------------------------------------------


def test_what_an_answer_has_made_needless_is_not_asked_and_what_others_want_still_is(
    connection: sqlite3.Connection,
) -> None:
    mine, other = add_tracks(connection, tags(), tags(title="Another Song"))
    queue.enqueue(connection, {mine: [isrc_query(1), isrc_query(2)], other: [isrc_query(2)]}, NOW)
    queue.unlink_unwanted(connection, {mine: []})
    assert [lookup.query for lookup in claim(connection)] == [isrc_query(2)]


def test_a_claim_is_of_one_kind_at_most_its_capacity_full_batches_first_then_in_the_order_of_the_kinds(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = add_tracks(connection, tags())
    text = Query.of(MUSICBRAINZ, "text", title="a", artist="b")
    queue.enqueue(connection, {track_id: [text]}, NOW - 10)
    queue.enqueue(connection, {track_id: [isrc_query(n) for n in (1, 2, 3)]}, NOW - 5)
    first = queue.claim(connection, MUSICBRAINZ, {"isrc": 2, "text": 20}, NOW)
    assert [lookup.query["isrc"] for lookup in first.lookups] == [isrc(1), isrc(2)]
    assert first.waited == 5
    second = queue.claim(connection, MUSICBRAINZ, {"isrc": 2, "text": 20}, NOW)
    assert [lookup.query["isrc"] for lookup in second.lookups] == [isrc(3)]
    third = queue.claim(connection, MUSICBRAINZ, {"isrc": 2, "text": 20}, NOW)
    assert [lookup.query for lookup in third.lookups] == [text]


def test_a_batch_that_is_not_full_lingers_for_company_but_nothing_waits_for_ever(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = add_tracks(connection, tags())
    texts = [Query.of(MUSICBRAINZ, "text", title=title, artist="b") for title in "ab"]
    queue.enqueue(connection, {track_id: [texts[0], isrc_query(1)]}, NOW)
    both = {"isrc": 100, "text": 2}
    assert queue.claim(connection, MUSICBRAINZ, both, NOW + 4, linger=5) == queue.Claim(())
    queue.enqueue(connection, {track_id: [texts[1]]}, NOW + 4)
    full = queue.claim(connection, MUSICBRAINZ, both, NOW + 4, linger=5)
    assert [lookup.query for lookup in full.lookups] == texts
    assert len(queue.claim(connection, MUSICBRAINZ, both, NOW + 5, linger=5).lookups) == 1
    late = NOW + 10 + queue.PATIENCE
    queue.enqueue(connection, {track_id: [isrc_query(2)]}, NOW + 5)
    more = [Query.of(MUSICBRAINZ, "text", title=title, artist="b") for title in "cd"]
    queue.enqueue(connection, {track_id: more}, late)
    oldest = queue.claim(connection, MUSICBRAINZ, both, late, linger=5)
    assert [lookup.query for lookup in oldest.lookups] == [isrc_query(2)]


def test_a_claim_leaves_other_providers_kinds_that_may_not_be_asked_and_what_is_not_due(
    connection: sqlite3.Connection,
) -> None:
    [track_id] = add_tracks(connection, tags())
    other = Query.of(LISTENBRAINZ, "isrc", isrc=isrc(9))
    queue.enqueue(connection, {track_id: [other, Query.of(MUSICBRAINZ, "text", title="a", artist="b")]}, NOW)
    queue.enqueue(connection, {track_id: [isrc_query(1)]}, NOW + 60)
    assert queue.claim(connection, MUSICBRAINZ, {"isrc": 100}, NOW) == queue.Claim(())
    assert queue.next_due_by_kind(connection, MUSICBRAINZ, ["isrc", "recording"]) == {"isrc": NOW + 60}


def test_what_is_claimed_is_not_claimed_again(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1, 2)
    assert len(claim(connection)) == 2
    assert claim(connection) == []


def test_a_claim_out_of_a_hundred_thousand_walks_the_index_of_what_waits(
    connection: sqlite3.Connection,
) -> None:
    many_lookups(connection, 100_000)
    with statements(connection) as seen:
        assert len(claim(connection)) == 100
        assert queue.next_due_by_kind(connection, MUSICBRAINZ, ["isrc"]) == {"isrc": NOW}
    asked = [steps_of(connection, sql) for sql in seen if "lookups" in sql]
    assert len(asked) == 4  # how many of its kind, the next hundred, their leases, the first that is left
    for steps in asked:
        assert not any("SCAN lookups" in step or "TEMP B-TREE" in step for step in steps), steps
    walks = [steps for steps in asked if any("INDEX lookups_waiting" in step for step in steps)]
    assert len(walks) == 3
    assert any("lookups USING INTEGER PRIMARY KEY" in step for step in asked[2])


@pytest.mark.parametrize("call", ["wake", "settle", "enqueue", "reopen", "waiting", "waiting for some", "counts"])
def test_no_round_of_the_queue_reads_all_of_it(connection: sqlite3.Connection, call: str) -> None:
    track_id = add_lookups(connection, 1, 2)
    [lookup, _] = claim(connection)
    with statements(connection) as seen:
        if call == "wake":
            queue.requeue_due(connection, NOW)
        elif call == "settle":
            queue.settle(connection, [found(lookup, recording(1))], NOW)
            queue.tracks_served(connection, [lookup.lookup_id])
        elif call == "enqueue":
            queue.enqueue(connection, {track_id: [isrc_query(1), isrc_query(3)]}, NOW)
        elif call == "reopen":
            queue.requeue_by_state(connection, ["failed"], None, NOW)
        elif call == "waiting":
            queue.waiting_lookups(connection, MUSICBRAINZ)
        elif call == "waiting for some":
            queue.waiting_lookups(connection, MUSICBRAINZ, [track_id])
        else:
            library_counts.count_lookups_by_state(connection)
            library_counts.oldest_waiting_lookup(connection)
    assert seen
    for sql in seen:
        steps = steps_of(connection, sql)
        walked = [step for step in steps if step.startswith(("SCAN lookups", "SCAN l ", "SCAN track", "SCAN link"))]
        assert all("lookups_oldest" in step for step in walked), (sql, steps)
        assert not any("provider=?)" in step and "autoindex_lookups_" in step for step in steps), (sql, steps)


# --- answers --------------------------------------------------------------------------------------


def test_an_answer_brings_its_facts_and_reaches_every_linked_track(connection: sqlite3.Connection) -> None:
    ids = add_tracks(connection, tags("One"), tags("Two"))
    queue.enqueue(connection, {track_id: [isrc_query(1)] for track_id in ids}, NOW)
    [lookup] = claim(connection)
    entity = recording(1, title="Blue Hour ☂")
    queue.settle(connection, [found(lookup, entity, recording(2))], NOW)
    for state in tracks.load_states(connection, ids):
        answer = state.answer_to(isrc_query(1))
        assert answer is not None
        assert answer.is_answered
        assert [one.id for one in answer.entities] == [mbid(1), mbid(2)]
        assert answer.entities[0] == entity


def test_an_answer_to_another_kind_of_question_that_says_less_takes_nothing_away(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, 1)
    queue.enqueue(connection, {track_id: [Query.of(MUSICBRAINZ, "text", title="a", artist="b")]}, NOW)
    [one], [two] = claim(connection), claim(connection, kind="text")
    releases = [{"id": "a", "title": "Night Shift"}]
    rich = recording(1, genres=["rock"], isrcs=[isrc(1)], title="Blue Hour ☂", releases=releases * 2)
    poor = recording(1, title="Blue Hour!", releases=releases)
    queue.settle(connection, [found(one, rich)], NOW)
    queue.settle(connection, [found(two, poor)], NOW)
    [state] = tracks.load_states(connection, [track_id])
    answer = state.answer_to(isrc_query(1))
    assert answer is not None
    assert answer.entities[0].fields == {**rich.fields, "title": "Blue Hour!", "releases": releases}


def test_what_a_service_takes_back_is_gone_with_the_next_answer_to_the_same_kind_of_question(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, 1)
    queue.enqueue(connection, {track_id: [Query.of(MUSICBRAINZ, "text", title="a", artist="b")]}, NOW)
    [by_isrc], [by_text] = claim(connection), claim(connection, kind="text")
    long_ago = recording(1, title="Blue Houre", isrcs=[isrc(1), isrc(2)], genres=["rock"])
    queue.settle(connection, [found(by_isrc, long_ago)], NOW)
    queue.settle(connection, [found(by_text, recording(1, title="Blue Hour", score=90))], NOW)
    today = recording(1, title="Blue Hour", isrcs=[isrc(1)])
    queue.settle(connection, [found(by_isrc, today)], NOW)
    [state] = tracks.load_states(connection, [track_id])
    answer = state.answer_to(isrc_query(1))
    assert answer is not None
    assert answer.entities[0].fields == {**today.fields, "score": 90}


def test_a_postponed_lookup_keeps_its_due_time_and_its_attempts(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1, now=NOW - 50)
    [lookup] = claim(connection)
    connection.execute("UPDATE lookups SET attempts = 3, misses = 2")
    said = Settlement(lookup, LookupState.PENDING, 0.0, error="quota spent", is_attempt=False)
    queue.settle(connection, [said], NOW)
    row = of(connection, lookup.lookup_id, "state, due_at, attempts, misses, last_error")
    assert row == ("pending", iso(NOW - 50), 3, 2, "quota spent")
    aside = Settlement(lookup, LookupState.PENDING, NOW + 300, error="never answered", is_attempt=False)
    queue.settle(connection, [aside], NOW)
    row = of(connection, lookup.lookup_id, "state, due_at, attempts")
    assert row == ("pending", iso(NOW + 300), 3), "to step aside is not an attempt either"


def test_a_failure_counts_and_waits_and_an_answer_clears_the_count(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1)
    for attempt in (1, 2):
        [lookup] = claim(connection, NOW + attempt * 100)
        assert lookup.attempts == attempt - 1
        due = NOW + attempt * 100 + 60
        queue.settle(connection, [Settlement(lookup, LookupState.PENDING, due, error="500")], NOW)
        assert of(connection, lookup.lookup_id, "state, attempts, due_at") == ("pending", attempt, iso(due))
    [lookup] = claim(connection, NOW + 1_000)
    queue.settle(connection, [found(lookup, recording(1))], NOW)
    assert of(connection, lookup.lookup_id, "state, attempts, last_error") == ("done", 0, None)


def test_misses_are_counted_until_something_is_found(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1)
    for misses in range(3):
        [lookup] = claim(connection)
        assert lookup.misses == misses
        queue.settle(connection, [Settlement(lookup, LookupState.MISSING, NOW)], NOW)
        assert queue.requeue_due(connection, NOW) == 1
    [lookup] = claim(connection)
    queue.settle(connection, [found(lookup, recording(1))], NOW)
    assert of(connection, lookup.lookup_id, "misses") == (0,)


def test_an_aged_answer_comes_back_into_the_queue_and_stays_an_answer_meanwhile(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, 1)
    [lookup] = claim(connection)
    queue.settle(connection, [found(lookup, recording(1), due_at=NOW + DAY)], NOW)
    assert queue.requeue_due(connection, NOW + DAY - 1) == 0
    assert queue.requeue_due(connection, NOW + DAY) == 1
    for outcome in (None, Settlement(lookup, LookupState.FAILED, NOW, error="gone mad")):
        if outcome:
            queue.settle(connection, [outcome], NOW)
        [state] = tracks.load_states(connection, [track_id])
        answer = state.answer_to(isrc_query(1))
        assert answer is not None
        assert answer.is_settled
        assert [one.id for one in answer.entities] == [mbid(1)]


# --- leases, burial, retry ------------------------------------------------------------------------


def test_leases_of_a_process_that_died_come_back_with_their_attempts(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1, 2)
    connection.execute("UPDATE lookups SET attempts = 3")
    before = [(lookup.lookup_id, lookup.attempts) for lookup in claim(connection)]
    assert queue.release_leases(connection) == 2
    assert [(lookup.lookup_id, lookup.attempts) for lookup in claim(connection)] == before
    assert {attempts for _, attempts in before} == {3}


def test_only_the_leases_that_are_named_come_back(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1, 2)
    first, _ = claim(connection)
    assert queue.release_leases(connection, [first.lookup_id]) == 1
    assert [lookup.lookup_id for lookup in claim(connection)] == [first.lookup_id]


def test_the_buried_are_visible_and_come_back_by_retry_alone(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1, 2, 3)
    one, two, three = claim(connection)
    queue.settle(
        connection,
        [
            Settlement(one, LookupState.BURIED, NOW, error="500, five times"),
            Settlement(two, LookupState.FAILED, NOW, error="400"),
            Settlement(three, LookupState.MISSING, NOW + DAY),
        ],
        NOW,
    )
    assert of(connection, one.lookup_id, "state, last_error") == ("buried", "500, five times")
    assert queue.requeue_due(connection, NOW + 1_000 * DAY) == 1  # the missing one
    queue.settle(connection, [Settlement(three, LookupState.MISSING, NOW + DAY)], NOW)
    assert claim(connection, NOW + 100) == []
    assert len(queue.requeue_by_state(connection, ["failed"], None, NOW + 200)) == 2
    again = claim(connection, NOW + 200)
    assert [(lookup.lookup_id, lookup.attempts) for lookup in again] == [
        (one.lookup_id, 0),
        (two.lookup_id, 0),
    ]
    assert len(queue.requeue_by_state(connection, ["missing"], None, NOW + 200)) == 1


def test_retry_can_be_limited_to_one_provider(connection: sqlite3.Connection) -> None:
    add_lookups(connection, 1)
    [lookup] = claim(connection)
    queue.settle(connection, [Settlement(lookup, LookupState.BURIED, NOW)], NOW)
    assert len(queue.requeue_by_state(connection, ["failed"], "spotify", NOW)) == 0
    assert len(queue.requeue_by_state(connection, ["failed"], MUSICBRAINZ, NOW)) == 1


def test_a_retry_names_the_lookups_whose_tracks_are_to_be_decided_and_leaves_those_nobody_wants(
    connection: sqlite3.Connection,
) -> None:
    first, other = add_tracks(connection, tags("First"), tags("Other"))
    queue.enqueue(connection, {first: [isrc_query(1), isrc_query(2)], other: [isrc_query(3)]}, NOW)
    [one, two, _] = claim(connection)
    queue.settle(connection, [Settlement(each, LookupState.FAILED, NOW, error="400") for each in (one, two)], NOW)
    connection.execute("DELETE FROM track_lookups WHERE lookup_id = ?", (two.lookup_id,))
    again = queue.requeue_by_state(connection, ["failed"], None, NOW)
    assert again == [one.lookup_id]
    assert queue.tracks_served(connection, again) == [first]
    assert of(connection, two.lookup_id, "state") == ("failed",)


# --- what nobody wants any more -------------------------------------------------------------------


def test_a_question_that_no_track_asks_any_more_is_never_sent_and_asked_again_when_one_does(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, 1, 2)
    tracks.unlink_lookups(connection, track_id)
    queue.enqueue(connection, {track_id: [isrc_query(2)]}, NOW)
    assert [lookup.query for lookup in claim(connection)] == [isrc_query(2)]
    assert library_counts.count_lookups_by_state(connection) == {MUSICBRAINZ: {"leased": 1}}
    queue.enqueue(connection, {track_id: [isrc_query(1)]}, NOW)
    assert [lookup.query for lookup in claim(connection)] == [isrc_query(1)]


def test_questions_in_the_way_that_nobody_asks_do_not_make_a_batch_smaller(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, *range(1, 31))
    tracks.unlink_lookups(connection, track_id)
    queue.enqueue(connection, {track_id: [isrc_query(n) for n in range(26, 31)]}, NOW)
    assert [lookup.query for lookup in claim(connection, most=5)] == [isrc_query(n) for n in range(26, 31)]


def test_very_many_questions_that_nobody_asks_are_passed_over_claim_by_claim(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, *range(queue.ROUNDS + 3))
    tracks.unlink_lookups(connection, track_id)
    last = isrc_query(queue.ROUNDS + 2)
    queue.enqueue(connection, {track_id: [last]}, NOW)
    assert queue.claim(connection, MUSICBRAINZ, {"isrc": 1}, NOW) == queue.Claim(())
    assert [lookup.query for lookup in claim(connection, most=1)] == [last]


def test_questions_of_a_file_that_is_gone_are_not_sent_and_are_when_it_comes_back(
    connection: sqlite3.Connection,
) -> None:
    def scan(number: int) -> None:
        changed = tracks.save_scanned(
            connection, [scanned(b"/m/a.mp3", tags(isrcs=[1]))], number, NOW, exists=lambda path: True
        )
        decide(connection, changed)

    scan(1)
    tracks.mark_vanished(connection, [b"/m"], 2, NOW, gone=lambda path: True)
    assert claim(connection) == []
    scan(3)
    assert [lookup.query for lookup in claim(connection)] == [isrc_query(1)]


def test_an_answer_that_no_track_wants_is_kept_and_not_refreshed_until_one_does(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, 1, 2)
    for number, lookup in enumerate(claim(connection), 1):
        queue.settle(connection, [found(lookup, recording(number), due_at=NOW + DAY)], NOW)
    tracks.unlink_lookups(connection, track_id)
    assert queue.requeue_due(connection, NOW + DAY) == 0
    assert queue.enqueue(connection, {track_id: [isrc_query(1)]}, NOW + DAY) == {track_id}
    [state] = tracks.load_states(connection, [track_id])
    answer = state.answer_to(isrc_query(1))
    assert answer is not None
    assert [one.id for one in answer.entities] == [mbid(1)]
    assert queue.requeue_due(connection, NOW + 2 * DAY) == 1
    assert [lookup.query for lookup in claim(connection, NOW + 2 * DAY)] == [isrc_query(1)]


def test_a_refresh_that_waits_when_its_last_track_leaves_is_off_and_the_answer_stays(
    connection: sqlite3.Connection,
) -> None:
    track_id = add_lookups(connection, 1, 2)
    one, two = claim(connection)
    settled = [found(one, recording(1), due_at=NOW), Settlement(two, LookupState.MISSING, NOW)]
    queue.settle(connection, settled, NOW)
    assert queue.requeue_due(connection, NOW) == 2
    tracks.unlink_lookups(connection, track_id)
    assert claim(connection) == []
    assert of(connection, one.lookup_id, "state, due_at") == ("done", iso(NOW + DAY))
    assert of(connection, two.lookup_id, "state") == ("missing",)
    assert queue.enqueue(connection, {track_id: [isrc_query(1)]}, NOW) == {track_id}


def test_what_comes_due_together_comes_back_in_portions(connection: sqlite3.Connection) -> None:
    many_lookups(connection, 25, state="done")
    assert [queue.requeue_due(connection, NOW, limit=10) for _ in range(4)] == [10, 10, 5, 0]


# --- counts ---------------------------------------------------------------------------------------


def test_the_totals_are_those_of_the_queue_whatever_happens_to_it(connection: sqlite3.Connection) -> None:
    track_id = add_lookups(connection, *range(8))
    one, two, three, *rest = claim(connection, most=6)
    queue.settle(connection, [found(one, recording(1)), Settlement(two, LookupState.MISSING, NOW)], NOW)
    queue.settle(connection, [Settlement(three, LookupState.BURIED, NOW)], NOW)
    queue.release_leases(connection, [rest[0].lookup_id])
    queue.requeue_due(connection, NOW)
    tracks.unlink_lookups(connection, track_id)
    queue.enqueue(connection, {track_id: [isrc_query(7), Query.of(MUSICBRAINZ, "text", title="a", artist="b")]}, NOW)
    claim(connection, most=1)
    counted = connection.execute(
        "SELECT provider, kind, state, count(*) FROM lookups GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    ).fetchall()
    assert len(counted) > 4
    assert counted == connection.execute(
        "SELECT provider, kind, state, lookups FROM lookup_totals WHERE lookups > 0 ORDER BY 1, 2, 3"
    ).fetchall()  # fmt: skip
    connection.execute("DELETE FROM lookups")
    assert library_counts.count_lookups_by_state(connection) == {}


def test_what_still_waits_is_counted_by_kind_and_for_single_tracks(connection: sqlite3.Connection) -> None:
    first, other = add_tracks(connection, tags("First"), tags("Other", isrcs=[77]))
    queue.enqueue(connection, {first: [isrc_query(1), isrc_query(2)]}, NOW)
    queue.enqueue(connection, {other: [Query.of(MUSICBRAINZ, "text", title="x", artist="y")]}, NOW + 60)
    claim(connection, most=1)
    found_waiting = {(w.kind, w.leased): w.lookups for w in queue.waiting_lookups(connection, MUSICBRAINZ)}
    assert found_waiting == {("isrc", True): 1, ("isrc", False): 1, ("text", False): 1}
    [mine] = queue.waiting_lookups(connection, MUSICBRAINZ, [other])
    assert (mine.kind, mine.leased, mine.due_at) == ("text", False, NOW + 60)


async def test_a_restart_finds_everything_that_was_queued(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("store") / "soulspot.db"
    with Database(path) as database:
        await database.write(lambda c: add_lookups(c, *range(50)))
        await database.write(lambda c: claim(c, most=20))
    with Database(path) as database:
        assert await database.write(queue.release_leases) == 20
        assert len(await database.write(claim)) == 50


# --- a clock that was wrong -----------------------------------------------------------------------

AHEAD = NOW + 73 * 365 * DAY  # the time of a clock that ran ahead


def test_a_lookup_postponed_by_a_clock_that_ran_ahead_waits_no_longer_than_any_other(
    connection: sqlite3.Connection,
) -> None:
    number = add_lookups(connection, 1)
    (lookup,) = claim(connection)
    failed = Settlement(lookup, LookupState.PENDING, AHEAD + 60, error="HTTP 500")
    queue.settle(connection, [failed], AHEAD)
    assert queue.clamp_due_times(connection, NOW, 3600.0, 99 * DAY) == 1
    assert of(connection, number, "due_at") == (iso(NOW + 3600.0),)
    assert queue.clamp_due_times(connection, NOW, 3600.0, 99 * DAY) == 0


def test_an_answer_from_the_future_ages_from_now_on(connection: sqlite3.Connection) -> None:
    first = add_lookups(connection, 1)
    queue.settle(connection, [found(*claim(connection), recording(1), due_at=AHEAD + 90 * DAY)], AHEAD)
    queue.clamp_due_times(connection, NOW, 3600.0, 99 * DAY)
    assert of(connection, first, "state, due_at, answered_at") == ("done", iso(NOW + 99 * DAY), iso(NOW))


def test_due_times_that_a_right_clock_has_written_are_left_alone(connection: sqlite3.Connection) -> None:
    # a setting that was shortened meanwhile must not make all old answers due on one day
    number = add_lookups(connection, 1)
    queue.settle(connection, [found(*claim(connection), recording(1), due_at=NOW + 95 * DAY)], NOW)
    queue.clamp_due_times(connection, NOW, 3600.0, 30 * DAY)
    assert of(connection, number, "due_at") == (iso(NOW + 95 * DAY),)
