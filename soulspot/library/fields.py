"""Names of fields in each tag format: mutagen's tags in, raw values by our field names out.

The names are those of Picard (its documentation's "Tag Mapping") and of other taggers.
MUSICBRAINZ_TRACKID holds the recording's id, for historical reasons; the track's own id is
MUSICBRAINZ_RELEASETRACKID. mutagen's "easy" layer would be shorter, but it knows neither ARTISTS
nor Spotify's fields, has no APEv2 or ASF, and drops repeated comments."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from mutagen._vorbis import VComment
from mutagen.apev2 import APETextValue, APEv2
from mutagen.asf import ASFTags
from mutagen.id3 import ID3
from mutagen.mp4 import MP4FreeForm, MP4Tags

from soulspot.library.values import MAX_VALUE, MAX_VALUES, plain_key

RawFields = dict[str, list[str]]
"""Field name -> values as the tags have them: {"track": ["03/12"], "isrc": ["GB-SMU-45-66095"]}."""

# (field, value, rank): values of the lowest rank count; 0 is the format's own place for a field
Ranked = Iterator[tuple[str, str, int]]
# Vorbis comments, APEv2 keys, ASF attributes, iTunes "----" atoms and ID3's TXXX descriptions part
# the words of a name by spaces, underscores, slashes or not at all: they are compared as
# `plain_key` leaves them.
_FREE_FORM_NAMES = {
    "title": "title wmtitle",
    "artist": "artist author",
    "artists": "artists wmartists",
    "album": "album wmalbumtitle",
    "album_artist": "albumartist wmalbumartist ensemble",
    "track": "tracknumber track wmtracknumber",
    "track_total": "tracktotal totaltracks trackc",
    "disc": "discnumber disc disk wmpartofset",
    "disc_total": "disctotal totaldiscs discc",
    "date": "date",
    "year": "year wmyear",
    "genre": "genre wmgenre",
    "compilation": "compilation itunescompilation wmiscompilation",
    "isrc": "isrc wmisrc tsrc",
    "mb_recording": "musicbrainztrackid musicbrainzrecordingid",
    "mb_track": "musicbrainzreleasetrackid",
    "mb_release": "musicbrainzalbumid musicbrainzreleaseid",
    "mb_release_group": "musicbrainzreleasegroupid",
    "mb_artist": "musicbrainzartistid",
    "acoustid": "acoustidid",
    "spotify": "spotify spotifyid spotifyuri spotifyurl spotifytrack spotifytrackid spotifytrackuri spotifytrackurl",
    # Text and web addresses in which a link to Spotify may stand.
    "link": "comment description contact url website purl source sourceurl wwwaudiofile wwwaudiosource"
    " woaf woas wxxx file related wmauthorurl wmaudiofileurl wmaudiosourceurl wmpromotionurl",
}
_FIELD_BY_NAME = {name: field for field, names in _FREE_FORM_NAMES.items() for name in names.split()}
# Of several names for one of these fields, the one that stands first above counts: programs leave
# stale and foreign ones behind. Identifiers and links are collected from all.
_RANKS = {
    name: rank
    for field, names in _FREE_FORM_NAMES.items()
    if field not in ("isrc", "acoustid", "spotify", "link") and not field.startswith("mb_")
    for rank, name in enumerate(names.split(), 1)
}
_FRAMES = {
    "TIT2": "title", "TPE1": "artist", "TPE2": "album_artist", "TALB": "album", "TRCK": "track", "TPOS": "disc",
    "TDRC": "date", "TDRL": "year", "TCON": "genre", "TCMP": "compilation", "TSRC": "isrc", "COMM": "link",
}  # fmt: skip
_ATOMS = {
    "\xa9nam": "title", "\xa9ART": "artist", "aART": "album_artist", "\xa9alb": "album", "trkn": "track",
    "disk": "disc", "\xa9day": "date", "\xa9gen": "genre", "cpil": "compilation",
    "\xa9cmt": "link", "desc": "link", "ldes": "link", "purl": "link", "\xa9url": "link",
}  # fmt: skip
_MUSICBRAINZ_OWNER = "http://musicbrainz.org"
# iTunes writes "Label:isrc:CCXXXYYNNNNN".
_XID_ISRC = re.compile(r":isrc:(.+)", re.IGNORECASE)


@lru_cache(maxsize=1024)
def _field_named(name: str) -> tuple[str | None, int]:
    """Return the field of a free-form name, or None, and the rank of the name among its
    synonyms."""
    plain = plain_key(name[:64])
    # ALBUMARTIST is the standard's spelling, "ALBUM ARTIST" another program's beside it
    is_spelt_otherwise = name.lower() != plain
    return _FIELD_BY_NAME.get(plain), 2 * _RANKS.get(plain, 0) + (plain in _RANKS and is_spelt_otherwise)


def collect_fields(tags: object) -> RawFields:
    """Return the values of every field we know, in the file's order, not yet cleaned. A field keeps
    at most `MAX_VALUES` values. `tags` is mutagen's `FileType.tags`; {} for an unknown kind."""
    raw: RawFields = {}
    ranks: dict[str, int] = {}
    read = next((reader for kind, reader in _READERS if isinstance(tags, kind)), None)
    for field, value, rank in read(tags) if read else ():
        if not value.strip("\0 ") or rank > ranks.setdefault(field, rank):
            continue
        if rank < ranks[field]:
            ranks[field], raw[field] = rank, []
        values = raw.setdefault(field, [])
        if len(values) < MAX_VALUES:
            values.append(value[: 2 * MAX_VALUE])
    return raw


