"""The plan of a track: which lookups it wants, in which order, and that it ends in any case."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.deciding.outcome import Rules
from soulspot.deciding.plan import LARGEST_ALBUM, MAX_ISRCS, SMALLEST_ALBUM, plan
from soulspot.deciding.plan_state import Known, Services, searchable_names
from soulspot.deciding.spotify_plan import MAX_LINKS, spotify_album_query
from soulspot.models import (
    LISTENBRAINZ,
    MUSICBRAINZ,
    SPOTIFY,
    AlbumGroup,
    Entity,
    LookupState,
    PersonDecision,
    Query,
    Status,
    TrackLookup,
    TrackOutcome,
    TrackTags,
    Verdict,
)
from tests.support.factories import (
    NOTHING,
    artist_entity,
    asked,
    by_kind,
    edition,
    failed,
    isrc,
    mbid,
    play,
    recording,
    redirect,
    said,
    spotify_id,
    spotify_links,
    spotify_track,
    state,
    tags,
)

MB, LB = MUSICBRAINZ, LISTENBRAINZ
Replies = dict[tuple[str, str], Sequence[Entity]]


def steps(rounds: list[list[Query]]) -> list[list[str]]:
    return [[f"{query.provider} {query.kind}" for query in queries] for queries in rounds]


def asks(known: TrackTags, replies: Replies | None = None, **services: bool) -> list[list[str]]:
    """Return the lookups that a track wants, round by round."""
    _, rounds = play(state(known), by_kind(replies or {}), Rules(Services(**services)))
    return steps(rounds)


# --- identify, cheapest first ---------------------------------------------------------------------


def test_a_recording_id_asks_listenbrainz_and_nobody_else_about_it() -> None:
    found = {(LB, "recording"): [recording(1, provider=LB)]}
    assert asks(tags(recording=1), found, spotify=False) == [["listenbrainz recording"]]


def test_a_merged_recording_id_is_followed_by_labs() -> None:
    known = tags(recording=1)

    def reply(query: Query) -> TrackLookup:
        if query.kind == "redirect":
            return asked(query, redirect(1, 2))
        return asked(query, recording(2, provider=LB)) if query.get("mbid") == mbid(2) else asked(query)

    outcome, rounds = play(state(known), reply, Rules(Services(spotify=False)))
    assert steps(rounds) == [
        ["listenbrainz recording"],
        ["listenbrainz redirect"],
        ["listenbrainz recording"],
    ]
    assert rounds[2][0]["mbid"] == mbid(2)
    assert (outcome.row.status, outcome.row.mb_recording_id) == (Status.ACCEPTED, mbid(2))


def test_a_merged_recording_id_that_labs_does_not_know_is_followed_by_musicbrainz() -> None:
    replies: Replies = {(MB, "redirect"): [redirect(1, 2, provider=MB), recording(2)]}
    asked_for = asks(tags(recording=1), replies, spotify=False)
    assert asked_for[:3] == [["listenbrainz recording"], ["listenbrainz redirect"], ["musicbrainz recording"]]
    assert asked_for[-2:] == [["musicbrainz redirect"], ["listenbrainz recording"]]  # alone, hence last


def test_what_listenbrainz_has_under_an_id_and_is_not_clearly_the_track_musicbrainz_describes_better() -> None:
    elsewhere = recording(1, provider=LB, duration_ms=206_300)
    placed = recording(1, duration_ms=206_300, releases=[{"id": mbid(9), "title": "Night Shift", "track_number": 3}])
    replies: Replies = {(LB, "recording"): [elsewhere], (MB, "recording"): [placed]}
    known = tags(recording=1, album="Night Shift", track_number=3)
    assert asks(known, replies, spotify=False) == [["listenbrainz recording"], ["musicbrainz recording"]]


def test_an_isrc_asks_musicbrainz_after_the_recording_id_led_nowhere() -> None:
    assert asks(tags(recording=1, isrcs=[1]), spotify=False) == [
        ["listenbrainz recording"], ["listenbrainz redirect"], ["musicbrainz recording"], ["musicbrainz isrc"],
        ["listenbrainz text"], ["musicbrainz text"], ["musicbrainz loose"], ["musicbrainz artist"],
        ["musicbrainz redirect"],
    ]  # fmt: skip


def test_an_isrc_that_names_the_track_saves_the_text_search() -> None:
    found: Replies = {(MB, "isrc"): [recording(1)]}
    assert asks(tags(isrcs=[1]), found, spotify=False) == [["musicbrainz isrc"], ["listenbrainz recording"]]


def test_several_isrcs_are_asked_together_but_not_any_number() -> None:
    [first, *_] = asks(tags(isrcs=range(10)))
    assert first == ["musicbrainz isrc"] * MAX_ISRCS


def test_text_is_asked_by_exact_names_then_narrow_then_loose_and_at_last_who_goes_by_the_name() -> None:
    _, rounds = play(state(tags()), by_kind({}), Rules(Services(spotify=False)))
    assert steps(rounds) == [
        ["listenbrainz text"], ["musicbrainz text"], ["musicbrainz loose"], ["musicbrainz artist"],
    ]  # fmt: skip
    exact, narrow, loose, artist = (dict(queries[0].terms) for queries in rounds)
    assert exact == {"title": "Blue Hour", "artist": "The Lanterns"}
    assert narrow == {"title": "Blue Hour", "artist": "The Lanterns", "duration_ms": "201000"}
    assert loose == narrow | {"album": "Night Shift"}
    assert artist == {"name": "The Lanterns"}


def test_of_an_artist_that_is_called_otherwise_upstream_everything_as_long_is_asked_for() -> None:
    known = tags("Наш дом", artist="Viktor Tsoi")
    replies: Replies = {(MB, "artist"): [artist_entity(5, "Виктор Цой", "Viktor Tsoi")]}
    [*_, last] = play(state(known), by_kind(replies), Rules(Services(spotify=False)))[1]
    assert [dict(query.terms) for query in last] == [{"arid": mbid(5), "duration_ms": "201000"}]
    same: Replies = {(MB, "artist"): [artist_entity(5, "Viktor Tsoi", "Виктор Цой")]}
    assert asks(known, same, spotify=False)[-1] == ["musicbrainz by_artist"]  # the title may be called otherwise


def test_a_recording_that_only_its_length_speaks_for_does_not_end_the_search_for_who_has_the_title() -> None:
    known = tags("Shouq Amar", artist="Donia Zidan", album=None)
    other = recording(1, title="بحر ليل", artist="دنيا زيدان", artists=["دنيا زيدان"], artist_aliases=["Donia Zidan"])
    true = replace(other, id=mbid(2), fields={**other.fields, "title": "شوق قمر"})
    replies: Replies = {
        (MB, "loose"): [other],
        (MB, "artist"): [artist_entity(5, "دنيا زيدان", "Donia Zidan")],
        (MB, "by_artist"): [other, true],
    }
    outcome, rounds = play(state(known), by_kind(replies), Rules(Services(spotify=False)))
    assert ["musicbrainz by_artist"] in steps(rounds)
    assert outcome.row.mb_recording_id == mbid(2)


def test_the_only_recording_of_a_name_some_seconds_off_is_accepted_once_the_others_of_the_name_have_been_asked_for() -> (
    None
):
    longer = recording(1, duration_ms=205_500, releases=[])
    live = recording(2, duration_ms=260_000, releases=[], disambiguation="live")
    twin = recording(3, duration_ms=240_000, releases=[])

    def answers(*others: Entity, unheard: bool = False) -> Callable[[Query], TrackLookup]:
        def reply(query: Query) -> TrackLookup:
            if query.kind != "text" or query.provider != MB:
                return asked(query)
            if query.get("duration_ms"):
                return asked(query, longer)
            return asked(query, *others) if unheard else asked(query, longer, *others)

        return reply

    single = Rules(Services(spotify=False))
    outcome, rounds = play(state(tags(album=None)), answers(live), single)
    assert steps(rounds)[1:3] == [["musicbrainz text"], ["musicbrainz text"]]
    assert outcome.row.mb_recording_id == mbid(1)
    assert outcome.candidates[0].reasons[-1] == "the only one of this name, some seconds off"
    for reply in (answers(twin), answers(live, unheard=True)):
        assert play(state(tags(album=None)), reply, single)[0].row.status is Status.REVIEW


def test_a_version_the_tags_do_not_mention_is_settled_by_what_else_is_called_like_it() -> None:
    single = recording(1, disambiguation="single version", releases=[])
    ordinary = recording(2, duration_ms=260_000, releases=[])

    def reply(query: Query) -> TrackLookup:
        if query.kind != "text" or query.provider != MB:
            return asked(query)
        return asked(query, single) if query.get("duration_ms") else asked(query, single, ordinary)

    outcome, rounds = play(state(tags()), reply, Rules(Services(spotify=False)))
    assert steps(rounds)[1:3] == [["musicbrainz text"], ["musicbrainz text"]]
    assert outcome.row.mb_recording_id == mbid(1)


def test_text_that_is_found_narrow_is_not_asked_more_loosely() -> None:
    found: Replies = {(MB, "text"): [recording(1)]}
    assert asks(tags(), found, spotify=False) == [
        ["listenbrainz text"], ["musicbrainz text"], ["listenbrainz recording"],
    ]  # fmt: skip


def test_without_a_length_text_is_asked_loosely_at_once() -> None:
    assert asks(tags(duration_ms=None), spotify=False) == [["musicbrainz loose"]]


@pytest.mark.parametrize(
    "title",
    [
        "Track 01",
        "track 1",
        "Audio Track 7",
        "Titel 03",
        "Piste 12",
        "Untitled",
        "unknown",
        "Track",
        None,
        "",
    ],
)
def test_placeholder_titles_ask_nothing(title: str | None) -> None:
    assert searchable_names(tags(title, album=None)) is None
    assert asks(tags(title, album=None)) == []


@pytest.mark.parametrize("title", ["Track 10", "track 1", "Untitled", "Piste 12"])
def test_a_song_named_like_a_placeholder_is_asked_for_with_artist_and_album(title: str) -> None:
    assert searchable_names(tags(title)) == (title, "The Lanterns")
    assert asks(tags(title)) != []


@pytest.mark.parametrize("title", ["Track of My Tears", "Untitled Love", "Unknown Pleasures", "7"])
def test_titles_that_only_begin_like_placeholders_are_asked_about(title: str) -> None:
    assert searchable_names(tags(title)) == (title, "The Lanterns")


def test_a_title_without_artist_is_asked_for_by_its_length_and_without_one_not_at_all() -> None:
    assert asks(tags(artist=None)) == [["musicbrainz loose"]]
    assert asks(tags(artist=None, duration_ms=None)) == []


# --- whole albums ---------------------------------------------------------------------------------


def album_asks(
    size: int,
    known: TrackTags | None = None,
    replies: Replies | None = None,
    artist: str | None = "The Lanterns",
) -> list[list[Query]]:
    """Return the lookups of a track of an album of `size` tracks, round by round."""
    track = state(known or tags(), group=AlbumGroup("Night Shift", artist, size))
    return play(track, by_kind(replies or {}), Rules(Services(spotify=False)))[1]


def test_an_album_is_asked_for_whole_before_any_track_of_it_by_text() -> None:
    found: Replies = {(MB, "album"): [edition(1)], (MB, "release"): [recording(1)]}
    rounds = album_asks(12, replies=found)
    assert steps(rounds) == [["musicbrainz album"], ["musicbrainz release"], ["listenbrainz recording"]]
    [[which], [on_it], _] = rounds
    assert dict(which.terms) == {"album": "Night Shift", "artist": "The Lanterns"}
    assert (on_it["mbid"], on_it.hinted("tracks")) == (edition(1).id, "12")


def test_all_tracks_of_an_album_ask_the_same_questions_so_that_they_cost_two_requests() -> None:
    found: Replies = {(MB, "album"): [edition(1)]}
    first, second = (album_asks(12, tags(title), found) for title in ("Blue Hour", "Red Morning"))
    assert first[:2] == second[:2]


def test_a_compilation_is_asked_for_without_an_artist() -> None:
    [[query], *_] = album_asks(12, artist=None)
    assert dict(query.terms) == {"album": "Night Shift"}


def test_a_small_album_costs_less_track_by_track_and_a_huge_one_is_none() -> None:
    for size in (1, SMALLEST_ALBUM - 1, LARGEST_ALBUM + 1, 6666):
        assert steps(album_asks(size))[0] == ["listenbrainz text"], size
    for size in (SMALLEST_ALBUM, LARGEST_ALBUM):
        assert steps(album_asks(size))[0] == ["musicbrainz album"], size


def test_a_track_with_an_isrc_asks_for_its_album_last_since_the_others_have_isrcs_too() -> None:
    asked_for = steps(album_asks(12, tags(isrcs=[1])))
    assert asked_for[:3] == [["musicbrainz isrc"], ["listenbrainz text"], ["musicbrainz text"]]
    assert ["musicbrainz album"] in asked_for[3:]


def test_an_album_that_its_name_and_artist_do_not_find_is_looked_for_by_who_goes_by_the_name_and_by_its_size() -> None:
    [_, [artist], [again], *_] = album_asks(12)
    assert (artist.kind, dict(artist.terms)) == ("artist", {"name": "The Lanterns"})
    assert dict(again.terms) == {"album": "Night Shift", "tracks": "12"}
    other: Replies = {(MB, "artist"): [artist_entity(5, "Фонари", "The Lanterns")]}
    [_, _, [of_artist], *_] = album_asks(12, replies=other)
    assert dict(of_artist.terms) == {"album": "Night Shift", "arid": mbid(5), "tracks": "12"}


def test_an_album_whose_tracks_have_ids_is_not_asked_whole_before_the_names_of_one_that_is_wrong() -> None:
    kinds = [step for round_ in steps(album_asks(12, tags(recording=1))) for step in round_]
    assert kinds.index("listenbrainz text") < kinds.index("musicbrainz album")


def test_an_isrc_found_saves_the_albums_questions() -> None:
    found: Replies = {(MB, "isrc"): [recording(1, isrcs=[isrc(1)])], (MB, "album"): [edition(1)]}
    assert steps(album_asks(12, tags(isrcs=[1]), found)) == [["musicbrainz isrc"], ["listenbrainz recording"]]


def test_a_live_take_is_not_accepted_for_its_length_before_those_of_unknown_length_have_been_seen() -> None:
    known = tags("Blue Hour (Live)", album=None, track_number=None)
    take = recording(1, disambiguation="live", releases=[])
    others = [recording(n, disambiguation="live", duration_ms=None, releases=[]) for n in (2, 3)]
    seen: Replies = {(MB, "text"): [take], (MB, "loose"): [take, *others]}
    alone: Replies = {(MB, "text"): [take], (MB, "loose"): [take]}
    outcome, rounds = play(state(known), by_kind(seen), Rules(Services(spotify=False)))
    assert ["musicbrainz loose"] in steps(rounds)
    assert outcome.row.status is Status.REVIEW
    outcome, _ = play(state(known), by_kind(alone), Rules(Services(spotify=False)))
    assert outcome.row.mb_recording_id == mbid(1)


def test_a_recording_id_is_asked_before_the_album() -> None:
    found: Replies = {(LB, "recording"): [recording(1, provider=LB)]}
    assert steps(album_asks(12, tags(recording=1), found)) == [["listenbrainz recording"]]


def test_another_edition_is_asked_for_only_when_the_first_does_not_have_the_track() -> None:
    editions = [edition(n, 12, date=f"200{n}-01-01") for n in range(1, 6)]
    rounds = album_asks(12, replies={(MB, "album"): editions})
    asked_for = [query["mbid"] for queries in rounds for query in queries if query.kind == "release"]
    assert asked_for == [editions[0].id, editions[1].id]
    assert steps(rounds)[3] == ["listenbrainz text"]


def test_a_track_that_its_album_does_not_have_is_asked_for_by_text() -> None:
    strange = recording(9, title="Something Else", duration_ms=99_000)
    found: Replies = {(MB, "album"): [edition(1)], (MB, "release"): [strange], (MB, "text"): [recording(1)]}
    assert steps(album_asks(12, replies=found)) == [
        ["musicbrainz album"], ["musicbrainz release"], ["listenbrainz text"], ["musicbrainz text"],
        ["listenbrainz recording"],
    ]  # fmt: skip


def test_an_album_of_nobody_we_know_asks_for_no_release() -> None:
    stranger = edition(1, album="Day Trip")
    assert ["musicbrainz release"] not in steps(album_asks(12, replies={(MB, "album"): [stranger]}))


def test_exact_names_cost_a_hundredth_of_a_search_and_are_asked_first() -> None:
    named: Replies = {
        (LB, "text"): [recording(1, provider=LB)],
        (LB, "recording"): [recording(1, provider=LB)],
    }
    assert asks(tags(), named, spotify=False) == [["listenbrainz text"], ["listenbrainz recording"]]


def test_exact_names_are_not_asked_where_there_is_no_length_to_check_them_by() -> None:
    assert ["listenbrainz text"] not in asks(tags(duration_ms=None), spotify=False)


# --- enrich, then Spotify -------------------------------------------------------------------------


def test_an_identified_track_asks_spotify_by_its_links_before_isrc_before_text() -> None:
    known = tags(recording=1, isrcs=[1])
    identified: Replies = {(LB, "recording"): [recording(1, provider=LB, spotify_track_ids=[spotify_id(7)])]}
    assert asks(known, identified) == [
        ["listenbrainz recording"], ["listenbrainz spotify_ids"], ["spotify track"], ["spotify isrc"],
    ]  # fmt: skip
    assert asks(known, identified | {(SPOTIFY, "track"): [spotify_track(7)]}) == [
        ["listenbrainz recording"], ["listenbrainz spotify_ids"], ["spotify track"],
    ]  # fmt: skip
    assert asks(known, identified | {(SPOTIFY, "isrc"): [spotify_track(8)]})[-1] == ["spotify isrc"]


def test_links_are_tried_one_after_the_other_and_not_any_number() -> None:
    replies: Replies = {
        (LB, "recording"): [recording(1, provider=LB, spotify_track_ids=[spotify_id(3)])],
        (LB, "spotify_ids"): [spotify_links(1, 3, 4, 5, 6)],
    }
    _, rounds = play(state(tags(recording=1)), by_kind(replies), Rules())
    tried = [query["id"] for queries in rounds for query in queries if query.kind == "track"]
    assert tried == [spotify_id(3), spotify_id(4), spotify_id(5)]
    assert len(tried) == MAX_LINKS


def test_a_spotify_question_says_whose_album_it_is_about_so_that_one_request_can_serve_it() -> None:
    known = tags(spotify=1, album_artist="Various")
    _, [first, *_] = play(state(known), by_kind({}), Rules())
    [query] = [one for one in first if one.provider == SPOTIFY]
    assert [query.hinted(name) for name in ("title", "artist", "album")] == [
        "Blue Hour",
        "Various",
        "Night Shift",
    ]


def test_a_track_that_musicbrainz_does_not_know_is_looked_for_on_spotify_by_labs_and_by_its_isrc() -> None:
    assert asks(tags(isrcs=[1]))[-2:] == [["listenbrainz spotify_names"], ["spotify isrc"]]


def test_words_are_searched_for_at_spotify_only_where_labs_cannot_be_asked() -> None:
    found: Replies = {(LB, "recording"): [recording(1, provider=LB)]}
    assert asks(tags(recording=1), found)[-1] == ["listenbrainz spotify_ids"]
    assert asks(tags(), musicbrainz=False, listenbrainz=False) == [["spotify text"]]
    assert ["spotify text"] not in asks(tags())


IDENTIFIED: Replies = {(LB, "recording"): [recording(1, provider=LB)]}


def spotify_asks(
    replies: Replies, *, batches: bool, size: int = 12, beside: Sequence[str] = (), **known: Any
) -> list[list[str]]:
    """Return what a track of an album wants after it has been identified."""
    group = AlbumGroup("Night Shift", "The Lanterns", size, spotify_albums=tuple(beside))
    start = state(tags(recording=1, **known), group=group)
    _, rounds = play(start, by_kind(IDENTIFIED | replies), Rules(Services(spotify_batches=batches)))
    return steps(rounds)[1:]


def test_an_album_is_searched_for_before_its_tracks_where_a_track_costs_a_request() -> None:
    assert spotify_asks({(SPOTIFY, "album"): [spotify_track(1)]}, batches=False) == [["spotify album"]]
    assert spotify_asks({(SPOTIFY, "album"): [spotify_track(1)]}, batches=True)[:2] == [
        ["listenbrainz spotify_ids"], ["spotify album"],
    ]  # fmt: skip


def test_what_the_search_does_not_show_of_an_album_is_read_whole_before_a_track_is_asked_for_alone() -> None:
    other = spotify_track(2, title="Another Song", duration_ms=99_000, track_number=9)
    replies: Replies = {(SPOTIFY, "album"): [other], (SPOTIFY, "tracklist"): [spotify_track(1)]}
    assert spotify_asks(replies, batches=False) == [["spotify album"], ["spotify tracklist"]]


def test_a_track_that_its_spotify_album_does_not_have_is_not_searched_for_singly() -> None:
    other = spotify_track(2, title="Another Song", duration_ms=99_000, track_number=9)
    replies: Replies = {(SPOTIFY, "album"): [other], (SPOTIFY, "tracklist"): [other]}
    assert spotify_asks(replies, batches=True, isrcs=[1])[-1] == ["spotify tracklist"]


def test_the_album_that_other_tracks_were_found_on_is_read_without_a_search() -> None:
    replies: Replies = {(SPOTIFY, "tracklist"): [spotify_track(1)]}
    assert spotify_asks(replies, batches=True, beside=[spotify_id(6_000)]) == [
        ["listenbrainz spotify_ids"], ["spotify tracklist"], ["spotify track"],
    ]  # fmt: skip


def waiting(links: int, *, batches: bool, **of_group: Any) -> tuple[TrackOutcome, list[list[str]]]:
    """Return the outcome of an identified track whose album Spotify has under no such name, and its
    lookups."""
    group = AlbumGroup("Night Shift", "The Lanterns", 12, **of_group)
    replies: Replies = IDENTIFIED | {(LB, "spotify_ids"): [spotify_links(1, *range(20, 20 + links))]}
    start = state(tags(recording=1), group=group)
    outcome, rounds = play(start, by_kind(replies), Rules(Services(spotify_batches=batches)))
    return outcome, steps(rounds)[1:]


@pytest.mark.parametrize("batches", [True, False])
def test_an_album_is_not_searched_for_before_all_of_its_tracks_are_as_far(batches: bool) -> None:
    outcome, asked_for = waiting(0, batches=batches, is_searched=False)
    assert outcome.waits_for_album
    assert asked_for == ([["listenbrainz spotify_ids"]] if batches else [])


def test_where_a_track_costs_a_request_one_of_an_album_asks_for_its_links_at_a_time() -> None:
    outcome, asked_for = waiting(2, batches=False, turn_of=99)
    assert outcome.waits_for_album
    assert asked_for == [["spotify album"], ["listenbrainz spotify_ids"]]
    outcome, asked_for = waiting(2, batches=False, turn_of=1)
    assert not outcome.waits_for_album
    assert asked_for[2:] == [["spotify track"], ["spotify track"]]


def test_the_album_that_a_link_of_another_track_has_told_is_read_before_a_link_is_asked_for() -> None:
    _, asked_for = waiting(1, batches=False, turn_of=1, late_spotify_albums=(spotify_id(6_000),))
    assert asked_for[2:] == [["spotify tracklist"], ["spotify track"]]


def test_a_folder_of_loose_tracks_is_not_searched_for_as_an_album() -> None:
    folder = AlbumGroup("rip4711", None, 12)
    start = state(tags(album=None, recording=1), group=folder)
    _, rounds = play(start, by_kind(IDENTIFIED), Rules(Services(spotify_batches=False)))
    assert ["spotify album"] not in steps(rounds)


def test_a_track_that_two_sources_name_is_taken_unasked_only_where_asking_costs_a_request() -> None:
    replies: Replies = {
        (LB, "recording"): [recording(1, provider=LB, spotify_track_ids=[spotify_id(3)])],
        (LB, "spotify_ids"): [spotify_links(1, 4, 3)],
    }
    outcome, rounds = play(state(tags(recording=1)), by_kind(replies), Rules(Services(spotify_batches=False)))
    assert outcome.row.spotify_track_id == spotify_id(3)
    assert steps(rounds) == [["listenbrainz recording"], ["listenbrainz spotify_ids"]]
    assert "Spotify itself was not asked" in outcome.candidates[-1].reasons
    _, rounds = play(state(tags(recording=1)), by_kind(replies), Rules())
    assert ["spotify track"] in steps(rounds)


@pytest.mark.parametrize(("related", "named"), [([3], [4]), ([3, 5], [3, 5]), ([], [3])])
def test_a_spotify_track_that_one_source_names_or_one_of_several_relations_is_verified(
    related: list[int], named: list[int]
) -> None:
    replies: Replies = {
        (LB, "recording"): [recording(1, provider=LB, spotify_track_ids=[spotify_id(one) for one in related])],
        (LB, "spotify_ids"): [spotify_links(1, *named)],
    }
    outcome, rounds = play(state(tags(recording=1)), by_kind(replies), Rules(Services(spotify_batches=False)))
    assert ["spotify track"] in steps(rounds)
    assert outcome.row.spotify_track_id is None


def test_of_several_links_one_that_another_answer_has_described_is_asked_for_first_where_a_track_costs_a_request() -> (
    None
):
    replies: Replies = {
        (LB, "recording"): [recording(1, provider=LB)],
        (LB, "spotify_ids"): [spotify_links(1, 3, 4)],
    }
    shown = state(tags(recording=1), described_on_spotify=frozenset({spotify_id(4)}))
    _, rounds = play(shown, by_kind(replies), Rules(Services(spotify_batches=False)))
    links = [query for queries in rounds for query in queries if query.kind == "track"]
    assert [query["id"] for query in links] == [spotify_id(4), spotify_id(3)]
    assert {query.hinted("told") for query in links} == {"anywhere"}
    _, rounds = play(shown, by_kind(replies), Rules())
    links = [query for queries in rounds for query in queries if query.kind == "track"]
    assert next((query["id"], query.hinted("told")) for query in links) == (spotify_id(3), None)


def test_what_two_sources_name_is_verified_where_another_answer_has_described_it_already() -> None:
    replies: Replies = {
        (LB, "recording"): [recording(1, provider=LB, spotify_track_ids=[spotify_id(3)])],
        (LB, "spotify_ids"): [spotify_links(1, 3)],
    }
    shown = state(tags(recording=1), described_on_spotify=frozenset({spotify_id(3)}))
    _, rounds = play(shown, by_kind(replies), Rules(Services(spotify_batches=False)))
    assert ["spotify track"] in steps(rounds)


def test_where_each_search_is_a_request_only_the_files_own_isrc_is_searched_for() -> None:
    told: Replies = {(LB, "recording"): [recording(1, provider=LB, isrcs=[isrc(7)])]}
    single = Rules(Services(spotify_batches=False))
    _, rounds = play(state(tags(recording=1)), by_kind(told), single)
    assert ["spotify isrc"] not in steps(rounds)
    _, rounds = play(state(tags(recording=1, isrcs=[7])), by_kind(told), single)
    assert steps(rounds)[-1] == ["spotify isrc"]
    _, rounds = play(state(tags(recording=1)), by_kind(told), Rules())
    assert steps(rounds)[-1] == ["spotify isrc"]


@pytest.mark.parametrize(
    ("album", "artist", "asked_for"),
    [
        ("Blue Roads (Deluxe Edition)", "Kite", {"album": "Blue Roads", "artist": "Kite"}),
        ("(Nothing)", "Kite", {"album": "(Nothing)", "artist": "Kite"}),
        ("花火ラジオ", "Mina Aoki", {"album": "花火ラジオ"}),
        ("Hanabi", "青木美奈", {"album": "Hanabi"}),
    ],
)
def test_an_album_is_searched_for_at_spotify_as_it_can_be_called_there(
    album: str, artist: str, asked_for: dict[str, str]
) -> None:
    query = spotify_album_query(state(tags(), group=AlbumGroup(album, artist, 12)))
    assert query is not None
    assert dict(query.terms) == asked_for


def test_a_lone_spotify_id_leads_to_musicbrainz_by_the_isrc_that_spotify_names() -> None:
    lone = tags(None, None, None, None, spotify=1)
    replies: Replies = {
        (SPOTIFY, "track"): [spotify_track(1, isrcs=[isrc(5)])],
        (MB, "isrc"): [recording(9, isrcs=[isrc(5)])],
    }
    outcome, rounds = play(state(lone), by_kind(replies), Rules())
    assert steps(rounds) == [["spotify track"], ["musicbrainz isrc"], ["listenbrainz recording"]]
    row = outcome.row
    assert (row.status, row.mb_recording_id, row.spotify_track_id) == (
        Status.ACCEPTED,
        mbid(9),
        spotify_id(1),
    )


def test_a_spotify_id_is_looked_up_at_musicbrainz_where_spotify_is_off() -> None:
    known = tags(None, None, None, None, spotify=1)
    assert asks(known, spotify=False) == [["musicbrainz url"]]
    assert asks(known, {(MB, "url"): [recording(1)]}, spotify=False)[-1] == ["listenbrainz recording"]


# --- ends -----------------------------------------------------------------------------------------


def test_a_finished_track_wants_nothing() -> None:
    outcome, _ = play(state(tags(recording=1, isrcs=[1], spotify=2)), by_kind({}), Rules())
    assert outcome.wanted == ()
    assert outcome.row.status is Status.UNMATCHED


def test_an_unreadable_file_asks_nothing() -> None:
    outcome, rounds = play(state(tags(isrcs=[1]), unreadable="damaged"), by_kind({}), Rules())
    assert rounds == []
    assert outcome.row.status is Status.FAILED


def test_a_track_that_says_nothing_asks_nothing() -> None:
    assert asks(NOTHING) == []


def test_a_question_that_was_given_up_is_as_settled_as_an_answer() -> None:
    assert steps(play(state(tags(isrcs=[1])), failed, Rules(Services(spotify=False)))[1]) == [
        ["musicbrainz isrc"], ["listenbrainz text"], ["musicbrainz text"], ["musicbrainz loose"],
        ["musicbrainz artist"],
    ]  # fmt: skip


def test_a_question_under_way_is_wanted_still_and_nothing_after_it() -> None:
    query = Query.of(MB, "isrc", isrc=isrc(1))
    known = Known(tags(isrcs=[1]), isrcs=(isrc(1),))
    for pending in (LookupState.PENDING, LookupState.LEASED):
        waiting = asked(query, state=pending, answered=False)
        assert plan(state(known.tags, waiting), known, Services(spotify=False)) == (query,)


def test_an_answer_that_is_being_refreshed_stays_an_answer() -> None:
    query = Query.of(MB, "isrc", isrc=isrc(1))
    refreshed = asked(query, recording(1), state=LookupState.PENDING)
    known = Known(tags(isrcs=[1]), isrcs=(isrc(1),))
    assert query not in plan(state(known.tags, refreshed), known, Services())


@pytest.mark.parametrize("off", ["musicbrainz", "listenbrainz", "spotify"])
@pytest.mark.parametrize("answers", ["nothing", "everything"])
def test_a_service_that_is_off_is_never_asked(off: str, answers: str) -> None:
    known = tags(recording=1, isrcs=[1], spotify=3)
    everything: Replies = {
        (LB, "recording"): [recording(2, provider=LB)],
        (LB, "redirect"): [redirect(1, 2)],
        (MB, "recording"): [recording(1)],
        (MB, "isrc"): [recording(2)],
        (SPOTIFY, "track"): [spotify_track(4, title="Something Else")],
    }
    services = Services(**{off: False})
    _, rounds = play(state(known), by_kind(everything if answers == "everything" else {}), Rules(services))
    assert rounds
    assert off not in {query.provider for queries in rounds for query in queries}


def test_with_every_service_off_nothing_is_asked() -> None:
    assert asks(tags(isrcs=[1], spotify=2), musicbrainz=False, listenbrainz=False, spotify=False) == []


def test_without_listenbrainz_musicbrainz_answers_for_recording_ids() -> None:
    asked_for = asks(tags(recording=1), listenbrainz=False, spotify=False)
    assert (asked_for[0], asked_for[-1]) == (["musicbrainz recording"], ["musicbrainz redirect"])


# --- what a person named --------------------------------------------------------------------------


@pytest.mark.parametrize("listenbrainz", [True, False])
def test_an_id_that_a_person_typed_in_is_looked_up(listenbrainz: bool) -> None:
    track = state(NOTHING, decisions=(said(MB, mbid(4)),))
    replies: Replies = {(LB, "recording"): [recording(4, provider=LB)], (MB, "recording"): [recording(4)]}
    services = Services(listenbrainz=listenbrainz, spotify=False)
    outcome, rounds = play(track, by_kind(replies), Rules(services))
    assert steps(rounds) == [["listenbrainz recording" if listenbrainz else "musicbrainz recording"]]
    assert (outcome.row.mb_recording_id, outcome.row.title) == (mbid(4), "Blue Hour")


def test_a_spotify_id_that_a_person_typed_in_is_looked_up() -> None:
    track = state(tags(), decisions=(said(SPOTIFY, spotify_id(4)),))
    replies: Replies = {
        (MB, "text"): [recording(1)],
        (SPOTIFY, "track"): [spotify_track(4, title="Odd Title")],
    }
    outcome, rounds = play(track, by_kind(replies), Rules())
    assert ["spotify track"] in [[step for step in queries if "track" in step] for queries in steps(rounds)]
    assert (outcome.row.spotify_track_id, outcome.row.spotify_album_id) == (spotify_id(4), spotify_id(6_000))


# --- whatever it is answered ----------------------------------------------------------------------

TITLES = st.sampled_from(["Blue Hour", "Blue Hour (Live)", "Red Morning", "Track 01", None])
SOME_TAGS = st.builds(
    tags, TITLES, st.sampled_from(["The Lanterns", None]), st.sampled_from(["Night Shift", None]),
    st.sampled_from([201_000, 340_000, None]), recording=st.none() | st.integers(0, 3),
    isrcs=st.lists(st.integers(0, 3), max_size=5), spotify=st.none() | st.integers(0, 3),
    malformed=st.just([]) | st.just(["isrc: nonsense"]),
)  # fmt: skip
GROUPS = st.none() | st.builds(
    AlbumGroup,
    st.just("Night Shift"),
    st.sampled_from(["The Lanterns", None]),
    st.sampled_from([1, 5, 12, 401]),
)
SERVICES = st.builds(Services, st.booleans(), st.booleans(), st.booleans())
PEOPLE = st.lists(
    st.builds(
        said, st.sampled_from([MB, SPOTIFY]), st.integers(0, 3).map(mbid) | st.integers(0, 3).map(spotify_id),
        st.sampled_from([Verdict.ACCEPTED, Verdict.REJECTED]),
    ),
    max_size=2,
    unique_by=lambda one: (one.provider, one.entity_id),
).map(tuple)  # fmt: skip


def invented(query: Query, chance: random.Random) -> TrackLookup:
    """Any answer that the provider might give: found, missing or failed."""
    how = chance.choice(["found", "found", "missing", "failed"])
    if how == "failed":
        return failed(query)
    if how == "missing":
        return asked(query)
    provider, fields = query.provider, {"isrcs": [isrc(chance.randrange(4))]}
    if chance.random() < 0.3:
        fields |= {"title": "Red Morning", "duration_ms": 99_000}
    if chance.random() < 0.3:
        fields |= {"spotify_track_ids": [spotify_id(chance.randrange(4)) for _ in range(5)]}
    if query.kind == "redirect":
        target = chance.randrange(4)
        moved = Entity(provider, "redirect", query["mbid"], {"redirect_to": mbid(target)})
        return asked(query, *chance.choice([(moved,), (moved, recording(target, provider=provider, **fields))]))
    if query.kind == "album":
        return asked(query, *(edition(chance.randrange(4), chance.randrange(30)) for _ in range(3)))
    if query.kind == "spotify_ids":
        return asked(query, spotify_links(1, *(chance.randrange(9) for _ in range(5))))
    count = chance.randrange(1, 4)
    if provider == SPOTIFY:
        return asked(query, *(spotify_track(chance.randrange(4), **fields) for _ in range(count)))
    return asked(query, *(recording(chance.randrange(4), provider=provider, **fields) for _ in range(count)))


@settings(max_examples=150, deadline=None)
@given(SOME_TAGS, SERVICES, PEOPLE, GROUPS, st.randoms(use_true_random=False))
def test_whatever_it_is_answered_a_track_ends_soon_and_asks_nothing_twice(
    known: TrackTags,
    services: Services,
    people: tuple[PersonDecision, ...],
    group: AlbumGroup | None,
    chance: random.Random,
) -> None:
    start = state(known, decisions=people, group=group)
    outcome, rounds = play(start, lambda query: invented(query, chance), Rules(services), most_rounds=20)
    queries = [query for one in rounds for query in one]
    assert len(queries) == len(set(queries))
    assert all(getattr(services, query.provider) for query in queries)
    assert outcome.row.status is not Status.PENDING
    row = outcome.row
    rejected = {(one.provider, one.entity_id) for one in people if one.verdict is Verdict.REJECTED}
    assert rejected.isdisjoint({(MB, row.mb_recording_id), (SPOTIFY, row.spotify_track_id)})
