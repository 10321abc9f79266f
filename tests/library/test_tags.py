"""Tags that a scan reads out of real files, format by format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.asf import ASFBoolAttribute
from mutagen.flac import FLAC
from mutagen.id3 import (
    COMM,
    ID3,
    TCMP,
    TCON,
    TDRC,
    TIT2,
    TPE1,
    TPE2,
    TPOS,
    TRCK,
    TSRC,
    TXXX,
    UFID,
    WOAF,
    WXXX,
)

from soulspot.library.scan import Walk
from soulspot.library.tags import read_file
from soulspot.models import FileStamp, Identifiers, TrackTags
from tests.library.audio import copied, flac, mp3, read, reason_of, tags_of, wav
from tests.support.shared_data import shared

RECORDING = "8b882575-08a5-4452-a7a7-cbb8a1531f9e"
TRACK = "c29f3a57-b439-46fd-a2e2-93776b1371e0"
RELEASE = "9e873859-8aa4-4790-b985-5a953e8ef628"
GROUP = "2225dd4c-ae9a-403b-8ea0-9e05014c778f"
ARTISTS = ("7cf0ea9d-86b9-4dad-ba9e-2355a64899ea", "69b39eab-6577-46a4-a9f5-817839092033")
ACOUSTID = "01fe5d8b-8e1e-4b2f-9f6a-5ffbcd7de0a3"
SPOTIFY = "4uLU6hMCjMI75M1A2tKUQC"
LINK = f"https://open.spotify.com/intl-de/track/{SPOTIFY}?si=x"

EXPECTED = TrackTags(
    title="夜に駆ける",
    artist="Ä & B",
    artists=("Ä", "B"),
    album="Album",
    album_artist="Various Artists",
    track_number=3,
    disc_number=2,
    track_total=12,
    disc_total=4,
    date="2019-12-15",
    genres=("J-Pop", "Electronic"),
    compilation=True,
    ids=Identifiers(
        mb_recording_ids=(RECORDING,),
        mb_track_id=TRACK,
        mb_release_id=RELEASE,
        mb_release_group_id=GROUP,
        mb_artist_ids=ARTISTS,
        isrcs=("JPU901904112", "GBSMU4566095"),
        spotify_track_id=SPOTIFY,
        acoustid_id=ACOUSTID,
    ),
)

# Each writer names the fields as Picard's documentation does for its format.


def id3(path: Path) -> None:
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    write_id3(file.tags)
    file.save()


def write_id3(tags: Any) -> None:
    for frame in (
        TIT2(encoding=3, text=["夜に駆ける"]),
        TPE1(encoding=3, text=["Ä & B"]),
        TXXX(encoding=3, desc="ARTISTS", text=["Ä", "B"]),
        mutagen.id3.TALB(encoding=3, text=["Album"]),
        TPE2(encoding=3, text=["Various Artists"]),
        TRCK(encoding=3, text=["3/12"]),
        TPOS(encoding=3, text=["2/4"]),
        TDRC(encoding=3, text=["2019-12-15"]),
        TCON(encoding=3, text=["J-Pop", "Electronic"]),
        TCMP(encoding=3, text=["1"]),
        TSRC(encoding=3, text=["JPU901904112/GB-SMU-45-66095"]),
        UFID(owner="http://musicbrainz.org", data=RECORDING.encode()),
        TXXX(encoding=3, desc="MusicBrainz Release Track Id", text=[TRACK]),
        TXXX(encoding=3, desc="MusicBrainz Album Id", text=[RELEASE]),
        TXXX(encoding=3, desc="MusicBrainz Release Group Id", text=[GROUP]),
        TXXX(encoding=3, desc="MusicBrainz Artist Id", text=["/".join(ARTISTS)]),
        TXXX(encoding=3, desc="Acoustid Id", text=[ACOUSTID]),
        WOAF(url=LINK),
    ):
        tags.add(frame)


def vorbis(path: Path) -> None:
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    file["TITLE"] = ["夜に駆ける"]
    file["ARTIST"] = ["Ä & B"]
    file["ARTISTS"] = ["Ä", "B"]
    file["ALBUM"] = ["Album"]
    file["ALBUMARTIST"] = ["Various Artists"]
    file["TRACKNUMBER"] = ["03"]
    file["TRACKTOTAL"] = ["12"]
    file["DISCNUMBER"] = ["2"]
    file["TOTALDISCS"] = ["4"]
    file["DATE"] = ["2019-12-15"]
    file["ORIGINALDATE"] = ["2001"]
    file["GENRE"] = ["J-Pop", "Electronic"]
    file["COMPILATION"] = ["1"]
    file["ISRC"] = ["JPU901904112", "gb-smu-45-66095"]
    file["MUSICBRAINZ_TRACKID"] = [RECORDING]
    file["MUSICBRAINZ_RELEASETRACKID"] = [TRACK]
    file["MUSICBRAINZ_ALBUMID"] = [RELEASE]
    file["MUSICBRAINZ_RELEASEGROUPID"] = [GROUP]
    file["MUSICBRAINZ_ARTISTID"] = list(ARTISTS)
    file["ACOUSTID_ID"] = [ACOUSTID]
    file["COMMENT"] = [f"from {LINK}"]
    file.save()


def mp4(path: Path) -> None:
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()

    def freeform(name: str, *texts: str) -> None:
        file[f"----:com.apple.iTunes:{name}"] = [text.encode() for text in texts]

    file["\xa9nam"] = ["夜に駆ける"]
    file["\xa9ART"] = ["Ä & B"]
    freeform("ARTISTS", "Ä", "B")
    file["\xa9alb"] = ["Album"]
    file["aART"] = ["Various Artists"]
    file["trkn"] = [(3, 12)]
    file["disk"] = [(2, 4)]
    file["\xa9day"] = ["2019-12-15T07:00:00Z"]
    file["\xa9gen"] = ["J-Pop", "Electronic"]
    file["cpil"] = True
    freeform("ISRC", "JPU901904112", "GBSMU4566095")
    freeform("MusicBrainz Track Id", RECORDING)
    freeform("MusicBrainz Release Track Id", TRACK)
    freeform("MusicBrainz Album Id", RELEASE)
    freeform("MusicBrainz Release Group Id", GROUP)
    freeform("MusicBrainz Artist Id", *ARTISTS)
    freeform("Acoustid Id", ACOUSTID)
    freeform("SPOTIFY_TRACK_ID", SPOTIFY)
    file.save()


def asf(path: Path) -> None:
    file = mutagen.File(path)
    file["Title"] = ["夜に駆ける"]
    file["Author"] = ["Ä & B"]
    file["WM/ARTISTS"] = ["Ä", "B"]
    file["WM/AlbumTitle"] = ["Album"]
    file["WM/AlbumArtist"] = ["Various Artists"]
    file["WM/TrackNumber"] = ["3/12"]
    file["WM/PartOfSet"] = ["2/4"]
    file["WM/Year"] = ["2019-12-15"]
    file["WM/Genre"] = ["J-Pop", "Electronic"]
    file["WM/IsCompilation"] = [ASFBoolAttribute(True)]
    file["WM/ISRC"] = ["JPU901904112", "GBSMU4566095"]
    file["MusicBrainz/Track Id"] = [RECORDING]
    file["MusicBrainz/Release Track Id"] = [TRACK]
    file["MusicBrainz/Album Id"] = [RELEASE]
    file["MusicBrainz/Release Group Id"] = [GROUP]
    file["MusicBrainz/Artist Id"] = list(ARTISTS)
    file["Acoustid/Id"] = [ACOUSTID]
    file["Description"] = [LINK]
    file.save()


def ape(path: Path) -> None:
    try:
        tags = APEv2(path)
    except mutagen.apev2.APENoHeaderError:
        tags = APEv2()
    tags["Title"] = "夜に駆ける"
    tags["Artist"] = "Ä & B"
    tags["Artists"] = ["Ä", "B"]
    tags["Album"] = "Album"
    tags["Album Artist"] = "Various Artists"
    tags["Track"] = "3/12"
    tags["Disc"] = "2/4"
    tags["Year"] = "2019-12-15"
    tags["Genre"] = ["J-Pop", "Electronic"]
    tags["Compilation"] = "1"
    tags["ISRC"] = ["JPU901904112", "GBSMU4566095"]
    tags["MUSICBRAINZ_TRACKID"] = RECORDING
    tags["MUSICBRAINZ_RELEASETRACKID"] = TRACK
    tags["MUSICBRAINZ_ALBUMID"] = RELEASE
    tags["MUSICBRAINZ_RELEASEGROUPID"] = GROUP
    tags["MUSICBRAINZ_ARTISTID"] = list(ARTISTS)
    tags["ACOUSTID_ID"] = ACOUSTID
    tags["Comment"] = f"spotify:track:{SPOTIFY}"
    tags.save(path)


def without_length(tags: TrackTags) -> dict[str, Any]:
    return {name: getattr(tags, name) for name in TrackTags.__slots__ if name != "duration_ms"}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("picard/test.mp3", id3),
        ("picard/test.wav", id3),
        ("picard/test.aiff", id3),
        ("picard/test.dsf", id3),
        ("picard/test-dsd.dff", id3),
        ("picard/test.tta", id3),
        ("picard/test.flac", vorbis),
        ("picard/test.ogg", vorbis),
        ("picard/test.opus", vorbis),
        ("picard/test.spx", vorbis),
        ("picard/test-oggflac.oga", vorbis),
        ("mutagen/sample.oggtheora", vorbis),
        ("picard/test.m4a", mp4),
        ("picard/test.m4v", mp4),
        ("mediafile/empty.alac.m4a", mp4),
        ("picard/test.wma", asf),
        ("picard/test.asf", asf),
        ("picard/test.ape", ape),
        ("picard/test-sv7.mpc", ape),
        ("picard/test-sv8.mpc", ape),
        ("picard/test.wv", ape),
        ("picard/test.tak", ape),
        ("picard/test.ofr", ape),
        ("picard/test.aac", ape),
        ("picard/test.ac3", ape),
        ("mutagen/no-tags.mp3", ape),
    ],
)
def test_every_format_gives_the_same_tags(name: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    path = copied(name, tmp_path)
    write(path)
    assert without_length(tags_of(path)) == without_length(EXPECTED)


@pytest.mark.parametrize(("make", "length"), [(mp3, 1042), (flac, 3000), (wav, 1000)])
def test_a_file_without_tags_is_a_track_of_known_length(
    make: Callable[[Path], Path], length: int, tmp_path: Path
) -> None:
    path = make(tmp_path / f"x.{make.__name__}")
    assert tags_of(path) == TrackTags(duration_ms=length)


def test_every_shared_file_is_a_track_or_unreadable_with_a_reason() -> None:
    root = os.fsencode(shared("data", "audio"))
    looked_at = Walk([root])
    files = [read_file(one.path, one.stamp) for one in looked_at]
    assert len(files) == 287
    assert looked_at.problems == []
    assert looked_at.finished_roots == [root]
    unreadable = {os.fsdecode(one.path[len(root) + 1 :]): one.unreadable for one in files if one.unreadable}
    assert len(unreadable) == 26
    assert all((one.tags is None) != (one.unreadable is None) for one in files)
    assert all(one.tags is None or (one.tags.duration_ms or 1) > 0 for one in files)
    assert unreadable["taglib/2sec-silence.shn"] == "Shorten cannot be read yet"
    assert unreadable["taglib/no-tags.mka"] == "Matroska audio cannot be read yet"
    assert unreadable["mutagen/emptyfile.mp3"] == "the file is empty"
    assert "not really a .mp3 file" in (unreadable["mutagen/too-short.mp3"] or "")


@pytest.mark.parametrize(
    "ending", ["mp3", "m4a", "alac.m4a", "ogg", "opus", "flac", "ape", "wv", "mpc", "wma", "aiff", "dsf"]
)
def test_the_tags_that_others_wrote_are_read(ending: str) -> None:
    tags = tags_of(shared("data", "audio", "mediafile", f"full.{ending}"))
    assert (tags.title, tags.artist, tags.album) == ("full", "the artist", "the album")
    assert (tags.track_number, tags.track_total, tags.disc_number, tags.disc_total) == (2, 3, 4, 5)
    assert (tags.date, tags.genres, tags.compilation) == ("2001", ("the genre",), True)
    assert tags.ids.mb_recording_ids == (RECORDING,)
    assert tags.ids.mb_release_id == RELEASE
    assert tags.ids.mb_artist_ids == (ARTISTS[0],)
    assert tags.ids.malformed == ()
    assert tags.duration_ms is not None


def test_old_id3_tags_are_read_too() -> None:
    version_2_2 = tags_of(shared("data", "audio", "mutagen", "id3v22-test.mp3"))
    assert (version_2_2.title, version_2_2.artist) == ("cosmic american", "Anais Mitchell")
    version_1 = tags_of(shared("data", "audio", "mutagen", "silence-44-s-v1.mp3"))
    assert (version_1.title, version_1.track_number) == ("Silence", 2)


def test_an_ape_tag_behind_an_mp3_fills_what_its_id3_tag_leaves_out(tmp_path: Path) -> None:
    path = mp3(tmp_path / "x.mp3")
    extra = APEv2()
    extra["Title"] = "From APE"
    extra["Album"] = "Album"
    extra.save(path)
    tags = ID3()
    tags.add(TIT2(encoding=3, text=["From ID3"]))
    tags.save(path)
    found = tags_of(path)
    assert (found.title, found.album) == ("From ID3", "Album")


def test_several_artist_values_are_a_credit_and_single_names(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file = FLAC(path)
    file["artist"] = ["One", "Two", "One", " "]
    file["title"] = ["First", "Second"]
    file.save()
    tags = tags_of(path)
    assert (tags.artist, tags.artists, tags.title) == ("One, Two", ("One", "Two"), "First")


def test_a_single_artist_is_not_a_list(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file = FLAC(path)
    file["artist"] = ["Simon & Garfunkel"]
    file.save()
    assert (tags_of(path).artist, tags_of(path).artists) == ("Simon & Garfunkel", ())


def test_merged_recordings_in_one_field_are_all_kept_in_order(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file = FLAC(path)
    file["musicbrainz_trackid"] = [f"{TRACK}; {RECORDING}", TRACK]
    file.save()
    assert tags_of(path).ids.mb_recording_ids == (TRACK, RECORDING)


def test_malformed_identifiers_are_kept_apart_and_spoil_nothing(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file = FLAC(path)
    file["title"] = ["Title"]
    file["musicbrainz_trackid"] = ["unknown"]
    file["isrc"] = ["none"]
    file["spotify_track_id"] = ["spotify:local:a:b:c:1"]
    file["acoustid_id"] = ["?"]
    file["spotify_album_id"] = ["not ours to judge"]
    file.save()
    tags = tags_of(path)
    assert tags.title == "Title"
    assert sorted(tags.ids.malformed) == [
        "acoustid_id: ?",
        "isrc: none",
        "mb_recording_id: unknown",
        "spotify_id: spotify:local:a:b:c:1",
    ]
    assert tags.ids == Identifiers(malformed=tags.ids.malformed)


@pytest.mark.parametrize(
    "frame",
    [
        COMM(encoding=3, lang="eng", desc="", text=[f"spotify:track:{SPOTIFY}"]),
        WXXX(encoding=3, desc="", url=LINK),
        WXXX(encoding=3, desc="Spotify", url=LINK),
        WOAF(url=LINK),
        TXXX(encoding=3, desc="SPOTIFY_TRACK_ID", text=[SPOTIFY]),
        TXXX(encoding=3, desc="Spotify URI", text=[f"spotify:track:{SPOTIFY}"]),
        TXXX(encoding=3, desc="comment", text=[LINK]),
    ],
)
def test_a_spotify_id_is_found_wherever_taggers_put_it(frame: Any, tmp_path: Path) -> None:
    path = mp3(tmp_path / "x.mp3")
    tags = ID3()
    tags.add(frame)
    tags.save(path)
    assert tags_of(path).ids == Identifiers(spotify_track_id=SPOTIFY)


def test_the_isrc_of_a_purchased_itunes_file_is_found(tmp_path: Path) -> None:
    path = copied("picard/test.m4a", tmp_path)
    file = mutagen.File(path)
    file["xid "] = ["Label:isrc:GBSMU4566095"]
    file.save()
    assert tags_of(path).ids.isrcs == ("GBSMU4566095",)


def test_an_absurdly_long_value_is_cut(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file = FLAC(path)
    file["title"] = ["ü" * 1_000_000]
    file["genre"] = [f"genre {n}" for n in range(10_000)]
    file.save()
    tags = tags_of(path)
    assert len((tags.title or "").encode()) == 4096
    assert len(tags.genres) == 100


def test_a_vinyl_position_is_no_number(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file = FLAC(path)
    file["tracknumber"] = ["A1"]
    file["discnumber"] = ["1/2"]
    file.save()
    tags = tags_of(path)
    assert (tags.track_number, tags.disc_number, tags.disc_total) == (None, 1, 2)


def test_a_file_with_a_wrong_suffix_is_read_by_its_content(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.mp3")
    assert tags_of(path).duration_ms == 3000


def test_a_name_that_is_not_utf8_is_read_like_any_other(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.flac"
    os.rename(flac(tmp_path / "x.flac"), path)
    scanned = read(path)
    assert scanned.path == path
    assert scanned.tags == TrackTags(duration_ms=3000)


def test_a_text_file_named_like_audio_is_unreadable_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "x.m4a"
    path.write_text("not music")
    assert reason_of(path) == "not a .m4a file, or one without any audio"


def test_the_result_bears_the_stamp_of_what_was_really_read(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    [before] = Walk([os.fsencode(tmp_path)])
    flac(tmp_path / "new.flac", seconds=9)
    os.replace(tmp_path / "new.flac", path)
    scanned = read_file(before.path, before.stamp)
    assert scanned.tags == TrackTags(duration_ms=9000)
    assert scanned.stamp.inode == path.stat().st_ino != before.stamp.inode


def test_a_file_that_could_not_be_opened_is_looked_at_again_although_it_has_not_changed(
    tmp_path: Path,
) -> None:
    path = os.fsencode(tmp_path / "gone-for-a-moment.mp3")
    stamp = FileStamp(size=100, mtime_ns=1, inode=2)
    found = read_file(path, stamp)
    assert found.unreadable is not None
    assert found.stamp != stamp
