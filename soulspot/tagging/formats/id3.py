"""ID3 tags: a 2.3 tag stays 2.3 (UTF-16, TYER and TDAT, joined lists), any other becomes 2.4."""

import os
from collections.abc import Sequence
from functools import partial
from typing import IO, Any

from mutagen.id3 import APIC, TXXX, UFID, Encoding, Frames, ID3FileType, ID3v1SaveOptions, PictureType
from mutagen.id3._id3v1 import find_id3v1

from soulspot.library import values
from soulspot.library.values import plain_key
from soulspot.tagging.formats.base import FileTags, Picture
from soulspot.tagging.formats.names import COVER, ID3_FRAMES, ID3_FREE, ID3_RECORDING_OWNER

# The native names that a field of an ID3v2.3 tag may touch, where its dates stand in pieces.
_V23_DATES = {
    "original_date": frozenset({"TORY", "TDOR"}),
    "release_date": frozenset({"TYER", "TDAT", "TIME", "TRDA", "TDRC"}),
}


def open_id3(opened: Any, file: IO[bytes]) -> FileTags:
    if opened.tags is not None and opened.tags.version == (2, 3, 0):
        # Unless told not to, mutagen makes 2.4 of a 2.3 tag and loses frames on the way back.
        file.seek(0)
        return Id3v23Tags(type(opened)(file, translate=False))
    return Id3v24Tags(opened)


class _Id3Tags(FileTags):
    encoding: int
    version: int

    def _frames(self, name: str) -> list[Any]:
        return self.tags.getall(name) if self.tags is not None else []

    def _texts(self, name: str) -> list[str]:
        return [str(text) for frame in self._frames(name) for text in frame.text]

    def _get(self, field: str) -> list[str]:
        if field == "mb_recording_id":
            return [frame.data.decode("ascii", "replace") for frame in self._recording_frames()]
        if field in ID3_FREE:
            return [str(text) for frame in self._free_frames(field) for text in frame.text]
        return self._get_text(field)

    def _get_text(self, field: str) -> list[str]:
        if field == "genres":
            return [genre for frame in self._frames("TCON") for genre in frame.genres]
        return self._texts(ID3_FRAMES[field])

    def _recording_frames(self) -> list[Any]:
        return [frame for frame in self._frames("UFID") if frame.owner.rstrip("/") == ID3_RECORDING_OWNER]

    def _free_frames(self, field: str) -> list[Any]:
        wanted = plain_key(ID3_FREE[field])
        return [frame for frame in self._frames("TXXX") if plain_key(frame.desc) == wanted]

    def _front_frames(self) -> list[Any]:
        return [frame for frame in self._frames("APIC") if frame.type == PictureType.COVER_FRONT]

    def _exchange(self, old: list[Any], new: Any) -> None:
        for frame in old:
            del self.tags[frame.HashKey]
        self.tags.add(new)

    def _set(self, field: str, wanted: Sequence[str]) -> None:
        if field == "mb_recording_id":
            recording = UFID(owner=ID3_RECORDING_OWNER, data=wanted[0].encode("ascii"))
            self._exchange(self._recording_frames(), recording)
        elif field in ID3_FREE:
            new = TXXX(encoding=self.encoding, desc=ID3_FREE[field], text=list(wanted))
            self._exchange(self._free_frames(field), new)
        else:
            self._set_text(field, wanted)

    def _set_text(self, field: str, wanted: Sequence[str]) -> None:
        self._put(ID3_FRAMES[field], wanted)

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags.setall(name, [Frames[name](encoding=self.encoding, text=list(wanted))])

    def native_names(self, field: str) -> frozenset[str]:
        if field == COVER:
            return frozenset(frame.HashKey for frame in self._front_frames()) | {"APIC:"}
        if field == "mb_recording_id":
            return frozenset({f"UFID:{ID3_RECORDING_OWNER}", f"UFID:{ID3_RECORDING_OWNER}/"})
        if field in ID3_FREE:
            return frozenset(frame.HashKey for frame in self._free_frames(field)) | {f"TXXX:{ID3_FREE[field]}"}
        return frozenset({ID3_FRAMES[field]})

    def native_tags(self) -> dict[str, str]:
        if self.tags is None:
            return {}
        found = {frame.HashKey: _comparable(frame) for frame in self.tags.values()}
        return found | {f"unknown {n}": repr(data) for n, data in enumerate(self.tags.unknown_frames)}

    def front(self) -> Picture | None:
        return next((Picture(frame.data, frame.mime) for frame in self._front_frames() if frame.data), None)

    def _set_front(self, picture: Picture) -> None:
        cover: Any = APIC(
            encoding=Encoding.LATIN1, mime=picture.mime, type=PictureType.COVER_FRONT, desc="", data=picture.data
        )  # fmt: skip
        old = self._front_frames()
        others = {frame.HashKey for frame in self._frames("APIC")} - {frame.HashKey for frame in old}
        # Descriptions are unique in a tag: another picture may have none, too.
        while cover.HashKey in others:
            cover.desc += " "
        self._exchange(old, cover)

    def save(self, file: IO[bytes]) -> None:
        # Without a separator mutagen leaves the lists alone that other taggers joined.
        save = partial(self.tags.save, v2_version=self.version, v23_sep=None)
        if not isinstance(self.file, ID3FileType):
            file.seek(0)
            save(file)
            return
        # mutagen would write an ID3v1 tag anew, in Latin-1 and without its comment: its bytes are
        # taken away for a moment.
        _, distance = find_id3v1(file)
        file.seek(distance, os.SEEK_END)
        tail = file.read()
        file.seek(0)
        save(file, v1=ID3v1SaveOptions.REMOVE)
        file.seek(0, os.SEEK_END)
        file.write(tail)


