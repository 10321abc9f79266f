"""Length, album, position and rivals: evidence that makes equal text sure enough, or does not."""

from __future__ import annotations

from typing import Any

import pytest

from soulspot.matching import Candidate, MatchPolicy
from soulspot.models import TrackTags, Verdict
from tests.matching.make import decision, recording, release, tags, track

TITLE, ARTIST = "Paper Boats", "Mara Quill"


def named(made: object) -> str | None:
    best = getattr(made, "best", None)
    return best.candidate.entity.id if best else None


@pytest.mark.parametrize(
    ("file", "found", "verdict"),
    [
        (200, 200, Verdict.ACCEPTED),
        (200, 202, Verdict.ACCEPTED),
        (200, 205, Verdict.REVIEW),
        (200, 212, Verdict.REVIEW),
        (200, 400, Verdict.REVIEW),
        (4, 4.2, Verdict.ACCEPTED),
        (4, 6.5, Verdict.REVIEW),
        (12, 13, Verdict.ACCEPTED),
        (5400, 5406, Verdict.ACCEPTED),
        (5400, 5440, Verdict.REVIEW),
        (5400, 5700, Verdict.REVIEW),
        (30, 31, Verdict.ACCEPTED),
    ],
)
def test_a_length_is_compared_by_what_is_usual_for_it(file: float, found: float, verdict: Verdict) -> None:
    assert decision(tags(TITLE, ARTIST, file), recording("a", TITLE, ARTIST, found)).verdict is verdict


def test_equal_text_is_believed_without_lengths_when_nothing_else_has_that_name() -> None:
    only = recording("a", TITLE, ARTIST)
    assert decision(tags(TITLE, ARTIST), only).verdict is Verdict.ACCEPTED
    assert decision(tags(TITLE, ARTIST), only, recording("b", "Iron Garden", ARTIST, 200)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "rival",
    [
        recording("b", f"{TITLE} (live)", ARTIST, 230),
        recording("b", TITLE, ARTIST, 230),
        recording("b", f"{TITLE} (demo)", ARTIST),
    ],
)
def test_without_a_length_a_rival_of_another_version_calls_for_a_person(rival: object) -> None:
    assert decision(tags(TITLE, ARTIST), recording("a", TITLE, ARTIST, 200), rival).verdict is Verdict.REVIEW  # type: ignore[arg-type]


def test_a_candidate_without_length_is_accepted_by_text_only_when_nothing_else_has_its_name() -> None:
    bare = recording("a", TITLE, ARTIST, provider="listenbrainz")
    assert decision(tags(TITLE, ARTIST, 200), bare).verdict is Verdict.ACCEPTED
    longer = recording("b", TITLE, ARTIST, 207)
    assert decision(tags(TITLE, ARTIST, 200), bare, longer).verdict is Verdict.REVIEW
    # An album that the tags do not name speaks against the only candidate of the name.
    elsewhere = recording("a", TITLE, ARTIST, releases=[release("Pier", 2)])
    assert decision(tags(TITLE, ARTIST, 200, album="Harbour"), elsewhere).verdict is Verdict.REVIEW
    placed = recording("a", TITLE, ARTIST, releases=[release("Harbour", 2)])
    assert decision(tags(TITLE, ARTIST, 200, album="Harbour", track_number=2), placed).verdict is Verdict.ACCEPTED


def test_album_and_position_find_the_track_among_recordings_of_one_name() -> None:
    pool = [
        recording(f"r{n}", TITLE, ARTIST, 199 + n / 2, releases=[release(f"Collected {n}", n + 1)]) for n in range(8)
    ]
    made = decision(tags(TITLE, ARTIST, 200, album="Collected 3", track_number=4), *pool)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "r3")
    assert made.margin >= MatchPolicy().margin


@pytest.mark.parametrize("number", [1, 12])
def test_the_same_title_twice_on_an_album_is_told_apart_by_position(number: int) -> None:
    pool = [recording(f"at {n}", "Harbour", ARTIST, 90, releases=[release("Harbour", n)]) for n in (1, 12)]
    made = decision(tags("Harbour", ARTIST, 90, album="Harbour", track_number=number), *pool)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, f"at {number}")
    assert decision(tags("Harbour", ARTIST, 90, album="Harbour"), *pool).verdict is Verdict.REVIEW


def test_the_same_title_twice_on_an_album_is_told_apart_by_length() -> None:
    pool = [
        recording("short", "Harbour", ARTIST, 62, releases=[release("Harbour", 1)]),
        recording("long", "Harbour", ARTIST, 260, releases=[release("Harbour", 12)]),
    ]
    assert named(decision(tags("Harbour", ARTIST, 261, album="Harbour"), *pool)) == "long"


def test_positions_on_another_disc_differ() -> None:
    pool = [recording(f"disc {d}", TITLE, ARTIST, 200, releases=[release("Box", 3, disc_number=d)]) for d in (1, 2)]
    made = decision(tags(TITLE, ARTIST, 200, album="Box", track_number=3, disc_number=2), *pool)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "disc 2")


