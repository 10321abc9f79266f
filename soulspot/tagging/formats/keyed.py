"""Vorbis comments, MP4 atoms, ASF attributes and APEv2 items as sheets."""

# mutagen has no annotations:
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import base64
import struct
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mutagen.apev2 import APETextValue
from mutagen.asf._attrs import ASFByteArrayAttribute, ASFUnicodeAttribute
from mutagen.flac import Picture as FlacPicture
from mutagen.mp4 import AtomDataType, MP4Cover, MP4FreeForm

from soulspot.tagging.formats import names as tag_names
from soulspot.tagging.formats.base import FileTags, Picture

FRONT = 3  # the type of a front cover, in every format that numbers them
_BLOCK = "metadata_block_picture"


class NamedTags(FileTags):
    """Tags that are names with values, free to be display_key in many ways."""

    table: Mapping[str, str]
    cover: str  # the name of what holds the front cover

    @abstractmethod
    def _items(self) -> list[tuple[str, str]]:
        """Name and text of every value."""

    @abstractmethod
    def _put(self, name: str, wanted: Sequence[str]) -> None: ...

    def _get(self, field: str) -> list[str]:
        items = [(tag_names.plain(key), value) for key, value in self._items()]
        for name in (self.table[field], *tag_names.ALIASES.get(field, ())):
            if found := [value for key, value in items if key == tag_names.plain(name)]:
                return found
        return []

    def _set(self, field: str, wanted: Sequence[str]) -> None:
        name = self.table[field]
        for key in {key for key, _ in self._items()}:
            if tag_names.plain(key) == tag_names.plain(name):
                del self.tags[key]
            elif tag_names.plain(key) in self._aliases(field):
                year = tag_names.plain(key) == "year"
                self._put(key, [one[:4] for one in wanted] if year else wanted)
        self._put(name, wanted)

    def _aliases(self, field: str) -> set[str]:
        return {tag_names.plain(one) for one in tag_names.ALIASES.get(field, ())}

    def names(self, field: str) -> frozenset[str]:
        if field == tag_names.COVER:
            return frozenset({self.cover})
        return frozenset({tag_names.plain(self.table[field])} | self._aliases(field))


