"""Awkward files of real libraries, and the candidates that must not be accepted for them."""

from __future__ import annotations

import pytest

from soulspot.matching import Candidate, normalise_tags
from soulspot.models import TrackTags, Verdict
from soulspot.text import fold
from tests.matching.make import decision, recording, release, tags

TITLE, ARTIST = "Slow Kite", "Mara Quill"
ISRC = "DEA010012345"
# Each of them makes another recording, however sure an identifier seems.
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
def test_an_identifier_does_not_outvote_the_length_but_its_place_on_the_album_may(by: str, seconds: float) -> None:
    found = recording("a", TITLE, ARTIST, 200, by=by, releases=[release("Harbour", 2)])
    assert decision(tags(TITLE, ARTIST, seconds), found).verdict is Verdict.REVIEW
    placed = decision(tags(TITLE, ARTIST, seconds, album="Harbour", track_number=2), found)
    assert placed.verdict is (Verdict.ACCEPTED if seconds < 210 else Verdict.REVIEW)


@pytest.mark.parametrize("by", ["isrc", "recording id"])
@pytest.mark.parametrize("part", [", Pt. 2", " (Part Two)", " II"])
def test_an_identifier_of_the_whole_is_not_believed_of_a_part(by: str, part: str) -> None:
    file = tags(f"{TITLE}{part}", ARTIST, 200)
    assert decision(file, recording("a", TITLE, ARTIST, 200.2, by=by)).verdict is not Verdict.ACCEPTED
    same = recording("a", f"{TITLE}{part}", ARTIST, 200.2, by=by)
    assert decision(file, same).verdict is Verdict.ACCEPTED


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
def test_a_take_is_not_singled_out_by_its_length_among_takes_of_unknown_length(kind: str, album: str | None) -> None:
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


@pytest.mark.parametrize("album", [None, "Live in Zagreb"])
def test_a_live_album_s_name_after_a_dash_still_says_live(album: str | None) -> None:
    file = tags(f"{TITLE} - Live in Zagreb", ARTIST, 200, album=album)
    live = recording(
        "live",
        TITLE,
        ARTIST,
        200.5,
        disambiguation="live, 1995: Zagreb",
        releases=[release("Live in Zagreb", 3)],
    )
    assert decision(file, live).verdict is Verdict.ACCEPTED, decision(file, live).reasons
    studio = recording("studio", TITLE, ARTIST, 200.4, releases=[release("Harbour", 3)])
    assert decision(file, studio).verdict is Verdict.REVIEW


def test_a_lone_recording_without_length_is_believed_on_its_album() -> None:
    bare = recording("a", TITLE, ARTIST, releases=[release("Harbour")])
    file = tags(TITLE, ARTIST, 200, album="Harbour")
    assert decision(file, bare).verdict is Verdict.ACCEPTED
    assert decision(tags(TITLE, ARTIST, 200, album="Meadow"), bare).verdict is Verdict.REVIEW
    rival = recording("b", f"{TITLE} (live)", ARTIST, releases=[release("Meadow")])
    assert decision(file, bare, rival).verdict is Verdict.REVIEW


def test_a_lone_recording_some_seconds_off_is_believed_on_its_album() -> None:
    file = tags(TITLE, ARTIST, 200, album="Harbour")
    for seconds, verdict in ((205, Verdict.ACCEPTED), (195, Verdict.ACCEPTED), (215, Verdict.REVIEW)):
        found = recording("a", TITLE, ARTIST, seconds, releases=[release("Harbour")])
        assert decision(file, found).verdict is verdict
        assert decision(tags(TITLE, ARTIST, 200), found).verdict is Verdict.REVIEW
        rival = recording("b", TITLE, ARTIST, 190, releases=[release("Meadow")])
        assert decision(file, found, rival).verdict is Verdict.REVIEW


def test_a_single_version_that_the_file_does_not_mention_is_singled_out_by_its_length() -> None:
    single = recording("single", TITLE, ARTIST, 200.5, disambiguation="single version")
    album = recording("album", TITLE, ARTIST, 254)
    file = tags(TITLE, ARTIST, 200)
    made = decision(file, single, album, recording("live", TITLE, ARTIST, 230, disambiguation="live"))
    assert made.verdict is Verdict.ACCEPTED, made.reasons
    assert made.best is not None
    assert made.best.candidate.entity.id == "single"
    assert decision(file, single).verdict is Verdict.REVIEW
    assert decision(tags(TITLE, ARTIST, 202), single, album).verdict is Verdict.REVIEW
    unknown = recording("unknown", TITLE, ARTIST)
    assert decision(file, single, album, unknown).verdict is Verdict.REVIEW
    near = recording("near", TITLE, ARTIST, 202)
    assert named(decision(file, single, album, near)) != "single"
    instrumental = recording("instrumental", TITLE, ARTIST, 200.5, disambiguation="instrumental")
    assert decision(file, instrumental, album).verdict is Verdict.REVIEW