def test_two_recordings_that_cannot_be_told_apart_are_for_a_person() -> None:
    pool = [recording(n, TITLE, ARTIST, 200, releases=[release(f"Album {n}")]) for n in "ab"]
    made = decision(tags(TITLE, ARTIST, 200), *pool)
    assert made.verdict is Verdict.REVIEW
    assert any("another recording is as close" in reason for reason in made.reasons)


def test_a_duplicate_on_compilations_only_yields_to_the_official_album() -> None:
    hits = recording("hits", TITLE, ARTIST, 200, releases=[release("Hits", secondary_types=["Compilation"])])
    album = recording(
        "album",
        TITLE,
        ARTIST,
        200.8,
        releases=[release("Harbour"), release("Hits", secondary_types=["Compilation"])],
    )
    bootleg = recording("bootleg", TITLE, ARTIST, 200.1, releases=[release("Tapes", status="Bootleg")])
    made = decision(tags(TITLE, ARTIST, 200), hits, album, bootleg)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "album")
    made = decision(tags(TITLE, ARTIST, 200, album="Hits"), hits, album)
    assert made.verdict in (Verdict.ACCEPTED, Verdict.REVIEW)


def test_spotify_copies_of_one_isrc_are_one_recording() -> None:
    pool = [track(f"copy{n}", TITLE, ARTIST, 200, isrcs=["DEA010012345"], album=f"Album {n}") for n in range(3)]
    assert decision(tags(TITLE, ARTIST, 200), *pool).verdict is Verdict.ACCEPTED
    made = decision(tags(TITLE, ARTIST, 200, album="Album 2"), *pool)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "copy2")


def test_single_and_album_version_are_told_apart_by_length() -> None:
    single = recording("single", TITLE, ARTIST, 215, releases=[release("Paper Boats", primary_type="Single")])
    album = recording("album", TITLE, ARTIST, 254, releases=[release("Harbour")])
    assert named(decision(tags(TITLE, ARTIST, 215.4), single, album)) == "single"
    assert named(decision(tags(TITLE, ARTIST, 254.4), single, album)) == "album"
    assert decision(tags(TITLE, ARTIST, 235), single, album).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    "tag",
    [
        "Harbour",
        "harbour (Deluxe Edition)",
        "Harbour [Remastered]",
        "Harbour (2001)",
        "Harbour (Disc 1)",
        "The Harbour",
    ],
)
def test_an_album_is_the_same_in_any_edition(tag: str) -> None:
    made = decision(
        tags(TITLE, ARTIST, album=tag, track_number=2),
        recording("a", TITLE, ARTIST, releases=[release("Harbour", 2)]),
    )
    assert made.verdict is Verdict.ACCEPTED, made.reasons
    assert made.release is not None


@pytest.mark.parametrize(("tag", "known"), [("Hits Vol. 1", "Hits Vol. 2"), ("Harbour", "Meadow"), ("IV", "III")])
def test_another_album_lends_no_support(tag: str, known: str) -> None:
    file = tags(TITLE, ARTIST, album=tag, track_number=2)
    made = decision(file, recording("a", TITLE, ARTIST, releases=[release(known, 2)]))
    assert made.verdict is Verdict.REVIEW
    assert made.release is None


def test_the_release_is_chosen_by_album_then_position_then_what_is_official() -> None:
    entries = [
        release("Harbour", 2, id="bootleg", status="Bootleg", date="1990"),
        release("Harbour", 2, id="official", date="1991"),
        release("Harbour", 2, id="later", date="2011"),
        release("Harbour", 7, id="reordered", date="1980"),
        release("Hits", 2, id="hits", secondary_types=["Compilation"]),
    ]
    found = recording("a", TITLE, ARTIST, 200, releases=entries)

    def chosen(**more: object) -> str | None:
        release = decision(tags(TITLE, ARTIST, 200, **more), found).release
        return None if release is None else str(release["id"])

    assert chosen(album="Harbour", track_number=2) == "official"
    assert chosen(album="Harbour", track_number=2, date="2011-05-01") == "later"
    assert chosen(album="Harbour", track_number=7) == "reordered"
    assert chosen(album="Hits", track_number=2) == "hits"
    assert chosen(album="Harbour", release_id="bootleg") == "bootleg"
    assert chosen(album="Meadow") is None
    assert chosen() in ("official", "reordered")


@pytest.mark.parametrize(
    "empty",
    [
        TrackTags(),
        TrackTags(title="Track 01"),
        TrackTags(title="Track 01", artist="Unknown Artist", album="Unknown Album"),
        TrackTags(title="", artist=""),
        TrackTags(title="Piste 3", duration_ms=200_000),
        TrackTags(title="トラック 7", artist="不明なアーティスト"),
        TrackTags(title="03", artist=ARTIST),
        TrackTags(artist=ARTIST, duration_ms=200_000),
        TrackTags(duration_ms=200_000),
        TrackTags(album="Harbour", track_number=2),
        TrackTags(title="???"),
    ],
)
def test_tags_that_say_next_to_nothing_accept_nothing(empty: TrackTags) -> None:
    found = recording("a", TITLE, ARTIST, 200, releases=[release("Harbour", 2)])
    assert decision(empty, found).verdict is not Verdict.ACCEPTED


