"""Files that are damaged, endless or meant to do harm: each ends as one unreadable track."""

from __future__ import annotations

import os
import random
import socket
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import mutagen
import pytest
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TIT2
from mutagen.ogg import OggPage

from soulspot.errors import UnreadableFile
from soulspot.library import bounded_file, mutagen_limits, tags
from soulspot.library.scan import Walk
from tests.library.audio import flac, mp3, read, reason_of, tags_of
from tests.support.shared_data import shared


def test_a_pipe_named_mp3_does_not_block_the_scan(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp3")
    assert reason_of(tmp_path / "pipe.mp3") == "not a regular file"


def test_a_folder_and_a_socket_named_mp3_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.mp3").mkdir()
    assert reason_of(tmp_path / "folder.mp3") == "not a regular file"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.mp3"))
        assert reason_of(tmp_path / "s.mp3") == "no such device or address"


def test_a_file_that_is_gone_by_now_is_unreadable_and_nothing_more(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    [one] = Walk([os.fsencode(tmp_path)])
    path.unlink()
    scanned = tags.read_file(one.path, one.stamp)
    assert scanned.unreadable == "no such file or directory"
    assert scanned.stamp != one.stamp, "it is looked at again, should it come back as it was"


def test_a_file_above_the_size_limit_is_not_opened_for_its_tags(tmp_path: Path) -> None:
    path = mp3(tmp_path / "x.mp3")
    size = path.stat().st_size
    assert read(path, max_file_size=size).tags is not None
    assert "larger than max_file_size" in reason_of(path, max_file_size=size - 1)


def test_no_file_stays_open_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.flac").write_text("no")
    os.mkfifo(tmp_path / "pipe.mp3")
    before = os.listdir("/proc/self/fd")
    for path in tmp_path.iterdir():
        reason_of(path)
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), KeyError("x"), UnicodeDecodeError("a", b"", 0, 1, "?")]
)
def test_whatever_mutagen_raises_becomes_a_reason(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(mutagen, "File", fail)
    reason = reason_of(flac(tmp_path / "x.flac"))
    assert reason.startswith("damaged: ")
    assert reason.isprintable()


def _frame(name: bytes, body: bytes, flags: int) -> bytes:
    return name + _synchsafe(len(body)) + struct.pack(">H", flags) + body


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def _tagged_mp3(path: Path, frames: bytes) -> Path:
    mp3(path)
    path.write_bytes(b"ID3\x04\x00\x00" + _synchsafe(len(frames)) + frames + path.read_bytes())
    return path


def _squeezed(name: bytes, plain: bytes) -> bytes:
    """Return a compressed ID3v2.4 frame."""
    return _frame(name, _synchsafe(len(plain) & 0xFFFFFFF) + zlib.compress(plain, 9), 0x0009)


def test_compressed_frames_are_read(tmp_path: Path) -> None:
    path = _tagged_mp3(tmp_path / "x.mp3", _squeezed(b"TIT2", b"\x03Title"))
    assert tags_of(path).title == "Title"


def test_frames_that_unpack_to_gigabytes_take_no_more_memory_than_allowed(tmp_path: Path) -> None:
    bomb = _squeezed(b"TIT2", b"\x03" + b"x" * (60 << 20))
    path = _tagged_mp3(tmp_path / "x.mp3", bomb * 20)
    tracemalloc.start()
    try:
        scanned = read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (scanned.tags is None) or len(scanned.tags.title or "") <= 4096
    assert peak < 3 * mutagen_limits.MAX_INFLATED


def test_a_size_claimed_in_a_header_takes_no_memory_the_file_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(b"ID3\x04\x00\x00" + _synchsafe(0x0FFFFFFF) + b"TIT2" + bytes(500))
    tracemalloc.start()
    try:
        read(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_a_tag_larger_than_any_real_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    with path.open("wb") as file:
        file.write(b"ID3\x04\x00\x00" + _synchsafe(200 << 20))
        file.truncate(300 << 20)  # a hole, which takes no disk
    assert reason_of(path) == "damaged: claims a single tag of 200 MB"


def test_a_large_file_with_ordinary_tags_is_read(tmp_path: Path) -> None:
    path = mp3(tmp_path / "x.mp3")
    name = ID3()
    name.add(TIT2(encoding=3, text=["Long set"]))
    name.save(path)
    with path.open("r+b") as file:
        file.truncate(3 << 30)  # a hole, which takes no disk
    assert tags_of(path).title == "Long set"


def test_reading_in_circles_ends(tmp_path: Path) -> None:
    path = flac(tmp_path / "x.flac")
    file, _ = bounded_file.open_bounded(os.fsencode(path))

    def read_on() -> None:
        while True:
            file.seek(0)
            file.read(16)

    with file, pytest.raises(UnreadableFile, match="no end"):
        read_on()


def _id3_of_many(folder: Path, count: int) -> Path:
    return _tagged_mp3(folder / "x.mp3", b"".join(_frame(b"TXXX", b"\x03%06x\0" % n, 0) for n in range(count)))


def _id3_of_empty(folder: Path, count: int) -> Path:
    return _tagged_mp3(folder / "x.mp3", _frame(b"TXXX", b"", 0) * count)


def _old_id3_of_empty(folder: Path, count: int) -> Path:
    path = mp3(folder / "x.mp3")
    path.write_bytes(b"ID3\x02\x00\x00" + _synchsafe(6 * count) + b"TXX\0\0\0" * count + path.read_bytes())
    return path


def _ape_of_many(folder: Path, count: int) -> Path:
    items = b"".join(struct.pack("<II", 1, 0) + b"k%06x\0v" % n for n in range(count))
    path = mp3(folder / "x.mp3")
    foot = b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, count, 0) + bytes(8)
    path.write_bytes(path.read_bytes() + items + foot)
    return path


def _ogg_of_many(folder: Path, count: int) -> Path:
    comment = struct.pack("<I", 3) + b"A=B"
    body = b"OpusTags" + struct.pack("<II", 0, count) + comment * count
    head = b"OpusHead\x01\x02" + struct.pack("<HIHB", 0, 48000, 0, 0)
    pages = [OggPage(), *OggPage.from_packets([body], sequence=1)]
    pages[0].packets, pages[0].first, pages[-1].last = [head], True, True
    path = folder / "x.opus"
    path.write_bytes(b"".join(page.write() for page in pages))
    return path


@pytest.mark.parametrize("make", [_id3_of_many, _id3_of_empty, _old_id3_of_empty, _ape_of_many, _ogg_of_many])
def test_more_tags_than_any_real_file_has_are_refused(make: Callable[[Path, int], Path], tmp_path: Path) -> None:
    assert read(make(tmp_path, 500)).tags is not None
    assert reason_of(make(tmp_path, mutagen_limits.MAX_ITEMS + 1)) == "damaged: claims more than 20000 tags"


def test_frames_too_large_to_be_gone_through_one_by_one_are_refused(tmp_path: Path) -> None:
    cover = _frame(b"APIC", b"\x03image/png\0\x03\0" + bytes(30 << 20), 0)
    path = _tagged_mp3(tmp_path / "x.mp3", _frame(b"TIT2", b"\x03x", 0) * 1000 + cover)
    assert "damaged" in reason_of(path)
    path = _tagged_mp3(tmp_path / "x.mp3", _frame(b"TIT2", b"\x03Title", 0) + cover)
    assert tags_of(path).title == "Title"


def test_an_ape_key_without_end_is_refused(tmp_path: Path) -> None:
    item = struct.pack("<II", 1, 0) + b"k" * (1 << 20)
    foot = b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, 0) + bytes(8)
    path = mp3(tmp_path / "x.mp3")
    path.write_bytes(path.read_bytes() + item + foot)
    assert reason_of(path) == "damaged: an APEv2 key does not end"


