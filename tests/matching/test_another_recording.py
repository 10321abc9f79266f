"""Files that are another recording than the nearest one known, and must not be accepted as it."""

from __future__ import annotations

import pytest

from soulspot.matching import Candidate
from soulspot.models import TrackTags, Verdict
from tests.matching.make import decision, recording, release, tags

TITLE, ARTIST = "Glass Meadow", "Ilse Brandt"
UNKNOWN = (
    "English", "Hindi", "Tagalog", "MR", "Mixed", "Piano", "Cello", "Without Vocals", "Drumless", "Lofi", "Ambient",
    "Outtakes", "Alternative", "Choir", "Kids", "Bossa Nova", "Marimba", "Beatless", "Chiptune", "432 Hz", "ASMR",
)  # fmt: skip


def is_accepted(file: TrackTags, *known: Candidate) -> bool:
    return decision(file, *known).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("form", ["{} ({})", "{} [{}]", "{} - {}", "{} – {}"])
@pytest.mark.parametrize("words", UNKNOWN)
def test_unknown_words_beside_a_title_are_a_version_until_proven_otherwise(words: str, form: str) -> None:
    named = form.format(TITLE, words)
    assert not is_accepted(tags(named, ARTIST, 200), recording("a", TITLE, ARTIST, 200.2))
    assert not is_accepted(tags(TITLE, ARTIST, 200), recording("a", named, ARTIST, 200.2))
    both = decision(
        tags(named, ARTIST, 200),
        recording("a", TITLE, ARTIST, 200.0),
        recording("b", f"{TITLE} ({words})", ARTIST, 200.4),
    )
    assert (both.verdict, both.best and both.best.candidate.entity.id) == (Verdict.ACCEPTED, "b"), both.reasons


def test_an_album_or_an_identifier_proves_that_unknown_words_are_a_subtitle() -> None:
    placed = recording("a", "Walk (500 Miles)", ARTIST, 200.2, releases=[release("Harbour", 3)])
    assert is_accepted(tags("Walk", ARTIST, 200, album="Harbour", track_number=3), placed)
    assert not is_accepted(tags("Walk", ARTIST, 200), placed)
    assert is_accepted(
        tags("Walk", ARTIST, 200, isrc="DEA010012345"),
        recording("a", "Walk (500 Miles)", ARTIST, 200.2, by="isrc", isrcs=["DEA010012345"]),
    )


def test_an_album_with_the_same_unknown_words_proves_nothing() -> None:
    file = tags(f"{TITLE} (Tagalog)", ARTIST, 200, album="Lights (Tagalog)", track_number=3)
    assert not is_accepted(file, recording("a", TITLE, ARTIST, 200.2, releases=[release("Lights", 3)]))
    both = recording("b", f"{TITLE} (Tagalog)", ARTIST, 200.2, releases=[release("Lights (Tagalog)", 3)])
    assert is_accepted(file, both)


@pytest.mark.parametrize("one", ["桜 (Sakura)", "Sakura (桜)"])
def test_a_translation_beside_a_title_is_no_version(one: str) -> None:
    assert is_accepted(tags(one, ARTIST, 200), recording("a", one.partition(" ")[0], ARTIST, 200.2))


@pytest.mark.parametrize(
    "album",
    [
        "Meadows (Ilse's Version)", "Meadows (Re-Recorded)", "Meadows (Korean Version)", "Meadows (String Version)",
        "Meadows (A Cappella)", "Meadows (DJ Mix)", "Meadows (Continuous Mix)", "Meadows (Stripped)", "Meadows (8D)",
        "Meadows (Extended Mixes)", "Meadows (Radio Edits)", "Meadows Reimagined", "Meadows Revisited",
        "Piano Renditions of Ilse Brandt", "Meadows (Live)", "Meadows (Sped Up)", "Meadows [Karaoke]",
    ],
)  # fmt: skip
def test_version_words_of_an_album_hold_for_its_tracks(album: str) -> None:
    if "Ilse's" in album:
        album = "Meadows (Taylor's Version)"
    file = tags(TITLE, ARTIST, 231, album=album, track_number=3)
    assert not is_accepted(file, recording("a", TITLE, ARTIST, 231.2, releases=[release("Meadows", 3)]))


@pytest.mark.parametrize(
    "album", ["Meadows (Deluxe Edition)", "Meadows (2011 Remaster)", "Meadows (Bonus Track Version)"]
)
def test_an_edition_of_an_album_is_the_album(album: str) -> None:
    file = tags(TITLE, ARTIST, 231, album=album, track_number=3)
    assert is_accepted(file, recording("a", TITLE, ARTIST, 231.2, releases=[release("Meadows", 3)]))