def test_a_track_without_title_is_found_by_artist_album_position_and_length_together() -> None:
    file = tags("Track 02", ARTIST, 200, album="Harbour")
    here = recording("here", TITLE, ARTIST, 200.3, releases=[release("Harbour", 2)])
    there = recording("there", "Iron Garden", ARTIST, 201, releases=[release("Harbour", 3)])
    made = decision(file, here, there)
    assert named(made) == "here"
    assert decision(file, there).verdict is not Verdict.ACCEPTED


def test_a_song_that_is_called_like_a_placeholder_is_found_by_its_name() -> None:
    pool = [
        recording(name, name, ARTIST, seconds, releases=[release("Elevate", number)])
        for name, seconds, number in (("07", 221, 7), ("Scotch", 221.4, 9), ("Track 1", 180, 1))
    ]
    assert named(decision(tags("07", ARTIST, 221.1, album="Elevate"), *pool)) == "07"
    assert named(decision(tags("Track 1", ARTIST, 180.5), *pool)) == "Track 1"
    assert decision(tags("07", ARTIST, 221.1, album="Elevate"), pool[1]).verdict is Verdict.REVIEW


def test_between_two_versions_the_one_with_the_guests_named_in_the_tags_is_taken() -> None:
    plain = recording("plain", TITLE, ARTIST, 200.3)
    guest = recording("guest", f"{TITLE} (with Oto Lind)", ARTIST, 200.1)
    made = decision(tags(TITLE, ARTIST, 200), plain, guest)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "plain")
    made = decision(tags(f"{TITLE} feat. Oto Lind", ARTIST, 200), plain, guest)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "guest")


def test_without_candidates_there_is_no_match() -> None:
    made = decision(tags(TITLE, ARTIST, 200))
    assert (made.verdict, made.best, made.ranked, made.confidence) == (Verdict.NONE, None, (), 0.0)


def test_a_box_set_of_three_hundred_tracks_ranks_the_ten_nearest() -> None:
    pool = [
        recording(f"r{n}", f"Sonata No. {n}", ARTIST, 180 + n % 7, releases=[release("Complete Works", n)])
        for n in range(1, 301)
    ]
    made = decision(tags("Sonata No. 117", ARTIST, 185, album="Complete Works", track_number=117), *pool)
    assert (made.verdict, named(made), len(made.ranked)) == (Verdict.ACCEPTED, "r117", 10)


def test_a_policy_draws_its_own_lines() -> None:
    file, found = tags(TITLE, ARTIST, 205), recording("a", TITLE, ARTIST, 200)
    assert decision(file, found).verdict is Verdict.REVIEW
    assert decision(file, found, policy=MatchPolicy(accept=0.65)).verdict is Verdict.ACCEPTED
    assert decision(file, found, policy=MatchPolicy(review=0.89)).verdict is Verdict.NONE


@pytest.mark.parametrize("lines", [{"accept": 0.5}, {"accept": 1.5}, {"review": -0.1}, {"margin": 2.0}])
def test_a_policy_that_makes_no_sense_is_refused(lines: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        MatchPolicy(**lines)


@pytest.mark.parametrize(
    ("file", "others"),
    [
        ({"album": "Harbour", "track_number": 3}, []),  # at another place of the album
        ({"seconds": 90}, []),  # too much of so short a track
        ({}, [recording("b", TITLE, ARTIST, 240)]),
        ({}, [recording("b", f"{TITLE} (acoustic)", ARTIST, 207)]),
        ({"title": f"{TITLE} (live)"}, []),
        ({"artist": "Mara Quil"}, []),
    ],
)
def test_some_seconds_off_are_too_many_where_anything_else_is_in_doubt(
    file: dict[str, Any], others: list[Candidate]
) -> None:
    own = tags(**{"title": TITLE, "artist": ARTIST, "seconds": 200, **file})
    seconds = file.get("seconds", 200) + 5
    title = own.title or ""
    only = recording("a", title, ARTIST, seconds, releases=[release("Harbour", 7)])
    assert not decision(own, only, *others).acceptable_by_name
    assert decision(tags(TITLE, ARTIST, 200), recording("a", TITLE, ARTIST, 205)).acceptable_by_name


def test_a_title_heard_in_another_script_is_believed_beside_others_that_only_the_length_speaks_for() -> None:
    file = tags("Shouq Amar", "Karim El-Rawy", 217.7)
    credit = {"artist_aliases": ["Karim El-Rawy"]}
    true = recording("a", "شوق قمر", "كريم الراوي", 216.0, **credit)
    other = recording("b", "بحر ليل", "كريم الراوي", 217.0, **credit)
    made = decision(file, true, other)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "a")
    assert decision(file, other).verdict is Verdict.REVIEW
