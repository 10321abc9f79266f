"""Opening the tags of a file of any format: a FileTags for what mutagen has opened."""

from collections.abc import Callable, Sequence
from typing import IO, Any

from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2File
from mutagen.asf import ASF
from mutagen.dsdiff import DSDIFF
from mutagen.dsf import DSF
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.ogg import OggFileType
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE

from soulspot.library.containers import open_sound
from soulspot.tagging.formats import id3, keyed
from soulspot.tagging.formats.base import FileTags

_TAGS_OF: Sequence[tuple[Any, Callable[[Any], FileTags]]] = (
    (FLAC, keyed.FlacTags), (OggFileType, keyed.VorbisTags), (MP4, keyed.Mp4Tags), (ASF, keyed.AsfTags),
    (APEv2File, keyed.ApeTags),
)  # fmt: skip


def open_tags(file: IO[bytes], name: bytes) -> FileTags | None:
    """Return the tags of an opened file; None for a format whose tags cannot be written. `name` is
    the file's name. Raises whatever mutagen raises on a damaged file."""
    opened = open_sound(file, name)
    if isinstance(opened, (MP3, TrueAudio, WAVE, AIFF, DSF, DSDIFF)):
        return id3.open_id3(opened, file)
    return next((make(opened) for kind, make in _TAGS_OF if isinstance(opened, kind)), None)