@pytest.mark.parametrize(("album", "words"), [("Red", "Red Mix"), ("Up", "Up Acoustic"), ("Red", "Taylor's Version")])
def test_a_short_album_name_does_not_swallow_a_version(album: str, words: str) -> None:
    known = recording("a", TITLE, ARTIST, 200.2, releases=[release(album, 3)])
    assert not is_accepted(tags(f"{TITLE} ({words})", ARTIST, 200, album=album, track_number=3), known)
    full = recording("a", TITLE, ARTIST, 200.2, releases=[release(f"{album} ({words})", 3)])
    assert not is_accepted(tags(f"{TITLE} ({words})", ARTIST, 200, album=album), known)
    assert decision(tags(TITLE, ARTIST, 200, album=album), full).verdict is not Verdict.ACCEPTED


def test_a_recording_known_only_on_dj_mixes_is_not_the_album_track() -> None:
    mixed = recording("a", TITLE, ARTIST, 200.2, releases=[release("Pier Nights 4", 3, secondary_types=["DJ-mix"])])
    assert not is_accepted(tags(TITLE, ARTIST, 200, album="Meadows", track_number=3), mixed)
    both = (release("Pier Nights 4", 3, secondary_types=["DJ-mix"]), release("Meadows", 3))
    assert is_accepted(
        tags(TITLE, ARTIST, 200, album="Meadows", track_number=3),
        recording("a", TITLE, ARTIST, 200.2, releases=list(both)),
    )


@pytest.mark.parametrize(
    "title",
    ["Kapitel 1", "Chapter 12", "Chapitre 3", "Intro", "Interlude", "Skit", "Skit 2", "Outro", "Untitled", "[untitled]",
     "[silence]", "Prologue", "Epilog", "Part 2", "Hidden Track", "Closing Credits", "Vorwort"],
)  # fmt: skip
def test_a_title_that_an_artist_has_on_every_album_needs_the_album(title: str) -> None:
    file = tags(title, ARTIST, 185, album="The Stone", track_number=1)
    elsewhere = recording("a", title, ARTIST, 185.3, releases=[release("The Chamber", 1)])
    assert not is_accepted(file, elsewhere)
    assert not is_accepted(tags(title, ARTIST, 185), elsewhere)
    assert is_accepted(file, recording("b", title, ARTIST, 185.3, releases=[release("The Stone", 1)]))


def test_a_folder_that_names_another_album_speaks_against_a_recording_without_length() -> None:
    elsewhere = recording("a", TITLE, ARTIST, None, releases=[release("The Chamber", 3)])
    path = b"/music/Ilse Brandt/Meadows/03 - Glass Meadow.mp3"
    assert decision(tags(TITLE, ARTIST, 200), elsewhere, path=path).verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("cut", "whole"),
    [
        ("Glass Meadow in the Mo (Instru", "Glass Meadow in the Mo"),
        ("Glass Meadow in the Mor (Karao", "Glass Meadow in the Mor"),
        ("Glass Meadow in the Morn (Live", "Glass Meadow in the Morn"),
        ("Glass Meadow in the Morni [A C", "Glass Meadow in the Morni"),
        ("Glass Meadow in the Mornin (", "Glass Meadow in the Mornin"),
    ],
)
def test_a_bracket_cut_off_at_thirty_characters_may_hide_a_version(cut: str, whole: str) -> None:
    assert not is_accepted(tags(cut, ARTIST, 200), recording("a", whole, ARTIST, 200.3))


@pytest.mark.parametrize("guest", ["HOYO-MiX", "Little Mix", "Live", "Cover Drive", "The Remixers", "Demo Taped"])
@pytest.mark.parametrize("form", ["{} (feat. {})", "{} (ft. {})", "{} feat.{}", "{} - feat. {}", "{} [featuring {}]"])
def test_a_guest_is_a_guest_whatever_words_are_in_the_name(guest: str, form: str) -> None:
    file = tags(form.format(TITLE, guest), ARTIST, 200)
    assert is_accepted(file, recording("a", TITLE, f"{ARTIST} feat. {guest}", 200.1))
    assert is_accepted(file, recording("a", TITLE, ARTIST, 200.1))


def test_a_version_behind_the_guests_is_a_version() -> None:
    assert not is_accepted(tags(f"{TITLE} (feat. Oto Lind, live)", ARTIST, 200), recording("a", TITLE, ARTIST, 200.1))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("in C major", "in C minor"), ("in C#", "in C"), ("in C# minor", "in C minor"), ("Es-Dur", "E-Dur"),
        ("a-Moll", "A-Dur"), ("in B♭ major", "in B major"), ("in F sharp minor", "in F minor"),
    ],
)  # fmt: skip
def test_one_key_is_no_slip_of_another(ours: str, theirs: str) -> None:
    assert not is_accepted(tags(f"Prelude {ours}", ARTIST, 200), recording("a", f"Prelude {theirs}", ARTIST, 200.1))
    placed = tags(f"Prelude {ours}", ARTIST, 200, album="Meadows")
    found = recording("a", f"Prelude {theirs}", ARTIST, 200.1, releases=[release("Meadows")])
    assert not is_accepted(placed, found)


