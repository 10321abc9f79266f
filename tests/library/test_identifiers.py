"""Identifiers in every spelling people have for them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.library import identifiers

A = "8b882575-08a5-4452-a7a7-cbb8a1531f9e"
B = "c29f3a57-b439-46fd-a2e2-93776b1371e0"
TRACK = "4uLU6hMCjMI75M1A2tKUQC"
OTHER = "0VjIjW4GlUZAMYd2vXMi3b"


def parse_mbids(*values: str) -> tuple[tuple[str, ...], list[str]]:
    malformed: list[str] = []
    return identifiers.parse_mbids(values, "recording", "mb_recording_id", malformed), malformed


def parse_isrcs(*values: str) -> tuple[tuple[str, ...], list[str]]:
    malformed: list[str] = []
    return identifiers.parse_isrcs(values, "isrc", malformed), malformed


def spotify(*values: str) -> tuple[tuple[str, ...], list[str]]:
    malformed: list[str] = []
    return identifiers.parse_spotify_tracks(values, "spotify_id", malformed), malformed


def links(*values: str) -> tuple[tuple[str, ...], list[str]]:
    malformed: list[str] = []
    return identifiers.find_spotify_links(values, "link", malformed), malformed


@pytest.mark.parametrize(
    "value",
    [
        A,
        A.upper(),
        f" {{{A}}} ",
        f"urn:uuid:{A}",
        f"https://musicbrainz.org/recording/{A}",
        f"http://beta.musicbrainz.org/recording/{A}?tport=8000#x",
        f"musicbrainz.org/recording/{A}/",
        f"https://musicbrainz.org/ws/2/recording/{A}?fmt=json",
    ],
)
def test_an_mbid_is_understood_bare_in_braces_and_in_urls(value: str) -> None:
    assert parse_mbids(value) == ((A,), [])


@pytest.mark.parametrize("between", ["/", ";", "; ", ", ", " ", "\0", " / ", "\n", "|"])
def test_several_mbids_in_one_field_keep_their_order(between: str) -> None:
    assert parse_mbids(f"{B}{between}{A}", B) == ((B, A), [])


@pytest.mark.parametrize(
    "value",
    [
        "not an id",
        A[:-1],
        A + "0",
        A.replace("-", ""),
        "00000000-0000-0000-0000-000000000000",
        f"https://musicbrainz.org/release/{A}",
        f"https://musicbrainz.org/recording/{A[:-1]}",
        A.replace("8", "g"),
    ],
)
def test_what_is_no_mbid_of_this_kind_is_named_malformed(value: str) -> None:
    assert parse_mbids(value) == ((), [f"mb_recording_id: {value}"])


def test_a_sound_mbid_beside_a_malformed_one_still_counts() -> None:
    assert parse_mbids(f"{A}; junk") == ((A,), [f"mb_recording_id: {A}; junk"])


@pytest.mark.parametrize(
    "value",
    [
        "GBSMU4566095",
        "GB-SMU-45-66095",
        "gbsmu4566095",
        "GB SMU 45 66095",
        "ISRC GBSMU4566095",
        "ISRC: GB-SMU-45-66095",
        "isrcgbsmu4566095",
        "GB\u2010SMU\u201145\u201366095",
        "\uff27\uff22SMU4566095",
        " GBSMU4566095\0",
    ],
)
def test_an_isrc_is_understood_in_every_spelling(value: str) -> None:
    assert parse_isrcs(value) == (("GBSMU4566095",), [])


@pytest.mark.parametrize("between", ["/", ";", ",", " ", "\0", " / ", "; ", " & "])
def test_two_isrcs_in_one_field_are_two(between: str) -> None:
    assert parse_isrcs(f"USRC17607839{between}GB-SMU-45-66095") == (("USRC17607839", "GBSMU4566095"), [])


def test_an_icelandic_isrc_that_begins_with_isrc_is_not_cut() -> None:
    assert parse_isrcs("ISRC17607839") == (("ISRC17607839",), [])


@pytest.mark.parametrize("value", ["", "0", "GBSMU456609", "GBSMU45660955", "1BSMU4566095", "n/a", "GBSMU4566O95"])
def test_what_is_no_isrc_is_named_malformed(value: str) -> None:
    assert parse_isrcs(value) == ((), [f"isrc: {value}"] if value else [])


@pytest.mark.parametrize(
    "value",
    [
        TRACK,
        f"spotify:track:{TRACK}",
        f"https://open.spotify.com/track/{TRACK}",
        f"https://open.spotify.com/intl-de/track/{TRACK}?si=abcdef0123456789",
        f"http://open.spotify.com/embed/track/{TRACK}",
        f"open.spotify.com/track/{TRACK}#0:30",
        f"https://play.spotify.com/track/{TRACK}",
    ],
)
def test_a_spotify_track_is_understood_as_id_uri_and_url(value: str) -> None:
    assert spotify(value) == ((TRACK,), [])


@pytest.mark.parametrize(
    "value",
    [
        "spotify:local:Artist:Album:Title:200",
        f"spotify:album:{TRACK}",
        f"https://open.spotify.com/album/{TRACK}",
        TRACK[:-1],
        TRACK + "x",
        TRACK[:-1] + "_",
        "spotify:track:",
    ],
)
def test_what_is_no_spotify_track_is_named_malformed(value: str) -> None:
    assert spotify(value) == ((), [f"spotify_id: {value}"])


def test_a_comment_that_links_to_a_track_gives_its_id_and_other_words_are_no_fault() -> None:
    text = f"Bought 2019 at https://open.spotify.com/intl-pt-br/track/{TRACK}?si=x, loved it"
    assert links(text, "nice song", "spotify:playlist:xyz") == ((TRACK,), [])


def test_a_broken_link_in_a_comment_is_named_malformed() -> None:
    assert links("see spotify:track:abc.") == ((), ["link: spotify:track:abc"])


def test_of_two_different_links_none_is_the_one() -> None:
    found, malformed = links(f"spotify:track:{TRACK} or spotify:track:{OTHER}")
    assert found == (TRACK, OTHER)
    assert identifiers.single(found) is None
    assert malformed == []


def test_a_long_malformed_value_is_shown_cut() -> None:
    _, [note] = parse_mbids("x" * 5000)
    assert len(note) < 130


_READERS: list[tuple[Callable[..., tuple[tuple[str, ...], list[str]]], str]] = [
    (parse_mbids, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    (parse_isrcs, r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}"),
    (spotify, r"[0-9A-Za-z]{22}"),
    (links, r"[0-9A-Za-z]{22}"),
]
_IDS = (A, A.upper(), TRACK, "GB-SMU-45-66095", "USRC17607839")
_AROUND = (
    "spotify:track:",
    "open.spotify.com/track/",
    "musicbrainz.org/recording/",
    "isrc",
    "/",
    ";",
    " ",
    "-",
)
_ODD = ("\0", "\ud800", "٣", "ＡＢ", "x", "9")
_PIECES = st.sampled_from((*_IDS, *_AROUND, *_ODD))


@pytest.mark.parametrize(("reader", "form"), _READERS)
@given(text=st.lists(_PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_whatever_comes_in_only_canonical_identifiers_come_out(
    reader: Callable[..., tuple[tuple[str, ...], list[str]]], form: str, text: str
) -> None:
    found, _ = reader(text)
    assert all(re.fullmatch(form, one, re.ASCII) for one in found)
    assert len(set(found)) == len(found)
