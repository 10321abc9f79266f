"""The sample library has real audio files of the stated lengths and tags, and the truth of each."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import mutagen
import pytest
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp4 import MP4

from soulspot.models import Identifiers, TrackTags
from soulspot.sandbox import invent_catalogue
from soulspot.sandbox.audio.files import SILENCE, write_audio
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.library.sample import (
    SampleFile,
    Style,
    plan_every_recording,
    plan_sample_library,
    write_library,
    write_sample_library,
)

FULL = TrackTags(
    title="夜明けの海",
    artist="Mara Novak feat. Silas",
    artists=("Mara Novak", "Silas"),
    album="Señal",
    album_artist="Mara Novak",
    track_number=3,
    track_total=11,
    disc_number=1,
    disc_total=2,
    date="1999-02-01",
    genres=("rock", "folk"),
    compilation=True,
    ids=Identifiers(
        mb_recording_ids=("8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b01",),
        mb_track_id="8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b02",
        mb_release_id="8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b03",
        mb_release_group_id="8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b04",
        mb_artist_ids=("8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b05", "8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b06"),
        isrcs=("GBAYE9900001", "USRC19900002"),
        spotify_track_id="4uLU6hMCjMI75M1A2tKUQC",
        acoustid_id="8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b07",
    ),
)
SPOTIFY_URL = "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC"
ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
formats = pytest.mark.parametrize("suffix", SILENCE)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return invent_catalogue(1, 1000)


@pytest.fixture(scope="module")
def library(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    return write_sample_library(catalogue, tmp_path_factory.mktemp("library"))


def _text(path: Path) -> dict[str, list[str]]:
    """Return title, artist and album as mutagen's simple interface reads them."""
    opened = mutagen.File(path, easy=True)
    return {name: list(opened.get(name, [])) for name in ("title", "artist", "album")}


@formats
@pytest.mark.parametrize("duration_ms", [1000, 4000, 61_234, 240_123, 5_400_777])
def test_a_file_states_the_length_it_was_given_to_the_millisecond(
    tmp_path: Path, suffix: str, duration_ms: int
) -> None:
    path = tmp_path / f"silence{suffix}"
    write_audio(path, duration_ms, FULL)
    assert mutagen.File(path).info.length * 1000 == pytest.approx(duration_ms, abs=0.6)


@ffmpeg
@formats
@pytest.mark.parametrize("duration_ms", [4000, 61_234, 240_123])
def test_a_player_decodes_silence_of_that_length_without_a_complaint(
    tmp_path: Path, suffix: str, duration_ms: int
) -> None:
    path = tmp_path / f"silence{suffix}"
    write_audio(path, duration_ms, FULL)
    strict = ["-v", "warning", "-xerror", "-err_detect", "+crccheck+bitstream+buffer+explode"]
    heard = subprocess.run(
        ["ffmpeg", *strict, "-i", path, "-f", "s16le", "-ar", "8000", "-ac", "1", "-"],
        capture_output=True,
        check=True,
    )
    assert heard.stderr == b""
    assert not any(heard.stdout)
    # AAC has no way to end within its last frame of 128 ms.
    assert duration_ms <= len(heard.stdout) / 16 <= duration_ms + (128 if suffix == ".m4a" else 0)
    if suffix == ".flac":
        assert FLAC(path).info.md5_signature == int(hashlib.md5(heard.stdout).hexdigest(), 16)


