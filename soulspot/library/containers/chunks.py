"""WAV, RF64 and AIFF: chunks one after the other, some of them tags.

mutagen reads an ID3 chunk alone, and stops at the first chunk with an odd name. Recorders, ffmpeg
and Audacity write LIST/INFO (WAV) and NAME, AUTH (AIFF). Facts: Microsoft's "Multimedia Programming
Interface" of 1991, EBU Tech 3306 for RF64, and Apple's AIFF-C draft of 1991."""

import io
import struct
from collections.abc import Iterator
from typing import IO

from mutagen import MutagenError
from mutagen.id3 import ID3

from soulspot.errors import UnreadableFile
from soulspot.library.fields import RawFields, collect_fields

_FORMS = {b"RIFF": (b"WAVE",), b"RF64": (b"WAVE",), b"BW64": (b"WAVE",), b"FORM": (b"AIFF", b"AIFC")}
_MOST_CHUNKS = 10_000
_UNKNOWN = 0xFFFFFFFF  # the size of a chunk whose size stands in `ds64`, or of a stream
_TEXT = 1 << 16  # bytes of a text chunk that are read
_INFO = {
    b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"ITRK": "track", b"IPRT": "track", b"TRCK": "track",
    b"ICRD": "date", b"IGNR": "genre", b"ISRC": "link", b"ICMT": "link",
}  # fmt: skip
_SOUND = (b"ds64", b"fmt ", b"fact", b"data", b"COMM", b"SSND")
_AIFF = {b"NAME": "title", b"AUTH": "artist", b"ANNO": "link"}

Chunk = tuple[bytes, int, int]  # name, first byte of the content, its size


def is_chunked(start: bytes) -> bool:
    """Whether a file with these first 12 bytes is WAV, RF64 or AIFF."""
    return start[8:12] in _FORMS.get(start[:4], ())


def read_chunks(file: IO[bytes], size: int) -> tuple[RawFields, float | None]:
    """Return the tags of a file of `size` bytes, those of an ID3 chunk first, and its length in
    seconds, None where it does not say. Raises UnreadableFile when the file has no sound."""
    file.seek(0)
    start = file.read(12)
    order = ">" if start[:4] == b"FORM" else "<"
    tagged: RawFields = {}
    plain: RawFields = {}
    sound = _Sound()
    for name, at, length in _walk(file, order, 12, size, sound):
        if name in (b"id3 ", b"ID3 ") and not tagged:
            tagged = _id3(_read(file, at, min(length, size - at)))
        elif name == b"LIST" and _read(file, at, 4) == b"INFO":
            for part, place, count in _walk(file, order, at + 4, min(at + length, size)):
                _put(plain, _INFO.get(part), _read(file, place, min(count, _TEXT)))
        elif name in _AIFF and order == ">":
            _put(plain, _AIFF[name], _read(file, at, min(length, _TEXT)))
        elif name in _SOUND:
            sound.take(name, _read(file, at, 28).ljust(28, b"\0"), length, size - at)
    if not sound.is_there:
        raise UnreadableFile(b"", "damaged: there is no sound in it")
    return {**plain, **tagged}, sound.seconds or None


class _Sound:
    """The length of the sound, from the chunks that are about it."""

    def __init__(self) -> None:
        self.is_there = False
        self.seconds = 0.0
        self._byte_rate = self._samples = 0
        self._sample_rate = self.data = 0  # bytes of `data` in an RF64 file

    def take(self, name: bytes, content: bytes, length: int, left: int) -> None:
        """Take a chunk with these first bytes, of `length` bytes, of which the file has `left`."""
        if name == b"ds64":
            (self.data,) = struct.unpack_from("<Q", content, 8)
        elif name == b"fmt ":
            self._sample_rate, self._byte_rate = struct.unpack_from("<II", content, 4)
        elif name == b"fact":
            (self._samples,) = struct.unpack_from("<I", content)
        elif name == b"COMM":
            self.seconds = _aiff_seconds(content)
        else:
            self.is_there = True
            there = min(self.data if length == _UNKNOWN and self.data else length, left)
            if name == b"data" and self._byte_rate:
                self.seconds = there / self._byte_rate
            elif name == b"data" and self._sample_rate:
                self.seconds = self._samples / self._sample_rate  # of a compressed kind, at no fixed rate


def _walk(file: IO[bytes], order: str, at: int, end: int, sound: _Sound | None = None) -> Iterator[Chunk]:
    for _ in range(_MOST_CHUNKS):
        if at + 8 > end:
            return
        name, length = struct.unpack(f"{order}4sI", _read(file, at, 8))
        yield name, at + 8, length
        if sound and length == _UNKNOWN:
            length = sound.data  # tags may follow
        at += 8 + length
        # an odd chunk is filled up with a byte, which some writers forget
        if length % 2 and not _read(file, at, 4).isalnum():
            at += 1


def _read(file: IO[bytes], at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _put(raw: RawFields, field: str | None, value: bytes) -> None:
    if field is None or not (text := _text(value)):
        return
    raw.setdefault(field, []).append(text)


def _text(value: bytes) -> str:
    value = value.split(b"\0", 1)[0]
    try:
        return value.decode("utf-8").strip()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace").strip()


def _id3(data: bytes) -> RawFields:
    try:
        return collect_fields(ID3(io.BytesIO(data)))
    except MutagenError:
        return {}


def _aiff_seconds(comm: bytes) -> float:
    (frames,) = struct.unpack_from(">I", comm, 2)
    exponent, mantissa = struct.unpack_from(">HQ", comm, 8)
    rate = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63) if mantissa else 0.0
    return float(frames / rate) if rate >= 1 else 0.0
