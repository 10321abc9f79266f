"""Tags that are keys with values: Vorbis comments, MP4 atoms, ASF attributes and APEv2 items."""

import base64
import struct
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mutagen.apev2 import APETextValue
from mutagen.asf._attrs import ASFByteArrayAttribute, ASFUnicodeAttribute
from mutagen.flac import Picture as FlacPicture
from mutagen.mp4 import AtomDataType, MP4Cover, MP4FreeForm

from soulspot.library.values import plain_key
from soulspot.tagging.formats import names
from soulspot.tagging.formats.base import FileTags, Picture

FRONT_COVER = 3  # the number of a front cover's type, in every format that numbers the types


class _FreeNamedTags(FileTags):
    """Tags whose names are free: "ALBUM ARTIST" and "albumartist" are the same field."""

    field_names: Mapping[str, str]
    cover_name: str

    @abstractmethod
    def _items(self) -> Iterable[tuple[str, Any]]:
        """Return the name and the native value of every tag; a name may come several times."""

    def _texts(self) -> list[tuple[str, str]]:
        return list(self._items())

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags[name] = list(wanted)

    def _get(self, field: str) -> list[str]:
        texts = [(plain_key(key), value) for key, value in self._texts()]
        for name in (self.field_names[field], *names.ALIASES.get(field, ())):
            if found := [value for key, value in texts if key == plain_key(name)]:
                return found
        return []

    def _set(self, field: str, wanted: Sequence[str]) -> None:
        name = self.field_names[field]
        for key in {key for key, _ in self._texts()}:
            if plain_key(key) == plain_key(name):
                del self.tags[key]
            elif plain_key(key) in self._aliases(field):
                is_year = plain_key(key) == "year"
                self._put(key, [date[:4] for date in wanted] if is_year else wanted)
        self._put(name, wanted)

    def _aliases(self, field: str) -> set[str]:
        return {plain_key(name) for name in names.ALIASES.get(field, ())}

    def native_names(self, field: str) -> frozenset[str]:
        if field == names.COVER:
            return frozenset({plain_key(self.cover_name)})
        return frozenset({plain_key(self.field_names[field])} | self._aliases(field))

    def native_tags(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for key, value in self._items():
            found.setdefault(plain_key(key), []).append(repr(value))
        return {name: repr(listed) for name, listed in found.items()}


class VorbisTags(_FreeNamedTags):
    """Vorbis comments in Ogg files of every kind."""

    field_names = names.VORBIS
    cover_name = "metadata_block_picture"

    def _items(self) -> Iterable[tuple[str, Any]]:
        return self.tags or ()

    def _pictures(self) -> list[Any]:
        found = []
        for key, value in self.tags or ():
            if key.lower() == self.cover_name:
                # A damaged picture is left out, and stays in the file unless the cover is written.
                try:
                    found.append(FlacPicture(base64.b64decode(value)))
                except Exception:
                    continue
        return found

    def _other_pictures(self) -> list[Any]:
        return [picture for picture in self._pictures() if picture.type != FRONT_COVER]

    def front(self) -> Picture | None:
        fronts = (one for one in self._pictures() if one.type == FRONT_COVER and one.data)
        return next((Picture(one.data, one.mime) for one in fronts), None)

    def _set_front(self, picture: Picture) -> None:
        blocks = [_flac_picture(picture), *self._other_pictures()]
        self.tags[self.cover_name] = [base64.b64encode(one.write()).decode("ascii") for one in blocks]


class FlacTags(VorbisTags):
    """FLAC: Vorbis comments, and pictures in blocks of their own."""

    def _pictures(self) -> list[Any]:
        return list(self.file.pictures)

    def native_tags(self) -> dict[str, str]:
        blocks = {f"picture {n}": repr(one.write()) for n, one in enumerate(self._other_pictures())}
        return super().native_tags() | blocks

    def _set_front(self, picture: Picture) -> None:
        others = self._other_pictures()
        self.file.clear_pictures()
        for one in (_flac_picture(picture), *others):
            self.file.add_picture(one)


def _flac_picture(picture: Picture) -> Any:
    made = FlacPicture()
    made.type, made.mime, made.data = FRONT_COVER, picture.mime, picture.data
    return made


class Mp4Tags(FileTags):
    """MP4: Apple's atoms, and free-form atoms for other fields."""

    def _get(self, field: str) -> list[str]:
        if field in names.MP4_FREE:
            found = [value for key in self._free_keys(field) for value in self.tags[key]]
            return [bytes(value).decode("utf-8", "replace") for value in found]
        found = (self.tags or {}).get(names.MP4_ATOMS[field], [])
        if field in names.POSITIONS:
            return [f"{number}/{total}" if total else f"{number}" for number, total in found[:1]]
        return [str(value) for value in found]

    def _free_keys(self, field: str) -> list[str]:
        wanted = plain_key(names.MP4_FREE[field])
        free = [key for key in self.tags or () if key.startswith("----:")]
        return [key for key in free if plain_key(key.rpartition(":")[2]) == wanted]

    def _set(self, field: str, wanted: Sequence[str]) -> None:
        if field in names.MP4_FREE:
            for key in self._free_keys(field):
                del self.tags[key]
            self.tags[names.MP4_FREE_PREFIX + names.MP4_FREE[field]] = [
                MP4FreeForm(value.encode(), dataformat=AtomDataType.UTF8) for value in wanted
            ]
        elif field in names.POSITIONS:
            number, _, total = wanted[0].partition("/")
            self.tags[names.MP4_ATOMS[field]] = [(int(number), int(total or 0))]
        else:
            self.tags[names.MP4_ATOMS[field]] = list(wanted)

    def native_names(self, field: str) -> frozenset[str]:
        if field == names.COVER:
            return frozenset({"covr"})
        if field in names.MP4_FREE:
            return frozenset({*self._free_keys(field), names.MP4_FREE_PREFIX + names.MP4_FREE[field]})
        return frozenset({names.MP4_ATOMS[field]})

    def native_tags(self) -> dict[str, str]:
        return {key: repr(value) for key, value in (self.tags or {}).items()}

    def front(self) -> Picture | None:
        # MP4 has no types of pictures: the first one is the front cover.
        found = (self.tags or {}).get("covr") or []
        if not found or not bytes(found[0]):
            return None
        is_png = getattr(found[0], "imageformat", None) == MP4Cover.FORMAT_PNG
        return Picture(bytes(found[0]), "image/png" if is_png else "image/jpeg")

    def _set_front(self, picture: Picture) -> None:
        kind = MP4Cover.FORMAT_PNG if picture.mime == "image/png" else MP4Cover.FORMAT_JPEG
        others = list(self.tags.get("covr") or [])[1:]
        self.tags["covr"] = [MP4Cover(picture.data, kind), *others]


class AsfTags(_FreeNamedTags):
    """ASF: the attributes of WMA files."""

    field_names = names.ASF
    cover_name = "WM/Picture"

    def _items(self) -> Iterable[tuple[str, Any]]:
        return [(key, value.value) for key, value in self.tags or ()]

    def _texts(self) -> list[tuple[str, str]]:
        return [(key, str(value)) for key, value in self.tags or () if not isinstance(value.value, bytes)]

    def _put(self, name: str, wanted: Sequence[str]) -> None:
        self.tags[name] = [ASFUnicodeAttribute(value) for value in wanted]

    def _pictures(self) -> list[Any]:
        found = self.tags.get(self.cover_name, []) if self.tags is not None else []
        return [attribute for attribute in found if isinstance(attribute.value, bytes)]

    def front(self) -> Picture | None:
        fronts = (one.value for one in self._pictures() if one.value[:1] == bytes([FRONT_COVER]))
        return next(filter(None, map(_asf_picture, fronts)), None)

    def _set_front(self, picture: Picture) -> None:
        others = [one for one in self._pictures() if one.value[:1] != bytes([FRONT_COVER])]
        mime = picture.mime.encode("utf-16-le")
        packed = struct.pack("<bi", FRONT_COVER, len(picture.data)) + mime + b"\0\0" + b"\0\0" + picture.data
        self.tags[self.cover_name] = [ASFByteArrayAttribute(packed), *others]


def _asf_picture(data: bytes) -> Picture | None:
    # WM_PICTURE: type, length, MIME type and description (to a UTF-16 NUL each), the image.
    at, texts = 5, []
    for _ in range(2):
        end = at
        while end + 2 <= len(data) and data[end : end + 2] != b"\0\0":
            end += 2
        texts.append(data[at:end].decode("utf-16-le", "replace"))
        at = end + 2
    return Picture(data[at:], texts[0]) if at < len(data) else None


class ApeTags(_FreeNamedTags):
    """APEv2: Musepack, WavPack, Monkey's Audio, OptimFROG and TAK files."""

    field_names = names.APE
    cover_name = "Cover Art (Front)"

    def _items(self) -> Iterable[tuple[str, Any]]:
        return self.tags.items() if self.tags is not None else ()

    def _texts(self) -> list[tuple[str, str]]:
        texts = [(key, value) for key, value in self._items() if isinstance(value, APETextValue)]
        return [(key, part) for key, value in texts for part in value]

    def front(self) -> Picture | None:
        found = (self.tags or {}).get(self.cover_name)
        if found is None or isinstance(found, APETextValue):
            return None
        # The image comes behind a file name and a NUL.
        data = bytes(found.value).partition(b"\0")[2]
        return Picture(data, "image/png" if data.startswith(b"\x89PNG") else "image/jpeg") if data else None

    def _set_front(self, picture: Picture) -> None:
        ending = b".png" if picture.mime == "image/png" else b".jpg"
        self.tags[self.cover_name] = self.cover_name.encode() + ending + b"\0" + picture.data
