"""ID3 tags as a sheet: a 2.3 tag stays one (UTF-16, TYER and TDAT, lists joined by "/"), anything else becomes 2.4."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from mutagen.id3 import APIC, TXXX, UFID, Encoding, Frames, PictureType

from soulspot.library import values
from soulspot.tagging.formats import names as tag_names
from soulspot.tagging.formats.base import FileTags, Picture

V23 = (2, 3, 0)


def opened_as_written(opened: Any, file: IO[bytes]) -> FileTags:
    """A 2.3 tag is read again frame by frame: mutagen would make it 2.4, and lose frames on the way back."""
    if opened.tags is not None and opened.tags.version == V23:
        file.seek(0)
        return Id3v23Tags(type(opened)(file, translate=False))
    return Id3v24Tags(opened)


class _Id3Tags(FileTags):
    encoding: int
    version: int

    def _get(self, field: str) -> list[str]:
        if self.tags is None:
            return []
        if field == "mb_recording_id":
            return [
                frame.data.decode("ascii", "replace")
                for frame in self.tags.getall("UFID")
                if frame.owner.rstrip("/") == tag_names.ID3_RECORDING_OWNER
            ]
        if field in tag_names.ID3_FREE:
            return [str(text) for frame in self._free(field) for text in frame.text]
        return self._text(field)

    def _text(self, field: str) -> list[str]:
        name = tag_names.ID3_FRAMES[field]
        if field == "genres":
            return [genre for frame in self.tags.getall(name) for genre in frame.genres]
        return [str(text) for frame in self.tags.getall(name) for text in frame.text]

    def _free(self, field: str) -> list[Any]:
        wanted = tag_names.plain(tag_names.ID3_FREE[field])
        return [frame for frame in self.tags.getall("TXXX") if tag_names.plain(frame.desc) == wanted]

    def _set(self, field: str, wanted: Sequence[str]) -> None:
        if field == "mb_recording_id":
            for frame in self.tags.getall("UFID"):
                if frame.owner.rstrip("/") == tag_names.ID3_RECORDING_OWNER:
                    del self.tags[frame.HashKey]
            self.tags.add(UFID(owner=tag_names.ID3_RECORDING_OWNER, data=wanted[0].encode("ascii")))
        elif field in tag_names.ID3_FREE:
            for frame in self._free(field):
                del self.tags[frame.HashKey]
            self.tags.add(TXXX(encoding=self.encoding, desc=tag_names.ID3_FREE[field], text=list(wanted)))
        else:
            self._set_text(field, wanted)

    def _set_text(self, field: str, wanted: Sequence[str]) -> None:
        self._put(tag_names.ID3_FRAMES[field], wanted)

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags.setall(name, [Frames[name](encoding=self.encoding, text=list(wanted))])

    def names(self, field: str) -> frozenset[str]:
        if field == tag_names.COVER:
            return frozenset(frame.HashKey for frame in self._fronts()) | {"APIC:"}
        if field == "mb_recording_id":
            return frozenset(
                {f"UFID:{tag_names.ID3_RECORDING_OWNER}", f"UFID:{tag_names.ID3_RECORDING_OWNER}/"}
            )
        if field in tag_names.ID3_FREE:
            mine = {frame.HashKey for frame in self._free(field)} if self.tags is not None else set()
            return frozenset(mine | {f"TXXX:{tag_names.ID3_FREE[field]}"})
        return frozenset({tag_names.ID3_FRAMES[field]})

    def everything(self) -> dict[str, str]:
        if self.tags is None:
            return {}
        found = {frame.HashKey: self._said(frame) for frame in self.tags.values()}
        return found | {f"unknown {n}": repr(data) for n, data in enumerate(self.tags.unknown_frames)}

    def _said(self, frame: Any) -> str:
        """A frame without its encoding, which may change with the version's own."""
        if hasattr(frame, "text"):
            text = frame.text if isinstance(frame.text, list) else [frame.text]
            return repr([str(one) for one in text])
        return repr(frame).replace(repr(getattr(frame, "encoding", "")), "")

    def _fronts(self) -> list[Any]:
        found = self.tags.getall("APIC") if self.tags is not None else []
        return [frame for frame in found if frame.type == PictureType.COVER_FRONT]

    def front(self) -> Picture | None:
        return next((Picture(frame.data, frame.mime) for frame in self._fronts() if frame.data), None)

    def set_front(self, picture: Picture) -> None:
        if self.tags is None:
            self.file.add_tags()
        for frame in self._fronts():
            del self.tags[frame.HashKey]
        front: Any = APIC(
            encoding=Encoding.LATIN1,
            mime=picture.mime,
            type=PictureType.COVER_FRONT,
            desc="",
            data=picture.data,
        )
        while front.HashKey in self.tags:  # another picture without a description
            front.desc += " "
        self.tags.add(front)

    def save(self, file: IO[bytes]) -> None:
        file.seek(0)
        # without a separator mutagen leaves lists alone: what is not ours stays as it is
        self.tags.save(file, v2_version=self.version, v23_sep=None)


class Id3v24Tags(_Id3Tags):
    """ID3v2.4 in UTF-8; also for files without a tag, and for the long obsolete 2.2, which mutagen cannot write."""

    kind = "ID3v2.4"
    encoding = Encoding.UTF8
    version = 4


class Id3v23Tags(_Id3Tags):
    """ID3v2.3: no UTF-8, no lists, and dates in pieces."""

    kind = "ID3v2.3"
    encoding = Encoding.UTF16
    version = 3

    def as_kept(self, field: str, wanted: Sequence[str]) -> list[str]:
        if field == "original_date":
            return [one[:4] for one in wanted]
        if field == "release_date":  # a month alone has no frame
            return [one if len(one) == 10 else one[:4] for one in wanted]
        return ["/".join(wanted)] if len(wanted) > 1 else list(wanted)

    def set(self, field: str, wanted: Sequence[str]) -> None:
        super().set(field, self.as_kept(field, wanted))

    def _text(self, field: str) -> list[str]:
        if field == "original_date":
            found = self.tags.getall("TORY") or self.tags.getall("TDOR")
            return [str(text) for frame in found for text in frame.text]
        if field == "release_date":
            return self._date()
        return super()._text(field)

    def _date(self) -> list[str]:
        whole = [str(text) for frame in self.tags.getall("TDRC") for text in frame.text]
        year, day = (str(self.tags.get(name, "")) for name in ("TYER", "TDAT"))
        date = f"{year}-{day[2:]}-{day[:2]}" if len(year) == 4 and len(day) == 4 and day.isdecimal() else year
        return [values.parse_date(date) or date] if date else whole

    def _set_text(self, field: str, wanted: Sequence[str]) -> None:
        if field == "original_date":
            self.tags.delall("TDOR")
            self._put("TORY", [wanted[0][:4]])
        elif field == "release_date":
            for name in ("TDRC", "TDAT", "TIME", "TRDA"):
                self.tags.delall(name)
            date = wanted[0]
            self._put("TYER", [date[:4]])
            if len(date) == 10:
                self._put("TDAT", [date[8:] + date[5:7]])
        else:
            super()._set_text(field, wanted)

    def names(self, field: str) -> frozenset[str]:
        if field == "original_date":
            return frozenset({"TORY", "TDOR"})
        if field == "release_date":
            return frozenset({"TYER", "TDAT", "TIME", "TRDA", "TDRC"})
        return super().names(field)
