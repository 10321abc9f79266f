"""Written tags: other programs read them as meant, the audio stays the same, all can be undone."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import mediafile
import mutagen
import pytest
import tinytag
from mutagen.id3 import ID3, TIT2, TPE1, TXXX, TYER

from soulspot.config.sections import TAG_FIELDS
from soulspot.models import EnrichedTrack, Status
from soulspot.sandbox.audio.files import SILENCE
from soulspot.tagging import file_copies, tagged_copies
from soulspot.tagging.file_copies import FilePolicy, PreparedCopy, TagsNotWritten
from soulspot.tagging.formats.base import Picture, differs
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.rules import changed_fields, values_to_write
from tests.library.audio import mp3, tags_of
from tests.support.factories import isrc, mbid, spotify_id
from tests.support.shared_data import shared

ROW = EnrichedTrack(
    1, b"", None, Status.ACCEPTED, 1.0,
    title="Blaue Stunde ☂", artist="The Lanterns & Éva", artists=("The Lanterns", "Éva"), album="Night/Shift",
    album_artist="The Lanterns", track_number=3, disc_number=2, isrc=isrc(1), release_date="2001-05-04",
    original_date="1999-12-31", genres=("dream pop", "shoegaze"), label="Röd Records", catalog_number="RR-7",
    barcode="4006381333931", mb_recording_id=mbid(1), mb_release_id=mbid(2), mb_release_group_id=mbid(3),
    mb_artist_ids=(mbid(4), mbid(5)), spotify_track_id=spotify_id(6),
)  # fmt: skip
FORMATS = (
    "v23.mp3",
    "v24.mp3",
    "flac",
    "ogg",
    "opus",
    "m4a",
    "wma",
    "aiff",
    "wav",
    "ape",
    "wv",
    "dsf",
    "mpc",
)
USUAL = FilePolicy()
FRONT = Picture(b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40, "image/jpeg")


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn fsync off: in these tests a process may die, but not the machine."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def sample(kind: str, folder: Path) -> Path:
    """Return a file of this kind that has tags already, unrelated ones among them."""
    ending = kind.rpartition(".")[2]
    path = folder / f"song.{ending}"
    name = "mutagen/silence-1.wma" if kind == "wma" else f"mediafile/full.{ending}"
    shutil.copyfile(shared("data", "audio", *name.split("/")), path)
    if kind.startswith("v2"):
        tags = ID3(path)
        tags.update_to_v23() if kind == "v23.mp3" else None
        tags.save(path, v2_version=int(kind[2]))
    return path


def write(
    path: Path,
    row: EnrichedTrack = ROW,
    policy: Any = "overwrite",
    file_policy: FilePolicy = USUAL,
    front: Any = None,
) -> PreparedCopy:
    """Write every field that differs; return the copy that replaced the file."""
    said = tagged_copies.read_current_tags(os.fsencode(path), values_to_write(row, FIELDS))
    new = {name: after for name, (_, after) in changed_fields(said, policy).items()}
    prepared = tagged_copies.prepare_tagged_copy(said.path, said.stamp, new, front, file_policy)
    file_copies.replace_original(prepared)
    return prepared


def take_back(path: Path, prepared: PreparedCopy) -> None:
    back = tagged_copies.prepare_restored_copy(
        os.fsencode(path), prepared.digest, prepared.way_back, prepared.before, FilePolicy()
    )
    file_copies.replace_original(back)


def decoded(path: Path) -> str:
    """Return the MD5 of the decoded sound."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "md5", "-"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # wma is cut off: up to there


def dump(path: Path) -> str:
    """Return all that mutagen finds in a file, as text."""
    found = mutagen.File(path)
    return repr(dict(found.tags or {})) if hasattr(found.tags, "items") else repr(list(found.tags or ()))