class VorbisTags(NamedTags):
    """Vorbis comments: Ogg of every kind."""

    kind = "Vorbis comments"
    table = tag_names.VORBIS
    cover = _BLOCK

    def _items(self) -> list[tuple[str, str]]:
        return list(self.tags or ())

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags[name] = list(wanted)

    def everything(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for key, value in self.tags or ():
            name = _BLOCK if key.lower() == _BLOCK else tag_names.plain(key)
            found.setdefault(name, []).append(value)
        return {name: repr(said) for name, said in found.items()}

    def _pictures(self) -> list[Any]:
        found = []
        for key, value in self.tags or ():
            if key.lower() == _BLOCK:
                try:
                    found.append(FlacPicture(base64.b64decode(value)))
                except Exception:  # damaged: it stays as it is
                    continue
        return found

    def front(self) -> Picture | None:
        return _front(self._pictures())

    def set_front(self, picture: Picture) -> None:
        if self.tags is None:
            self.file.add_tags()
        others = [one for one in self._pictures() if one.type != FRONT]
        blocks = [_flac_picture(picture), *others]
        self.tags[_BLOCK] = [base64.b64encode(one.write()).decode("ascii") for one in blocks]


class FlacTags(VorbisTags):
    """FLAC: Vorbis comments, and pictures in blocks of their own."""

    def _pictures(self) -> list[Any]:
        return list(self.file.pictures)

    def everything(self) -> dict[str, str]:
        blocks = [one for one in self._pictures() if one.type != FRONT]
        return super().everything() | {f"picture {n}": repr(one.write()) for n, one in enumerate(blocks)}

    def set_front(self, picture: Picture) -> None:
        others = [one for one in self._pictures() if one.type != FRONT]
        self.file.clear_pictures()
        for one in (_flac_picture(picture), *others):
            self.file.add_picture(one)


def _front(pictures: Sequence[Any]) -> Picture | None:
    return next((Picture(one.data, one.mime) for one in pictures if one.type == FRONT and one.data), None)


def _flac_picture(picture: Picture) -> Any:
    made = FlacPicture()
    made.type, made.mime, made.data = FRONT, picture.mime, picture.data
    return made


class Mp4Tags(FileTags):
    """MP4: Apple's atoms and its free-form ones."""

    kind = "MP4 atoms"

    def _get(self, field: str) -> list[str]:
        if self.tags is None:
            return []
        if field in tag_names.MP4_FREE:
            return [
                bytes(value).decode("utf-8", "replace")
                for key in self._free(field)
                for value in self.tags[key]
            ]
        found = self.tags.get(tag_names.MP4_ATOMS[field], [])
        if field in tag_names.POSITIONS:
            return [f"{number}/{total}" if total else f"{number}" for number, total in found[:1]]
        return [str(value) for value in found]

    def _free(self, field: str) -> list[str]:
        wanted = tag_names.plain(tag_names.MP4_FREE[field])
        return [
            key
            for key in self.tags or ()
            if key.startswith("----:") and tag_names.plain(key.rpartition(":")[2]) == wanted
        ]

    def _set(self, field: str, wanted: Sequence[str]) -> None:
        if field in tag_names.MP4_FREE:
            for key in self._free(field):
                del self.tags[key]
            self.tags[tag_names.MP4_FREE_PREFIX + tag_names.MP4_FREE[field]] = [
                MP4FreeForm(value.encode(), dataformat=AtomDataType.UTF8) for value in wanted
            ]
        elif field in tag_names.POSITIONS:
            number, _, total = wanted[0].partition("/")
            self.tags[tag_names.MP4_ATOMS[field]] = [(int(number), int(total or 0))]
        else:
            self.tags[tag_names.MP4_ATOMS[field]] = list(wanted)

    def names(self, field: str) -> frozenset[str]:
        if field == tag_names.COVER:
            return frozenset({"covr"})
        if field in tag_names.MP4_FREE:
            return frozenset({*self._free(field), tag_names.MP4_FREE_PREFIX + tag_names.MP4_FREE[field]})
        return frozenset({tag_names.MP4_ATOMS[field]})

    def everything(self) -> dict[str, str]:
        return {key: repr(value) for key, value in (self.tags or {}).items()}

    def front(self) -> Picture | None:
        found = (self.tags or {}).get("covr") or []
        if not found or not bytes(found[0]):
            return None
        png = getattr(found[0], "imageformat", None) == MP4Cover.FORMAT_PNG
        return Picture(bytes(found[0]), "image/png" if png else "image/jpeg")

    def set_front(self, picture: Picture) -> None:
        if self.tags is None:
            self.file.add_tags()
        kind = MP4Cover.FORMAT_PNG if picture.mime == "image/png" else MP4Cover.FORMAT_JPEG
        others = list(self.tags.get("covr") or [])[1:]  # the first one is the front
        self.tags["covr"] = [MP4Cover(picture.data, kind), *others]


class AsfTags(NamedTags):
    """ASF: the attributes of WMA files."""

    kind = "ASF attributes"
    table = tag_names.ASF
    cover = "WM/Picture"

    def _items(self) -> list[tuple[str, str]]:
        return [(key, str(value)) for key, value in self.tags or () if not isinstance(value.value, bytes)]

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags[name] = [ASFUnicodeAttribute(value) for value in wanted]

    def everything(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for key, value in self.tags or ():
            name = key if key == self.cover else tag_names.plain(key)
            found.setdefault(name, []).append(repr(value.value))
        return {name: repr(said) for name, said in found.items()}

    def front(self) -> Picture | None:
        for _, data in self._pictures():
            if data and data[0] == FRONT and (picture := _asf_picture(data)):
                return picture
        return None

    def _pictures(self) -> list[tuple[Any, bytes]]:
        found = self.tags.get("WM/Picture", []) if self.tags is not None else []
        return [(one, one.value) for one in found if isinstance(one.value, bytes)]

    def set_front(self, picture: Picture) -> None:
        others = [one for one, data in self._pictures() if not data or data[0] != FRONT]
        mime = picture.mime.encode("utf-16-le")
        packed = struct.pack("<bi", FRONT, len(picture.data)) + mime + b"\0\0" + b"\0\0" + picture.data
        self.tags["WM/Picture"] = [ASFByteArrayAttribute(packed), *others]


def _asf_picture(data: bytes) -> Picture | None:
    """WM_PICTURE: type, length, then MIME type and description, each ended by a UTF-16 NUL, then the image."""
    at, texts = 5, []
    for _ in range(2):
        end = at
        while end + 2 <= len(data) and data[end : end + 2] != b"\0\0":
            end += 2
        texts.append(data[at:end].decode("utf-16-le", "replace"))
        at = end + 2
    return Picture(data[at:], texts[0]) if at < len(data) else None


class ApeTags(NamedTags):
    """APEv2: Musepack, WavPack, Monkey's Audio, OptimFROG, TAK."""

    kind = "APEv2"
    table = tag_names.APE
    cover = tag_names.plain("Cover Art (Front)")
    _COVER = "Cover Art (Front)"

    def _items(self) -> list[tuple[str, str]]:
        items = self.tags.items() if self.tags is not None else ()
        return [(key, part) for key, value in items if isinstance(value, APETextValue) for part in value]

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags[name] = list(wanted)

    def everything(self) -> dict[str, str]:
        return {tag_names.plain(key): repr(value) for key, value in (self.tags or {}).items()}

    def front(self) -> Picture | None:
        found = (self.tags or {}).get(self._COVER)
        if found is None or isinstance(found, APETextValue):
            return None
        data = bytes(found.value).partition(b"\0")[2]
        return Picture(data, "image/png" if data.startswith(b"\x89PNG") else "image/jpeg") if data else None

    def set_front(self, picture: Picture) -> None:
        if self.tags is None:
            self.file.add_tags()
        ending = b".png" if picture.mime == "image/png" else b".jpg"
        self.tags[self._COVER] = self._COVER.encode() + ending + b"\0" + picture.data
