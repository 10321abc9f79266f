"""Where the audio lies in a file, between and beside its tags: what writing tags must not change by a bit."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import IO

from mutagen.mp4._atom import Atoms

from soulspot.errors import UnreadableFile

Parts = list[tuple[int, int]]
"""(first byte, byte behind the last), ascending."""

BLOCK = 1 << 20
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_OGG_NUMBERS = (18, 26)  # of a page's header: its number and its checksum, which change when pages come or go
_MP4_KINDS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


def audio(file: IO[bytes], *, renumbered: bool = False) -> Parts:
    """The parts of an audio file that are no tags. Raises UnreadableFile when there are none.

    With `renumbered` the pages of an Ogg file are taken without their numbers and checksums."""
    size = os.fstat(file.fileno()).st_size
    start = _after_id3(file)
    head = _at(file, start, 16)
    if head[:4] == b"OggS":
        found = _ogg(file, start, size, renumbered)
    elif head[:4] == b"fLaC":
        found = [(_flac(file, start + 4, size), size)]
    elif head[4:8] in _MP4_KINDS:
        found = _mp4(file, size)
    elif head[:4] in (b"RIFF", b"FORM"):
        found = _chunks(file, size, "little" if head[:4] == b"RIFF" else "big", 4)
    elif head[:4] == b"FRM8":
        found = _chunks(file, size, "big", 8)
    elif head == _ASF_HEADER:
        found = [(int.from_bytes(_at(file, start + 16, 8), "little"), size)]
    elif head[:4] == b"DSD ":
        tags = int.from_bytes(_at(file, 20, 8), "little")
        found = [(28, tags if 28 < tags <= size else size)]
    else:
        found = [(start, _before_tail(file, start, size))]
    parts = [(first, last) for first, last in found if 0 <= first < last <= size]
    if not parts:
        raise UnreadableFile(b"", "damaged: there is no audio to be found beside the tags")
    return parts


def _at(file: IO[bytes], position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _after_id3(file: IO[bytes]) -> int:
    head = _at(file, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size  # as mutagen has it: a footer belongs to what follows


def _before_tail(file: IO[bytes], start: int, size: int) -> int:
    """Where ID3v1 and APEv2 tags begin, in whatever order they stand at the end."""
    end = size
    while True:
        if end - start >= 128 and _at(file, end - 128, 3) == b"TAG":
            end -= 128
            continue
        footer = _at(file, end - 32, 32) if end - start >= 32 else b""
        if footer[:8] != b"APETAGEX":
            return end
        length = int.from_bytes(footer[12:16], "little")
        if int.from_bytes(footer[20:24], "little") & 1 << 31:
            length += 32  # its header
        if not 32 <= length <= end - start:
            return end
        end -= length


def _flac(file: IO[bytes], position: int, size: int) -> int:
    while position + 4 <= size:
        head = _at(file, position, 4)
        position += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            return position
    return size


def pages(file: IO[bytes], position: int, size: int) -> Iterator[tuple[int, int, int]]:
    """(position, length, granule position) of each Ogg page, as long as they follow each other."""
    while position + 27 <= size:
        head = _at(file, position, 27 + 255)
        if head[:4] != b"OggS":
            return
        table = head[27 : 27 + head[26]]
        length = 27 + len(table) + sum(table)
        yield position, length, int.from_bytes(head[6:14], "little", signed=True)
        position += length


def _ogg(file: IO[bytes], start: int, size: int, renumbered: bool) -> Parts:
    """From the first page with a position in time on: before it there are headers only."""
    found: Parts = []
    first, last = _OGG_NUMBERS
    for position, length, granule in pages(file, start, size):
        if not found and granule <= 0:
            continue
        if not renumbered:
            return [(position, size)]
        found += [(position, position + first), (position + last, min(position + length, size))]
    if found and found[-1][1] < size:
        found.append((found[-1][1], size))
    return found


def _mp4(file: IO[bytes], size: int) -> Parts:
    found, position = [], 0
    while position + 8 <= size:
        head = _at(file, position, 16)
        length, begin = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, begin = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - position
        if length < begin:
            break
        if head[4:8] == b"mdat":
            found.append((position + begin, min(position + length, size)))
        position += length
    return found


def _chunks(file: IO[bytes], size: int, order: str, width: int) -> Parts:
    """Every chunk of an IFF file but its ID3 tags; their padding may come and go."""
    found, position = [], 8 + width
    while position + 4 + width <= size:
        head = _at(file, position, 4 + width)
        length = int.from_bytes(head[4:], "little" if order == "little" else "big")
        end = min(position + 4 + width + length, size)
        if head[:4] not in (b"ID3 ", b"id3 "):
            found.append((position, end))
        position = end + (length & 1)
    return found


def content(file: IO[bytes], parts: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """The bytes of these parts, in blocks."""
    for position, end in parts:
        while position < end:
            file.seek(position)  # others may read it between two blocks
            block = file.read(min(BLOCK, end - position))
            if not block:
                return
            position += len(block)
            yield block


def same(one: IO[bytes], parts: Parts, other: IO[bytes], others: Parts) -> bool:
    """Whether two files hold the same audio there."""
    if sum(end - start for start, end in parts) != sum(end - start for start, end in others):
        return False
    mine, theirs = content(one, parts), content(other, others)
    left, right = b"", b""
    while True:
        left = left or next(mine, b"")
        right = right or next(theirs, b"")
        count = min(len(left), len(right))
        if not count:
            return not left and not right
        if left[:count] != right[:count]:
            return False
        left, right = left[count:], right[count:]


def sample_positions(file: IO[bytes], parts: Parts) -> list[int]:
    """Where in the audio each chunk of an MP4 file's tables begins; [] for other formats.

    The tables hold positions in the file: when the audio moves, they must move with it."""
    if _at(file, 4, 4) not in _MP4_KINDS:
        return []
    file.seek(0)
    found, moov = [], Atoms(file)[b"moov"]
    for name, width in ((b"stco", 4), (b"co64", 8)):
        for table in moov.findall(name, True):
            data = _at(file, table.offset + 16, table.length - 16)
            places = [
                int.from_bytes(data[at : at + width], "big") for at in range(0, len(data) - width + 1, width)
            ]
            found += [_within(parts, place) for place in places]
    return found


def _within(parts: Parts, place: int) -> int:
    before = 0
    for start, end in parts:
        if start <= place < end:
            return before + place - start
        before += end - start
    return -1
