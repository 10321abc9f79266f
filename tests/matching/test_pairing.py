"""The tracks of an album and the recordings of an edition, paired all together."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.matching.albums.pairing import MOST, Pairing, pair_tracks, pair_up
from soulspot.matching.values import Candidate, Decision
from soulspot.models import Entity, TrackTags, Verdict
from tests.matching.make import decision, recording, release, tags

ALBUM, ARTIST = "Harbour", "Mara Quill"
NAMES = ["Slow Kite", "Red Morning", "Blue Hour", "Night Ferry", "Salt", "Glass Road"]


def on_album(number: int, title: str, seconds: float | None = None, **more: Any) -> Entity:
    id = more.pop("id", f"r{number}")
    return recording(id, title, ARTIST, seconds, releases=[release(ALBUM, number)], **more).entity


def track(title: str | None, number: int | None = None, seconds: float | None = None) -> TrackTags:
    return tags(title, ARTIST, seconds, album=ALBUM, track_number=number)


def paired(tracks: list[TrackTags], recordings: list[Entity]) -> Pairing:
    return pair_tracks([(one, None) for one in tracks], recordings)


def test_every_track_gets_the_recording_of_its_name() -> None:
    made = paired([track(name) for name in reversed(NAMES)], [on_album(n, name) for n, name in enumerate(NAMES, 1)])
    assert [made.recording_of(n) for n in range(6)] == [f"r{n}" for n in range(6, 0, -1)]


def test_of_one_title_twice_on_an_album_each_track_gets_the_one_at_its_place() -> None:
    edition = [on_album(1, "Interlude", 61), on_album(2, "Slow Kite", 200), on_album(3, "Interlude", 62)]
    made = paired([track("Interlude", 3, 61.5), track("Slow Kite", 2, 200), track("Interlude", 1, 61.5)], edition)
    assert [made.recording_of(n) for n in range(3)] == ["r3", "r2", "r1"]


def test_what_one_of_two_tracks_of_a_title_is_says_what_the_other_is() -> None:
    edition = [on_album(1, "Interlude", 61), on_album(3, "Interlude", 61)]
    made = paired([track("Interlude", None, 61), track("Interlude", 3, 61)], edition)
    assert (made.recording_of(0), made.recording_of(1)) == ("r1", "r3")
    assert made.claimed_by_others(0) == {"r3"}


def test_two_tracks_that_nothing_tells_apart_are_not_clearly_either() -> None:
    edition = [on_album(1, "Interlude", 61), on_album(3, "Interlude", 61)]
    made = paired([track("Interlude", None, 61), track("Interlude", None, 61)], edition)
    assert (made.recording_of(0), made.recording_of(1)) == (None, None)
    assert made.claimed_by_others(0) == frozenset()


def test_tracks_without_a_title_are_identified_by_their_places_and_lengths() -> None:
    edition = [on_album(n, name, 150 + 20 * n) for n, name in enumerate(NAMES, 1)]
    made = paired([track(f"Track {n:02}", n, 150 + 20 * n + 0.3) for n in range(1, 7)], edition)
    assert [made.recording_of(n) for n in range(6)] == [f"r{n}" for n in range(1, 7)]
    by_length = paired([track(None, None, 150 + 20 * n + 0.3) for n in range(6, 0, -1)], edition)
    assert [by_length.recording_of(n) for n in range(6)] == [f"r{n}" for n in range(6, 0, -1)]


@pytest.mark.parametrize(
    "native", [["夜に駆ける", "群青", "怪物"], ["보고싶다", "좋은 날", "봄날"], ["Кино", "Звезда", "Ночь"]]
)
def test_titles_in_another_script_are_identified_by_the_recordings_that_remain(native: list[str]) -> None:
    edition = [on_album(n, name, 180 + 15 * n) for n, name in enumerate(native, 1)]
    english = ["Racing into the Dark", "Ultramarine", "A Monster of Mine"]
    made = paired([track(title, n, 180 + 15 * n) for n, title in enumerate(english, 1)], edition)
    assert [made.recording_of(n) for n in range(3)] == ["r1", "r2", "r3"]


def test_a_partial_album_leaves_recordings_and_an_extra_track_takes_none() -> None:
    edition = [on_album(n, name, 150 + 20 * n) for n, name in enumerate(NAMES, 1)]
    made = paired([track("Blue Hour", 3, 210), track("A Song From Elsewhere", 9, 333)], edition)
    assert made.pairs == {0: "r3"}


def test_a_second_file_of_one_track_takes_no_other_recording() -> None:
    edition = [on_album(1, "Slow Kite", 200), on_album(2, "Red Morning", 230)]
    made = paired([track("Slow Kite", 1, 200), track("Slow Kite", 1, 200), track("Red Morning", 2, 230)], edition)
    assert "r2" not in (made.recording_of(0), made.recording_of(1))
    assert made.recording_of(2) == "r2"


def test_another_length_under_the_same_name_is_not_plain() -> None:
    edition = [on_album(1, "Slow Kite", 200), on_album(2, "Red Morning", 230)]
    assert paired([track("Slow Kite", 1, 400)], edition).pairs == {}


def test_an_album_of_hundreds_that_is_nothing_but_numbers_is_not_worked_out() -> None:
    edition = [on_album(n, f"{NAMES[n % 6]} {n} of Many", 100 + n) for n in range(1, 301)]
    assert paired([track(None, n, 100 + n) for n in range(1, MOST + 2)], edition).pairs == {}


def test_nothing_is_paired_with_nothing() -> None:
    assert paired([], []).pairs == {}
    assert paired([track("Slow Kite")], []).pairs == {}
    assert pair_up([]) == {}


@settings(deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(-3, 9).map(float), min_size=width, max_size=width), min_size=1, max_size=4
        )
    )
)
def test_no_pairing_has_a_greater_sum(gains: list[list[float]]) -> None:
    rows, columns = len(gains), len(gains[0])
    chosen = pair_up(gains)
    assert len(set(chosen.values())) == len(chosen)
    best = max(
        sum(max(0.0, gains[row][column]) for row, column in enumerate(order) if column < columns)
        for order in permutations(range(columns + rows), rows)
    )
    assert sum(gains[row][column] for row, column in chosen.items()) == pytest.approx(best)


def decided(tracks: list[TrackTags], edition: list[Entity], place: int) -> Decision:
    """Return the decision for one of the tracks, with the evidence of the whole album."""
    share = paired(tracks, edition).evidence_for(place)
    return decision(tracks[place], *(Candidate(one) for one in edition), evidence=share)


# Four plain pairs confirm the edition, so that the rest may be concluded from it.
ORDINARY = [on_album(n, name, 150 + 20 * n) for n, name in enumerate(NAMES[:4], 1)]
TAGGED = [track(name, n, 150 + 20 * n) for n, name in enumerate(NAMES[:4], 1)]


def test_the_title_twice_that_the_other_track_leaves_over_is_accepted() -> None:
    edition = [*ORDINARY, on_album(5, "Interlude", 61), on_album(9, "Interlude", 61)]
    tracks = [*TAGGED, track("Interlude", None, 61), track("Interlude", 9, 61)]
    alone = decision(tracks[4], *(Candidate(one) for one in edition))
    assert alone.verdict is Verdict.REVIEW
    made = decided(tracks, edition, 4)
    assert made.verdict is Verdict.ACCEPTED, made.reasons
    assert made.best is not None
    assert made.best.candidate.entity.id == "r5"


def test_two_tracks_that_nothing_tells_apart_stay_with_a_person() -> None:
    edition = [*ORDINARY, on_album(5, "Interlude", 61), on_album(9, "Interlude", 61)]
    tracks = [*TAGGED, track("Interlude", None, 61), track("Interlude", None, 61)]
    assert decided(tracks, edition, 4).verdict is decided(tracks, edition, 5).verdict is Verdict.REVIEW


@pytest.mark.parametrize("native", ["夜に駆ける", "보고싶다", "Звезда по имени Солнце", "نسم علينا الهوى"])
@pytest.mark.parametrize(("number", "seconds"), [(5, None), (None, 244.2)])
def test_the_last_title_in_another_script_is_what_the_others_leave_over(
    native: str, number: int | None, seconds: float | None
) -> None:
    edition = [*ORDINARY, on_album(5, native, seconds)]
    tracks = [*TAGGED, track("Through the Quiet Park", number, 244)]
    assert decision(tracks[4], *(Candidate(one) for one in edition)).verdict is Verdict.REVIEW
    made = decided(tracks, edition, 4)
    assert made.verdict is Verdict.ACCEPTED, made.reasons
    assert any("leave over" in reason for reason in made.reasons)


def test_what_is_left_over_is_not_believed_where_nothing_confirms_the_edition() -> None:
    edition = [on_album(1, "夜に駆ける"), on_album(2, "Slow Kite", 190)]
    tracks = [track("Through the Quiet Park", 1, 244), track("Slow Kite", 2, 190)]
    assert decided(tracks, edition, 0).verdict is Verdict.REVIEW


@pytest.mark.parametrize(("number", "seconds"), [(7, 244.2), (5, 310.0), (None, None)])
def test_what_is_left_over_needs_its_place_or_its_length(number: int | None, seconds: float | None) -> None:
    edition = [*ORDINARY, on_album(5, "夜に駆ける", seconds)]
    tracks = [*TAGGED, track("Through the Quiet Park", number, 244)]
    assert decided(tracks, edition, 4).verdict is not Verdict.ACCEPTED


def test_a_second_file_of_one_track_is_that_track_too() -> None:
    edition = [*ORDINARY, on_album(5, "Interlude", 61), on_album(9, "Interlude", 66)]
    tracks = [*TAGGED, track("Interlude", 5, 61), track("Interlude", 5, 61)]
    for place in (4, 5):
        made = decided(tracks, edition, place)
        assert made.verdict is Verdict.ACCEPTED
        assert made.best is not None
        assert made.best.candidate.entity.id == "r5"
