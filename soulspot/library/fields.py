"""What each tag format calls a field: mutagen's tags in, our field names with their raw values out.

The names are Picard's (its documentation's "Tag Mapping"), with those of other taggers beside them.
Mind that MUSICBRAINZ_TRACKID holds the recording's id, for historical reasons; the track's own id is
MUSICBRAINZ_RELEASETRACKID. mutagen's "easy" layer would be shorter, but knows neither ARTISTS nor Spotify's
fields, has no APEv2 or ASF, and drops repeated comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from mutagen._vorbis import VComment
from mutagen.apev2 import APETextValue, APEv2
from mutagen.asf import ASFTags
from mutagen.id3 import ID3
from mutagen.mp4 import MP4FreeForm, MP4Tags

from soulspot.library.values import MAX_VALUE, MAX_VALUES

Raw = dict[str, list[str]]

# Free-form names with everything but letters and digits removed: Vorbis comments, APEv2 keys, ASF attributes,
# iTunes "----" atoms and ID3's TXXX descriptions part words by spaces, underscores, slashes or not at all.
_NAMES = {
    "title": "title",
    "wmtitle": "title",
    "artist": "artist",
    "author": "artist",
    "artists": "artists",
    "wmartists": "artists",
    "album": "album",
    "wmalbumtitle": "album",
    "albumartist": "album_artist",
    "wmalbumartist": "album_artist",
    "ensemble": "album_artist",
    "tracknumber": "track",
    "track": "track",
    "wmtracknumber": "track",
    "tracktotal": "track_total",
    "totaltracks": "track_total",
    "trackc": "track_total",
    "discnumber": "disc",
    "disc": "disc",
    "disk": "disc",
    "wmpartofset": "disc",
    "disctotal": "disc_total",
    "totaldiscs": "disc_total",
    "discc": "disc_total",
    "date": "date",
    "year": "year",
    "wmyear": "year",
    "genre": "genre",
    "wmgenre": "genre",
    "compilation": "compilation",
    "itunescompilation": "compilation",
    "wmiscompilation": "compilation",
    "isrc": "isrc",
    "wmisrc": "isrc",
    "tsrc": "isrc",
    "musicbrainztrackid": "mb_recording",
    "musicbrainzrecordingid": "mb_recording",
    "musicbrainzreleasetrackid": "mb_track",
    "musicbrainzalbumid": "mb_release",
    "musicbrainzreleaseid": "mb_release",
    "musicbrainzreleasegroupid": "mb_release_group",
    "musicbrainzartistid": "mb_artist",
    "acoustidid": "acoustid",
    "spotify": "spotify",
    "spotifyid": "spotify",
    "spotifyuri": "spotify",
    "spotifyurl": "spotify",
    "spotifytrack": "spotify",
    "spotifytrackid": "spotify",
    "spotifytrackuri": "spotify",
    "spotifytrackurl": "spotify",
    # Text in which a link to Spotify may stand.
    "comment": "link",
    "description": "link",
    "contact": "link",
    "url": "link",
    "website": "link",
    "purl": "link",
    "source": "link",
    "sourceurl": "link",
    "wwwaudiofile": "link",
    "wwwaudiosource": "link",
    "woaf": "link",
    "woas": "link",
    "wxxx": "link",
    "file": "link",
    "related": "link",
    "wmauthorurl": "link",
    "wmaudiofileurl": "link",
    "wmaudiosourceurl": "link",
    "wmpromotionurl": "link",
}
_FRAMES = {
    "TIT2": "title",
    "TPE1": "artist",
    "TPE2": "album_artist",
    "TALB": "album",
    "TRCK": "track",
    "TPOS": "disc",
    "TDRC": "date",
    "TDRL": "year",
    "TCON": "genre",
    "TCMP": "compilation",
    "TSRC": "isrc",
    "COMM": "link",
}
_ATOMS = {
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "aART": "album_artist",
    "\xa9alb": "album",
    "trkn": "track",
    "disk": "disc",
    "\xa9day": "date",
    "\xa9gen": "genre",
    "cpil": "compilation",
    "\xa9cmt": "link",
    "desc": "link",
    "ldes": "link",
    "purl": "link",
    "\xa9url": "link",
}
_MUSICBRAINZ_OWNER = "http://musicbrainz.org"
_XID_ISRC = re.compile(r":isrc:(.+)", re.IGNORECASE)  # iTunes: "Label:isrc:CCXXXYYNNNNN"


@lru_cache(maxsize=4096)
def _named(name: str) -> str | None:
    return _NAMES.get("".join(c for c in name[:64].lower() if c.isalnum()))


def collect(tags: object) -> Raw:
    """The values of every field we know, in the file's order; at most `MAX_VALUES` a field, not yet cleaned.

    `tags` is what mutagen put into `FileType.tags`; None and kinds that are not known give {}."""
    raw: Raw = {}
    for kind, read in _READERS:
        if isinstance(tags, kind):
            for field, value in read(tags):
                values = raw.setdefault(field, [])
                if len(values) < MAX_VALUES:
                    values.append(value[: 2 * MAX_VALUE])
            break
    return raw


Pairs = Iterator[tuple[str, str]]


def _id3(tags: Any) -> Pairs:
    joined = getattr(tags, "version", None) == (2, 3, 0)  # it has no lists: taggers join them by "/"
    for frame in tags.values():
        name = frame.FrameID
        if name == "TXXX":
            field = _named(frame.desc)
            values: Iterable[Any] = frame.text
        elif name == "UFID":
            field = "mb_recording" if frame.owner.rstrip("/") == _MUSICBRAINZ_OWNER else None
            values = (frame.data.decode("ascii", "replace"),)
        elif name == "TCON":
            field, values = "genre", frame.genres
        elif name[0] == "W":
            field = "spotify" if name == "WXXX" and _named(frame.desc) == "spotify" else "link"
            values = (frame.url,)
        else:
            field, values = _FRAMES.get(name), getattr(frame, "text", ())
        if joined and field in ("genre", "artists"):
            values = [part for value in values for part in _parts(field, value, tags)]
        if field is not None:
            for value in values:
                yield field, value if isinstance(value, str) else str(value)


def _parts(field: str, value: str, tags: Any) -> list[str]:
    """What a joined list was made of. "AC/DC" is one artist: the credit names it so."""
    parts = [part.strip() for part in value.split("/")]
    if field == "artists":
        credit = " ".join(text for frame in tags.getall("TPE1") for text in frame.text)
        if value in credit or not all(part in credit for part in parts):
            return [value]
    return parts if all(parts) else [value]


def _vorbis(tags: Any) -> Pairs:
    for name, value in tags:
        if (field := _named(name)) is not None:
            yield field, value


def _ape(tags: Any) -> Pairs:
    for name, value in tags.items():
        if (field := _named(name)) is not None:
            if isinstance(value, APETextValue):
                for part in value:
                    yield field, part
            elif field == "link":
                yield field, str(value)


def _asf(tags: Any) -> Pairs:
    for name, value in tags:
        if (field := _named(name)) is not None and not isinstance(value.value, bytes):
            yield field, str(value)


def _mp4(tags: Any) -> Pairs:
    for name, values in tags.items():
        if name.startswith("----"):
            if (field := _named(name.rpartition(":")[2])) is not None:
                for value in values:
                    yield (
                        field,
                        bytes(value).decode("utf-8", "replace")
                        if isinstance(value, MP4FreeForm)
                        else str(value),
                    )
        elif name == "xid ":
            for value in values:
                if match := _XID_ISRC.search(value):
                    yield "isrc", match[1]
        elif (field := _ATOMS.get(name)) is not None:
            for value in values if isinstance(values, list) else [values]:
                yield field, "/".join(map(str, value)) if isinstance(value, tuple) else str(value)


_READERS: tuple[tuple[type, Callable[[Any], Pairs]], ...] = (
    (ID3, _id3),
    (VComment, _vorbis),
    (MP4Tags, _mp4),
    (APEv2, _ape),
    (ASFTags, _asf),
)