def _comparable(frame: Any) -> str:
    # A frame's encoding is that of the tag's version, and no part of its meaning.
    if hasattr(frame, "text"):
        texts = frame.text if isinstance(frame.text, list) else [frame.text]
        return repr([str(text) for text in texts])
    return repr(frame).replace(repr(getattr(frame, "encoding", "")), "")


class Id3v24Tags(_Id3Tags):
    """ID3v2.4 in UTF-8, for files with a 2.4 tag, without a tag, or with an obsolete 2.2 tag."""

    encoding = Encoding.UTF8
    version = 4


class Id3v23Tags(_Id3Tags):
    """ID3v2.3, which has no UTF-8, no lists, and dates in pieces."""

    encoding = Encoding.UTF16
    version = 3

    def storable(self, field: str, wanted: Sequence[str]) -> list[str]:
        if field == "original_date":
            return [date[:4] for date in wanted]
        if field == "release_date":
            # TDAT holds day and month; a month alone has no frame.
            return [date if len(date) == 10 else date[:4] for date in wanted]
        return ["/".join(wanted)] if len(wanted) > 1 else list(wanted)

    def set(self, field: str, wanted: Sequence[str]) -> None:
        super().set(field, self.storable(field, wanted))

    def _get_text(self, field: str) -> list[str]:
        if field == "original_date":
            return self._texts("TORY") or self._texts("TDOR")
        if field == "release_date":
            return self._release_date()
        return super()._get_text(field)

    def _release_date(self) -> list[str]:
        year, day = (str(self.tags.get(name, "")) for name in ("TYER", "TDAT"))
        date = f"{year}-{day[2:]}-{day[:2]}" if len(year) == 4 and len(day) == 4 and day.isdecimal() else year
        return [values.parse_date(date) or date] if date else self._texts("TDRC")

    def _set_text(self, field: str, wanted: Sequence[str]) -> None:
        if field not in _V23_DATES:
            super()._set_text(field, wanted)
            return
        for name in _V23_DATES[field]:
            self.tags.delall(name)
        year, date = wanted[0][:4], wanted[0]
        self._put("TORY" if field == "original_date" else "TYER", [year])
        if field == "release_date" and len(date) == 10:
            self._put("TDAT", [date[8:] + date[5:7]])

    def native_names(self, field: str) -> frozenset[str]:
        return _V23_DATES.get(field) or super().native_names(field)
