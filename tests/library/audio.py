"""Small audio files for the tests: made here from nothing, or copied from the shared data."""

from __future__ import annotations

import os
import shutil
import struct
import wave
from pathlib import Path

from soulspot.library.bounded_file import stamp_of
from soulspot.library.tags import read_file
from soulspot.models import ScannedFile, TrackTags
from tests.support.shared_data import shared


def mp3(path: Path, frames: int = 40) -> Path:
    """Write a silent MP3 of `frames` MPEG frames of 26 ms, without tags."""
    path.write_bytes((b"\xff\xfb\x90\x00" + bytes(413)) * frames)
    return path


def flac(path: Path, seconds: int = 3) -> Path:
    """Write a FLAC file that is all header: 44.1 kHz, stereo, 16 bit, `seconds` long, without
    tags."""
    packed = (44100 << 44) | (1 << 41) | (15 << 36) | (44100 * seconds)
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    path.write_bytes(b"fLaC\x80" + len(info).to_bytes(3, "big") + info)
    return path


def wav(path: Path, seconds: int = 1) -> Path:
    """Write a silent WAV file without tags."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(8000 * seconds))
    return path


def copied(name: str, folder: Path) -> Path:
    """Return a copy of one shared audio file; the test is skipped where the shared data is
    absent."""
    return Path(shutil.copy(shared("data", "audio", name), folder / Path(name).name))


def read(path: Path | bytes, **limits: int) -> ScannedFile:
    """Return one file as a scan reads it."""
    raw = os.fsencode(path)
    return read_file(raw, stamp_of(os.lstat(raw)), **limits)


def tags_of(path: Path | bytes) -> TrackTags:
    """Return the tags of a file; the test fails when the file is unreadable."""
    scanned = read(path)
    assert scanned.tags is not None, scanned.unreadable
    return scanned.tags


def reason_of(path: Path | bytes, **limits: int) -> str:
    """Return why a file is unreadable; the test fails when it has tags."""
    scanned = read(path, **limits)
    assert scanned.unreadable is not None, scanned.tags
    assert scanned.tags is None
    return scanned.unreadable


def many_genres(path: Path, count: int) -> Path:
    """Write an MP3 whose genre has `count` values: mutagen's time for them grows by the square."""
    mp3(path)
    body = b"\x03" + b"\0".join(b"g%d" % number for number in range(count))
    frame = b"TCON" + _synchsafe(len(body)) + bytes(2) + body
    path.write_bytes(b"ID3\x04\0\0" + _synchsafe(len(frame)) + frame + path.read_bytes())
    return path


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))
