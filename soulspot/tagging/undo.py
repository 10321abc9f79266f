"""The way back from a file to what it was before its tags were written: bit by bit, and small.

It holds what the old file had beside its audio. Audio is taken from the present file, and so are large pieces that are
still among its tags, such as a picture."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from typing import IO, Any

from soulspot.errors import SoulSpotError
from soulspot.tagging import audio_layout

PIECE = 1024  # bytes of the old tags that are worth looking for in the new ones
_ANCHOR = 48  # bytes that a piece is found again by
_MOST_LOOKS = 2000
_VERSION = b"\x01"


class NoWayBack(SoulSpotError):
    """The file cannot be made what it was; the message says why."""


def way_back(old: IO[bytes], new: IO[bytes]) -> bytes:
    """How to make `old` out of `new`. Raises NoWayBack when their audio is not the same, bit by bit."""
    for renumbered in (False, True):
        parts, others = (audio_layout.audio(file, renumbered=renumbered) for file in (old, new))
        if audio_layout.same(old, parts, new, others):
            if audio_layout.sample_positions(old, parts) != audio_layout.sample_positions(new, others):
                raise NoWayBack("its audio would not be found where its tables say")
            return _packed(_steps(old, parts, _beside(new, others)), renumbered)
    raise NoWayBack("writing its tags would change its audio")


def _beside(file: IO[bytes], parts: audio_layout.Parts) -> bytes:
    """What a file has beside its audio."""
    return b"".join(audio_layout.content(file, _gaps(file, parts)))


def _gaps(file: IO[bytes], parts: audio_layout.Parts) -> Iterator[tuple[int, int]]:
    position = 0
    for start, end in [*parts, (size := os.fstat(file.fileno()).st_size, size)]:
        if position < start:
            yield position, start
        position = end


def _steps(old: IO[bytes], parts: audio_layout.Parts, there: bytes) -> Iterator[list[Any]]:
    position = 0
    for start, end in [*parts, (size := os.fstat(old.fileno()).st_size, size)]:
        if position < start:
            yield from _pieces(b"".join(audio_layout.content(old, [(position, start)])), there)
        if start < end:
            yield ["audio", end - start]
        position = end


def _pieces(data: bytes, there: bytes) -> Iterator[list[Any]]:
    """`data` as bytes to keep and pieces that are `there` too."""
    kept = at = 0
    step = max(PIECE // 2, len(data) // _MOST_LOOKS)
    while at + _ANCHOR <= len(data):
        found = there.find(data[at : at + _ANCHOR]) if len(data) - kept >= PIECE else -1
        if found < 0:
            at += step
            continue
        start, from_ = at, found
        while start > kept and from_ > 0 and data[start - 1] == there[from_ - 1]:
            start, from_ = start - 1, from_ - 1
        length = _equal(data, start, there, from_)
        piece = data[start : start + length]
        if (
            length < PIECE or there.find(piece[:_ANCHOR]) != from_
        ):  # too small, or not to be found again by this
            at += step
            continue
        if kept < start:
            yield ["kept", data[kept:start]]
        yield ["piece", length, piece[:_ANCHOR].hex(), hashlib.sha256(piece).hexdigest()]
        kept = at = start + length
    if kept < len(data):
        yield ["kept", data[kept:]]


def _equal(one: bytes, at: int, other: bytes, from_: int) -> int:
    """For how many bytes two texts agree from here on."""
    low, high = 0, min(len(one) - at, len(other) - from_)
    while low < high:
        middle = (low + high + 1) // 2
        if one[at + low : at + middle] == other[from_ + low : from_ + middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _packed(steps: Iterator[list[Any]], renumbered: bool) -> bytes:
    plan, kept = [], bytearray()
    for step in steps:
        if step[0] == "kept":
            kept += step[1]
            step = ["kept", len(step[1])]
        plan.append(step)
    said = json.dumps({"renumbered": renumbered, "steps": plan}).encode()
    return _VERSION + zlib.compress(len(said).to_bytes(4, "big") + said + kept, 9)


def go_back(way: bytes, present: IO[bytes], out: IO[bytes]) -> str:
    """Write the old file into `out`; returns its SHA-256. Raises NoWayBack when `present` lacks what it takes.

    The tags of `present` may be others than those that were written, as long as its audio is the same."""
    if way[:1] != _VERSION:
        raise NoWayBack("another version of SoulSpot wrote its tags")
    plain = zlib.decompress(way[1:])
    length = int.from_bytes(plain[:4], "big")
    plan, at = json.loads(plain[4 : 4 + length]), 4 + length
    parts = audio_layout.audio(present, renumbered=plan["renumbered"])
    audio = _Stream(audio_layout.content(present, parts))
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
            for block in audio.take(count):
                put(block)
        else:
            if beside is None:
                beside = _beside(present, parts)
            put(_piece(beside, count, *more))
    return digest.hexdigest()


def _piece(there: bytes, length: int, anchor: str, digest: str) -> bytes:
    start = -1
    while (start := there.find(bytes.fromhex(anchor), start + 1)) >= 0:
        piece = there[start : start + length]
        if hashlib.sha256(piece).hexdigest() == digest:
            return piece
    raise NoWayBack("something large among its old tags, a picture most likely, is no longer in it")


class _Stream:
    """Blocks, taken in other portions than they come in."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = b""

    def take(self, count: int) -> Iterator[bytes]:
        while count:
            if not self._rest:
                self._rest = next(self._blocks, b"")
            if not self._rest:
                raise NoWayBack("its audio is not the one whose tags were written")
            block, self._rest = self._rest[:count], self._rest[count:]
            count -= len(block)
            yield block
