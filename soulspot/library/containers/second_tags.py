"""Tags in a second place: mutagen reads the first of a kind, but another may have the names."""

import io
import struct
from collections.abc import Iterator
from typing import IO, Any

import mutagen
from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC
from mutagen.id3 import ID3
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.trueaudio import TrueAudio

from soulspot.library.containers.content import id3_size
from soulspot.library.fields import RawFields, collect_fields

# mutagen's classes for these know ID3 or no tags at all, but taggers also write APEv2 at the end.
_ALSO_APE = (MP3, AAC, AC3, TrueAudio)
_MOST_TAGS = 8  # ID3v2 tags in a row
_TAIL = 1 << 18  # bytes before the end in which a trailing ID3v2 tag is looked for
_COMMENTS = 4  # the code of a FLAC block of Vorbis comments
_ATOMS = {"\xa9nam": "title", "\xa9ART": "artist", "aART": "album_artist", "\xa9alb": "album"}
_UTF16 = 2  # the type of an atom's text


def second_tags(opened: Any, file: IO[bytes]) -> Iterator[RawFields]:
    """Yield the fields of each further tag of a file that mutagen has opened, where a program may
    have written some fields to it alone; what comes first counts more."""
    if isinstance(opened, FLAC):
        blocks = (block for block in opened.metadata_blocks if block.code == _COMMENTS and block is not opened.tags)
        yield from map(collect_fields, blocks)
    elif isinstance(opened, MP4):
        yield _undecoded_atoms(opened)
    elif isinstance(opened, _ALSO_APE):
        yield from _ape(file)


def hidden_tags(opened: Any, file: IO[bytes], size: int) -> Iterator[RawFields]:
    """Yield the fields of ID3v2 tags in odd places of a file of `size` bytes: before fLaC, behind
    another ID3v2 tag, at the end. To look there takes longer, so ask only where names are
    missing."""
    if isinstance(opened, FLAC):
        yield from _leading_id3(file, size, skip=0)
    elif isinstance(opened, _ALSO_APE):
        yield from _leading_id3(file, size, skip=1 if isinstance(opened.tags, ID3) else 0)
        yield from _trailing_id3(file, size)


def _ape(file: IO[bytes]) -> Iterator[RawFields]:
    file.seek(0)
    try:
        yield collect_fields(APEv2(file))
    except mutagen.MutagenError:
        return  # no APEv2 tag, or a damaged one


def _leading_id3(file: IO[bytes], size: int, *, skip: int) -> Iterator[RawFields]:
    at = 0
    for number in range(_MOST_TAGS):
        file.seek(at)
        header = file.read(10)
        if header[:3] != b"ID3" or len(header) < 10:
            return
        length = id3_size(header)
        if number >= skip:
            yield from _id3(file, at, min(length, size - at))
        at += length


def _trailing_id3(file: IO[bytes], size: int) -> Iterator[RawFields]:
    """Yield the tag that begins near the end and reaches to it, or to an ID3v1 tag there."""
    start = max(size - _TAIL, 0)
    file.seek(start)
    tail = file.read(size - start)
    ends = {len(tail)}
    if tail[-128:-125] == b"TAG":
        ends.add(len(tail) - 128)
    at = tail.rfind(b"ID3")
    while at > 0:
        if len(tail) - at >= 10 and at + id3_size(tail[at : at + 10]) in ends:
            yield from _id3(file, start + at, id3_size(tail[at : at + 10]))
            return
        at = tail.rfind(b"ID3", 0, at)


def _id3(file: IO[bytes], at: int, length: int) -> Iterator[RawFields]:
    file.seek(at)
    try:
        yield collect_fields(ID3(io.BytesIO(file.read(length))))
    except mutagen.MutagenError:
        return


def _undecoded_atoms(opened: MP4) -> RawFields:
    """Return the names in atoms that are not in UTF-8, which mutagen puts aside."""
    raw: RawFields = {}
    for name, several in getattr(opened.tags, "_failed_atoms", {}).items():
        for data in several if name in _ATOMS else ():
            if len(data) > 16 and data[4:8] == b"data":
                (kind,) = struct.unpack_from(">I", data, 8)
                text = data[16:].decode("utf-16-be" if kind == _UTF16 else "cp1252", "replace")
                raw.setdefault(_ATOMS[name], []).append(text)
    return raw