def named(made: object) -> str | None:
    best = getattr(made, "best", None)
    return best.candidate.entity.id if best else None


@pytest.mark.parametrize(
    ("path", "artist", "album", "title"),
    [
        ("phone backup/832/Mara Quill - Slow Kite.m4a", "Mara Quill", None, "Slow Kite"),
        ("Music/New Folder (2)/306/Mara Quill - Slow Kite.mp3", "Mara Quill", None, "Slow Kite"),
        ("usb/rec0017/Mara Quill - Slow Kite.mp3", "Mara Quill", None, "Slow Kite"),
        ("Blink 182/Blink 182/Dammit - Home.mp3", "Blink 182", "Blink 182", "Dammit - Home"),
        ("Neuer Ordner/Mara Quill - Slow Kite.mp3", "Mara Quill", None, "Slow Kite"),
        ("Adele/25/Hello.mp3", "Adele", "25", "Hello"),
        ("Adele/25/01 - Hello.mp3", "Adele", "25", "Hello"),
        ("Adele/25/Hello - Live.mp3", "Adele", "25", "Hello - Live"),
        ("Taylor/1989/Adele - Hello.mp3", "Taylor", "1989", "Adele - Hello"),
    ],
)
def test_a_folder_that_is_no_name_is_neither_artist_nor_album(
    path: str, artist: str, album: str | None, title: str
) -> None:
    found = normalise_tags(TrackTags(), path.encode())
    assert (found.artist, found.album, found.title) == (artist, album, title)


def test_a_number_before_the_title_is_a_track_number_unless_a_title_has_it() -> None:
    file = tags("10 Glacier Of Lisbon", ARTIST, 200)
    plain = recording("plain", "Glacier of Lisbon", ARTIST, 200.4)
    assert decision(file, plain).verdict is Verdict.ACCEPTED, decision(file, plain).reasons
    made = decision(file, plain, recording("number", "10 Glacier of Lisbon", ARTIST, 200.4))
    assert named(made) == "number"
    other = recording("other", "Seconds", ARTIST, 230)
    assert decision(tags("7 Seconds", ARTIST, 200), other).verdict is not Verdict.ACCEPTED
    other = recording("other", "20 Glacier of Lisbon", ARTIST, 200)
    assert decision(file, other).verdict is not Verdict.ACCEPTED


def test_guests_before_the_dash_do_not_swallow_the_title() -> None:
    found = Candidate(recording("a", "Night Train", "Julia White feat. Noor P", 200.4).entity, frozenset({"text"}))
    for artist in ("JULIA WHITE FT. NOOR P", "Julia White", None):
        made = decision(tags("JULIA WHITE FT. NOOR P - NIGHT TRAIN", artist, 200), found)
        assert made.verdict is Verdict.ACCEPTED, made.reasons
    remixed = recording("b", "Night Train", "Julia White feat. Noor P", 200.4)
    made = decision(tags("Night Train ft. Noor P - FRNO Remix", "Julia White", 200), remixed)
    assert made.verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("Żółty Årstid", "Zolty Arstid"),
        ("Sigríður Ångström", "Sigridur Angstrom"),
        ("Bjørn Þór", "Bjorn Thor"),
        ("Œuvre Æther Đorđe Işık", "Oeuvre Aether Dorde Isik"),
    ],
)
def test_letters_with_strokes_fold_to_plain_ones(a: str, b: str) -> None:
    assert fold(a) == fold(b) == fold(a.upper())
    assert decision(tags(a, b, 200), recording("a", b, a, 200.4)).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("by", ["recording id", "isrc"])
def test_an_identifier_and_the_length_carry_names_that_cannot_be_compared(by: str) -> None:
    found = recording("a", "夜に駆ける", "宇多田ヒカル", 200.4, by=by)
    file = tags("Racing into the Night", "Utada", 200)
    assert decision(file, found).verdict is Verdict.ACCEPTED, decision(file, found).reasons
    assert decision(tags("Racing into the Night", "Utada", 206), found).verdict is not Verdict.ACCEPTED
    guest = tags("Racing into the Night", "Utada feat. Oto Lind", 200)
    assert decision(guest, found).verdict is Verdict.ACCEPTED
    unknown = recording("a", "夜に駆ける", "宇多田ヒカル", 200.4)
    assert decision(file, unknown).verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("native", "romanised"),
    [("김서연", "Seoyeon Kim"), ("Юрий Гагарин", "Gagarin Yuri"), ("久石譲", "久石 譲")],
)
def test_a_romanised_name_is_the_same_in_either_order(native: str, romanised: str) -> None:
    made = decision(tags(TITLE, romanised, 200), recording("a", TITLE, native, 200.4))
    assert made.verdict is Verdict.ACCEPTED, made.reasons
