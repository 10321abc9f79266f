"""The length of Ogg streams that follow each other in one file, as stream rips and `cat` make them.

Facts: RFC 3533 (pages), RFC 7845 (Opus), the Vorbis I specification, the Ogg mapping of FLAC."""

import struct
from collections.abc import Iterator
from typing import IO

_HEADER = 27  # bytes of a page before its table of segments
_MOST_PAGES = 2_000_000
_LAST_PAGE = 1 << 16  # bytes: no page is longer
_OPUS_RATE = 48_000


def chained_seconds(file: IO[bytes], size: int) -> float | None:
    """Return the length of all streams of the file together; None where there is but one after the
    other none, which mutagen reads rightly."""
    begun = _first_serials(file, size)
    last = _last_serial(file, size)
    if last is None or last in begun:
        return None
    rates: dict[int, tuple[int, int]] = {}  # serial -> samples a second, samples that are not played
    ends: dict[int, int] = {}
    for serial, is_first, granule, at, length in _pages(file, 0, size):
        if is_first:
            file.seek(at)
            if found := _rate(file.read(min(length, 64))):
                rates[serial] = found
        if granule > 0:
            ends[serial] = max(granule, ends.get(serial, 0))
    lengths = [(ends.get(serial, 0) - skipped) / rate for serial, (rate, skipped) in rates.items()]
    return sum(length for length in lengths if length > 0) or None


def _pages(file: IO[bytes], at: int, size: int) -> Iterator[tuple[int, bool, int, int, int]]:
    """Yield serial, whether a stream begins, granule, and place and length of the content."""
    for _ in range(_MOST_PAGES):
        file.seek(at)
        header = file.read(_HEADER)
        if len(header) < _HEADER or header[:4] != b"OggS":
            return
        flags, granule, serial = header[5], *struct.unpack_from("<qI", header, 6)
        table = file.read(header[26])
        content, length = at + _HEADER + len(table), sum(table)
        yield serial, bool(flags & 2), granule, content, length
        at = content + length
        if at >= size:
            return


def _first_serials(file: IO[bytes], size: int) -> set[int]:
    found = set()
    for serial, is_first, *_ in _pages(file, 0, size):
        if not is_first:
            break
        found.add(serial)
    return found


def _last_serial(file: IO[bytes], size: int) -> int | None:
    file.seek(max(size - _LAST_PAGE, 0))
    tail = file.read(_LAST_PAGE)
    at = tail.rfind(b"OggS")
    return struct.unpack_from("<I", tail, at + 14)[0] if 0 <= at <= len(tail) - _HEADER else None


def _rate(packet: bytes) -> tuple[int, int] | None:
    if packet[:7] == b"\x01vorbis" and len(packet) >= 16:
        return max(struct.unpack_from("<I", packet, 12)[0], 1), 0
    if packet[:8] == b"OpusHead" and len(packet) >= 12:
        return _OPUS_RATE, struct.unpack_from("<H", packet, 10)[0]
    if packet[:8] == b"Speex   " and len(packet) >= 40:
        return max(struct.unpack_from("<I", packet, 36)[0], 1), 0
    if packet[:5] == b"\x7fFLAC" and len(packet) >= 31:
        return max(int.from_bytes(packet[27:30], "big") >> 4, 1), 0
    return None
