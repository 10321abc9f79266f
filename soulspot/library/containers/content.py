"""The reader of a file by its first bytes, whatever its name says."""

from typing import IO, Any

import mutagen
from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.musepack import Musepack
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggtheora import OggTheora
from mutagen.oggvorbis import OggVorbis
from mutagen.optimfrog import OptimFROG
from mutagen.tak import TAK
from mutagen.trueaudio import TrueAudio
from mutagen.wavpack import WavPack

_OGG = (OggVorbis, OggOpus, OggFLAC, OggSpeex, OggTheora)
_BY_START: dict[bytes, tuple[type, ...]] = {
    b"fLaC": (FLAC,), b"OggS": _OGG, b"TTA1": (TrueAudio,), b"wvpk": (WavPack,), b"MAC ": (MonkeysAudio,),
    b"MPCK": (Musepack,), b"OFR ": (OptimFROG,), b"tBaK": (TAK,), b"DSD ": (DSF,), b"FRM8": (DSDIFF,),
    b"\x30\x26\xb2\x75": (ASF,),
}  # fmt: skip


def open_sound(file: IO[bytes], name: bytes) -> Any:
    """Return what mutagen opens the file as: by its content, else by its name; None for neither.
    Raises whatever mutagen raises on a damaged file."""
    readers = content_reader(file)
    opened = mutagen.File(file, filename=name, options=readers)
    if opened is None and readers and len(readers) == 1:
        # the class judges by the name alone
        file.seek(0)
        return readers[0](file)
    return opened


def content_reader(file: IO[bytes]) -> tuple[type, ...] | None:
    """Return mutagen's classes that can read what the file holds; None when its first bytes do not
    tell. The position in the file is where it was."""
    before = file.tell()
    file.seek(0)
    start = file.read(12)
    if start[:3] == b"ID3":
        # what the tag stands before; several tags may follow each other
        at = 0
        while start[:3] == b"ID3" and len(start) >= 10:
            at += id3_size(start)
            file.seek(at)
            start = file.read(12)
        found = _by_start(start) or ((MP3,) if not start.strip(b"\0") else None)
    else:
        found = _by_start(start)
    file.seek(before)
    return found


def id3_size(header: bytes) -> int:
    """Return the bytes of an ID3v2 tag with this header of ten bytes, the header included."""
    size = 0
    for byte in header[6:10]:
        size = size << 7 | byte & 0x7F
    return size + 10 + (10 if header[5] & 0x10 else 0)


def _by_start(start: bytes) -> tuple[type, ...] | None:
    if start[:4] in _BY_START:
        return _BY_START[start[:4]]
    if start[4:8] == b"ftyp":
        return (MP4,)
    if start[:3] == b"MP+":
        return (Musepack,)
    if start[:2] == b"\x0b\x77":
        return (AC3,)
    if start[:1] == b"\xff" and start[1:2] >= b"\xe0":
        # an MPEG frame without a layer is AAC's
        return (MP3,) if start[1] & 0x06 else (AAC,)
    return None
