"""Live, remix, karaoke: a version that only one side mentions is never accepted."""

from __future__ import annotations

import pytest

from soulspot.models import Verdict
from tests.matching.make import decision, recording, release, tags

ARTIST = "The Lanterns"

# The same version in other words, in other languages, in brackets or behind a dash.
SAME_VERSION = [
    ("Harbour Lights (Live)", "Harbour Lights (live)"),
    ("Harbour Lights - Live at Wembley 1986", "Harbour Lights (live at Wembley Stadium, 1986)"),
    ("Harbour Lights (En Vivo)", "Harbour Lights (live)"),
    ("Harbour Lights [Ao Vivo]", "Harbour Lights (live)"),
    ("Harbour Lights (ライブ)", "Harbour Lights (live)"),
    ("Harbour Lights (концерт)", "Harbour Lights (live)"),
    ("Harbour Lights (FRNO Remix)", "Harbour Lights (FRNO remix)"),
    ("Harbour Lights - FRNO Remix", "Harbour Lights (FRNO remix)"),
    ("Harbour Lights (Acústico)", "Harbour Lights (acoustic)"),
    ("Harbour Lights (Acoustic Version)", "Harbour Lights (acoustic)"),
    ("Harbour Lights (Demo)", "Harbour Lights (demo version)"),
    ("Harbour Lights (Inst.)", "Harbour Lights (instrumental)"),
    ("Harbour Lights (Radio Edit)", "Harbour Lights (radio version)"),
    ('Harbour Lights (12" Mix)', "Harbour Lights (extended version)"),
    ("Harbour Lights (Karaoke Version)", "Harbour Lights (karaoke)"),
    ("Harbour Lights (Sped Up)", "Harbour Lights - sped up version"),
    ("Harbour Lights (Spanish Version)", "Harbour Lights (Spanish version)"),
]

# The same tape: remasters, mono and stereo, and names of the ordinary version.
MILD = [
    ("Harbour Lights (2011 Remaster)", "Harbour Lights"),
    ("Harbour Lights - Remastered 2009", "Harbour Lights"),
    ("Harbour Lights", "Harbour Lights (remastered)"),
    ("Harbour Lights (2009 Remaster)", "Harbour Lights (2015 remaster)"),
    ("Harbour Lights (Remasterizado)", "Harbour Lights"),
    ("Harbour Lights (Mono)", "Harbour Lights"),
    ("Harbour Lights (Stereo Mix)", "Harbour Lights (mono)"),
    ("Harbour Lights (Album Version)", "Harbour Lights"),
    ("Harbour Lights (Original Mix)", "Harbour Lights"),
    ("Harbour Lights (Explicit)", "Harbour Lights"),
    ("Harbour Lights (Official Video)", "Harbour Lights"),
    ("Harbour Lights [Bonus Track]", "Harbour Lights"),
]

# Another recording, at whatever length: one side names a version that the other does not.
OTHER_VERSION = [
    ("Harbour Lights", "Harbour Lights (live)"),
    ("Harbour Lights (Live)", "Harbour Lights"),
    ("Harbour Lights (live at Leeds)", "Harbour Lights (live in Tokyo)"),
    ("Harbour Lights", "Harbour Lights (FRNO remix)"),
    ("Harbour Lights (FRNO Remix)", "Harbour Lights"),
    ("Harbour Lights (FRNO Remix)", "Harbour Lights (Kappa remix)"),
    ("Harbour Lights", "Harbour Lights (karaoke version)"),
    ("Harbour Lights", "Harbour Lights (instrumental)"),
    ("Harbour Lights (Instrumental)", "Harbour Lights"),
    ("Harbour Lights", "Harbour Lights (acoustic)"),
    ("Harbour Lights", "Harbour Lights (demo)"),
    ("Harbour Lights", "Harbour Lights (radio edit)"),
    ("Harbour Lights (Radio Edit)", "Harbour Lights"),
    ("Harbour Lights (Club Edit)", "Harbour Lights (Video Edit)"),
    ("Harbour Lights", "Harbour Lights (extended mix)"),
    ("Harbour Lights (Single Version)", "Harbour Lights (album version)"),
    ("Harbour Lights", "Harbour Lights (a cappella)"),
    ("Harbour Lights", "Harbour Lights (sped up)"),
    ("Harbour Lights", "Harbour Lights (piano version)"),
    ("Harbour Lights", "Harbour Lights (The Lanterns' version)"),
    ("Harbour Lights (Spanish Version)", "Harbour Lights (French version)"),
    ("Harbour Lights", "Harbour Lights (alternate take)"),
    ("Harbour Lights", "Harbour Lights (reprise)"),
    ("Harbour Lights", "Harbour Lights (ao vivo)"),
    ("Harbour Lights", "Harbour Lights（ライブ）"),
]


@pytest.mark.parametrize(("file", "found"), SAME_VERSION)
def test_the_same_version_in_other_words_is_accepted(file: str, found: str) -> None:
    made = decision(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.4))
    assert made.verdict is Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize(("file", "found"), MILD)
def test_remaster_and_mono_words_do_not_make_another_recording(file: str, found: str) -> None:
    made = decision(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.4))
    assert made.verdict is Verdict.ACCEPTED, made.reasons


@pytest.mark.parametrize(("file", "found"), OTHER_VERSION)
def test_another_version_is_not_accepted_even_at_equal_length(file: str, found: str) -> None:
    made = decision(tags(file, ARTIST, 200), recording("a", found, ARTIST, 200.4))
    assert made.verdict is Verdict.REVIEW
    assert any("file says" in reason for reason in made.reasons), made.reasons


