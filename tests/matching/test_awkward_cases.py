"""Awkward cases: what libraries really hold, and what must not be accepted for it, one table a promise."""

from __future__ import annotations

import pytest

from soulspot.matching import Candidate, normalise_tags
from soulspot.models import TrackTags, Verdict
from soulspot.text import fold
from tests.matching.make import decision, recording, release, tags

TITLE, ARTIST = "Slow Kite", "Mara Quill"
ISRC = "DEA010012345"
SUFFIXES = [
    "(8D Audio)",
    "(Sped Up)",
    "(Slowed + Reverb)",
    "(Karaoke Version)",
    "(Live)",
    "(Instrumental)",
    "(A Cappella)",
    "(Reprise)",
    "(FRNO Remix)",
    "(Demo)",
    "(Acoustic)",
]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("by", ["isrc", "recording id"])
def test_an_identifier_does_not_turn_one_version_into_another(suffix: str, by: str) -> None:
    versions = (f"{TITLE} {suffix}", TITLE)
    for said, found in (versions, versions[::-1]):
        made = decision(tags(said, ARTIST, 200), recording("a", found, ARTIST, 200.2, by=by))
        assert made.verdict is Verdict.REVIEW, made.reasons


@pytest.mark.parametrize("by", ["isrc", "recording id"])
def test_an_identifier_outvotes_an_edit_that_one_side_does_not_mention_when_length_and_artist_agree(
    by: str,
) -> None:
    found = recording("a", f"{TITLE} (single version)", ARTIST, 201.5, by=by)
    assert decision(tags(TITLE, ARTIST, 200), found).verdict is Verdict.ACCEPTED
    assert decision(tags(TITLE, ARTIST, 197), found).verdict is Verdict.REVIEW
    assert decision(tags(TITLE, "Oto Lind", 200), found).verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize("by", ["isrc", "recording id"])
def test_an_identifier_does_not_outvote_the_artist(by: str) -> None:
    made = decision(tags(TITLE, "Oto Lind", 200), recording("a", TITLE, ARTIST, 200.2, by=by))
    assert made.verdict is not Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize("by", ["isrc", "recording id"])
@pytest.mark.parametrize("seconds", [206, 209.9, 215])
def test_an_identifier_does_not_outvote_the_length_but_its_place_on_the_album_may(
    by: str, seconds: float
) -> None:
    found = recording("a", TITLE, ARTIST, 200, by=by, releases=[release("Harbour", 2)])
    assert decision(tags(TITLE, ARTIST, seconds), found).verdict is Verdict.REVIEW
    placed = decision(tags(TITLE, ARTIST, seconds, album="Harbour", track_number=2), found)
    assert placed.verdict is (Verdict.ACCEPTED if seconds < 210 else Verdict.REVIEW)


@pytest.mark.parametrize(
    ("file", "found"),
    [("(Live)", "(acoustic)"), ("(Acoustic)", "(live)"), ("- Live at Leeds", "(acoustic version)")],
)
def test_live_is_not_acoustic(file: str, found: str) -> None:
    made = decision(tags(f"{TITLE} {file}", ARTIST, 200), recording("a", f"{TITLE} {found}", ARTIST, 200.2))
    assert made.verdict is Verdict.REVIEW
    assert any("file says" in reason for reason in made.reasons), made.reasons


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("(Live Acoustic)", "(acoustic)"),
        ("(Live)", "(live, acoustic)"),
        ("(MTV Unplugged)", "(live)"),
        ("(Unplugged)", "(acoustic)"),
    ],
)
def test_a_live_acoustic_take_may_be_called_either(file: str, found: str) -> None:
    made = decision(tags(f"{TITLE} {file}", ARTIST, 200), recording("a", f"{TITLE} {found}", ARTIST, 200.2))
    assert made.verdict is Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize("kind", ["live", "karaoke version", "instrumental", "demo"])
@pytest.mark.parametrize("album", [None, "Another Evening"])
def test_a_take_is_not_singled_out_by_its_length_among_takes_of_unknown_length(
    kind: str, album: str | None
) -> None:
    file = tags(f"{TITLE} ({kind})", ARTIST, 200, album=album)
    fits = recording(
        "fits", TITLE, ARTIST, 200.4, disambiguation=kind, releases=[release("Pier Tapes"), release("Hits")]
    )
    unknown = recording("unknown", TITLE, ARTIST, disambiguation=kind)
    longer = recording("longer", TITLE, ARTIST, 240, disambiguation=kind)
    made = decision(file, fits, unknown, longer)
    assert made.verdict is Verdict.REVIEW
    assert any("unknown length" in reason for reason in made.reasons), made.reasons
    on_album = tags(f"{TITLE} ({kind})", ARTIST, 200, album="Pier Tapes")
    assert decision(on_album, fits, unknown, longer).verdict is Verdict.ACCEPTED
    assert decision(tags(f"{TITLE} ({kind})", ARTIST, 200), fits, longer).verdict is Verdict.ACCEPTED


def test_a_place_named_on_both_sides_singles_out_a_take() -> None:
    file = tags(f"{TITLE} (Live in Turin)", ARTIST, 200)
    turin = recording("turin", TITLE, ARTIST, 200.4, disambiguation="live, 2015: Turin")
    others = [recording(c, TITLE, ARTIST, disambiguation=f"live, 2016: {c}") for c in ("Zagreb", "Oslo")]
    made = decision(file, turin, *others, recording("bare", TITLE, ARTIST, disambiguation="live"))
    assert made.verdict is Verdict.ACCEPTED, made.reasons
