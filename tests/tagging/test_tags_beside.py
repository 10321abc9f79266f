"""Tags of other programs, in places of their own, stay as they are when SoulSpot writes its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.apev2 import APEv2
from mutagen.id3 import ID3, TIT2, TSSE

from soulspot.tagging import file_copies, tagged_copies
from soulspot.tagging.file_copies import FilePolicy, PreparedCopy, TagsNotWritten
from tests.library.audio import copied, flac, mp3, tags_of
from tests.library.test_odd_places import (
    FORMAT,
    FREE,
    NAMES,
    SOUND,
    aiff,
    atom,
    comments,
    data,
    flac_of,
    id3,
    info,
    m4a,
    name,
    riff,
    with_items,
)  # fmt: skip

__all__ = ["m4a"]
ISRC = "DEA010012345"


@pytest.fixture(autouse=True)
def _disks_are_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn fsync off: in these tests a process may die, but not the machine."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def write(path: Path, **wanted: str) -> PreparedCopy:
    """Write these fields, an ISRC unless told otherwise, into a file."""
    now = tagged_copies.read_current_tags(
        os.fsencode(path), {key: [value] for key, value in (wanted or {"isrc": ISRC}).items()}
    )
    prepared = tagged_copies.prepare_tagged_copy(now.path, now.stamp, now.storable, None, FilePolicy())
    file_copies.replace_original(prepared)
    return prepared


def take_back(path: Path, prepared: PreparedCopy) -> None:
    way = prepared.digest, prepared.way_back, prepared.before, FilePolicy()
    file_copies.replace_original(tagged_copies.prepare_restored_copy(os.fsencode(path), *way))


def id3v1(title: bytes, artist: bytes, *, note: bytes = b"my own note", track: int = 3, genre: int = 0xBC) -> bytes:
    def cut(text: bytes, length: int) -> bytes:
        return text[:length].ljust(length, b"\0")

    end = cut(note, 28) + bytes([0, track, genre]) if track else cut(note, 30) + bytes([genre])
    return b"TAG" + cut(title, 30) + cut(artist, 30) + cut(b"Album", 30) + b"2004" + end


OLD_TAGS = {
    "Latin-1": id3v1("Élan".encode("latin1"), b"Vera Lind"),
    "cp1251": id3v1("Вечерняя песня".encode("cp1251"), "Мария".encode("cp1251")),
    "koi8-r": id3v1("Вечерняя песня".encode("koi8-r"), "Мария".encode("koi8-r")),
    "Shift-JIS": id3v1("夜の港".encode("shift_jis"), "真理".encode("shift_jis")),
    "GBK": id3v1("晚上的港口".encode("gbk"), "真理".encode("gbk")),
    "UTF-8": id3v1("Größe".encode(), "Ünal".encode()),
    "no track number": id3v1(b"Low Tide", b"Vera Lind", note=b"a note of thirty characters, ok", track=0),
    "no genre": id3v1(b"Low Tide", b"Vera Lind", genre=255),
    "filled with blanks": b"TAG" + b"Low Tide".ljust(30) + b"Vera Lind".ljust(30) + b" " * 64 + b"\x0c",
    "empty": b"TAG" + bytes(125),
    "of 125 bytes": (b"TAG" + b"Low Tide".ljust(30, b"\0") + bytes(95))[:125],
    "behind TAG+": b"TAG+" + bytes(223) + id3v1(b"Low Tide", b"Vera Lind"),
    "behind Lyrics3": b"LYRICSBEGINLYR00011[00:01] la000033LYRICS200" + id3v1(b"Low Tide", b"Vera Lind"),
}


@pytest.mark.parametrize("kind", OLD_TAGS)
@pytest.mark.parametrize("version", [3, 4, None])
def test_an_id3v1_tag_stays_as_it_was(tmp_path: Path, kind: str, version: int | None) -> None:
    path, old = mp3(tmp_path / "x.mp3"), OLD_TAGS[kind]
    if version:
        tag = ID3()
        tag.add(TIT2(encoding=1, text=["Low Tide"]))
        tag.save(path, v2_version=version)
    path.write_bytes(before := path.read_bytes() + old)
    prepared = write(path)
    assert path.read_bytes().endswith(old)
    assert path.read_bytes().count(b"TAG") == before.count(b"TAG")
    assert tags_of(path).ids.isrcs == (ISRC,)
    again = write(path, title="High Tide", artist="Søren")
    assert path.read_bytes().endswith(old)
    assert tags_of(path).title == "High Tide"
    take_back(path, again)
    take_back(path, prepared)
    assert path.read_bytes() == before


def test_an_id3v1_tag_behind_an_ape_tag_or_in_a_tta_file_stays_as_it_was(tmp_path: Path) -> None:
    old = OLD_TAGS["cp1251"]
    ape = mp3(tmp_path / "ape.mp3")
    tag = APEv2()
    tag["Replaygain"] = "1.5 dB"
    tag.save(ape)
    tta = copied("mutagen/empty.tta", tmp_path)
    tta.chmod(0o644)
    for path in (ape, tta):
        path.write_bytes(path.read_bytes() + old)
        write(path)
        assert path.read_bytes().endswith(old)
        assert tags_of(path).ids.isrcs == (ISRC,)
    assert APEv2(ape)["Replaygain"] == "1.5 dB"


ENCODER = id3(TSSE(encoding=3, text=["Lavf62"]))
ODD_FILES: dict[str, Callable[[Path], bytes]] = {
    "named.flac": lambda folder: name("Low Tide") + mp3(folder / "plain.mp3").read_bytes(),
    "named.ogg": lambda folder: flac_of(folder, comments("TITLE=Low Tide")) + SOUND,
    "named.m4a": lambda folder: name("Low Tide") + mp3(folder / "plain.mp3").read_bytes(),
    "named.wav": lambda folder: name("Low Tide") + mp3(folder / "plain.mp3").read_bytes(),
    "two_blocks.flac": lambda folder: flac_of(folder, comments(), comments("TITLE=Low Tide", "MY=own")) + SOUND,
    "id3_before.flac": lambda folder: name("Low Tide") + flac(folder / "plain.flac").read_bytes() + SOUND,
    "second_id3.mp3": lambda folder: ENCODER + name("Low Tide") + mp3(folder / "plain.mp3").read_bytes(),
    "id3_behind.mp3": lambda folder: mp3(folder / "plain.mp3").read_bytes() + name("Low Tide"),
    "info.wav": lambda _: riff([(b"fmt ", FORMAT), (b"LIST", info([(b"INAM", b"Low Tide")])), (b"data", SOUND)]),
    "named.aif": lambda _: aiff([(b"NAME", b"Low Tide"), (b"AUTH", b"Vera Lind")]),
    "really_wav.mp3": lambda _: riff([(b"fmt ", FORMAT), (b"LIST", info([(b"INAM", b"Low Tide")])), (b"data", SOUND)]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD_FILES)
def test_tags_in_odd_places_are_still_there_after_others_were_written(tmp_path: Path, kind: str) -> None:
    path = tmp_path / kind
    path.write_bytes(before := ODD_FILES[kind](tmp_path))
    assert tags_of(path).title == "Low Tide"
    prepared = write(path)
    assert (tags_of(path).title, tags_of(path).ids.isrcs) == ("Low Tide", (ISRC,))
    again = write(path, title="High Tide")
    assert tags_of(path).title == "High Tide"
    take_back(path, again)
    take_back(path, prepared)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        riff([(b"fmt ", FORMAT), (b"data", SOUND), (b"\0n\0i", b""), (b"id3 ", name("Low Tide"))]),
        riff([(b"ds64", bytes(28)), (b"fmt ", FORMAT), (b"data", SOUND)], kind=b"RF64"),
    ],
)
def test_a_file_that_only_reading_understands_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    with pytest.raises(TagsNotWritten):
        write(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "more", [atom(b"----", FREE + b"\0\0"), atom(b"trkn", data(b"3/12", 1)), atom(b"tmpo", data(b"\1\2\3\4\5", 21))]
)
def test_a_damaged_atom_stays_in_a_file_whose_other_tags_are_written(tmp_path: Path, m4a: Path, more: bytes) -> None:
    path = with_items(m4a, tmp_path / "x.m4a", NAMES + more)
    write(path, title="High Tide")
    assert tags_of(path).title == "High Tide"
    assert more in path.read_bytes()
