"""The cost of lookups: full batches, the rate of a service, and the days of a daily budget."""

from __future__ import annotations

import pytest

from soulspot.deciding.plan_state import Known, Services
from soulspot.estimate.cost import DAY, Tariff, Terms, in_words
from soulspot.estimate.requests import Estimate, Line, Span, Tally, combined
from soulspot.estimate.simulation import BEST, WORST, Luck, simulated_lookups, usual
from soulspot.models import Identifiers, Query, TrackState, TrackTags

ISRC = TrackTags(
    title="Song",
    artist="Somebody",
    album="Album",
    duration_ms=200_000,
    ids=Identifiers(isrcs=("GBAAA0000001",)),
)
TEXT = TrackTags(title="Song", artist="Somebody", duration_ms=200_000)


def questions(tags: TrackTags, luck: Luck, services: Services | None = None) -> list[str]:
    """Return the "provider kind" of each lookup of a track with these tags, in order."""
    state = TrackState(1, None, None, tags)
    asked = simulated_lookups(state, Known(tags, isrcs=tags.ids.isrcs), services or Services(), luck)
    return [f"{query.provider} {query.kind}" for query in asked]


def terms(services: Services, **spotify: float) -> Terms:
    tariffs = {
        "musicbrainz": Tariff({"isrc": 100, "text": 40, "loose": 25, "artist": 40, "by_artist": 40, "redirect": 1}, 1.0),
        "listenbrainz": Tariff(
            {"recording": 1000, "redirect": 100, "spotify_ids": 100, "spotify_names": 100, "text": 100}, 3.0
        ),
        "spotify": Tariff({"track": 50, "tracklist": 20, "album": 1, "isrc": 1, "text": 1, **spotify}, 3.0, 2000),
    }  # fmt: skip
    return Terms(services, tariffs, tariffs, tariffs)


@pytest.mark.parametrize(
    ("lookups", "fill", "requests"), [(0, 1.0, 0), (1, 1.0, 1), (100, 1.0, 1), (101, 1.0, 2), (100, 0.5, 2)]
)
def test_a_request_answers_as_many_lookups_as_a_batch_holds(lookups: int, fill: float, requests: int) -> None:
    assert Tariff({"isrc": 100}, 1.0).requests("isrc", lookups, fill=fill) == requests


def test_a_kind_of_which_a_request_answers_one_costs_no_more_when_batches_are_not_full() -> None:
    assert Tariff({"text": 1}, 1.0).requests("text", 7, fill=0.5) == 7
    assert Tariff({}, 1.0).requests("text", 7) == 7


def test_a_lookup_that_takes_two_requests_costs_two() -> None:
    assert Tariff({"track": 0.5}, 1.0).requests("track", 7, fill=0.5) == 14


def test_what_exceeds_the_daily_budget_waits_for_the_next_day() -> None:
    tariff = Tariff({}, rate=2.0, daily_budget=100)
    assert tariff.seconds(0) == 0
    assert tariff.seconds(100) == 50
    assert tariff.seconds(101) == DAY + 0.5
    assert tariff.seconds(350) == 3 * DAY + 25


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (95, "2 min"), (3600 * 2.5, "2.5 h"), (DAY * 5.2, "6 days")],
)
def test_a_time_is_said_as_a_person_says_it(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_track_that_is_found_at_once_asks_nothing_else_about_who_it_is() -> None:
    without = Services(spotify=False)
    assert questions(ISRC, BEST, without) == ["musicbrainz isrc", "listenbrainz recording"]
    assert questions(TEXT, BEST, without) == ["listenbrainz text", "listenbrainz recording"]


def test_a_track_that_nobody_knows_is_asked_about_in_every_way_there_is() -> None:
    asked = questions(ISRC, WORST)
    assert {
        "musicbrainz isrc",
        "listenbrainz text",
        "musicbrainz text",
        "musicbrainz loose",
        "musicbrainz by_artist",
    } <= {*asked}
    assert {"listenbrainz spotify_ids", "listenbrainz spotify_names", "spotify track", "spotify isrc"} <= {*asked}
    assert len(asked) < 25


@pytest.mark.parametrize("services", [Services(), Services(spotify_batches=False), Services(spotify=False)])
@pytest.mark.parametrize("tags", [ISRC, TEXT, TrackTags(), TrackTags(title="Track 01")])
def test_what_is_expected_is_among_what_is_asked_at_most(tags: TrackTags, services: Services) -> None:
    for share in (0.0, 0.5, 1.0):
        luck = usual(dict.fromkeys(questions(tags, WORST, services), share))
        assert {*questions(tags, luck, services)} <= {*questions(tags, WORST, services)}


def test_two_files_of_one_song_are_asked_about_once() -> None:
    tally = Tally(terms(Services()), {})
    for number in (1, 2):
        state = TrackState(number, b"/music/%d.mp3" % number, None, ISRC)
        wanted = [Query.of("musicbrainz", "isrc", isrc="GBAAA0000001")]
        tally.add(state, Known(ISRC, isrcs=ISRC.ids.isrcs), wanted, lambda query: None)
    lines = {f"{line.provider} {line.kind}": line for line in tally.estimate().lines}
    assert lines["musicbrainz isrc"].lookups == lines["musicbrainz isrc"].first == 1
    assert lines["listenbrainz recording"].least == 1
    assert lines["spotify track"].least == 1


def test_every_estimate_is_between_the_least_and_the_most() -> None:
    tally = Tally(terms(Services()), {})
    for number in range(300):
        tags = TrackTags(title=f"Song {number}", artist="Somebody", duration_ms=200_000)
        tally.add(TrackState(number, None, None, tags), Known(tags), (), lambda query: None)
    estimate = tally.estimate()
    for line in estimate.lines:
        assert line.first <= line.least <= line.most
    for provider in estimate.providers:
        requests, seconds = estimate.requests(provider), estimate.seconds(provider)
        assert requests.least <= requests.expected <= requests.most
        assert seconds.least <= seconds.expected <= seconds.most


def test_where_it_is_not_known_what_holds_the_least_of_both_counts() -> None:
    tariffs = {"spotify": Tariff({"track": 1}, 1.0)}
    batches = Estimate((Line("spotify", "track", 100, 2, 2, 0, 0),), tariffs)
    without = Estimate((Line("spotify", "track", 100, 100, 100, 120, 300),), tariffs)
    assert combined([batches, without]).requests() == Span(2, 120, 300)
    assert combined([without]) == without
    assert combined([]).requests() == Span(0, 0, 0)
