"""The outcome of a track: its status, its row, what a person is shown, and what nothing undoes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from soulspot.deciding.outcome import Rules, decide_track
from soulspot.deciding.plan_state import Services
from soulspot.models import (
    LISTENBRAINZ,
    MUSICBRAINZ,
    SPOTIFY,
    AlbumGroup,
    EnrichedTrack,
    Entity,
    LookupState,
    Query,
    Status,
    TrackLookup,
    TrackState,
    TrackTags,
    Verdict,
)
from tests.support.factories import (
    NOTHING,
    asked,
    by_kind,
    edition,
    failed,
    isrc,
    isrc_query,
    mbid,
    play,
    recording,
    release,
    said,
    spotify_id,
    spotify_track,
    state,
    tags,
)

MB, LB = MUSICBRAINZ, LISTENBRAINZ
NO_SPOTIFY = Rules(Services(spotify=False))
TEXT = Query.of(MB, "text", title="Blue Hour", artist="The Lanterns", duration_ms="201000")
NAMES = Query.of(LB, "text", title="Blue Hour", artist="The Lanterns")
OTHER_SONG = {"title": "Something Else", "artist": "Somebody", "artists": ["Somebody"], "duration_ms": 99_000}


def after(first: TrackState, *answers: TrackLookup, rules: Rules = NO_SPOTIFY) -> EnrichedTrack:
    """The row once these further answers are there; everything else is missing."""
    known = {(one.query.provider, one.query.kind, one.query.key): one for one in answers}
    now = replace(first, lookups={**first.lookups, **known})
    outcome, _ = play(now, by_kind({}), rules)
    return outcome.row


# --- accepted, review, unmatched, failed ----------------------------------------------------------


def test_a_track_that_is_clearly_right_is_accepted_with_the_source_of_every_field() -> None:
    row = after(state(tags(isrcs=[1])), asked(isrc_query(1), recording(1, isrcs=[isrc(1)])))
    assert (row.status, row.mb_recording_id, row.isrc) == (Status.ACCEPTED, mbid(1), isrc(1))
    assert row.mb_release_id == release(1)["id"]
    assert 0.9 <= row.confidence <= 1.0
    filled = {name for name in EnrichedTrack.__dataclass_fields__ if getattr(row, name) not in (None, ())}
    assert filled - {"track_id", "status", "confidence", "sources"} == set(row.sources)
    assert set(row.sources.values()) <= {MB, LB, SPOTIFY, "tags"}


def test_what_is_merely_likely_goes_to_review_with_its_reasons_and_without_an_id() -> None:
    several = [recording(n, releases=[], duration_ms=None) for n in (1, 2)]
    outcome, _ = play(state(tags(duration_ms=None)), by_kind({(MB, "loose"): several}), NO_SPOTIFY)
    assert outcome.row.status is Status.REVIEW
    assert outcome.row.mb_recording_id is None
    assert {one.entity_id for one in outcome.candidates} == {mbid(1), mbid(2)}
    assert outcome.candidates[0].verdict is Verdict.REVIEW
    assert all(one.reasons for one in outcome.candidates)
    assert set(outcome.row.sources.values()) == {"tags"}


def test_what_nobody_knows_is_unmatched_and_keeps_what_its_tags_say() -> None:
    row = after(state(tags(isrcs=[1])))
    assert (row.status, row.confidence) == (Status.UNMATCHED, 0.0)
    assert (row.title, row.isrc, row.sources["title"]) == ("Blue Hour", isrc(1), "tags")


def test_a_track_with_open_questions_is_pending() -> None:
    outcome = decide_track(state(tags()), NO_SPOTIFY)
    assert (outcome.row.status, outcome.wanted, outcome.is_news) == (Status.PENDING, (NAMES,), False)


def test_an_unreadable_file_has_failed_and_says_nothing_else() -> None:
    outcome = decide_track(state(NOTHING, unreadable="damaged", path=b"/a.mp3"), Rules())
    assert outcome.row == EnrichedTrack(1, b"/a.mp3", None, Status.FAILED, 0.0)
    assert outcome.is_news


def test_a_row_with_malformed_identifiers_and_nothing_else_has_failed() -> None:
    only = state(tags(None, None, None, None, malformed=["isrc: DE-nonsense"]))
    assert decide_track(only, Rules()).row.status is Status.FAILED


def test_a_malformed_identifier_beside_a_title_harms_nothing() -> None:
    row = after(state(tags(malformed=["isrc: x"])), asked(TEXT, recording(1)))
    assert row.status is Status.ACCEPTED


def test_a_track_whose_lookup_was_given_up_has_failed_so_that_retry_finds_it() -> None:
    wide = Query.of(MB, "text", title="Blue Hour", artist="The Lanterns", scope="wide")
    assert after(state(tags()), failed(TEXT)).status is Status.FAILED
    assert after(state(tags()), failed(TEXT), asked(wide, recording(1))).status is Status.ACCEPTED


def test_a_refresh_that_failed_is_no_failure_of_the_track() -> None:
    once_missing = replace(asked(TEXT), state=LookupState.BURIED)
    assert after(state(tags()), once_missing).status is Status.UNMATCHED


# --- identifiers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["recording", "isrc", "spotify"])
def test_a_lone_identifier_is_accepted_when_it_names_one_recording(kind: str) -> None:
    lone = tags(
        None, None, None, None, recording=1 if kind == "recording" else None,
        isrcs=[1] if kind == "isrc" else (), spotify=1 if kind == "spotify" else None,
    )  # fmt: skip
    replies = {
        (LB, "recording"): [recording(1, provider=LB)],
        (MB, "isrc"): [recording(1)],
        (SPOTIFY, "track"): [spotify_track(1)],
    }
    outcome, _ = play(state(lone), by_kind(replies), Rules())
    assert outcome.row.status is Status.ACCEPTED
    assert outcome.row.title == "Blue Hour"


def test_a_lone_isrc_that_names_several_recordings_goes_to_review() -> None:
    lone = tags(None, None, None, None, isrcs=[1])
    row = after(state(lone), asked(isrc_query(1), recording(1), recording(2, **OTHER_SONG)))
    assert (row.status, row.mb_recording_id) == (Status.REVIEW, None)


def test_a_wrong_recording_id_in_the_tags_is_not_believed_and_the_right_recording_is_found_by_text() -> None:
    replies = {(LB, "recording"): [recording(1, provider=LB, **OTHER_SONG)], (MB, "text"): [recording(2)]}
    outcome, _ = play(state(tags(recording=1)), by_kind(replies), NO_SPOTIFY)
    assert (outcome.row.status, outcome.row.mb_recording_id) == (Status.ACCEPTED, mbid(2))


def test_a_wrong_spotify_id_in_the_tags_is_not_believed() -> None:
    replies = {(SPOTIFY, "track"): [spotify_track(1, **OTHER_SONG)], (MB, "text"): [recording(2)]}
    outcome, _ = play(state(tags(spotify=1)), by_kind(replies), Rules())
    assert outcome.row.mb_recording_id == mbid(2)
    assert outcome.row.spotify_track_id is None


def test_a_track_that_only_spotify_knows_is_accepted_by_it() -> None:
    named = Entity(LB, "spotify_ids", "names", {"spotify_track_ids": [spotify_id(1)]})
    replies = {(LB, "spotify_names"): [named], (SPOTIFY, "track"): [spotify_track(1)]}
    outcome, _ = play(state(tags()), by_kind(replies), Rules())
    row = outcome.row
    assert (row.status, row.spotify_track_id, row.mb_recording_id) == (Status.ACCEPTED, spotify_id(1), None)


def test_where_the_tags_misspell_the_album_the_release_found_for_it_still_counts() -> None:
    row = after(state(tags(album="Night Shiftt")), asked(TEXT, recording(1)))
    assert (row.album, row.mb_release_id) == ("Night Shift", release(1)["id"])


def test_all_album_fields_are_of_the_release_that_was_chosen() -> None:
    entity = recording(
        1,
        releases=[release(2, "Greatest Hits", track_number=9), release(1)],
        album="Greatest Hits",
        barcode="1",
    )
    row = after(state(tags()), asked(TEXT, entity))
    assert (row.album, row.track_number, row.mb_release_id) == ("Night Shift", 3, release(1)["id"])
    assert row.barcode is None


# --- albums and hearsay ---------------------------------------------------------------------------


def test_label_catalogue_number_and_barcode_of_the_chosen_release_are_in_the_row() -> None:
    imprint = {"label": "Harbour", "catalog_number": "HB 7", "barcode": "0123456789012"}
    others = {"label": "Reissues", "catalog_number": "RE 1", "barcode": "999"}
    replies = {
        (MB, "album"): [edition(2, **others), edition(1, **imprint)],
        (MB, "release"): [recording(1, releases=[release(1)])],
    }
    track = state(tags(), group=AlbumGroup("Night Shift", "The Lanterns", 12))
    row = play(track, by_kind(replies), NO_SPOTIFY)[0].row
    assert row.mb_release_id == release(1)["id"]
    assert {name: getattr(row, name) for name in imprint} == imprint
    assert {row.sources[name] for name in imprint} == {MB}


def test_a_release_that_no_search_described_brings_no_label() -> None:
    replies = {
        (MB, "album"): [edition(2, label="Reissues", barcode="999")],
        (MB, "release"): [recording(1, releases=[release(1)])],
    }
    track = state(tags(), group=AlbumGroup("Night Shift", "The Lanterns", 12))
    row = play(track, by_kind(replies), NO_SPOTIFY)[0].row
    assert (row.status, row.label, row.barcode) == (Status.ACCEPTED, None, None)


def named_by_labs(length: int | None, own: int = 201_000) -> EnrichedTrack:
    """The row of a track whose exact names labs has, when ListenBrainz says that the recording is
    so long."""
    heard = {} if length is None else {"duration_ms": length}
    told = {k: v for k, v in recording(1, provider=LB).fields.items() if k != "duration_ms"}
    replies = {
        (LB, "text"): [Entity(LB, "recording", mbid(1), told)],
        (LB, "recording"): [Entity(LB, "recording", mbid(1), told | heard)],
    }
    return play(state(tags(duration_ms=own)), by_kind(replies), NO_SPOTIFY)[0].row


@pytest.mark.parametrize("length", [201_000, 203_400, 198_600])
def test_exact_names_of_labs_are_believed_where_the_lengths_agree_closely(length: int) -> None:
    row = named_by_labs(length)
    assert (row.status, row.mb_recording_id) == (Status.ACCEPTED, mbid(1))


@pytest.mark.parametrize("length", [None, 204_000, 150_000])
def test_exact_names_of_labs_are_no_candidate_where_the_lengths_differ_or_are_not_known(
    length: int | None,
) -> None:
    row = named_by_labs(length)
    assert (row.status, row.mb_recording_id, row.confidence) == (Status.UNMATCHED, None, 0.0)


def test_what_labs_named_counts_like_any_other_once_musicbrainz_names_it_too() -> None:
    told = {(LB, "text"): [recording(1, provider=LB, duration_ms=0)], (MB, "text"): [recording(1)]}
    row = play(state(tags()), by_kind(told), NO_SPOTIFY)[0].row
    assert (row.status, row.mb_recording_id) == (Status.ACCEPTED, mbid(1))


def test_what_labs_named_does_not_stand_against_the_recording_id_in_the_tags() -> None:
    replies = {(LB, "text"): [recording(1, provider=LB)], (LB, "recording"): [recording(1, provider=LB)]}
    bare = {k: v for k, v in recording(1).fields.items() if k != "duration_ms"}
    replies[LB, "recording"] = [Entity(LB, "recording", mbid(1), bare)]
    row = play(state(tags(recording=1)), by_kind(replies), NO_SPOTIFY)[0].row
    assert (row.status, row.mb_recording_id) == (Status.ACCEPTED, mbid(1))


def test_a_track_of_a_box_of_three_hundred_finds_its_own_among_all() -> None:
    def on_box(number: int, **more: Any) -> Entity:
        place = release(1, track_number=number + 1, disc_number=1, track_count=300)
        length = 100_000 + 7_919 * number % 250_000
        return recording(number, title=f"Étude no. {number}", duration_ms=length, releases=[place], **more)

    box = [on_box(number) for number in range(300)]
    replies = {(MB, "album"): [edition(1, 300)], (MB, "release"): box}
    for number in (0, 57, 299):
        known = tags(f"Étude no. {number}", duration_ms=box[number].fields["duration_ms"], track_number=number + 1)
        track = state(known, group=AlbumGroup("Night Shift", "The Lanterns", 300))
        row = play(track, by_kind(replies), NO_SPOTIFY)[0].row
        assert (row.status, row.mb_recording_id) == (Status.ACCEPTED, mbid(number))


# --- what stays -----------------------------------------------------------------------------------


def accepted(known: TrackState) -> TrackState:
    """The same track after it was accepted by its ISRC."""
    now = replace(known, lookups={(MB, "isrc", isrc_query(1).key): asked(isrc_query(1), recording(1))})
    row = decide_track(now, NO_SPOTIFY).row
    assert row.status is Status.ACCEPTED
    return replace(now, row=row)


def test_a_later_stage_never_sets_an_accepted_track_back() -> None:
    track = accepted(state(tags(isrcs=[1])))
    outcome = decide_track(track, Rules())
    assert outcome.wanted
    assert outcome.row.status is Status.ACCEPTED


def test_a_refresh_that_no_longer_finds_it_leaves_an_accepted_track_as_it_is_until_all_is_asked() -> None:
    track = accepted(state(tags(isrcs=[1])))
    gone = replace(track, lookups={(MB, "isrc", isrc_query(1).key): asked(isrc_query(1))})
    outcome = decide_track(gone, NO_SPOTIFY)
    assert outcome.wanted == (NAMES,)
    assert outcome.row == track.row
    assert not outcome.is_news


def test_a_file_that_moved_meanwhile_has_its_new_path_in_the_row_that_stays() -> None:
    track = accepted(state(tags(isrcs=[1]), path=b"/old.mp3", source_key="k"))
    gone = replace(track, path=b"/new.mp3", lookups={(MB, "isrc", isrc_query(1).key): asked(isrc_query(1))})
    row = decide_track(gone, NO_SPOTIFY).row
    assert (row.status, row.path, row.source_key) == (Status.ACCEPTED, b"/new.mp3", "k")


def test_an_accepted_track_is_news_once() -> None:
    track = accepted(state(tags(isrcs=[1])))
    assert decide_track(replace(track, row=None), NO_SPOTIFY).is_news
    assert not decide_track(track, NO_SPOTIFY).is_news


# --- people ---------------------------------------------------------------------------------------


def test_a_person_has_the_last_word_even_where_nothing_agrees() -> None:
    track = state(tags(), decisions=(said(MB, mbid(9)),))
    row = after(track, asked(TEXT, recording(1), recording(9, **OTHER_SONG, genres=["rock"])))
    assert (row.status, row.confidence, row.mb_recording_id) == (Status.ACCEPTED, 1.0, mbid(9))
    assert (row.title, row.genres) == ("Something Else", ("rock",))


def test_the_last_of_several_things_a_person_accepted_counts() -> None:
    decisions = (said(MB, mbid(1), at="2026-01-01"), said(MB, mbid(2), at="2026-01-02"))
    row = after(state(tags(), decisions=decisions), asked(TEXT, recording(1), recording(2)))
    assert row.mb_recording_id == mbid(2)


def test_what_a_person_accepted_survives_a_refresh_that_finds_something_else() -> None:
    track = accepted(state(tags(isrcs=[1]), decisions=(said(MB, mbid(1)),)))
    row = after(track, asked(isrc_query(1), recording(2)))
    assert (row.status, row.mb_recording_id) == (Status.ACCEPTED, mbid(1))


def test_a_rejected_id_is_not_proposed_again() -> None:
    track = state(tags(), decisions=(said(MB, mbid(1), Verdict.REJECTED),))
    outcome, _ = play(track, by_kind({(MB, "text"): [recording(1)]}), NO_SPOTIFY)
    assert outcome.row.status is Status.UNMATCHED
    assert outcome.candidates == ()
    outcome, _ = play(track, by_kind({(MB, "text"): [recording(1), recording(2)]}), NO_SPOTIFY)
    assert (outcome.row.mb_recording_id, len(outcome.candidates)) == (mbid(2), 1)


def test_a_rejected_id_leaves_the_row_at_once_even_while_more_is_asked() -> None:
    track = accepted(state(tags(isrcs=[1])))
    outcome = decide_track(replace(track, decisions=(said(MB, mbid(1), Verdict.REJECTED),)), NO_SPOTIFY)
    assert outcome.wanted == (NAMES,)
    assert (outcome.row.status, outcome.row.mb_recording_id) == (Status.PENDING, None)


def test_a_spotify_track_that_a_person_chose_among_those_found_brings_its_fields() -> None:
    track = state(tags(), decisions=(said(SPOTIFY, spotify_id(2)),))
    replies: dict[tuple[str, str], list[Entity]] = {
        (MB, "text"): [recording(1)],
        (SPOTIFY, "track"): [spotify_track(2, title="Blue Hour (Live)", popularity=7)],
    }
    outcome, _ = play(track, by_kind(replies), Rules())
    assert (outcome.row.spotify_track_id, outcome.row.popularity) == (spotify_id(2), 7)


def test_a_decision_on_one_service_leaves_the_other_to_the_matcher() -> None:
    track = state(tags(), decisions=(said(SPOTIFY, spotify_id(1), Verdict.REJECTED),))
    replies: dict[tuple[str, str], list[Entity]] = {
        (MB, "text"): [recording(1)],
        (SPOTIFY, "text"): [spotify_track(1)],
    }
    outcome, _ = play(track, by_kind(replies), Rules())
    assert (outcome.row.mb_recording_id, outcome.row.spotify_track_id) == (mbid(1), None)


@pytest.mark.parametrize(("title", "asked"), [("Song 2", True), ("22", True), ("Track 02", False), ("Titel 3", False)])
def test_what_looks_like_a_placeholder_is_asked_for_unless_it_can_be_nothing_else(title: str, asked: bool) -> None:
    tags = TrackTags(title=title, artist="Blue Hour", duration_ms=121_000)
    outcome = decide_track(TrackState(1, None, None, tags), Rules())
    assert [query.get("title") for query in outcome.wanted] == ([title] if asked else [])


def test_what_a_withdrawn_decision_has_brought_is_no_evidence() -> None:
    """The ISRC and the link of a recording that a person accepted and took back led to a Spotify
    track."""
    by_isrc = asked(Query.of(SPOTIFY, "isrc", isrc=isrc(9)), spotify_track(1, isrcs=[isrc(9)], album="Other"))
    by_link = asked(Query.of(SPOTIFY, "track", id=spotify_id(1)), spotify_track(1, album="Other"))
    unsure = tags(duration_ms=196_500, album=None, track_number=None)
    for answer in (by_isrc, by_link):
        assert decide_track(state(unsure, answer), Rules()).row.spotify_track_id is None
    own = tags(duration_ms=196_500, album=None, track_number=None, isrcs=[9])
    assert decide_track(state(own, by_isrc), Rules()).row.spotify_track_id == spotify_id(1)


def test_a_recording_that_only_a_foreign_isrc_reached_is_not_confirmed_by_it() -> None:
    by_isrc = asked(Query.of(MB, "isrc", isrc=isrc(9)), recording(1, duration_ms=204_300, releases=[]))
    plain = tags(album=None, track_number=None)
    assert decide_track(state(plain, by_isrc), NO_SPOTIFY).row.mb_recording_id is None
    own = tags(album=None, track_number=None, isrcs=[9])
    assert decide_track(state(own, by_isrc), NO_SPOTIFY).row.mb_recording_id == mbid(1)


# --- what Spotify confirms ------------------------------------------------------------------------


def test_an_isrc_that_musicbrainz_does_not_know_is_asked_for_by_spotifys_names() -> None:
    replies = {
        (SPOTIFY, "isrc"): [spotify_track(1, isrcs=[isrc(1)])],
        (SPOTIFY, "track"): [spotify_track(1, isrcs=[isrc(1)])],
        (MB, "text"): [recording(1)],
    }
    outcome, rounds = play(state(tags(None, None, None, None, isrcs=[1])), by_kind(replies), Rules())
    assert (outcome.row.mb_recording_id, outcome.row.spotify_track_id) == (mbid(1), spotify_id(1))
    assert TEXT in [query for several in rounds for query in several]


def test_the_isrc_of_an_accepted_spotify_track_names_the_recording() -> None:
    ambiguous = [recording(n, releases=[], duration_ms=None) for n in (1, 2)]
    replies = {
        (MB, "loose"): ambiguous,
        (MB, "isrc"): [recording(2, isrcs=[isrc(5)])],
        (SPOTIFY, "album"): [spotify_track(1, isrcs=[isrc(5)])],
        (LB, "spotify_names"): [
            Entity(LB, "spotify_ids", "names", {"spotify_track_ids": [spotify_id(1)]}),
        ],
        (SPOTIFY, "track"): [spotify_track(1, isrcs=[isrc(5)])],
    }
    outcome, _ = play(state(tags()), by_kind(replies), Rules())
    assert (outcome.row.spotify_track_id, outcome.row.mb_recording_id) == (spotify_id(1), mbid(2))


def test_a_spotify_track_that_is_not_accepted_confirms_nothing() -> None:
    replies = {
        (SPOTIFY, "isrc"): [spotify_track(1, isrcs=[isrc(1)], **OTHER_SONG)],
        (MB, "text"): [recording(1)],
    }
    known = tags("Blue Hour", None, None, 50_000, isrcs=[1])
    outcome, rounds = play(state(known), by_kind(replies), Rules())
    assert outcome.row.spotify_track_id is None
    assert not [query for several in rounds for query in several if query.get("title") == OTHER_SONG["title"]]
