"""Open the tags of a file of any format: the choice of a sheet for what mutagen has opened."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO, Any

import mutagen
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2File
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.ogg import OggFileType
from mutagen.oggtheora import OggTheora
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE

from soulspot.tagging.formats import id3, keyed
from soulspot.tagging.formats.base import FileTags

_MAKERS: Sequence[tuple[Any, Callable[[Any, IO[bytes]], FileTags]]] = (
    ((MP3, TrueAudio, WAVE, AIFF, DSF, DSDIFF), id3.opened_as_written),
    (FLAC, lambda opened, _: keyed.FlacTags(opened)),
    (OggTheora, lambda opened, _: keyed.VorbisTags(opened)),
    (OggFileType, lambda opened, _: keyed.VorbisTags(opened)),
    (MP4, lambda opened, _: keyed.Mp4Tags(opened)),
    (ASF, lambda opened, _: keyed.AsfTags(opened)),
    (APEv2File, lambda opened, _: keyed.ApeTags(opened)),
)


def open_tags(file: IO[bytes], options: Sequence[type] | None = None, name: bytes = b"") -> FileTags | None:
    """The tags of an opened file; None for a format whose tags cannot be written. Raises what mutagen raises."""
    opened: Any = mutagen.File(file, filename=name, options=options)
    maker = next((make for kind, make in _MAKERS if isinstance(opened, kind)), None)
    return maker(opened, file) if maker else None