# --- read by everybody ---


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_written_is_read_back_the_same(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    write(path)
    found = tags_of(path)
    assert (found.title, found.artist, found.artists) == (ROW.title, ROW.artist, ROW.artists)
    assert (found.album, found.album_artist) == (ROW.album, ROW.album_artist)
    assert (found.track_number, found.disc_number) == (3, 2)
    assert (found.date, found.genres) == ("2001-05-04", ROW.genres)
    ids = found.ids
    assert (ids.isrcs, ids.mb_recording_ids, ids.mb_release_id) == ((ROW.isrc,), (mbid(1),), mbid(2))
    assert (ids.mb_release_group_id, ids.mb_artist_ids) == (mbid(3), (mbid(4), mbid(5)))
    assert ids.spotify_track_id == spotify_id(6)


@pytest.mark.parametrize("kind", FORMATS)
def test_mediafile_and_so_beets_reads_it_as_meant(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    write(path)
    found = mediafile.MediaFile(path)
    assert (found.title, found.artist, found.album) == (ROW.title, ROW.artist, ROW.album)
    assert (found.albumartist, found.track, found.disc) == (ROW.album_artist, 3, 2)
    assert (found.date.isoformat(), found.label, found.catalognum) == ("2001-05-04", ROW.label, "RR-7")
    assert (found.mb_trackid, found.mb_albumid, found.mb_releasegroupid) == (mbid(1), mbid(2), mbid(3))
    assert (found.isrc, found.barcode) == (ROW.isrc, ROW.barcode)
    joined = ["dream pop/shoegaze"] if kind == "v23.mp3" else list(ROW.genres)
    assert found.genres == joined
    assert found.original_year == 1999 or kind in ("wma", "m4a")  # there it looks for names of its own
    if kind not in ("wma",):
        assert found.artists == (["The Lanterns/Éva"] if kind == "v23.mp3" else list(ROW.artists))


@pytest.mark.parametrize("kind", [one for one in FORMATS if one not in ("ape", "dsf", "mpc", "wv")])
def test_tinytag_reads_it_as_meant(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    write(path)
    found = tinytag.TinyTag.get(path)
    assert (found.title, found.artist, found.album, found.albumartist) == (
        ROW.title, ROW.artist, ROW.album, ROW.album_artist,
    )  # fmt: skip
    assert (found.track, found.disc) == (3, 2)
    assert str(found.year)[:4] == "2001"


def test_the_names_are_those_of_picard(tmp_path: Path) -> None:
    path = sample("v24.mp3", tmp_path)
    write(path)
    tags = ID3(path)
    assert tags["UFID:http://musicbrainz.org"].data == mbid(1).encode()
    assert tags["TXXX:MusicBrainz Artist Id"].text == [mbid(4), mbid(5)]
    assert [str(tags[name]) for name in ("TDRC", "TDOR", "TPUB", "TSRC", "TPE2")] == [
        "2001-05-04", "1999-12-31", "Röd Records", ROW.isrc, "The Lanterns",
    ]  # fmt: skip
    assert tags["TXXX:ARTISTS"].text == ["The Lanterns", "Éva"]
    assert (tags["TXXX:BARCODE"], tags["TXXX:CATALOGNUMBER"]) == ("4006381333931", "RR-7")
    ogg = sample("ogg", tmp_path)
    write(ogg)
    comments = mutagen.File(ogg).tags
    assert comments["MUSICBRAINZ_TRACKID"] == [mbid(1)]
    assert comments["GENRE"] == ["dream pop", "shoegaze"]
    mp4 = sample("m4a", tmp_path)
    write(mp4)
    atoms = mutagen.File(mp4).tags
    assert bytes(atoms["----:com.apple.iTunes:MusicBrainz Track Id"][0]).decode() == mbid(1)
    assert atoms["trkn"][0][0] == 3
    wma = sample("wma", tmp_path)
    write(wma)
    attributes = mutagen.File(wma).tags
    assert [str(one) for one in attributes["WM/ARTISTS"]] == ["The Lanterns", "Éva"]
    assert [str(one) for one in attributes["MusicBrainz/Track Id"]] == [mbid(1)]


def test_an_id3v23_tag_stays_one_with_its_dates_in_pieces_and_its_lists_joined(tmp_path: Path) -> None:
    path = sample("v23.mp3", tmp_path)
    before = ID3(path, translate=False)
    before.add(TXXX(encoding=1, desc="Mood", text=["calm"]))
    before.add(mutagen.id3.TSOP(encoding=1, text=["Lanterns, The"]))  # of 2.4, and common in 2.3
    before.save(path, v2_version=3)
    write(path)
    tags = ID3(path, translate=False)
    assert tags.version == (2, 3, 0)
    assert (str(tags["TYER"]), str(tags["TDAT"]), str(tags["TORY"])) == ("2001", "0405", "1999")
    assert str(tags["TCON"]) == "dream pop/shoegaze"
    assert tags["TIT2"].encoding == 1  # UTF-16
    assert (str(tags["TXXX:Mood"]), str(tags["TSOP"])) == ("calm", "Lanterns, The")


def test_lists_that_others_wrote_into_an_id3v23_tag_stay_as_they_are(tmp_path: Path) -> None:
    path = sample("v23.mp3", tmp_path)
    before = ID3(path, translate=False)
    before.add(TXXX(encoding=1, desc="Moods", text=["calm", "bright"]))
    before.add(mutagen.id3.TCOM(encoding=1, text=["First", "Second"]))
    before.save(path, v2_version=3, v23_sep=None)
    write(path)
    tags = ID3(path, translate=False)
    assert tags["TXXX:Moods"].text == ["calm", "bright"]
    assert tags["TCOM"].text == ["First", "Second"]
    assert tags["TXXX:ARTISTS"].text == ["The Lanterns/Éva"]


def test_a_total_stays_when_the_number_before_it_changes(tmp_path: Path) -> None:
    path = mp3(tmp_path / "song.mp3")
    tags = ID3()
    tags.add(mutagen.id3.TRCK(encoding=3, text=["1/12"]))
    tags.save(path)
    write(path)
    assert str(ID3(path)["TRCK"]) == "3/12"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_front_cover_is_read_back_and_other_pictures_stay(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    others = len([one for one in mediafile.MediaFile(path).images or () if one.type.value != 3])
    write(path, front=FRONT)
    if kind == "dsf":
        assert ID3_of_dsf(path) == FRONT.data
        return
    images = mediafile.MediaFile(path).images
    assert FRONT.data in [one.data for one in images]
    assert len(images) >= 1 + (others if kind != "m4a" else 0)


def ID3_of_dsf(path: Path) -> bytes:
    return next(one.data for one in mutagen.File(path).tags.getall("APIC") if one.type == 3)


# --- what must not change ---


@pytest.mark.parametrize("kind", FORMATS)
def test_the_sound_is_bit_identical_and_undo_gives_the_very_same_file_back(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    before, tags, sound = path.read_bytes(), dump(path), decoded(path) if shutil.which("ffmpeg") else ""
    prepared = write(path, front=FRONT)
    assert path.read_bytes() != before
    assert (decoded(path) if sound else "") == sound
    take_back(path, prepared)
    assert path.read_bytes() == before
    assert dump(path) == tags


def test_no_file_of_23_formats_broken_ones_among_them_is_ever_damaged(tmp_path: Path) -> None:
    written = 0
    for number, source in enumerate(sorted(shared("data", "audio").rglob("*.*"))):
        path = tmp_path / f"{number}{source.suffix}"
        shutil.copyfile(source, path)
        original = path.read_bytes()
        try:
            prepared = write(path)
        except TagsNotWritten:
            assert path.read_bytes() == original, source
            continue
        found = tags_of(path)
        assert (found.title, found.ids.mb_recording_ids) == (ROW.title, (mbid(1),)), source
        take_back(path, prepared)
        assert path.read_bytes() == original, source
        written += 1
    assert written >= 240
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("kind", FORMATS)
def test_only_empty_fills_gaps_and_leaves_alone_what_is_there(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    said = tagged_copies.read_current_tags(os.fsencode(path), values_to_write(ROW, FIELDS))
    there = {name for name, values in said.fields.items() if values}
    assert there
    assert there.isdisjoint(changed_fields(said, "only-empty"))
    write(path, policy="only-empty")
    assert mediafile.MediaFile(path).title == said.fields["title"][0]
    again = tagged_copies.read_current_tags(os.fsencode(path), values_to_write(ROW, FIELDS))
    assert changed_fields(again, "only-empty") == {}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_written_once_is_not_written_again(tmp_path: Path, kind: str) -> None:
    path = sample(kind, tmp_path)
    write(path)
    current = tagged_copies.read_current_tags(os.fsencode(path), values_to_write(ROW, FIELDS))
    assert changed_fields(current, "overwrite") == {}


@pytest.mark.parametrize(
    ("field", "there", "new", "changed"),
    [
        ("release_date", ["2001-05-04"], ["2001"], False),
        ("release_date", ["2001"], ["2001-05-04"], True),
        ("release_date", ["2001-05-04T00:00:00"], ["2001-05-04"], False),
        ("release_date", ["2002-05-04"], ["2001"], True),
        ("track_number", ["03"], ["3"], False),
        ("track_number", ["4"], ["3"], True),
        ("title", ["blue hour"], ["Blue Hour"], True),
    ],
)
def test_a_date_never_becomes_less_exact_and_a_zero_in_front_is_no_difference(
    field: str, there: Sequence[str], new: Sequence[str], changed: bool
) -> None:
    assert differs(field, there, new) is changed


def test_what_is_not_known_takes_nothing_out_of_a_file(tmp_path: Path) -> None:
    path = sample("flac", tmp_path)
    silent = EnrichedTrack(1, b"", None, Status.ACCEPTED, 1.0, mb_recording_id=mbid(1))
    write(path, silent)
    assert mediafile.MediaFile(path).title == "full"


# --- the file itself ---


def test_mode_and_extended_attributes_stay_and_the_time_changes_or_not_as_configured(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(SILENCE[".flac"](1000, 1000))
    path.chmod(0o640)
    try:
        os.setxattr(path, "user.rating", b"5")
        attribute = True
    except OSError:  # not on every file system
        attribute = False
    os.utime(path, ns=(10**18, 10**18))
    write(path, file_policy=FilePolicy(mtime="keep"))
    found = path.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime_ns) == (0o640, 10**18)
    assert not attribute or os.getxattr(path, "user.rating") == b"5"
    write(path, EnrichedTrack(1, b"", None, Status.ACCEPTED, 1.0, title="Another"), file_policy=FilePolicy())
    assert path.stat().st_mtime_ns != 10**18


def test_a_file_system_without_attributes_modes_or_a_count_of_its_blocks_is_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems over the network, such as sshfs, are like this."""
    path = silence(tmp_path / "song.mp3")
    path.chmod(0o600)  # as the copy is made

    def unsupported(*_: Any) -> Any:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "listxattr", unsupported)
    monkeypatch.setattr(os, "fchmod", unsupported)
    monkeypatch.setattr(os, "statvfs", lambda folder: os.statvfs_result((4096, 4096, *[0] * 7, 255)))
    write(path)
    assert tags_of(path).title == ROW.title


def test_a_link_stays_a_link_to_the_file_that_is_written(tmp_path: Path) -> None:
    path = silence(tmp_path / "song.mp3")
    link = tmp_path / "link.mp3"
    link.symlink_to(path)
    write(link)
    assert link.is_symlink()
    assert tags_of(path).title == ROW.title


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: path.chmod(0o444), "is read-only"),
        (lambda path: os.link(path, path.with_name("other.mp3")), "has 2 names"),
        (lambda path: os.utime(path, ns=(5, 5)), "was changed meanwhile"),
        (lambda path: path.unlink(), "no such file"),
    ],
)
def test_a_file_that_should_be_left_alone_is_and_the_reason_is_told(
    tmp_path: Path, spoil: Callable[[Path], Any], says: str
) -> None:
    path = silence(tmp_path / "song.mp3")
    said = tagged_copies.read_current_tags(os.fsencode(path), values_to_write(ROW, FIELDS))
    spoil(path)
    with pytest.raises(TagsNotWritten, match=says):
        tagged_copies.prepare_tagged_copy(said.path, said.stamp, said.storable, None, FilePolicy())
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_names_are_parted_only_when_that_is_configured(tmp_path: Path) -> None:
    path, other = silence(tmp_path / "song.mp3"), tmp_path / "other.mp3"
    os.link(path, other)
    before = other.read_bytes()
    write(path, file_policy=FilePolicy(hard_links="part"))
    assert tags_of(path).title == ROW.title
    assert other.read_bytes() == before


def test_a_file_changed_while_its_copy_was_made_is_left_as_it_is(tmp_path: Path) -> None:
    path = silence(tmp_path / "song.mp3")
    said = tagged_copies.read_current_tags(os.fsencode(path), values_to_write(ROW, FIELDS))
    prepared = tagged_copies.prepare_tagged_copy(said.path, said.stamp, said.storable, None, FilePolicy())
    path.write_bytes(b"somebody else's")
    with pytest.raises(TagsNotWritten, match="was changed meanwhile"):
        file_copies.replace_original(prepared)
    assert path.read_bytes() == b"somebody else's"
    assert [one.name for one in tmp_path.iterdir()] == ["song.mp3"]


@pytest.mark.parametrize("how", ["full", "no room for a copy"])
def test_a_full_disk_is_told_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    path = silence(tmp_path / "song.mp3")
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    if how == "full":
        monkeypatch.setattr(tagged_copies, "copy_content", full)
    else:
        room = os.statvfs_result((4096, 4096, 10**6, 0, 0, 10**6, 0, 0, 0, 255))
        monkeypatch.setattr(os, "statvfs", lambda folder: room)
    with pytest.raises(TagsNotWritten, match="the disk is full") as told:
        write(path)
    assert told.value.failed
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["song.mp3"]


def silence(path: Path) -> Path:
    """Write a playable file with a title and an artist."""
    path.write_bytes(SILENCE[path.suffix](3000, 3000))
    if path.suffix == ".mp3":
        tags = ID3()
        tags.add(TIT2(encoding=0, text=["old"]))
        tags.add(TPE1(encoding=0, text=["older"]))
        tags.add(TYER(encoding=0, text=["1970"]))
        tags.save(path, v2_version=3)
    return path


# --- killed ---


STEPS = ("created", "copied", "tagged", "synced", "renamed", "folder synced")


@pytest.mark.parametrize("kind", [".mp3", ".m4a"])
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_file_is_the_old_or_the_new_one_whole(tmp_path: Path, kind: str, step: str) -> None:
    path = silence(tmp_path / f"song{kind}")
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    other = silence(tmp_path / f"other{kind}")
    write(other)
    after = hashlib.sha256(other.read_bytes()).hexdigest()
    child = os.fork()
    if child == 0:
        file_copies.report_step = lambda name: os._exit(9) if name == step else None  # type: ignore[assignment]
        try:
            write(path)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    now = hashlib.sha256(path.read_bytes()).hexdigest()
    assert now == (after if step in ("renamed", "folder synced") else before)
    left = [one for one in tmp_path.iterdir() if one.name.startswith(".soulspot-")]
    assert file_copies.remove_leftovers([os.fsencode(tmp_path)]) == len(left)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([path.name, other.name])


def test_nobody_takes_a_copy_that_was_left_behind_for_music() -> None:
    from soulspot.library.suffixes import is_audio

    assert not is_audio(file_copies.TEMPORARY + b"0123456789abcdef" + file_copies.ENDING)


# --- the way back ---


def test_the_old_tags_come_back_even_after_somebody_else_has_written_others(tmp_path: Path) -> None:
    path = sample("v24.mp3", tmp_path)
    before = path.read_bytes()
    prepared = write(path)
    tags = ID3(path)
    tags.add(TIT2(encoding=3, text=["somebody else's title"]))
    tags.save(path)
    take_back(path, prepared)
    assert path.read_bytes() == before


def test_other_audio_is_never_given_these_tags(tmp_path: Path) -> None:
    path = silence(tmp_path / "song.mp3")
    prepared = write(path)
    path.write_bytes(SILENCE[".mp3"](5000, 5000))
    before = path.read_bytes()
    with pytest.raises(TagsNotWritten, match="audio is not the one"):
        take_back(path, prepared)
    assert path.read_bytes() == before


def test_the_way_back_does_not_keep_a_second_copy_of_a_picture_that_stays(tmp_path: Path) -> None:
    path = silence(tmp_path / "song.flac")
    picture = Picture(b"\xff\xd8\xff\xe0" + hashlib.shake_256(b"cover").digest(300_000), "image/jpeg")
    write(path, front=picture)
    before = path.read_bytes()
    again = write(path, EnrichedTrack(1, b"", None, Status.ACCEPTED, 1.0, title="Another title"))
    assert len(again.way_back) < 3000
    take_back(path, again)
    assert path.read_bytes() == before


def test_a_long_ogg_whose_pages_are_all_renumbered_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "song.ogg"
    path.write_bytes(SILENCE[".ogg"](600_000, 600_000))
    before = path.read_bytes()
    prepared = write(path, front=Picture(FRONT.data * 30, "image/jpeg"))
    take_back(path, prepared)
    assert path.read_bytes() == before


def test_the_configuration_knows_the_fields_that_there_are() -> None:
    assert TAG_FIELDS == FIELDS


def test_a_file_that_is_no_music_of_ours_says_so(tmp_path: Path) -> None:
    path = tmp_path / "song.aac"
    path.write_bytes(shared("data", "audio", "mutagen", "empty.aac").read_bytes())
    with pytest.raises(TagsNotWritten, match=r"tags of \.aac files cannot be written"):
        tagged_copies.read_current_tags(os.fsencode(path), values_to_write(ROW, FIELDS))
