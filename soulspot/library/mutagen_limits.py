"""Limits inside mutagen against files made to exhaust their reader; active only within `limited`.

mutagen has no settings for these limits, so importing this module replaces some of its functions.
Observed in mutagen 1.48: zlib.decompress on ID3 frames without a bound (30 MB of each 30 kB); the
rest of an ID3 tag copied for every frame, so that 2 MB of tiny frames take hours; an APEv2 key
without an end joined byte by byte; one object for each of millions of empty Vorbis comments.
Real files are nowhere near the limits."""

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
from mutagen.id3 import BitPaddedInt
from mutagen.mp4 import MP4MetadataError, MP4Tags

from soulspot.errors import UnreadableFile

MAX_INFLATED = 32 << 20  # bytes that all compressed frames of a file may unpack to
MAX_ITEMS = 20_000  # frames, comments and items that a file may have
MAX_COPIED = 8 << 30  # bytes that mutagen may copy while it goes from frame to frame
_MAX_APE_KEY = 255  # characters, by the APEv2 specification


class _Allowance(threading.local):
    """Items and unpacked bytes that the file read in this thread may still use."""

    active = False
    items = 0
    inflated = 0


_allowance = _Allowance()


@contextmanager
def limited() -> Iterator[None]:
    """Read one file within the limits; beyond them, mutagen's readers raise UnreadableFile."""
    _allowance.active, _allowance.items, _allowance.inflated = True, MAX_ITEMS, MAX_INFLATED
    try:
        yield
    finally:
        _allowance.active = False


def _spend_items(count: int) -> None:
    _allowance.items -= count
    if _allowance.items < 0:
        raise UnreadableFile(b"", f"damaged: claims more than {MAX_ITEMS} tags")


def _decompress(data: bytes) -> bytes:
    if not _allowance.active:
        return zlib.decompress(data)
    worker = zlib.decompressobj()
    plain = worker.decompress(data, max(_allowance.inflated, 1))
    _allowance.inflated -= len(plain)
    # On zlib.error mutagen leaves the frame out, or refuses the file.
    if not worker.eof:
        raise zlib.error("incomplete, or unpacks to more than a tag may hold")
    return plain


def _read_frames_within_limits(id3: Any, data: bytes, frames: Any) -> Any:
    if _allowance.active:
        # Some writers of ID3v2.4 use plain sizes of 8 bits a byte; the specification has 7.
        counts = [_count_frames(data, 4, bits) for bits in (8, 7)]
        if id3.version < (2, 3, 0):
            count = _count_frames(data, 3, 8)
        elif id3.version < (2, 4, 0):
            count = counts[0]
        elif max(counts) <= MAX_ITEMS:
            count = max(counts)
        else:
            # mutagen's own guess at the kind of size is costly: ask only where it matters.
            count = counts[_guess_size_kind(data, frames) is not int]
        _spend_items(count)
    return _read_frames(id3, data, frames)


def _count_frames(data: bytes, id_length: int, bits: int) -> int:
    """Return the number of frames mutagen would go through; `MAX_ITEMS` + 1 for too many.

    A frame's header has an id of 3 or 4 bytes, as many bytes for the size with `bits` used bits
    each, and from ID3v2.3 on 2 bytes of flags. Frames also count as too many when going through
    them copies more than `MAX_COPIED` bytes."""
    at = count = copied = 0
    end = len(data)
    header = 6 if id_length == 3 else 10
    while at + header <= end and count <= MAX_ITEMS and data[at : at + 4].strip(b"\0"):
        count += 1
        copied += end - at
        if copied > MAX_COPIED:
            return MAX_ITEMS + 1
        at += header + BitPaddedInt(data[at + id_length : at + 2 * id_length], bits)
    return count


def _parse_ape_within_limits(self: APEv2, tag: bytes, count: int) -> None:
    if _allowance.active:
        at = 0
        for _ in range(count):
            if at + 8 > len(tag):
                break
            _spend_items(1)
            (size,) = struct.unpack_from("<I", tag, at)
            key_end = tag.find(b"\0", at + 8, at + 8 + _MAX_APE_KEY + 1)
            if key_end < 0:
                raise UnreadableFile(b"", "damaged: an APEv2 key does not end")
            at = key_end + 1 + size
    _parse_ape(self, tag, count)


def _append_comment_within_limits(self: list[Any], comment: Any) -> None:
    if _allowance.active:
        _spend_items(1)
    list.append(self, comment)


def _one_atom_alone(parse: Callable[..., Any]) -> Callable[..., Any]:
    """Return a parser of one MP4 atom whose failures cost that atom: mutagen keeps it aside, and
    writes it back as it was."""

    def parsed(self: MP4Tags, atom: Any, data: bytes, *more: Any) -> Any:
        try:
            return parse(self, atom, data, *more)
        except (struct.error, LookupError, ValueError, TypeError) as error:
            raise MP4MetadataError(str(error)) from error

    return parsed


_read_frames: Callable[..., Any] = mutagen.id3._tags.read_frames
_guess_size_kind: Callable[..., Any] = mutagen.id3._tags.determine_bpi
_parse_ape = getattr(APEv2, "_APEv2__parse_tag")  # noqa: B009 - a private name of that class
_atoms: dict[bytes, Any] = getattr(MP4Tags, "_MP4Tags__atoms")  # noqa: B009 - as above
for _atom, (_parse, *_rest) in list(_atoms.items()):
    _atoms[_atom] = (_one_atom_alone(_parse), *_rest)
# By setattr, because mypy takes these names for modules and methods that are never assigned to.
for _owner, _name, _replacement in (
    (mutagen.id3._frames, "zlib", SimpleNamespace(decompress=_decompress, error=zlib.error)),
    (mutagen.id3._tags, "read_frames", _read_frames_within_limits),
    (APEv2, "_APEv2__parse_tag", _parse_ape_within_limits),
    (VComment, "append", _append_comment_within_limits),
):
    setattr(_owner, _name, _replacement)
