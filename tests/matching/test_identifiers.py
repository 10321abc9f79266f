"""Identifiers in the tags: believed when text and length agree, never against them."""

from __future__ import annotations

import pytest

from soulspot.models import Verdict
from tests.matching.make import decision, recording, release, tags, track

RIGHT = "11111111-1111-4111-8111-111111111111"
WRONG = "22222222-2222-4222-8222-222222222222"
ISRC = "DEA010012345"


def named(made: object) -> str | None:
    best = getattr(made, "best", None)
    return best.candidate.entity.id if best else None


@pytest.mark.parametrize(
    ("title", "artist", "seconds"),
    [
        ("Paper Boats", "Mara Quill", 200),
        ("Paper Boats", "Mara Quill", None),
        ("Paper Boats", None, None),
        ("paper boats (2011 remaster)", "Quill, Mara", 203),
        ("Paper Boat", "Mara Quill", 200),
        ("Paper Boats", "Mara Quill", 204),
        (None, "Mara Quill", 200),
    ],
)
def test_an_id_that_agrees_with_the_tags_is_accepted(
    title: str | None, artist: str | None, seconds: float | None
) -> None:
    made = decision(
        tags(title, artist, seconds, mbid=RIGHT),
        recording(RIGHT, "Paper Boats", "Mara Quill", 200, by="recording id"),
    )
    assert made.verdict is Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize(
    ("title", "artist", "seconds"),
    [
        ("Iron Garden", "Oto Lind", 200),
        ("Iron Garden", "Oto Lind", 310),
        ("Iron Garden", "Mara Quill", 310),
        ("Iron Garden", "Oto Lind", None),
        ("Iron Garden", "Mara Quill", 200),
        ("Paper Boats", "Mara Quill", 310),
        ("Paper Boats", "The Orchestra of Somewhere", 200),
        ("Paper Boats", "Mara Quill", 207),
        ("Paper Boats (live)", "Mara Quill", None),
        ("Paper Boats, Part 2", "Oto Lind", 200),
    ],
)
def test_an_id_that_contradicts_the_tags_is_not_accepted(title: str, artist: str, seconds: float | None) -> None:
    made = decision(
        tags(title, artist, seconds, mbid=WRONG),
        recording(WRONG, "Paper Boats", "Mara Quill", 200, by="recording id"),
    )
    assert made.verdict is not Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize("seconds", [200, 201.5])
def test_a_wrong_id_falls_behind_the_recording_that_fits(seconds: float) -> None:
    made = decision(
        tags("Iron Garden", "Oto Lind", seconds, mbid=WRONG),
        recording(WRONG, "Paper Boats", "Mara Quill", 240, by="recording id"),
        recording(RIGHT, "Iron Garden", "Oto Lind", 200),
    )
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, RIGHT)


def test_a_verified_id_is_not_disputed_by_a_duplicate() -> None:
    made = decision(
        tags("Paper Boats", "Mara Quill", 200, album="Harbour", track_number=2, mbid=RIGHT),
        recording(RIGHT, "Paper Boats", "Mara Quill", 200.5, by="recording id"),
        recording(WRONG, "Paper Boats", "Mara Quill", 200.1, releases=[release("Harbour", 2)]),
    )
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, RIGHT)


def test_the_id_in_the_tags_counts_however_the_recording_was_reached() -> None:
    made = decision(tags("Paper Boats", "Mara Quill", mbid=RIGHT), recording(RIGHT, "Paper Boats", "Mara Quill"))
    assert made.verdict is Verdict.ACCEPTED
    assert "id in the tags agrees" in made.reasons


def test_a_lone_recording_id_is_accepted() -> None:
    made = decision(tags(mbid=RIGHT), recording(RIGHT, "Paper Boats", "Mara Quill", 200, by="recording id"))
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, RIGHT)


def test_a_lone_isrc_is_accepted_when_it_names_one_recording() -> None:
    one = recording("a", "Paper Boats", "Mara Quill", 200, by="isrc", isrcs=[ISRC])
    other = recording("b", "Iron Garden", "Mara Quill", 220, by="isrc", isrcs=[ISRC])
    assert decision(tags(isrc=ISRC), one).verdict is Verdict.ACCEPTED
    assert decision(tags(isrc=ISRC), one, other).verdict is Verdict.REVIEW