def test_the_limits_bind_readers_of_the_library_alone(tmp_path: Path) -> None:
    with mutagen_limits.limited():
        pass
    comments = FLAC(flac(tmp_path / "x.flac"))
    comments.add_tags()
    comments["genre"] = [str(n) for n in range(mutagen_limits.MAX_ITEMS + 1)]
    assert len(comments["genre"]) == mutagen_limits.MAX_ITEMS + 1


def test_boxes_nested_without_end_are_unreadable(tmp_path: Path) -> None:
    depth = 3000
    box = b""
    for _ in range(depth):
        box = struct.pack(">I", len(box) + 8) + b"moov" + box
    path = tmp_path / "x.m4a"
    path.write_bytes(struct.pack(">I", 16) + b"ftypM4A " + bytes(4) + box)
    assert reason_of(path)


def _mutations(seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield every shared file once, with some of its bytes changed, cut out or repeated."""
    chance = random.Random(seed)
    names = sorted(path for path in shared("data", "audio").rglob("*") if path.is_file())
    for path in names:
        data = bytearray(path.read_bytes()[: 1 << 16])
        for _ in range(chance.randint(1, 12)):
            at = chance.randrange(min(len(data), chance.choice((64, 512, 1 << 16))) or 1) if data else 0
            kind = chance.randrange(5)
            if kind == 0:
                data[at : at + 1] = bytes([chance.choice((0, 1, 0x7F, 0x80, 0xFF))])
            elif kind == 1:
                data[at : at + 4] = chance.randbytes(4)
            elif kind == 2:
                del data[at : at + chance.choice((1, 4, 100))]
            elif kind == 3:
                data[at:at] = data[at : at + chance.choice((4, 100, 1000))]
            else:
                data[at : at + 4] = b"\xff\xff\xff\xff"
        yield path.name, bytes(data)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_damaged_files_are_tracks_or_unreadable_and_never_an_exception(seed: int, tmp_path: Path) -> None:
    count = 0
    for name, data in _mutations(seed):
        path = tmp_path / name
        path.write_bytes(data)
        scanned = read(path)
        assert (scanned.tags is None) != (scanned.unreadable is None)
        if scanned.unreadable is not None:
            assert scanned.unreadable.isprintable()
            assert 0 < len(scanned.unreadable) < 400
        else:
            repr(scanned.tags).encode()
        count += 1
    assert count == 287
