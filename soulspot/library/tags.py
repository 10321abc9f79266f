"""One audio file read into a ScannedFile by mutagen; every failure becomes a reason."""

from collections.abc import Iterable, Sequence
from typing import Any

import mutagen
from mutagen.ogg import OggFileType

from soulspot.errors import UnreadableFile
from soulspot.library import identifiers, values
from soulspot.library.bounded_file import BoundedFile, open_bounded, stamp_of
from soulspot.library.containers import (
    chained_seconds,
    hidden_tags,
    is_chunked,
    open_sound,
    read_chunks,
    second_tags,
)
from soulspot.library.fields import RawFields, collect_fields
from soulspot.library.mutagen_limits import limited
from soulspot.library.suffixes import UNSUPPORTED, suffix
from soulspot.models import FileStamp, Identifiers, ScannedFile, TrackTags

_NAMES = {"title", "artist"}
_REASON_LENGTH = 200
NEVER_READ = -1
"""A modification time (nanoseconds) that no file has: the next scan reads the file again."""


def read_file(path: bytes, stamp: FileStamp, *, max_file_size: int | None = None) -> ScannedFile:
    """Return the file's tags and duration, or the reason why it cannot be read. Never raises.

    `stamp` is the file's stamp at the walk. The result has the stamp of the file that was really
    opened, so that a change in between is noticed; a file that could not be opened has NEVER_READ
    as its time. A file larger than `max_file_size` bytes is unreadable."""
    try:
        file, status = open_bounded(path, max_file_size)
    except OSError as error:
        # A missing permission or a failing disk may be gone at the next scan.
        never = FileStamp(stamp.size, NEVER_READ, stamp.inode)
        return ScannedFile(path, never, unreadable=unreadable_reason(path, error))
    except UnreadableFile as error:
        return ScannedFile(path, stamp, unreadable=unreadable_reason(path, error))
    stamp = stamp_of(status)
    # On damaged files mutagen raises KeyError, IndexError, RecursionError, MemoryError and more.
    try:
        with file, limited():
            return ScannedFile(path, stamp, tags=_read(path, file))
    except Exception as error:
        return ScannedFile(path, stamp, unreadable=unreadable_reason(path, error))


def read_tags_as(present_path: bytes, path: bytes) -> TrackTags:
    """Return the tags of the file at `present_path`, read as a scan will once it is renamed to
    `path`. Raises UnreadableFile, OSError, or whatever mutagen raises on a damaged file."""
    file, _ = open_bounded(present_path)
    with file, limited():
        return _read(path, file)


def _read(path: bytes, file: BoundedFile) -> TrackTags:
    ending = suffix(path)
    if ending in UNSUPPORTED:
        raise UnreadableFile(path, f"{UNSUPPORTED[ending]} cannot be read yet")
    if is_chunked(file.peek(12)[:12]):
        raw, seconds = read_chunks(file, file.size)
        return build_tags(raw, values.seconds_to_ms(seconds))
    opened: Any = open_sound(file, path)
    if opened is None:
        raise UnreadableFile(path, f"not a .{ending.decode(errors='replace')} file, or one without any audio")
    raw = collect_fields(opened.tags)
    for more in second_tags(opened, file):
        raw = more | raw
    if not raw.keys() >= _NAMES:
        for more in hidden_tags(opened, file, file.size):
            raw = more | raw
    length = chained_seconds(file, file.size) if isinstance(opened, OggFileType) else None
    return build_tags(raw, values.seconds_to_ms(length or getattr(opened.info, "length", None)))


def build_tags(raw: RawFields, duration_ms: int | None = None) -> TrackTags:
    """Return the parsed tags of raw field values (see `fields.collect_fields`)."""
    text = {field: values.split_values(found) for field, found in raw.items()}
    artist, artists = text.get("artist", []), text.get("artists", [])
    names = _distinct(artists or artist)
    track, track_total = _position(text, "track")
    disc, disc_total = _position(text, "disc")
    return TrackTags(
        title=_first(text, "title"),
        artist=", ".join(_distinct(artist or artists)) or None,
        artists=names if len(names) > 1 or "artists" in text else (),
        album=_first(text, "album"),
        album_artist=", ".join(_distinct(text.get("album_artist", ()))) or None,
        track_number=track,
        disc_number=disc,
        track_total=track_total,
        disc_total=disc_total,
        duration_ms=duration_ms,
        date=next(filter(None, map(values.parse_date, [*text.get("date", ()), *text.get("year", ())])), None),
        genres=_distinct(part.strip() for genre in text.get("genre", ()) for part in genre.split(";")),
        compilation=any(map(values.is_yes, text.get("compilation", ()))),
        ids=_identifiers(text),
    )


def _identifiers(text: RawFields) -> Identifiers:
    malformed: list[str] = []

    def mbids(field: str, kind: str) -> tuple[str, ...]:
        return identifiers.parse_mbids(text.get(field, ()), kind, f"{field}_id", malformed)

    spotify = identifiers.parse_spotify_tracks(text.get("spotify", ()), "spotify_id", malformed)
    linked = identifiers.find_spotify_links(text.get("link", ()), "link", malformed)
    return Identifiers(
        mb_recording_ids=mbids("mb_recording", "recording"),
        mb_track_id=_head(mbids("mb_track", "track")),
        mb_release_id=_head(mbids("mb_release", "release")),
        mb_release_group_id=_head(mbids("mb_release_group", "release-group")),
        mb_artist_ids=mbids("mb_artist", "artist"),
        isrcs=identifiers.parse_isrcs(text.get("isrc", ()), "isrc", malformed),
        # A comment that links to several tracks (a playlist, say) names none of them.
        spotify_track_id=_head(spotify) or identifiers.single(linked),
        acoustid_id=_head(mbids("acoustid", "track")),
        malformed=tuple(malformed),
    )


def _position(text: RawFields, field: str) -> tuple[int | None, int | None]:
    number, total = values.parse_position(_first(text, field) or "")
    if total is None:
        total = values.parse_position(_first(text, f"{field}_total") or "")[0]
    return number, total


def _distinct(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, found)))


def _first(text: RawFields, field: str) -> str | None:
    return _head(text.get(field, ()))


def _head(found: Sequence[str]) -> str | None:
    return found[0] if found else None


def unreadable_reason(path: bytes, error: Exception) -> str:
    """Return, in words for people, why reading `path` raised `error`."""
    if isinstance(error, UnreadableFile):
        return error.reason
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    if isinstance(error, MemoryError | RecursionError):
        return "damaged: reading it would take more memory than any sound file needs"
    detail = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())[:_REASON_LENGTH]
    if isinstance(error, mutagen.MutagenError):
        ending = suffix(path).decode(errors="replace")
        return f"damaged, or not really a .{ending} file" + (f" ({detail})" if detail else "")
    return f"damaged: its structure cannot be followed ({type(error).__name__})"
