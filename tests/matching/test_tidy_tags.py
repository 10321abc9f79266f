"""Tags put in order before they are compared, with gaps filled from the path."""

from __future__ import annotations

import pytest

from soulspot.matching import normalise_tags
from soulspot.models import TrackTags, Verdict
from tests.matching.make import decision, recording, release


@pytest.mark.parametrize(
    ("path", "artist", "album", "number", "title"),
    [
        (b"Mara Quill/Harbour (2001)/03 - Paper Boats.flac", "Mara Quill", "Harbour", 3, "Paper Boats"),
        (b"/srv/music/Mara Quill/Harbour/03 Paper Boats.mp3", "Mara Quill", "Harbour", 3, "Paper Boats"),
        (b"Mara Quill/2001 - Harbour/03. Paper Boats.ogg", "Mara Quill", "Harbour", 3, "Paper Boats"),
        (b"Mara Quill/Harbour [FLAC]/03_Paper_Boats.flac", "Mara Quill", "Harbour", 3, "Paper Boats"),
        (b"Mara Quill/Harbour/CD2/2-03 Paper Boats.m4a", "Mara Quill", "Harbour", 3, "Paper Boats"),
        (b"Mara Quill - Harbour (2001)/03 - Paper Boats.opus", "Mara Quill", "Harbour", 3, "Paper Boats"),
        (b"Music/Mara Quill - Paper Boats.mp3", "Mara Quill", None, None, "Paper Boats"),
        (b"Mara Quill - Paper Boats.mp3", "Mara Quill", None, None, "Paper Boats"),
        (b"Downloads/Mara_Quill_-_Paper_Boats.mp3", "Mara Quill", None, None, "Paper Boats"),
        (b"Various Artists/Hits/07 - Mara Quill - Paper Boats.mp3", "Mara Quill", "Hits", 7, "Paper Boats"),
        (
            b"Mara Quill/Harbour/Mara Quill - Harbour - 03 - Paper Boats.mp3",
            "Mara Quill",
            "Harbour",
            3,
            "Paper Boats",
        ),
        (b"Mara Quill/Harbour/Track 03.wav", "Mara Quill", "Harbour", 3, None),
        (b"Mara Quill/Harbour/03.wav", "Mara Quill", "Harbour", 3, None),
        (b"Mara Quill/Harbour/99 Balloons.mp3", "Mara Quill", "Harbour", 99, "Balloons"),
        ("Юта/Лодка/05 - Бумага.mp3".encode(), "Юта", "Лодка", 5, "Бумага"),
        (
            b"Mara Quill/Harbour/03 - Paper \xff Boats.mp3",
            "Mara Quill",
            "Harbour",
            3,
            "Paper \N{REPLACEMENT CHARACTER} Boats",
        ),
    ],
)
def test_a_path_fills_what_the_tags_leave_open(
    path: bytes, artist: str | None, album: str | None, number: int | None, title: str | None
) -> None:
    found = normalise_tags(TrackTags(), path)
    assert (found.artist, found.album, found.track_number, found.title) == (artist, album, number, title)


def test_tags_go_before_the_path() -> None:
    tags = TrackTags(title="Paper Boats", artist="Mara Quill", album="Harbour", track_number=3)
    assert normalise_tags(tags, b"Somebody/Something/09 - Else.mp3") == tags


def test_a_path_that_names_somebody_else_contradicts_nothing() -> None:
    found = recording("a", "Paper Boats", "Mara Quill", 200, releases=[release("Harbour", 3)])
    named = TrackTags(title="Paper Boats", album="Harbour", track_number=3, duration_ms=200_000)
    assert decision(named, found, path=b"/mnt/disk/from Peter/x/03.mp3").verdict is Verdict.ACCEPTED
    untagged = TrackTags(duration_ms=200_000)
    assert decision(untagged, found, path=b"Mara Quill/Harbour/03 - Paper Boats.mp3").verdict is Verdict.ACCEPTED
    assert decision(untagged, found, path=b"Oto Lind/Meadow/03 - Paper Boats.mp3").verdict is not Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("title", "number", "left", "number_left"),
    [
        ("03 - Paper Boats", None, "Paper Boats", 3),
        ("003-Paper Boats", None, "Paper Boats", 3),
        ("3. Paper Boats", None, "Paper Boats", 3),
        ("3 - Paper Boats", 3, "Paper Boats", 3),
        ("03 Paper Boats", 3, "Paper Boats", 3),
        ("99 Luftballons", None, "99 Luftballons", None),
        ("99 Luftballons", 99, "99 Luftballons", 99),
        ("1979", 5, "1979", 5),
        ("7 Seconds", 3, "7 Seconds", 3),
        ("1-800-273-8255", None, "1-800-273-8255", None),
        ("10,000 Days", None, "10,000 Days", None),
        ("007", None, None, 7),
        ("Track 12", None, None, 12),
        ("Track 12", 3, None, 3),
        ("Audiotrack 04", None, None, 4),
    ],
)
def test_a_leading_track_number_is_no_part_of_the_title(
    title: str, number: int | None, left: str | None, number_left: int | None
) -> None:
    found = normalise_tags(TrackTags(title=title, artist="Mara Quill", track_number=number))
    assert (found.title, found.track_number) == (left, number_left)


@pytest.mark.parametrize(
    ("title", "artist", "expected"),
    [
        ("Mara Quill - Paper Boats", None, ("Mara Quill", "Paper Boats")),
        ("Mara Quill - Paper Boats", "Unknown Artist", ("Mara Quill", "Paper Boats")),
        ("03 - Mara Quill - Paper Boats", None, ("Mara Quill", "Paper Boats")),
        ("Paper Boats - Live", "Mara Quill", ("Mara Quill", "Paper Boats - Live")),
        ("Paper-Boats", None, (None, "Paper-Boats")),
    ],
)
def test_artist_and_title_in_one_field_are_split_only_without_an_artist(
    title: str, artist: str | None, expected: tuple[str | None, str]
) -> None:
    found = normalise_tags(TrackTags(title=title, artist=artist))
    assert (found.artist, found.title) == expected


@pytest.mark.parametrize(
    "nobody", ["Unknown Artist", "unknown", "[unknown]", "Artista desconocido", "不明なアーティスト", "n/a"]
)
def test_a_program_s_word_for_nobody_is_no_artist(nobody: str) -> None:
    assert normalise_tags(TrackTags(title="Paper Boats", artist=nobody)).artist is None


@pytest.mark.parametrize("nothing", ["Unknown Album", "(2001)", "unbekanntes Album", "Unknown Album (1)"])
def test_a_program_s_word_for_no_album_is_no_album(nothing: str) -> None:
    assert normalise_tags(TrackTags(title="Paper Boats", album=nothing)).album is None
