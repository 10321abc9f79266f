"""Tracks of a library grouped into albums, however untidily the album's name is written."""

from __future__ import annotations

import os

import pytest

from soulspot.matching import identify_album
from soulspot.models import AlbumMember, TrackTags
from tests.matching.make import tags

FOLDER = b"/music/The Lanterns/Night Shift"


def member(known: TrackTags, path: bytes | None = FOLDER + b"/01 - Blue Hour.flac") -> AlbumMember:
    found = identify_album(path, known)
    assert found is not None
    return found


def song(album: str | None = "Night Shift", artist: str | None = "The Lanterns", **more: object) -> TrackTags:
    return tags("Blue Hour", artist, 201, album=album, **more)


def test_tracks_of_one_folder_and_album_name_are_one_album() -> None:
    one, other = member(song()), member(song(), FOLDER + b"/02 - Red Morning.flac")
    assert one == other
    assert (one.album, one.artist) == ("Night Shift", "The Lanterns")


@pytest.mark.parametrize(
    "untidy",
    ["NIGHT SHIFT", "night shift ", "Night Shift (2001)", "Night Shift [2001]", "Night  Shift", "Night Shift CD1",
     "Night Shift (Disc 2)", "Night Shift - CD 2"],
)  # fmt: skip
def test_an_untidy_album_name_leaves_its_track_in_the_album(untidy: str) -> None:
    assert member(song(untidy)).key == member(song()).key


@pytest.mark.parametrize("written", ["Night Shift CD1", "Night Shift (Disc 2)", "Night Shift [2001]"])
def test_an_album_is_looked_up_without_the_year_and_disc_that_libraries_append(written: str) -> None:
    assert member(song(written)).album == "Night Shift"


def test_two_albums_in_one_folder_are_two() -> None:
    assert member(song()).key != member(song("Day Shift")).key


def test_the_same_album_in_two_folders_is_not_mixed() -> None:
    assert member(song()).key != member(song(), b"/music/copies/01.flac").key


def test_disc_folders_belong_to_the_same_album() -> None:
    one = member(song("Night Shift (Disc 1)"), FOLDER + b"/CD1/01 - Blue Hour.flac")
    two = member(song("Night Shift (Disc 2)"), FOLDER + b"/CD2/01 - Red Morning.flac")
    assert (one.album, one.artist) == (two.album, two.artist) == ("Night Shift", "The Lanterns")


@pytest.mark.parametrize("artist", ["The Lanterns feat. Guest", "The Lanterns & Guest", "The Lanterns; Guest"])
def test_guests_do_not_change_whose_album_it_is(artist: str) -> None:
    assert member(song(artist=artist)) == member(song())


def test_an_album_artist_goes_before_the_tracks_own() -> None:
    assert member(song(artist="Guest", album_artist="The Lanterns")).artist == "The Lanterns"


@pytest.mark.parametrize(
    "compilation",
    [{"album_artist": "Various Artists"}, {"album_artist": "VA"}, {"compilation": True}],
    ids=str,
)
def test_a_compilation_has_no_artist(compilation: dict[str, object]) -> None:
    assert member(song("Summer Hits", "Anybody", **compilation)).artist == ""


def test_an_untagged_file_belongs_to_the_album_that_its_path_names() -> None:
    found = member(TrackTags(), b"/music/The Lanterns/Night Shift (2001)/03 - Blue Hour.flac")
    assert (found.album, found.artist) == ("Night Shift", "The Lanterns")


@pytest.mark.parametrize("path", [None, b"Blue Hour.flac", b"/music/Blue Hour.mp3"])
def test_a_track_that_names_no_album_belongs_to_none(path: bytes | None) -> None:
    assert identify_album(path, song(None)) is None


def test_tracks_without_files_group_by_artist_and_album() -> None:
    one, other = member(song(), None), member(song("night shift", "The Lanterns feat. Guest"), None)
    assert one.key == other.key
    assert member(song(artist="Somebody Else"), None).key != one.key
    compilation = [member(song("Hits", name, album_artist="Various Artists"), None) for name in ("A", "B")]
    assert compilation[0].key == compilation[1].key


def test_a_folder_whose_name_is_not_utf8_groups_like_any_other() -> None:
    folder = b"/music/caf\xe9 \xff"
    one, other = (member(song(), folder + name) for name in (b"/1.flac", b"/2.flac"))
    assert one.key == other.key
    assert folder in one.key
    assert os.fsdecode(folder) in one.key.decode("utf-8", "surrogateescape")


def test_an_album_named_with_signs_alone_is_an_album() -> None:
    assert member(song("()")).key != member(song("+")).key