# Shops and taggers often leave these out: an identifier is believed without them.
PACKAGING = ("Radio Edit", "radio edit", "extended mix", "Single Version", "The Lanterns' version")


@pytest.mark.parametrize(("file", "found"), OTHER_VERSION)
def test_an_id_and_an_equal_length_outvote_only_words_that_taggers_leave_out(file: str, found: str) -> None:
    candidate = recording("a", found, ARTIST, 200.4, by="recording id")
    left_out = any(f"({words})" in file + found for words in PACKAGING)
    assert decision(tags(file, ARTIST, 200, mbid="a"), candidate).verdict is (
        Verdict.ACCEPTED if left_out else Verdict.REVIEW
    )
    assert decision(tags(file, ARTIST, mbid="a"), candidate).verdict is Verdict.REVIEW


@pytest.mark.parametrize(
    "comment", ["live, 1986-07-12: Wembley Stadium", "demo", "instrumental", "acoustic", "karaoke version"]
)
def test_a_disambiguation_speaks_like_a_title(comment: str) -> None:
    studio = recording("studio", "Harbour Lights", ARTIST, 203)
    other = recording("other", "Harbour Lights", ARTIST, 200, disambiguation=comment)
    made = decision(tags("Harbour Lights", ARTIST, 200), other)
    assert made.verdict is Verdict.REVIEW
    made = decision(tags("Harbour Lights", ARTIST, 202.5), studio, other)
    assert made.verdict is Verdict.ACCEPTED
    assert made.best is not None
    assert made.best.candidate.entity.id == "studio"


def test_a_file_on_a_live_album_takes_the_live_recording() -> None:
    file = tags("Harbour Lights", ARTIST, 240, album="Live at the Pier", track_number=4)
    live = recording(
        "live",
        "Harbour Lights",
        ARTIST,
        240.5,
        disambiguation="live",
        releases=[release("Live at the Pier", 4)],
    )
    studio = recording("studio", "Harbour Lights", ARTIST, 240.2, releases=[release("Harbour", 1)])
    made = decision(file, studio, live)
    assert made.verdict is Verdict.ACCEPTED
    assert made.best is not None
    assert made.best.candidate.entity.id == "live"
    assert decision(file, studio).verdict is Verdict.REVIEW


@pytest.mark.parametrize("album", ["Harbour Unplugged", "MTV Unplugged", "In Concert", "Ao Vivo", "Pier Tapes (Live)"])
def test_a_live_album_of_another_wording_is_no_studio_album(album: str) -> None:
    file = tags("Harbour Lights", ARTIST, 240, album=album)
    studio = recording("studio", "Harbour Lights", ARTIST, 240.2, releases=[release("Harbour", 1)])
    assert decision(file, studio).verdict is Verdict.REVIEW


def test_a_recording_that_is_only_on_live_albums_is_a_live_recording() -> None:
    file = tags("Harbour Lights", ARTIST, 240)
    live = recording(
        "live", "Harbour Lights", ARTIST, 240.5, releases=[release("Pier Tapes", secondary_types=["Live"])]
    )
    both = recording(
        "both",
        "Harbour Lights",
        ARTIST,
        240.5,
        releases=[release("Pier Tapes", secondary_types=["Live"]), release("Harbour")],
    )
    assert decision(file, live).verdict is Verdict.REVIEW
    assert decision(file, both).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    "title",
    [
        "Live and Let Die",
        "Live Forever",
        "Remix Culture",
        "Original Sin",
        "Cover Me",
        "Demolition Man",
        "Take Five",
    ],
)
def test_a_name_with_a_version_word_in_it_is_a_name(title: str) -> None:
    assert decision(tags(title, ARTIST, 200), recording("a", title, ARTIST, 200)).verdict is Verdict.ACCEPTED
    assert decision(tags(title, ARTIST, 200), recording("a", f"{title} (live)", ARTIST, 200)).verdict is Verdict.REVIEW


def test_a_remix_that_does_not_say_whose_needs_more_than_its_length() -> None:
    found = recording("a", "Harbour Lights (FRNO remix)", ARTIST, 200.4, releases=[release("Harbour")])
    assert decision(tags("Harbour Lights (Remix)", ARTIST, 200), found).verdict is Verdict.REVIEW
    assert decision(tags("Harbour Lights (Remix)", ARTIST, 200, album="Harbour"), found).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize("version", ["Spanglish Version", "FRNO Remix", "Re-Recorded", "Acoustic", "Live at Leeds"])
def test_an_album_named_after_the_version_does_not_hide_it(version: str) -> None:
    album = [release(f"Harbour Lights ({version})")]
    other = recording("a", f"Harbour Lights - {version}", ARTIST, 200.4, releases=album)
    made = decision(tags("Harbour Lights", ARTIST, 200, album="Harbour Lights"), other)
    assert made.verdict is Verdict.REVIEW, made.reasons
    file = tags(f"Harbour Lights - {version}", ARTIST, 200, album=f"Harbour Lights ({version})")
    assert decision(file, other).verdict is Verdict.ACCEPTED
    assert decision(file, recording("b", "Harbour Lights", ARTIST, 200)).verdict is Verdict.REVIEW


def test_a_music_video_is_not_preferred_to_the_recording() -> None:
    audio = recording("audio", "Harbour Lights", ARTIST, 200.9)
    video = recording("video", "Harbour Lights", ARTIST, 200, video=True)
    made = decision(tags("Harbour Lights", ARTIST, 200), video, audio)
    assert made.best is not None
    assert (made.verdict, made.best.candidate.entity.id) == (Verdict.ACCEPTED, "audio")
