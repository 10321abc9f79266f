"""Tags put in order: placeholders dropped, numbers and artists taken out of titles, gaps filled from the path."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from soulspot.matching.text.names import is_unknown, is_various
from soulspot.matching.text.vocabulary import (
    NAMELESS_FOLDER,
    PLACEHOLDER_ALBUM,
    PLACEHOLDER_TITLE,
    SHELVES,
    lines,
)
from soulspot.matching.versions.words import parse_versions
from soulspot.models import TrackTags
from soulspot.text import bare_title, fold, lead_artist

_PLACEHOLDER_TITLE = re.compile("^(?:" + "|".join(lines(PLACEHOLDER_TITLE)) + ")$")
_PLACEHOLDER_ALBUM = re.compile("^(?:" + "|".join(lines(PLACEHOLDER_ALBUM)) + ")$")
_LEADING = re.compile(
    r"^(?P<disc>\d{1,2}[-.])?(?P<number>\d{1,3})(?P<sign>\s*[-–._)]\s*|\s+)(?=[^\d\s]|\d+\D)"
)
_STEM_NUMBER = re.compile(
    r"^(?:(?P<disc>\d{1,2})[-.](?=\d{2}\b))?(?P<letter>[A-D](?=\d\b|\d\d\b))?(?P<number>\d{1,3})(?:\s*[-–._)]+\s*|\s+)(?P<rest>\S.*)$"
)
_YEAR_TAIL = re.compile(r"\s*[(\[](?P<year>(?:19|20)\d\d)(?:[-.]\d\d)*[)\]]")
_YEAR_HEAD = re.compile(r"^[(\[]?(?P<year>(?:19|20)\d\d)[)\]]?\s*[-–.]?\s+(?=\S)")
_FORMAT_TAIL = re.compile(
    r"(?i)\s*[(\[{](?:flac|mp3|ogg|opus|aac|alac|wav|web|cd|vinyl|v0|v2|320|16|24|hi-?res|lossless|cdrip)\b[^)\]}]*[)\]}]"
)
# Folders that were numbered or never named; an album may be called "25", so the file's name must speak for it.
_SHARD = re.compile(NAMELESS_FOLDER)
_DISC_FOLDER = re.compile(r"(?i)^(?:cd|disc|disk|dvd|disque|disco)\s*[-_.]?\s*(?P<disc>\d{1,2})\b")
_DASH = re.compile(r"\s+[-–—]\s+|(?<=_)-(?=_)")


@lru_cache(maxsize=2048)
def normalise_tags(tags: TrackTags, path: bytes | None = None, *, split: bool = True) -> TrackTags:
    """The same tags, tidied, with gaps filled from the file's path (".../Artist/Album (2001)/03 - Title.flac").

    "Artist - Title" in the title of a track without artist is split, unless told not to. Doing it twice changes
    nothing more. Identifiers are left as they are."""
    tidy = _settled(tags, split)
    if path is not None:
        tidy = _settled(_filled(tidy, guess_from_path(path)), split)
    return tidy


def _settled(tags: TrackTags, split: bool) -> TrackTags:
    """Tidied until nothing changes: what one step uncovers another may have to tidy."""
    while (tidy := _tidied(tags, split)) != tags:
        tags = tidy
    return tags


def _tidied(tags: TrackTags, split: bool) -> TrackTags:
    title, artist, number, disc = _text(tags.title), _text(tags.artist), tags.track_number, tags.disc_number
    if artist and is_unknown(artist):
        artist = None
    album = _text(tags.album)
    if album and (_PLACEHOLDER_ALBUM.match(fold(album)) or not _YEAR_TAIL.sub("", album).strip()):
        album = None
    if title:
        title = _spaced(title)
        place = _PLACEHOLDER_TITLE.match(fold(title))
        if place:
            number = number or (int(next(filter(None, place.groups()), 0))) or None
            title = None
    if title:
        title, number = without_number(title, number)
    if split and title and not artist and not any(map(_text, tags.artists)):
        pieces = _DASH.split(title, maxsplit=1)
        if len(pieces) == 2 and all(fold(p) for p in pieces) and not pieces[0].strip().isdecimal():
            artist, title = pieces[0].strip(), pieces[1].strip()
            title, number = without_number(title, number)
    album_artist = _text(tags.album_artist)
    return replace(
        tags,
        title=title,
        artist=artist,
        album=album,
        album_artist=None if album_artist and is_unknown(album_artist) else album_artist,
        track_number=number,
        disc_number=disc,
        artists=tuple(name for name in map(_text, tags.artists) if name and not is_unknown(name)),
        duration_ms=tags.duration_ms or None,
        compilation=tags.compilation or is_various(album_artist),
    )


def _text(value: str | None) -> str | None:
    return " ".join(value.split()) or None if value else None


def _spaced(title: str) -> str:
    """File names in a title tag: underscores are spaces when there are no others, and so are hyphens where longer
    dashes part artist and title."""
    if " " in title.strip():
        return title
    if "---" in title:
        title = title.replace("---", " - ").replace("_", " ")
        title = " - ".join(piece.replace("-", " ") for piece in title.split(" - "))
    return " ".join(title.replace("_", " ").split()) if "_" in title or " " in title else title


def without_number(title: str, number: int | None) -> tuple[str, int | None]:
    """Cut a leading track number ("03 - ", "003-", "3. ") that cannot be part of the name; keep it as the number."""
    while (found := _LEADING.match(title)) is not None:
        written = found["number"]
        rest = title[found.end() :].strip()
        bare = not found["sign"].strip()
        sure = written.startswith("0") and len(written) > 1
        same = number is not None and int(written) == number
        spaced = (
            number is None
            and found["sign"].rstrip() in (".", " -", " –")
            and found["sign"] != found["sign"].rstrip()
        )
        if not fold(rest) or not (sure or (same and not bare) or spaced):
            return title, number
        title, number = rest, number or int(written) or None
    return title, number


def strip_artist(title: str, artist: str | None) -> str:
    """The title without the artist's name before or after a dash ("Artist - Title")."""
    pieces = _DASH.split(title)
    names = {fold(artist), fold(lead_artist(artist))} - {""} if artist else set()
    if len(pieces) > 1 and fold(pieces[0]) in names:
        del pieces[0]
    elif len(pieces) > 1 and fold(pieces[-1]) in names:
        del pieces[-1]
    else:
        return title
    return " - ".join(piece.strip() for piece in pieces)


