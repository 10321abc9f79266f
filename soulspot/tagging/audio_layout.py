"""Position of the audio in a file, beside its tags: the bytes that writing tags must keep."""

import os
from collections.abc import Iterable, Iterator
from typing import IO

from mutagen.mp4._atom import Atoms

from soulspot.errors import UnreadableFile

Parts = list[tuple[int, int]]
"""(first byte, byte behind the last) of each part of a file, ascending."""
BLOCK = 1 << 20
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
# Bytes of an Ogg page's header: number and checksum, which change when pages come or go.
_OGG_NUMBERS = (18, 26)
_MP4_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


def audio_parts(file: IO[bytes], *, without_ogg_numbers: bool = False) -> Parts:
    """Return the parts of an audio file that are no tags. Raises UnreadableFile when there are
    none. `without_ogg_numbers` leaves out the numbers and checksums of an Ogg file's pages."""
    size = os.fstat(file.fileno()).st_size
    start = _end_of_id3(file)
    head = _read_at(file, start, 16)
    if head[:4] == b"OggS":
        found = _ogg(file, start, size, without_ogg_numbers)
    elif head[:4] == b"fLaC":
        found = [(_end_of_flac_blocks(file, start + 4, size), size)]
    elif head[4:8] in _MP4_ATOMS:
        found = _mp4(file, size)
    elif head[:4] in (b"RIFF", b"FORM"):
        found = _iff_chunks(file, size, "little" if head[:4] == b"RIFF" else "big", 4)
    elif head[:4] == b"FRM8":
        found = _iff_chunks(file, size, "big", 8)
    elif head == _ASF_HEADER:
        found = [(int.from_bytes(_read_at(file, start + 16, 8), "little"), size)]
    elif head[:4] == b"DSD ":
        tags = int.from_bytes(_read_at(file, 20, 8), "little")
        found = [(28, tags if 28 < tags <= size else size)]
    else:
        found = [(start, _start_of_tail_tags(file, start, size))]
    parts = [(first, last) for first, last in found if 0 <= first < last <= size]
    if not parts:
        raise UnreadableFile(b"", "damaged: there is no audio to be found beside the tags")
    return parts


def _read_at(file: IO[bytes], position: int, count: int) -> bytes:
    file.seek(position)
    return file.read(count)


def _end_of_id3(file: IO[bytes]) -> int:
    head = _read_at(file, 0, 10)
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    # mutagen takes a footer for a part of what follows, too.
    return 10 + size


def _start_of_tail_tags(file: IO[bytes], start: int, size: int) -> int:
    """Return where the ID3v1 and APEv2 tags at the end of a file begin, in whatever order."""
    end = size
    while True:
        if end - start >= 128 and _read_at(file, end - 128, 3) == b"TAG":
            end -= 128
            continue
        footer = _read_at(file, end - 32, 32) if end - start >= 32 else b""
        if footer[:8] != b"APETAGEX":
            return end
        length = int.from_bytes(footer[12:16], "little")
        # The length does not count the header, which is optional.
        if int.from_bytes(footer[20:24], "little") & 1 << 31:
            length += 32
        if not 32 <= length <= end - start:
            return end
        end -= length


def _end_of_flac_blocks(file: IO[bytes], position: int, size: int) -> int:
    while position + 4 <= size:
        head = _read_at(file, position, 4)
        position += 4 + int.from_bytes(head[1:], "big")
        if head[0] & 0x80:
            return position
    return size


def ogg_pages(file: IO[bytes], position: int, size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (position, length, granule position) of each Ogg page, while one follows another."""
    while position + 27 <= size:
        head = _read_at(file, position, 27 + 255)
        if head[:4] != b"OggS":
            return
        table = head[27 : 27 + head[26]]
        length = 27 + len(table) + sum(table)
        yield position, length, int.from_bytes(head[6:14], "little", signed=True)
        position += length


def _ogg(file: IO[bytes], start: int, size: int, without_numbers: bool) -> Parts:
    found: Parts = []
    first, last = _OGG_NUMBERS
    for position, length, granule in ogg_pages(file, start, size):
        # Pages before the first one with a position in time are headers.
        if not found and granule <= 0:
            continue
        if not without_numbers:
            return [(position, size)]
        found += [(position, position + first), (position + last, min(position + length, size))]
    if found and found[-1][1] < size:
        found.append((found[-1][1], size))
    return found


def _mp4(file: IO[bytes], size: int) -> Parts:
    found, position = [], 0
    while position + 8 <= size:
        head = _read_at(file, position, 16)
        length, header = int.from_bytes(head[:4], "big"), 8
        # Length 1 means that 64 bits follow, length 0 that the atom goes on to the end.
        if length == 1:
            length, header = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - position
        if length < header:
            break
        if head[4:8] == b"mdat":
            found.append((position + header, min(position + length, size)))
        position += length
    return found


def _iff_chunks(file: IO[bytes], size: int, order: str, width: int) -> Parts:
    """Return every chunk of an IFF file but its ID3 tags, without padding, which may come and go.
    `order` is the byte order of a chunk's length, `width` its number of bytes."""
    found, position = [], 8 + width
    while position + 4 + width <= size:
        head = _read_at(file, position, 4 + width)
        length = int.from_bytes(head[4:], "little" if order == "little" else "big")
        end = min(position + 4 + width + length, size)
        if head[:4] not in (b"ID3 ", b"id3 "):
            found.append((position, end))
        position = end + (length & 1)
    return found


def read_parts(file: IO[bytes], parts: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    for position, end in parts:
        while position < end:
            # The file may be read elsewhere between two blocks.
            file.seek(position)
            block = file.read(min(BLOCK, end - position))
            if not block:
                return
            position += len(block)
            yield block


class Portions:
    """A stream of blocks, taken in portions of other sizes."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def take(self, count: int) -> Iterator[bytes]:
        """Yield the next `count` bytes in blocks. Raises EOFError when the stream ends before."""
        while count:
            self._rest = self._rest or next(self._blocks, b"")
            if not self._rest:
                raise EOFError
            block, self._rest = self._rest[:count], self._rest[count:]
            count -= len(block)
            yield block


def is_same_audio(one: IO[bytes], parts: Parts, other: IO[bytes], other_parts: Parts) -> bool:
    """Whether the parts of two files hold the same bytes, however these are divided into parts."""
    if sum(end - start for start, end in parts) != sum(end - start for start, end in other_parts):
        return False
    others = Portions(read_parts(other, other_parts))
    return all(block == b"".join(others.take(len(block))) for block in read_parts(one, parts))


def sample_positions(file: IO[bytes], parts: Parts) -> list[int]:
    """Return where in the audio each chunk of an MP4 file's tables begins; [] for other formats.
    The tables hold positions in the file: when the audio moves, they must move with it. -1 stands
    for a position outside the audio."""
    if _read_at(file, 4, 4) not in _MP4_ATOMS:
        return []
    file.seek(0)
    found, moov = [], Atoms(file)[b"moov"]
    for name, width in ((b"stco", 4), (b"co64", 8)):
        for table in moov.findall(name, True):
            data = _read_at(file, table.offset + 16, table.length - 16)
            for at in range(0, len(data) - width + 1, width):
                found.append(_position_in(parts, int.from_bytes(data[at : at + width], "big")))
    return found


def _position_in(parts: Parts, position: int) -> int:
    before = 0
    for start, end in parts:
        if start <= position < end:
            return before + position - start
        before += end - start
    return -1
