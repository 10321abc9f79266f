"""Reads one audio file into a ScannedFile: mutagen opens it, and all it meets ends as tags or as a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import mutagen
from mutagen.aac import AAC
from mutagen.ac3 import AC3
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggspeex import OggSpeex
from mutagen.oggtheora import OggTheora
from mutagen.oggvorbis import OggVorbis
from mutagen.trueaudio import TrueAudio

from soulspot.errors import UnreadableFile
from soulspot.library import identifiers, values
from soulspot.library.bounded_file import BoundedFile, open_bounded
from soulspot.library.fields import Raw, collect
from soulspot.library.mutagen_limits import limited
from soulspot.library.suffixes import UNSUPPORTED, suffix
from soulspot.models import FileStamp, Identifiers, ScannedFile, TrackTags

# Their mutagen classes know ID3 or no tags at all, but taggers also write APEv2 at their end.
_ALSO_APE = (MP3, AAC, AC3, TrueAudio)
_OGG = (OggVorbis, OggOpus, OggFLAC, OggSpeex, OggTheora)
_REASON_LENGTH = 200
NEVER_READ = -1  # nanoseconds; no file has been changed then


def read_file(path: bytes, stamp: FileStamp, *, max_file_size: int | None = None) -> ScannedFile:
    """What the file says of its track, or why it cannot be read; never raises.

    `stamp` is what the walk saw. The result bears the stamp of the file that was really opened, so that a
    change in between is not taken for read; one that could not even be opened bears NEVER_READ as its time.
    A file larger than `max_file_size` bytes is unreadable."""
    try:
        file, found = open_bounded(path, max_file_size)
    except OSError as error:  # permission, a failing disk: to be looked at again, as if nobody had
        never = FileStamp(stamp.size, NEVER_READ, stamp.inode)
        return ScannedFile(path, never, unreadable=reason(path, error))
    except UnreadableFile as error:
        return ScannedFile(path, stamp, unreadable=reason(path, error))
    stamp = FileStamp(found.st_size, found.st_mtime_ns, found.st_ino)
    try:
        with file, limited():
            return ScannedFile(path, stamp, tags=_read(path, file))
    except (
        Exception
    ) as error:  # damaged files raise KeyError, IndexError, RecursionError, MemoryError and more
        return ScannedFile(path, stamp, unreadable=reason(path, error))


def read_as(place: bytes, path: bytes) -> TrackTags:
    """What a file at `place` says that is going to be called `path`. Raises whatever its damage leads to."""
    file, _ = open_bounded(place)
    with file, limited():
        return _read(path, file)


def _read(path: bytes, file: BoundedFile) -> TrackTags:
    ending = suffix(path)
    if ending in UNSUPPORTED:
        raise UnreadableFile(path, f"{UNSUPPORTED[ending]} cannot be read yet")
    opened: Any = mutagen.File(file, filename=path, options=kinds(file, ending))
    if opened is None:
        raise UnreadableFile(path, f"not a .{ending.decode(errors='replace')} file, or one without any audio")
    raw = collect(opened.tags)
    if isinstance(opened, _ALSO_APE):
        _fill_gaps(raw, file)
    return build(raw, values.milliseconds(getattr(opened.info, "length", None)))


def kinds(file: BoundedFile, ending: bytes) -> Sequence[type] | None:
    """mutagen's readers to choose from when the first bytes leave no doubt; None for all of them.

    Asking all 24 of them costs a tenth of the time of a usual file."""
    start = file.peek(12)
    if start[:4] == b"fLaC":
        return (FLAC,)
    if start[:4] == b"OggS":
        return _OGG
    if start[4:8] == b"ftyp":
        return (MP4,)
    if ending == b"mp3" and (start[:3] == b"ID3" or (start[:1] == b"\xff" and start[1:2] >= b"\xe0")):
        return (MP3,)
    return None


def _fill_gaps(raw: Raw, file: BoundedFile) -> None:
    """Take from an APEv2 tag what the file's own tag does not say."""
    try:
        more = collect(APEv2(file))
    except mutagen.MutagenError:  # there is none, or a damaged one beside the tag that counts
        return
    for field, found in more.items():
        raw.setdefault(field, found)


def build(raw: Raw, duration_ms: int | None = None) -> TrackTags:
    """The tags that raw field values (see `fields.collect`) amount to."""
    text = {field: values.split(found) for field, found in raw.items()}
    artists = _distinct(_either(text, "artists", "artist"))
    track, track_total = _position(text, "track")
    disc, disc_total = _position(text, "disc")
    return TrackTags(
        title=_first(text, "title"),
        artist=", ".join(_distinct(_either(text, "artist", "artists"))) or None,
        artists=artists if len(artists) > 1 or "artists" in text else (),
        album=_first(text, "album"),
        album_artist=", ".join(_distinct(text.get("album_artist", ()))) or None,
        track_number=track,
        disc_number=disc,
        track_total=track_total,
        disc_total=disc_total,
        duration_ms=duration_ms,
        date=next(filter(None, map(values.day, [*text.get("date", ()), *text.get("year", ())])), None),
        genres=_distinct(part.strip() for genre in text.get("genre", ()) for part in genre.split(";")),
        compilation=any(map(values.flag, text.get("compilation", ()))),
        ids=_identifiers(text),
    )


def _identifiers(text: Raw) -> Identifiers:
    malformed: list[str] = []

    def mbids(field: str, kind: str) -> tuple[str, ...]:
        return identifiers.parse_mbids(text[field], kind, f"{field}_id", malformed) if field in text else ()

    spotify = identifiers.parse_spotify_tracks(text.get("spotify", ()), "spotify_id", malformed)
    linked = identifiers.find_spotify_links(text.get("link", ()), "link", malformed)
    return Identifiers(
        mb_recording_ids=mbids("mb_recording", "recording"),
        mb_track_id=_head(mbids("mb_track", "track")),
        mb_release_id=_head(mbids("mb_release", "release")),
        mb_release_group_id=_head(mbids("mb_release_group", "release-group")),
        mb_artist_ids=mbids("mb_artist", "artist"),
        isrcs=identifiers.parse_isrcs(text.get("isrc", ()), "isrc", malformed),
        spotify_track_id=_head(spotify) or identifiers.single(linked),
        acoustid_id=_head(
            identifiers.parse_mbids(text.get("acoustid", ()), "track", "acoustid_id", malformed)
        ),
        malformed=tuple(malformed),
    )


def _position(text: Raw, field: str) -> tuple[int | None, int | None]:
    number, total = values.position(_first(text, field) or "")
    if total is None:
        total = values.position(_first(text, f"{field}_total") or "")[0]
    return number, total


def _distinct(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, found)))


def _either(text: Raw, field: str, other: str) -> Sequence[str]:
    return text.get(field) or text.get(other) or ()


def _first(text: Raw, field: str) -> str | None:
    return _head(text.get(field, ()))


def _head(found: Sequence[str]) -> str | None:
    return found[0] if found else None


def reason(path: bytes, error: Exception) -> str:
    """Why a file could not be read, for a person."""
    if isinstance(error, UnreadableFile):
        return error.reason
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, MemoryError | RecursionError):
        return "damaged: reading it would take more memory than any sound file needs"
    what = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())[:_REASON_LENGTH]
    if isinstance(error, mutagen.MutagenError):
        ending = suffix(path).decode(errors="replace")
        return f"damaged, or not really a .{ending} file" + (f" ({what})" if what else "")
    return f"damaged: its structure cannot be followed ({type(error).__name__})"
