"""Recordings entered twice, lengths unknown or some seconds off: what is meant, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from soulspot.matching import Candidate, Decision
from soulspot.models import TrackTags, Verdict
from tests.matching.make import decision, recording, release, tags, track

TITLE, ARTIST, GUEST = "Glass Meadow", "Ilse Brandt", "Oto Lind"
ISRC = ["DEA010012345"]
MEADOWS, AGAIN = release("Meadows", 3), release("Meadows", 3, id="r2")
HITS = release("Hits", 1, secondary_types=["Compilation"])
FILES = [
    tags(TITLE, ARTIST, 200),
    tags(TITLE, ARTIST, 200, album="Meadows"),
    tags(TITLE, ARTIST, 200, album="Meadows", track_number=3),
    tags(TITLE, ARTIST),
    tags(TITLE, ARTIST, album="Meadows"),
    tags(TITLE, ARTIST, album="Meadows", track_number=3),
]


def entered(id: str, *releases: dict[str, Any], seconds: float = 200.1, isrcs: list[str] = ISRC) -> Candidate:
    return recording(id, TITLE, ARTIST, seconds, isrcs=isrcs, releases=list(releases))


def best(made: Decision) -> str | None:
    return made.best.candidate.entity.id if made.best and made.verdict is Verdict.ACCEPTED else None


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("less", "more"),
    [
        (entered("a", MEADOWS), entered("b", MEADOWS, AGAIN)),
        (entered("a", MEADOWS, isrcs=[]), entered("b", MEADOWS, isrcs=ISRC)),
        (entered("a", MEADOWS, isrcs=[]), entered("b", MEADOWS, AGAIN, isrcs=[])),
        (entered("a", HITS), entered("b", MEADOWS)),
        (entered("a", HITS, release("More Hits", 2, secondary_types=["Compilation"])), entered("b", MEADOWS)),
        (entered("a", HITS, isrcs=[]), entered("b", MEADOWS, isrcs=[])),
        (entered("a", MEADOWS, seconds=200.5), entered("b", MEADOWS, AGAIN)),
    ],
)
def test_of_a_recording_entered_twice_the_better_entry_is_taken(
    file: TrackTags, less: Candidate, more: Candidate
) -> None:
    for pool in ((less, more), (more, less)):
        assert best(decision(file, *pool)) == "b", decision(file, *pool).reasons


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    "other",
    [
        entered("b", MEADOWS, isrcs=["DEA010099999"]),
        entered("b", MEADOWS, isrcs=["DEA010099999"], seconds=200.0),
    ],
)
def test_recordings_of_two_isrcs_are_two(file: TrackTags, other: Candidate) -> None:
    assert best(decision(file, entered("a", MEADOWS), other)) is None


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ([MEADOWS], [MEADOWS]),
        ([release("X")], [release("Y")]),
        ([], []),
    ],
)
def test_without_a_length_two_lengths_are_two_recordings(
    here: list[dict[str, Any]], there: list[dict[str, Any]]
) -> None:
    pool = entered("a", *here, isrcs=[]), entered("b", *there, isrcs=[], seconds=260)
    assert best(decision(tags(TITLE, ARTIST, album="Meadows"), *pool)) is None
    assert best(decision(tags(TITLE, ARTIST), *pool)) is None


@pytest.mark.parametrize(
    ("file", "pool", "meant"),
    [
        (tags(TITLE, ARTIST, album="Meadows"), (("a", 200, MEADOWS, ""), ("b", 260, release("X"), "")), "a"),
        (tags(TITLE, ARTIST, album="Meadows"), (("a", None, MEADOWS, ""), ("b", None, release("X"), "")), "a"),
        (tags(TITLE, ARTIST, album="Meadows"), (("a", 200, MEADOWS, ""), ("b", 260, MEADOWS, " (live)")), "a"),
        (tags(TITLE, ARTIST, album="Meadows"), (("a", 200, MEADOWS, ""), ("b", 260, MEADOWS, " (Piano)")), "a"),
        (tags(TITLE, ARTIST, 200, album="Meadows"), (("a", None, MEADOWS, ""), ("b", 260, release("X"), "")), "a"),
        (tags(TITLE, ARTIST, 200), (("a", None, MEADOWS, ""), ("b", 260, release("X"), "")), None),
        (tags(TITLE, ARTIST, album="Meadows", track_number=9), (("a", 200, MEADOWS, ""), ("b", 260, HITS, "")), None),
        (tags("Intro", ARTIST), (("a", 60, MEADOWS, ""), ("b", 90, release("X"), "")), None),
        (tags(TITLE, ARTIST, album="Y"), (("a", 200, MEADOWS, ""), ("b", 260, release("X"), "")), None),
        (tags(TITLE, ARTIST, album="Meadows"), (("a", 200, MEADOWS, " (live)"), ("b", 260, release("X"), "")), None),
    ],
)  # fmt: skip
def test_where_a_length_is_unknown_the_only_one_on_the_album_is_meant(
    file: TrackTags, pool: tuple[Any, ...], meant: str | None
) -> None:
    title = file.title or ""
    known = [recording(id, title + words, ARTIST, length, releases=[where]) for id, length, where, words in pool]
    assert best(decision(file, *known)) == meant, decision(file, *known).reasons


OFF = [2.5, 2.8, 3.0, 3.3, 3.6, 4.0]


@pytest.mark.parametrize("off", [*OFF, *(-seconds for seconds in OFF)])
def test_some_seconds_off_are_accepted_on_the_album_and_by_name_once_all_of_the_name_is_seen(off: float) -> None:
    known = recording("a", TITLE, ARTIST, 200 + off, releases=[MEADOWS])
    assert best(decision(tags(TITLE, ARTIST, 200, album="Meadows"), known)) == "a"
    assert best(decision(tags(TITLE, ARTIST, 200, album="Meadows", track_number=3), known)) == "a"
    alone = decision(tags(TITLE, ARTIST, 200), known)
    assert (alone.verdict, alone.acceptable_by_name) == (Verdict.REVIEW, True)
    twice = decision(
        tags(TITLE, ARTIST, 200), entered("a", MEADOWS, seconds=200 + off), entered("b", HITS, seconds=200 + off)
    )
    assert twice.acceptable_by_name
    copies = [track(n, TITLE, ARTIST, 200 + off, isrcs=ISRC, album=album) for n, album in (("x", "A"), ("y", "B"))]
    assert decision(tags(TITLE, ARTIST, 200), *copies).acceptable_by_name


@pytest.mark.parametrize("off", OFF)
@pytest.mark.parametrize(
    "rival",
    [
        {"title": TITLE, "seconds": 2.0},
        {"title": TITLE, "seconds": -3.0},
        {"title": f"{TITLE} (live)", "seconds": -1.0},
        {"title": f"{TITLE} (radio edit)", "seconds": 0.1},
        {"title": f"{TITLE} (English)", "seconds": 0.1},
    ],
)
def test_some_seconds_off_with_a_rival_are_not_accepted_by_name(off: float, rival: dict[str, Any]) -> None:
    other = recording("b", rival["title"], ARTIST, 200 + off + rival["seconds"])
    made = decision(tags(TITLE, ARTIST, 200), recording("a", TITLE, ARTIST, 200 + off), other)
    assert not (made.acceptable_by_name and best(made) is None and made.best and made.best.candidate.entity.id == "a")
    assert best(made) != "a"


EDITS = (
    "radio edit", "single edit", "edit", "single version", "short version", '7" version', "radio mix", "video edit",
    "album edit", "single mix",
)  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_a_named_edit_of_the_very_length_keeps_the_plain_title_from_being_accepted(edit: str) -> None:
    far, exact = recording("a", TITLE, ARTIST, 202.4), recording("b", f"{TITLE} ({edit})", ARTIST, 200.1)
    assert best(decision(tags(TITLE, ARTIST, 200), far, exact)) is None
    assert best(decision(tags(f"{TITLE} ({edit})", ARTIST, 200), far, exact)) == "b"
    assert best(decision(tags(f"{TITLE} - {edit}", ARTIST, 200), far, exact)) == "b"
    right, off = recording("a", TITLE, ARTIST, 200.1), recording("b", f"{TITLE} ({edit})", ARTIST, 202.4)
    assert best(decision(tags(TITLE, ARTIST, 200), right, off)) == "a"
    placed = recording("a", TITLE, ARTIST, 202.4, releases=[MEADOWS])
    assert best(decision(tags(TITLE, ARTIST, 200, album="Meadows", track_number=3), placed, exact)) == "a"


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (f"{ARTIST} feat. {GUEST}", f"{GUEST} feat. {ARTIST}"), (f"{ARTIST} ft. {GUEST}", f"{GUEST} & {ARTIST}"),
        (f"{ARTIST} featuring {GUEST}", GUEST), (GUEST, f"{ARTIST} feat. {GUEST}"), (GUEST, f"{ARTIST} & {GUEST}"),
        (f"{ARTIST} & {GUEST}", ARTIST), (f"{ARTIST} & {GUEST}", GUEST), (f"{ARTIST}, {GUEST}", ARTIST),
        (f"{ARTIST} x {GUEST}", GUEST), (f"{ARTIST} & {GUEST} & Ana Sol", f"{ARTIST} & {GUEST}"),
        (f"{GUEST} vs. {ARTIST}", GUEST), ("Simon & Garfunkel", "Paul Simon"), ("Sonny & Cher", "Cher"),
    ],
)  # fmt: skip
def test_another_act_with_the_same_artist_is_not_accepted_for_its_length(file: str, found: str) -> None:
    assert best(decision(tags(TITLE, file, 200), recording("a", TITLE, found, 200.2))) is None


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (ARTIST, f"{ARTIST} feat. {GUEST}"), (f"{ARTIST} feat. {GUEST}", ARTIST), (ARTIST, f"{ARTIST} & {GUEST}"),
        (f"{ARTIST} feat. {GUEST}", f"{ARTIST} & {GUEST}"), (f"{ARTIST} & {GUEST}", f"{GUEST} & {ARTIST}"),
        (f"{ARTIST} & {GUEST}", f"{ARTIST} feat. {GUEST}"), (f"{ARTIST}; {GUEST}", f"{ARTIST} & {GUEST}"),
        (f"{ARTIST} & The Sheep", ARTIST), (f"{ARTIST} and his Orchestra", ARTIST),
        ("Simon and Garfunkel", "Simon & Garfunkel"),
    ],
)  # fmt: skip
def test_the_same_act_is_credited_in_several_ways(file: str, found: str) -> None:
    assert best(decision(tags(TITLE, file, 200), recording("a", TITLE, found, 200.2))) == "a"
