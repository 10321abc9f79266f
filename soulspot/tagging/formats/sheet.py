"""One file's tags as fields to read and to set, whatever the format: what is not set stays as it was."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

from soulspot.library import values
from soulspot.tagging.formats import names as tag_names

_NUMBER = re.compile(r"\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Picture:
    """An image as tags hold it."""

    data: bytes
    mime: str


class Sheet(ABC):
    """The tags of one opened file. Values are lists of text; [] stands for a field that is not there."""

    kind: str  # the format of the tags, as people call it

    def __init__(self, file: Any) -> None:
        self.file = file

    @property
    def tags(self) -> Any:
        return self.file.tags

    def get(self, field: str) -> list[str]:
        """The values of a field, cleaned; a position without its total."""
        found = values.split(self._get(field))
        if field in tag_names.POSITIONS:
            found = [str(number) for one in found[:1] if (number := values.position(one)[0])]
        return found

    def as_kept(self, field: str, wanted: Sequence[str]) -> list[str]:
        """What `get` will say after `set` of these: some formats keep less."""
        return list(wanted)

    def set(self, field: str, wanted: Sequence[str]) -> None:
        """Put these values in place of what the field has."""
        if self.tags is None:
            self.file.add_tags()
        if field in tag_names.POSITIONS:
            total = self._total(field)
            wanted = [f"{wanted[0]}/{total}" if total else wanted[0]]
        self._set(field, wanted)

    def _total(self, field: str) -> int | None:
        """The total behind the number ("3/12"), which stays when the number changes."""
        return next((total for one in self._get(field) if (total := values.position(one)[1])), None)

    @abstractmethod
    def _get(self, field: str) -> list[str]: ...

    @abstractmethod
    def _set(self, field: str, wanted: Sequence[str]) -> None: ...

    @abstractmethod
    def names(self, field: str) -> frozenset[str]:
        """The native names that `set` of a field may touch."""

    @abstractmethod
    def everything(self) -> dict[str, str]:
        """All native tags by name, in a form to compare: what was not to be touched must be there again."""

    @abstractmethod
    def front(self) -> Picture | None:
        """The front cover in the tags."""

    @abstractmethod
    def set_front(self, picture: Picture) -> None:
        """Put this picture in place of the front cover; other pictures stay."""

    def save(self, file: IO[bytes]) -> None:
        """Write the tags into `file`, which holds what was opened."""
        file.seek(0)
        self.file.save(file)


def open_sheet(file: IO[bytes], kinds: Sequence[type] | None = None, name: bytes = b"") -> Sheet | None:
    """The tags of an opened file; None for a format whose tags cannot be written. Raises what mutagen raises."""
    opened: Any = mutagen.File(file, filename=name, options=kinds)
    maker = next((make for kind, make in _makers() if isinstance(opened, kind)), None)
    return maker(opened, file) if maker else None


def _makers() -> Sequence[tuple[Any, Callable[[Any, IO[bytes]], Sheet]]]:
    from soulspot.tagging.formats import id3 as tag_id3
    from soulspot.tagging.formats import kinds as tag_kinds

    def with_id3(opened: Any, file: IO[bytes]) -> Sheet:
        return tag_id3.opened_as_written(opened, file)

    return (
        ((MP3, TrueAudio, WAVE, AIFF, DSF, DSDIFF), with_id3),
        (FLAC, lambda opened, _: tag_kinds.FlacSheet(opened)),
        (OggTheora, lambda opened, _: tag_kinds.VorbisSheet(opened)),
        (OggFileType, lambda opened, _: tag_kinds.VorbisSheet(opened)),
        (MP4, lambda opened, _: tag_kinds.Mp4Sheet(opened)),
        (ASF, lambda opened, _: tag_kinds.AsfSheet(opened)),
        (APEv2File, lambda opened, _: tag_kinds.ApeSheet(opened)),
    )


def differs(field: str, there: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether writing `wanted` over `there` would change what is said; a date is never made less exact."""
    if list(there) == list(wanted):
        return False
    if field in tag_names.DATES and there and wanted:
        known = values.day(there[0])
        return known is None or not (known == wanted[0] or known.startswith(f"{wanted[0]}-"))
    if field in tag_names.POSITIONS and there and wanted:
        number = _NUMBER.match(there[0])
        return number is None or int(number[1]) != int(wanted[0])
    return True