def guess_from_path(path: bytes) -> TrackTags:
    """What a path says: the last two folders and the file name. Nothing is certain here."""
    pieces = [_clean(p) for p in path.decode("utf-8", "replace").split("/") if p.strip(". ")]
    if not pieces:
        return TrackTags()
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", pieces.pop())
    disc = None
    if pieces and (found := _DISC_FOLDER.match(pieces[-1])):
        disc = int(found["disc"]) or None
        pieces.pop()
    folders = [p for p in pieces[-2:] if fold(p) not in SHELVES]
    album, date = (None, None)
    artist = None
    if len(folders) == 2:
        artist = folders[0]
    if folders and (len(folders) == 2 or fold(pieces[-1]) not in SHELVES):
        album, date = _album(folders[-1])
        parts = _DASH.split(album, maxsplit=1) if album else []
        if len(parts) == 2 and (artist is None or fold(parts[0]) == fold(artist)):
            artist, album = parts[0].strip(), parts[1].strip()
            album, later = _album(album)
            date = date or later
    parts = [part for part in _DASH.split(stem) if not part.strip().isdecimal()]
    if (
        len(parts) == 2
        and pieces
        and _SHARD.match(fold(pieces[-1]))
        and not (artist and fold(parts[0]) == fold(artist))
        and not parse_versions(bare_title(parts[1]) or parts[1]).kinds
    ):
        # "phone backup/832/Artist - Title": a folder that is no name says nothing, nor does the one above
        artist = album = date = None
    number = None
    if found := _STEM_NUMBER.match(stem):
        number, disc = int(found["number"]) or None, int(found["disc"] or 0) or disc
        stem = found["rest"]
    parts = [p.strip() for p in _DASH.split(stem) if fold(p)]
    track_artist = None
    if len(parts) >= 2 and album and fold(parts[1]) == fold(album) and len(parts) > 2:
        del parts[1]
    if len(parts) >= 3 and parts[-2].isdecimal():  # Artist - 03 - Title
        number = number or int(parts[-2]) or None
        parts = [*parts[:-2], parts[-1]]
    if len(parts) >= 2 and (artist is None or fold(parts[0]) == fold(artist) or is_various(artist)):
        track_artist, parts = parts[0], parts[1:]
    title = " - ".join(parts) or None
    return TrackTags(
        title=title,
        artist=track_artist or (None if is_various(artist) else artist),
        album=album,
        album_artist=artist,
        track_number=number,
        disc_number=disc,
        date=date,
        compilation=is_various(artist),
    )


def _clean(piece: str) -> str:
    piece = piece.replace("_", " ") if " " not in piece else piece
    return " ".join(piece.split())


def _album(folder: str) -> tuple[str | None, str | None]:
    """A folder's album name and year."""
    name = _FORMAT_TAIL.sub("", folder)
    found = _YEAR_TAIL.search(name) or _YEAR_HEAD.match(name)
    if found:
        name = (name[: found.start()] + " " + name[found.end() :]).strip()
    return (" ".join(name.split(" ")).strip() or None), (found["year"] if found else None)


def _filled(tags: TrackTags, guess: TrackTags) -> TrackTags:
    known_artist = tags.artist is not None or bool(tags.artists)
    return replace(
        tags,
        title=tags.title or guess.title,
        artist=tags.artist
        if known_artist
        else tags.album_artist
        if _names(tags.album_artist)
        else guess.artist,
        album=tags.album or guess.album,
        album_artist=tags.album_artist if tags.album_artist or known_artist else guess.album_artist,
        track_number=tags.track_number or guess.track_number,
        disc_number=tags.disc_number or guess.disc_number,
        date=tags.date or guess.date,
        compilation=tags.compilation or (guess.compilation and not known_artist),
    )


def _names(artist: str | None) -> bool:
    return artist is not None and not is_various(artist)
