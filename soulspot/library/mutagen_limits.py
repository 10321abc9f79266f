"""Limits inside mutagen, for files made to exhaust whoever reads their tags; they apply only within `limited`.

mutagen has no settings for these. Seen in 1.48: zlib.decompress on ID3 frames without a bound (30 MB of each 30 kB);
the rest of an ID3 tag copied for every frame, so that 2 MB of tiny frames take hours; an APEv2 key without end joined
byte by byte; one object for each of millions of empty Vorbis comments. Real files are nowhere near the limits."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import mutagen.id3._frames
import mutagen.id3._tags
from mutagen._vorbis import VComment
from mutagen.apev2 import APEv2

from soulspot.errors import UnreadableFile

MAX_INFLATED = 32 << 20  # bytes all compressed frames of a file may unpack to
MAX_ITEMS = 20_000  # frames, comments and items a file may have
MAX_COPIED = 8 << 30  # bytes mutagen may copy while it goes from frame to frame
_MAX_APE_KEY = 255  # as the format says


class _Allowance(threading.local):
    """What the file that this thread reads may still use."""

    active = False
    items = 0
    inflated = 0


_allowance = _Allowance()


@contextmanager
def limited() -> Iterator[None]:
    """Read one file within the limits; above them, mutagen's readers raise UnreadableFile."""
    _allowance.active, _allowance.items, _allowance.inflated = True, MAX_ITEMS, MAX_INFLATED
    try:
        yield
    finally:
        _allowance.active = False


def _spend(items: int) -> None:
    _allowance.items -= items
    if _allowance.items < 0:
        raise UnreadableFile(b"", f"damaged: claims more than {MAX_ITEMS} tags")


def _decompress(data: bytes) -> bytes:
    if not _allowance.active:
        return zlib.decompress(data)
    worker = zlib.decompressobj()
    plain = worker.decompress(data, max(_allowance.inflated, 1))
    _allowance.inflated -= len(plain)
    if not worker.eof:  # mutagen leaves such a frame out, or refuses the file
        raise zlib.error("incomplete, or unpacks to more than a tag may hold")
    return plain


def _frames_within_limits(id3: Any, data: bytes, frames: Any) -> Any:
    if _allowance.active:
        counts = [_count(data, size, 10) for size in (_plain, _synchsafe)]
        if id3.version < (2, 3, 0):
            count = _count(data, _three_bytes, 6)
        elif id3.version < (2, 4, 0):
            count = counts[0]
        elif max(counts) <= MAX_ITEMS:
            count = max(counts)
        else:  # costly to find out, so only where it matters
            count = counts[_size_kind(data, frames) is not int]
        _spend(count)
    return _read_frames(id3, data, frames)


def _count(data: bytes, size: Callable[[bytes, int], int], header: int) -> int:
    """How many frames mutagen would go through; more than `MAX_ITEMS` also when they are too much to copy."""
    at = count = copied = 0
    end = len(data)
    while at + header <= end and count <= MAX_ITEMS and data[at : at + 4].strip(b"\0"):
        count += 1
        copied += end - at
        if copied > MAX_COPIED:
            return MAX_ITEMS + 1
        at += header + size(data, at)
    return count


def _plain(data: bytes, at: int) -> int:
    return int.from_bytes(data[at + 4 : at + 8], "big")


def _synchsafe(data: bytes, at: int) -> int:
    a, b, c, d = (byte & 0x7F for byte in data[at + 4 : at + 8])
    return a << 21 | b << 14 | c << 7 | d


def _three_bytes(data: bytes, at: int) -> int:
    return int.from_bytes(data[at + 3 : at + 6], "big")


def _ape_within_limits(self: APEv2, tag: bytes, count: int) -> None:
    if _allowance.active:
        at = 0
        for _ in range(count):
            if at + 8 > len(tag):
                break
            _spend(1)
            (size,) = struct.unpack_from("<I", tag, at)
            key_end = tag.find(b"\0", at + 8, at + 8 + _MAX_APE_KEY + 1)
            if key_end < 0:
                raise UnreadableFile(b"", "damaged: an APEv2 key does not end")
            at = key_end + 1 + size
    _parse_ape(self, tag, count)


def _comment_within_limits(self: list[Any], comment: Any) -> None:
    if _allowance.active:
        _spend(1)
    list.append(self, comment)


# By setattr, as to mypy these names are modules and methods that are never assigned to.
_read_frames: Callable[..., Any] = mutagen.id3._tags.read_frames
_size_kind: Callable[..., Any] = mutagen.id3._tags.determine_bpi
_parse_ape = getattr(APEv2, "_APEv2__parse_tag")  # noqa: B009 - a name of that class
for _owner, _name, _replacement in (
    (mutagen.id3._frames, "zlib", SimpleNamespace(decompress=_decompress, error=zlib.error)),
    (mutagen.id3._tags, "read_frames", _frames_within_limits),
    (APEv2, "_APEv2__parse_tag", _ape_within_limits),
    (VComment, "append", _comment_within_limits),
):
    setattr(_owner, _name, _replacement)