@pytest.mark.parametrize(
    ("ours", "theirs"), [("in B♭ major", "in B-flat major"), ("C-Dur", "C-dur"), ("in C", "in C major")]
)
def test_one_key_is_written_in_several_ways(ours: str, theirs: str) -> None:
    file = tags(f"Prelude {ours}", ARTIST, 200, album="Meadows", track_number=2)
    found = recording("a", f"Prelude {theirs}", ARTIST, 200.1, releases=[release("Meadows", 2)])
    assert is_accepted(file, found)


def test_lead_and_guest_are_not_swapped() -> None:
    file = tags(TITLE, "Ilse Brandt feat. Oto Lind", 200)
    swapped = recording("a", TITLE, "Oto Lind feat. Ilse Brandt", 200.3)
    assert not is_accepted(file, swapped)
    made = decision(file, swapped, recording("b", TITLE, "Ilse Brandt feat. Oto Lind", 200.3))
    assert made.verdict is Verdict.ACCEPTED
    assert made.best
    assert made.best.candidate.entity.id == "b"


def test_half_of_a_duo_is_not_the_duo() -> None:
    assert not is_accepted(tags(TITLE, "Ilse Brandt & Oto Lind", 200), recording("a", TITLE, "Ilse Brandt", 200.3))
    assert not is_accepted(tags(TITLE, "Oto Lind", 200), recording("a", TITLE, "Ilse Brandt & Oto Lind", 200.3))
    # Tags often name the first artist alone, and a backing band is often left out.
    assert is_accepted(tags(TITLE, "Ilse Brandt", 200), recording("a", TITLE, "Ilse Brandt & Oto Lind", 200.3))
    assert is_accepted(tags(TITLE, "Ilse Brandt & The Sheep", 200), recording("a", TITLE, "Ilse Brandt", 200.3))


def test_a_plain_title_some_seconds_off_does_not_beat_the_edit_of_the_very_length() -> None:
    plain = recording("a", TITLE, ARTIST, 202.4)
    edit = recording("b", f"{TITLE} (radio edit)", ARTIST, 200.1)
    assert decision(tags(TITLE, ARTIST, 200), plain, edit).verdict is Verdict.REVIEW
    named = decision(tags(f"{TITLE} (radio edit)", ARTIST, 200), plain, edit)
    assert named.best
    assert (named.verdict, named.best.candidate.entity.id) == (Verdict.ACCEPTED, "b")


def test_of_true_duplicates_the_one_with_more_behind_it_is_taken() -> None:
    one = recording("a", TITLE, ARTIST, 200.1, isrcs=["DEA010012345"], releases=[release("Meadows", 3)])
    more = [release("Meadows", 3), release("Meadows", 3, id="r2")]
    other = recording("b", TITLE, ARTIST, 200.1, isrcs=["DEA010012345"], releases=more)
    for pool in ((one, other), (other, one)):
        made = decision(tags(TITLE, ARTIST, 200, album="Meadows"), *pool)
        assert made.verdict is Verdict.ACCEPTED, made.reasons
        assert made.best
    assert made.best.candidate.entity.id == "b"


def test_of_true_duplicates_the_one_on_the_album_of_the_file_is_taken() -> None:
    best_of = [release("Best of", 1), release("Best of", 1, id="r2"), release("Best of", 1, id="r3")]
    one = recording("a", TITLE, ARTIST, 200.1, isrcs=["DEA010012345"], releases=best_of)
    other = recording("b", TITLE, ARTIST, 200.1, isrcs=["DEA010012345"], releases=[release("Meadows", 3)])
    made = decision(tags(TITLE, ARTIST, 200, album="Meadows", track_number=3), one, other)
    assert made.best
    assert (made.verdict, made.best.candidate.entity.id) == (Verdict.ACCEPTED, "b")


def test_recordings_of_two_isrcs_are_no_duplicates() -> None:
    pool = [
        recording(n, TITLE, ARTIST, 200.1, isrcs=[f"DEA01001234{n}"], releases=[release("Meadows", 3)]) for n in "12"
    ]
    assert decision(tags(TITLE, ARTIST, 200, album="Meadows"), *pool).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("10,000 Sheep", "10000 Sheep"),
        ("Glass Meadow - Original Version 1979", TITLE),
        ('Glass Meadow - From "Hill Lights"', TITLE),
        ("Glass Meadow - Super Deluxe", TITLE),
        ("Glass Meadow - Prod. by Oto", TITLE),
        ("Glass Meadow - Original Motion Picture Soundtrack", TITLE),
    ],
)
def test_a_spelling_of_one_title_is_accepted(file: str, found: str) -> None:
    assert is_accepted(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.1))