def test_a_lone_isrc_known_to_two_providers_names_one_recording() -> None:
    one = recording("a", "Paper Boats", "Mara Quill", 200, by="isrc", isrcs=[ISRC])
    same = recording("a", "Paper Boats", "Mara Quill", provider="listenbrainz", by="recording id")
    assert decision(tags(isrc=ISRC), one, same).verdict is Verdict.ACCEPTED


def test_identifiers_that_name_different_recordings_are_for_a_person() -> None:
    made = decision(
        tags(isrc=ISRC, mbid=RIGHT),
        recording(RIGHT, "Paper Boats", "Mara Quill", by="recording id"),
        recording(WRONG, "Iron Garden", "Oto Lind", by="isrc"),
    )
    assert made.verdict is Verdict.REVIEW


def test_a_lone_spotify_id_is_accepted_on_both_sides() -> None:
    spotify_id = "6rqhFgbbKwnb9MLmUQDhG6"
    assert decision(
        tags(spotify=spotify_id), track(spotify_id, "Paper Boats", "Mara Quill", 200, by="spotify id")
    ).verdict is (Verdict.ACCEPTED)
    assert decision(
        tags(spotify=spotify_id), recording("a", "Paper Boats", "Mara Quill", by="spotify link")
    ).verdict is (Verdict.ACCEPTED)


def test_movements_that_share_an_isrc_are_told_apart_by_title() -> None:
    movements = [
        recording(name, f"Sonata No. 3: {name}. {tempo}", "Jan Horák", seconds, by="isrc", isrcs=[ISRC])
        for name, tempo, seconds in (("I", "Allegro", 300), ("II", "Adagio", 301), ("III", "Presto", 200))
    ]
    made = decision(tags("Sonata No. 3: II. Adagio", "Jan Horák", 300.5, isrc=ISRC), *movements)
    assert (made.verdict, named(made)) == (Verdict.ACCEPTED, "II")
    assert decision(tags("Sonata No. 3", "Jan Horák", 300.5, isrc=ISRC), *movements).verdict is not Verdict.ACCEPTED
    assert decision(tags(isrc=ISRC), *movements).verdict is Verdict.REVIEW
    for wrong in movements[0], movements[2]:
        made = decision(tags("Sonata No. 3: II. Adagio", "Jan Horák", 300.5, isrc=ISRC), wrong)
        assert made.verdict is not Verdict.ACCEPTED, made.reasons


def test_an_isrc_shared_by_two_versions_is_decided_by_version_words_and_length() -> None:
    studio = recording("studio", "Paper Boats", "Mara Quill", 200, by="isrc", isrcs=[ISRC])
    edit = recording("edit", "Paper Boats (radio edit)", "Mara Quill", 180, by="isrc", isrcs=[ISRC])
    assert named(decision(tags("Paper Boats", "Mara Quill", 200.5, isrc=ISRC), studio, edit)) == "studio"
    assert named(decision(tags("Paper Boats (Radio Edit)", "Mara Quill", 180, isrc=ISRC), studio, edit)) == "edit"


def test_an_isrc_of_another_song_is_not_believed() -> None:
    made = decision(
        tags("Iron Garden", "Mara Quill", 220, isrc=ISRC),
        recording("a", "Paper Boats", "Mara Quill", 220, by="isrc", isrcs=[ISRC]),
    )
    assert made.verdict is not Verdict.ACCEPTED


def test_a_rejected_id_is_never_proposed_again() -> None:
    candidates = (
        recording("a", "Paper Boats", "Mara Quill", 200),
        recording("b", "Paper Boats", "Mara Quill", 203),
    )
    made = decision(tags("Paper Boats", "Mara Quill", 200), *candidates, rejected=frozenset({"a"}))
    assert [scored.candidate.entity.id for scored in made.ranked] == ["b"]
    assert decision(tags(mbid="a"), candidates[0], rejected=frozenset({"a"})).verdict is Verdict.NONE


def test_what_two_providers_say_of_one_id_is_put_together() -> None:
    bare = recording(RIGHT, "Paper Boats", "Mara Quill", provider="listenbrainz", by="text")
    full = recording(RIGHT, "Paper Boats", "Mara Quill", 200, disambiguation="live", releases=[release("Harbour", 2)])
    made = decision(tags("Paper Boats", "Mara Quill", 200), bare, full)
    assert len(made.ranked) == 1
    assert made.verdict is Verdict.REVIEW
    assert made.ranked[0].candidate.identified_by == {"text"}