def _id3(tags: Any) -> Ranked:
    # ID3v2.3 has no lists: taggers join their values by "/".
    is_joined = getattr(tags, "version", None) == (2, 3, 0)
    for frame in tags.values():
        name, rank = frame.FrameID, 0
        if name == "TXXX":
            field, rank = _field_named(frame.desc)
            values: Iterable[Any] = frame.text
        elif name == "UFID":
            field = "mb_recording" if frame.owner.rstrip("/") == _MUSICBRAINZ_OWNER else None
            values = (frame.data.decode("ascii", "replace"),)
        elif name == "TCON":
            field, values = "genre", frame.genres
        elif name[0] == "W":
            field = "spotify" if name == "WXXX" and _field_named(frame.desc)[0] == "spotify" else "link"
            values = (frame.url,)
        else:
            field, values = _FRAMES.get(name), getattr(frame, "text", ())
        if is_joined and field in ("genre", "artists"):
            values = [part for value in values for part in _split_joined(field, value, tags)]
        if field is not None:
            for value in values:
                yield field, value if isinstance(value, str) else str(value), rank


def _split_joined(field: str, value: str, tags: Any) -> list[str]:
    parts = [part.strip() for part in value.split("/")]
    if field == "artists":
        # "AC/DC" is one artist: the credit in TPE1 has the same slash.
        credit = " ".join(text for frame in tags.getall("TPE1") for text in frame.text)
        if value in credit or not all(part in credit for part in parts):
            return [value]
    return parts if all(parts) else [value]


def _fields_by_name(pairs: Iterable[tuple[str, str]]) -> Ranked:
    for name, value in pairs:
        field, rank = _field_named(name)
        if field is not None:
            yield field, value, rank


def _ape(tags: Any) -> Ranked:
    for name, value in tags.items():
        if isinstance(value, APETextValue):
            yield from _fields_by_name((name, part) for part in value)
        elif _field_named(name)[0] == "link":
            yield "link", str(value), 0


def _asf(tags: Any) -> Ranked:
    return _fields_by_name((name, str(value)) for name, value in tags if not isinstance(value.value, bytes))


def _mp4(tags: Any) -> Ranked:
    for name, values in tags.items():
        if name.startswith("----"):
            field, rank = _field_named(name.rpartition(":")[2])
            for value in values:
                if field is None:
                    break
                is_bytes = isinstance(value, MP4FreeForm)
                yield field, bytes(value).decode("utf-8", "replace") if is_bytes else str(value), rank
        elif name == "xid ":
            for value in values:
                if match := _XID_ISRC.search(value):
                    yield "isrc", match[1], 0
        elif (field := _ATOMS.get(name)) is not None:
            for value in values if isinstance(values, list) else [values]:
                yield field, "/".join(map(str, value)) if isinstance(value, tuple) else str(value), 0


_READERS: tuple[tuple[type, Callable[[Any], Ranked]], ...] = (
    (ID3, _id3), (VComment, _fields_by_name), (MP4Tags, _mp4), (APEv2, _ape), (ASFTags, _asf),
)  # fmt: skip
