"""The way back: bytes from which a file can be restored to the bit after its tags were written.

A way back is small. It holds the old file's bytes beside its audio, except for large pieces, such
as a picture, that are among the new tags too: these and the audio come from the present file."""

import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from typing import IO, Any

from soulspot.errors import SoulSpotError
from soulspot.tagging import audio_layout

PIECE = 1024  # bytes of the old tags that are worth finding among the new ones
_ANCHOR = 48  # bytes at the beginning of a piece by which it is found again
_MOST_SEARCHES = 2000
_VERSION = b"\x01"


class CannotRestore(SoulSpotError):
    """The file cannot be restored; the message says why."""


def make_way_back(old: IO[bytes], new: IO[bytes]) -> bytes:
    """Return the bytes by which `restore` makes `old` out of `new`. Raises CannotRestore when the
    two do not have the same audio, bit by bit."""
    # Tags of another length can renumber the pages of an Ogg file, which does not change its audio.
    for renumbered in (False, True):
        parts, new_parts = (audio_layout.audio_parts(file, without_ogg_numbers=renumbered) for file in (old, new))
        if audio_layout.is_same_audio(old, parts, new, new_parts):
            if audio_layout.sample_positions(old, parts) != audio_layout.sample_positions(new, new_parts):
                raise CannotRestore("its audio would not be found where its tables say")
            return _pack(_steps(old, parts, _beside_audio(new, new_parts)), renumbered)
    raise CannotRestore("writing its tags would change its audio")


def _with_gaps(file: IO[bytes], parts: audio_layout.Parts) -> Iterator[tuple[bool, int, int]]:
    """Yield (is audio, start, end) of the whole file, in order."""
    size = os.fstat(file.fileno()).st_size
    position = 0
    for start, end in [*parts, (size, size)]:
        if position < start:
            yield False, position, start
        if start < end:
            yield True, start, end
        position = end


def _beside_audio(file: IO[bytes], parts: audio_layout.Parts) -> bytes:
    gaps = ((start, end) for is_audio, start, end in _with_gaps(file, parts) if not is_audio)
    return b"".join(audio_layout.read_parts(file, gaps))


def _steps(old: IO[bytes], parts: audio_layout.Parts, new_tags: bytes) -> Iterator[list[Any]]:
    for is_audio, start, end in _with_gaps(old, parts):
        if is_audio:
            yield ["audio", end - start]
        else:
            yield from _pieces(b"".join(audio_layout.read_parts(old, [(start, end)])), new_tags)


def _pieces(data: bytes, new_tags: bytes) -> Iterator[list[Any]]:
    """Yield `data` as bytes to keep, and as pieces that `new_tags` has too."""
    kept = at = 0
    stride = max(PIECE // 2, len(data) // _MOST_SEARCHES)
    while at + _ANCHOR <= len(data):
        found = new_tags.find(data[at : at + _ANCHOR]) if len(data) - kept >= PIECE else -1
        if found < 0:
            at += stride
            continue
        start, new_start = at, found
        while start > kept and new_start > 0 and data[start - 1] == new_tags[new_start - 1]:
            start, new_start = start - 1, new_start - 1
        length = _common_length(data, start, new_tags, new_start)
        piece = data[start : start + length]
        # The piece is too small, or its anchor would find another place.
        if length < PIECE or new_tags.find(piece[:_ANCHOR]) != new_start:
            at += stride
            continue
        if kept < start:
            yield ["kept", data[kept:start]]
        yield ["piece", length, piece[:_ANCHOR].hex(), hashlib.sha256(piece).hexdigest()]
        kept = at = start + length
    if kept < len(data):
        yield ["kept", data[kept:]]


def _common_length(one: bytes, at: int, other: bytes, other_at: int) -> int:
    low, high = 0, min(len(one) - at, len(other) - other_at)
    while low < high:
        middle = (low + high + 1) // 2
        if one[at + low : at + middle] == other[other_at + low : other_at + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _pack(steps: Iterator[list[Any]], renumbered: bool) -> bytes:
    plan, kept = [], bytearray()
    for step in steps:
        if step[0] == "kept":
            kept += step[1]
            step = ["kept", len(step[1])]
        plan.append(step)
    header = json.dumps({"renumbered": renumbered, "steps": plan}).encode()
    return _VERSION + zlib.compress(len(header).to_bytes(4, "big") + header + kept, 9)


def restore(way_back: bytes, present: IO[bytes], out: IO[bytes]) -> str:
    """Write the old file into `out`; return its SHA-256. The tags of `present` may have been
    changed again, as long as its audio is the same. Raises CannotRestore when it lacks a piece."""
    # The version is the first byte, outside the compressed part.
    if way_back[:1] != _VERSION:
        raise CannotRestore("another version of SoulSpot wrote its tags")
    plain = zlib.decompress(way_back[1:])
    length = int.from_bytes(plain[:4], "big")
    plan, at = json.loads(plain[4 : 4 + length]), 4 + length
    parts = audio_layout.audio_parts(present, without_ogg_numbers=plan["renumbered"])
    audio = audio_layout.Portions(audio_layout.read_parts(present, parts))
    beside: bytes | None = None
    digest = hashlib.sha256()

    def put(data: bytes) -> None:
        digest.update(data)
        out.write(data)

    for name, count, *more in plan["steps"]:
        if name == "kept":
            put(plain[at : at + count])
            at += count
        elif name == "audio":
            try:
                for block in audio.take(count):
                    put(block)
            except EOFError:
                raise CannotRestore("its audio is not the one whose tags were written") from None
        else:
            if beside is None:
                beside = _beside_audio(present, parts)
            put(_find_piece(beside, count, *more))
    return digest.hexdigest()


def _find_piece(tags: bytes, length: int, anchor: str, digest: str) -> bytes:
    start = -1
    while (start := tags.find(bytes.fromhex(anchor), start + 1)) >= 0:
        piece = tags[start : start + length]
        if hashlib.sha256(piece).hexdigest() == digest:
            return piece
    raise CannotRestore("something large among its old tags, a picture most likely, is no longer in it")