@formats
def test_a_track_of_four_minutes_takes_little_room(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"silence{suffix}"
    write_audio(path, 240_000, FULL)
    assert path.stat().st_size < (250_000 if suffix == ".mp3" else 40_000)


@formats
def test_a_header_only_file_states_its_length_in_four_kilobytes(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"silence{suffix}"
    write_audio(path, 240_123, FULL, header_only=True)
    assert path.stat().st_size < 4096
    assert mutagen.File(path).info.length == pytest.approx(240.123, abs=0.001)


def test_an_mp3_is_tagged_as_picard_tags_it(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.mp3", 1000, FULL)
    tags = ID3(tmp_path / "a.mp3")
    assert {key: list(map(str, frame.text)) for key, frame in tags.items() if key[:4] != "UFID"} == {
        "TIT2": ["夜明けの海"],
        "TPE1": ["Mara Novak feat. Silas"],
        "TXXX:ARTISTS": ["Mara Novak", "Silas"],
        "TALB": ["Señal"],
        "TPE2": ["Mara Novak"],
        "TRCK": ["3/11"],
        "TPOS": ["1/2"],
        "TDRC": ["1999-02-01"],
        "TCON": ["rock", "folk"],
        "TCMP": ["1"],
        "TSRC": ["GBAYE9900001", "USRC19900002"],
        "COMM::eng": [SPOTIFY_URL],
        "TXXX:MusicBrainz Release Track Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b02"],
        "TXXX:MusicBrainz Album Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b03"],
        "TXXX:MusicBrainz Release Group Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b04"],
        "TXXX:MusicBrainz Artist Id": list(FULL.ids.mb_artist_ids),
        "TXXX:Acoustid Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b07"],
    }
    assert tags["UFID:http://musicbrainz.org"].data == b"8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b01"


@pytest.mark.parametrize("suffix", [".flac", ".ogg", ".opus"])
def test_vorbis_comments_are_those_of_picard(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_audio(path, 1000, FULL)
    assert dict(mutagen.File(path).tags.as_dict()) == {
        "title": ["夜明けの海"],
        "artist": ["Mara Novak feat. Silas"],
        "artists": ["Mara Novak", "Silas"],
        "album": ["Señal"],
        "albumartist": ["Mara Novak"],
        "tracknumber": ["3"],
        "tracktotal": ["11"],
        "totaltracks": ["11"],
        "discnumber": ["1"],
        "disctotal": ["2"],
        "totaldiscs": ["2"],
        "date": ["1999-02-01"],
        "genre": ["rock", "folk"],
        "compilation": ["1"],
        "isrc": ["GBAYE9900001", "USRC19900002"],
        "comment": [SPOTIFY_URL],
        "musicbrainz_trackid": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b01"],
        "musicbrainz_releasetrackid": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b02"],
        "musicbrainz_albumid": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b03"],
        "musicbrainz_releasegroupid": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b04"],
        "musicbrainz_artistid": list(FULL.ids.mb_artist_ids),
        "acoustid_id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b07"],
    }


def test_an_m4a_is_tagged_as_picard_tags_it(tmp_path: Path) -> None:
    write_audio(tmp_path / "a.m4a", 1000, FULL)
    tags = dict(MP4(tmp_path / "a.m4a").tags)
    free = {
        key.removeprefix("----:com.apple.iTunes:"): [bytes(value).decode() for value in tags.pop(key)]
        for key in list(tags)
        if key.startswith("----")
    }
    assert tags == {
        "\xa9nam": ["夜明けの海"],
        "\xa9ART": ["Mara Novak feat. Silas"],
        "\xa9alb": ["Señal"],
        "aART": ["Mara Novak"],
        "trkn": [(3, 11)],
        "disk": [(1, 2)],
        "\xa9day": ["1999-02-01"],
        "\xa9gen": ["rock", "folk"],
        "cpil": True,
        "\xa9cmt": [SPOTIFY_URL],
    }
    assert free == {
        "ARTISTS": ["Mara Novak", "Silas"],
        "ISRC": ["GBAYE9900001", "USRC19900002"],
        "MusicBrainz Track Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b01"],
        "MusicBrainz Release Track Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b02"],
        "MusicBrainz Album Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b03"],
        "MusicBrainz Release Group Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b04"],
        "MusicBrainz Artist Id": list(FULL.ids.mb_artist_ids),
        "Acoustid Id": ["8d9d1f44-3c0c-4c7e-9a33-0a1c2f6a7b07"],
    }


@formats
def test_a_file_without_tags_can_be_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_audio(path, 1000, TrackTags())
    assert not mutagen.File(path).tags


@formats
def test_the_comment_may_hold_other_words_than_a_spotify_url(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_audio(path, 1000, FULL, comment="bought at a fair")
    assert "bought at a fair" in mutagen.File(path).pprint()
    assert SPOTIFY_URL not in mutagen.File(path).pprint()


def test_an_unknown_format_or_no_length_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.wma: expected one of \.mp3"):
        write_audio(tmp_path / "a.wma", 1000, FULL)
    with pytest.raises(ValueError, match="length of 0 ms"):
        write_audio(tmp_path / "a.mp3", 0, FULL)
    assert list(tmp_path.iterdir()) == []


def test_the_library_has_every_kind_of_file_it_promises(library: list[SampleFile]) -> None:
    kinds = Counter(file.kind for file in library)
    assert sum(kinds.values()) == len({file.path for file in library}) == 150
    assert kinds["album"] >= 60
    assert kinds["single"] >= 20
    assert kinds["compilation"] >= 10
    assert kinds["broken"] == kinds["not in catalogue"] == 2
    assert Counter(file.path.suffix for file in library).keys() == SILENCE.keys()
    assert {str(style) for style in Style} <= {file.tag_summary for file in library}
    for identified in (Style.IDS, Style.ISRC, Style.TEXT):
        assert sum(file.tag_summary == identified for file in library) >= 15


def test_the_library_has_names_in_several_scripts(library: list[SampleFile]) -> None:
    names = "".join(str(file.path) for file in library)
    assert re.search("[\u0400-\u04ff]", names), "Cyrillic"
    assert re.search("[\u0600-\u06ff]", names), "Arabic"
    assert re.search("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]", names), "Japanese or Korean"


def test_the_truth_about_each_file_is_in_the_catalogue(catalogue: Catalogue, library: list[SampleFile]) -> None:
    strangers = [file for file in library if file.recording_mbid is None]
    for file in library:
        if file.recording_mbid is not None:
            recording = catalogue.recordings_by_mbid[file.recording_mbid]
            assert file.spotify_ids == recording.spotify_ids
            assert all(catalogue.spotify_track(spotify_id) for spotify_id in file.spotify_ids)
    assert Counter(file.kind for file in strangers) == {"broken": 2, "not in catalogue": 2, "single": 1}


def test_one_file_is_known_to_spotify_alone(catalogue: Catalogue, library: list[SampleFile]) -> None:
    (file,) = [file for file in library if file.recording_mbid is None and file.spotify_ids]
    track = catalogue.spotify_track(file.spotify_ids[0])
    assert track is not None
    assert track.recording_mbid is None
    assert f"https://open.spotify.com/track/{track.id}" in mutagen.File(file.path).pprint()


def test_only_the_broken_files_cannot_be_read(library: list[SampleFile]) -> None:
    for file in library:
        if file.kind == "broken":
            with pytest.raises(mutagen.MutagenError):
                mutagen.File(file.path)
        else:
            assert mutagen.File(file.path).info.length > 0


def test_every_file_is_as_long_as_its_recording_within_a_second(
    catalogue: Catalogue, library: list[SampleFile]
) -> None:
    checked = 0
    for file in library:
        recording = catalogue.recording(file.recording_mbid or "")
        if recording and recording.duration_ms:
            assert mutagen.File(file.path).info.length * 1000 == pytest.approx(recording.duration_ms, abs=1000)
            checked += 1
    assert checked > 120


def test_no_file_with_text_alone_fits_two_recordings(catalogue: Catalogue, library: list[SampleFile]) -> None:
    albums = {r.mbid: {p.release.title for p in catalogue.places(r.mbid)} for r in catalogue.recordings}
    checked = 0
    for file in library:
        if file.tag_summary not in (Style.TEXT, Style.LONE, Style.MALFORMED, Style.DEAD_LINK):
            continue
        text = _text(file.path)
        if file.kind == "not in catalogue":
            continue
        fitting = [
            r.mbid
            for r in catalogue.recordings
            if [r.title] == text["title"]
            and [r.artist] == text["artist"]
            and (not text["album"] or text["album"][0] in albums[r.mbid])
        ]
        assert fitting == [file.recording_mbid], file.path
        checked += 1
    assert checked > 15


def test_the_strangers_share_no_title_and_no_artist_with_the_catalogue(
    catalogue: Catalogue, library: list[SampleFile]
) -> None:
    titles = {recording.title for recording in catalogue.recordings}
    artists = {artist.name for artist in catalogue.artists}
    for file in library:
        if file.kind == "not in catalogue":
            text = _text(file.path)
            assert text["title"][0] not in titles
            assert text["artist"][0] not in artists


def _tagged_recording_id(library: list[SampleFile], style: Style) -> tuple[SampleFile, str]:
    """Return the first file in a style, and the recording id in its tags, right or wrong."""
    file = next(file for file in library if file.tag_summary == style)
    found = re.search(r"(?:UFID=\S+=b'|musicbrainz[_ ]track ?id=(?:MP4FreeForm\(b')?)([0-9a-f-]+)",
                      mutagen.File(file.path).pprint(), re.IGNORECASE)  # fmt: skip
    assert found is not None, file.path
    return file, found[1]


def test_the_merged_id_leads_to_the_recording(catalogue: Catalogue, library: list[SampleFile]) -> None:
    file, tagged = _tagged_recording_id(library, Style.MERGED)
    assert tagged != file.recording_mbid
    assert catalogue.merged[tagged] == file.recording_mbid


def test_the_wrong_id_is_of_a_recording_with_other_words(catalogue: Catalogue, library: list[SampleFile]) -> None:
    file, tagged = _tagged_recording_id(library, Style.WRONG)
    other = catalogue.recordings_by_mbid[tagged]
    assert tagged != file.recording_mbid
    assert [other.title] != _text(file.path)["title"]
    assert [other.artist] != _text(file.path)["artist"]


def test_the_malformed_id_is_no_uuid(library: list[SampleFile]) -> None:
    _, tagged = _tagged_recording_id(library, Style.MALFORMED)
    with pytest.raises(ValueError, match="badly formed"):
        UUID(tagged)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_library(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    again = invent_catalogue(1, 1000)
    first = write_sample_library(catalogue, tmp_path / "first", tracks=40)
    second = write_sample_library(again, tmp_path / "second", tracks=40)
    assert [f.path.relative_to(tmp_path / "first") for f in first] == [
        f.path.relative_to(tmp_path / "second") for f in second
    ]
    for one, other in zip(first, second, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes()
    assert plan_sample_library(catalogue, seed=2, tracks=40) != plan_sample_library(catalogue, tracks=40)


@pytest.mark.parametrize("tracks", [12, 13, 40, 150, 400])
def test_a_library_has_exactly_as_many_files_as_asked_for(catalogue: Catalogue, tracks: int) -> None:
    plan = plan_sample_library(catalogue, tracks=tracks)
    assert len({str(file.path).casefold() for file in plan}) == len(plan) == tracks


def test_a_catalogue_that_is_too_small_is_refused(catalogue: Catalogue) -> None:
    with pytest.raises(ValueError, match="of 500 tracks"):
        plan_sample_library(invent_catalogue(1, 100), tracks=500)
    with pytest.raises(ValueError, match="at least 12"):
        plan_sample_library(catalogue, tracks=3)


def test_a_title_full_of_slashes_stays_inside_the_library(catalogue: Catalogue, tmp_path: Path) -> None:
    hostile = replace(catalogue, releases=[replace(r, title=f"../../{r.title}/\x00\n...") for r in catalogue.releases])
    folder = tmp_path / "library"
    for file in write_sample_library(hostile, folder, tracks=40):
        inside = file.path.relative_to(folder)
        assert ".." not in inside.parts
        assert len(inside.parts) in (2, 3)
        assert str(inside).isprintable()


@pytest.mark.parametrize("style", [Style.IDS, Style.ISRC, Style.TEXT, Style.SPOTIFY])
def test_a_big_library_of_every_recording_costs_four_kilobytes_a_file(
    catalogue: Catalogue, tmp_path: Path, style: Style
) -> None:
    plan = list(plan_every_recording(catalogue, style))
    released = [r.mbid for r in catalogue.recordings if catalogue.places(r.mbid)]
    assert [file.recording_mbid for file in plan] == released
    assert sum(file.tag_summary == style for file in plan) > len(plan) / 2
    files = write_library(plan[:100], tmp_path, header_only=True)
    for planned, file in zip(plan, files, strict=False):
        assert file.path.stat().st_size < 4096
        assert mutagen.File(file.path).info.length * 1000 == pytest.approx(planned.duration_ms, abs=0.6)
