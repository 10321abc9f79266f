"""Tags put in order: placeholders dropped, titles cleared of numbers, gaps filled by path."""

import re
from dataclasses import replace
from functools import lru_cache

from soulspot.matching.text.names import is_unknown, is_various
from soulspot.matching.text.vocabulary import NAMELESS_FOLDER, PLACEHOLDER_ALBUM, PLACEHOLDER_TITLE, SHELVES
from soulspot.matching.versions.parsing import parse_versions
from soulspot.models import TrackTags
from soulspot.text import bare_title, fold, lead_artist

_LEADING = re.compile(r"^(?P<disc>\d{1,2}[-.])?(?P<number>\d{1,3})(?P<sign>\s*[-–._)]\s*|\s+)(?=[^\d\s]|\d+\D)")
_STEM_NUMBER = re.compile(
    r"^(?:(?P<disc>\d{1,2})[-.](?=\d{2}\b))?(?P<letter>[A-D](?=\d\b|\d\d\b))?(?P<number>\d{1,3})(?:\s*[-–._)]+\s*|\s+)(?P<rest>\S.*)$"
)
_YEAR_TAIL = re.compile(r"\s*[(\[](?P<year>(?:19|20)\d\d)(?:[-.]\d\d)*[)\]]")
_YEAR_HEAD = re.compile(r"^[(\[]?(?P<year>(?:19|20)\d\d)[)\]]?\s*[-–.]?\s+(?=\S)")
_FORMAT_TAIL = re.compile(
    r"(?i)\s*[(\[{](?:flac|mp3|ogg|opus|aac|alac|wav|web|cd|vinyl|v0|v2|320|16|24|hi-?res|lossless|cdrip)\b[^)\]}]*[)\]}]"
)
_DISC_FOLDER = re.compile(r"(?i)^(?:cd|disc|disk|dvd|disque|disco)\s*[-_.]?\s*(?P<disc>\d{1,2})\b")
_DASH = re.compile(r"\s+[-–—]\s+|(?<=_)-(?=_)")


@lru_cache(maxsize=2048)
def normalise_tags(tags: TrackTags, path: bytes | None = None, *, split: bool = True) -> TrackTags:
    """Return the tags tidied, with gaps filled from the path.

    "Artist - Title" in the title of a track without artist is split where `split` is true.
    Identifiers stay as they are. The result normalised again is itself.
    >>> tidy = normalise_tags(TrackTags(title="03 - Mara Quill - Paper Boats"))
    >>> tidy.track_number, tidy.artist, tidy.title
    (3, 'Mara Quill', 'Paper Boats')"""
    tidy = _tidy_until_stable(tags, split)
    if path is not None:
        tidy = _tidy_until_stable(_fill_gaps(tidy, guess_from_path(path)), split)
    return tidy


def _tidy_until_stable(tags: TrackTags, split: bool) -> TrackTags:
    # One step may uncover what another has to tidy: a number behind an artist, say.
    while (tidy := _tidy_once(tags, split)) != tags:
        tags = tidy
    return tags


def _tidy_once(tags: TrackTags, split: bool) -> TrackTags:
    title, artist, number = _collapse(tags.title), _collapse(tags.artist), tags.track_number
    if artist and is_unknown(artist):
        artist = None
    album = _collapse(tags.album)
    if album and (PLACEHOLDER_ALBUM.match(fold(album)) or not _YEAR_TAIL.sub("", album).strip()):
        album = None
    if title:
        title = _restore_spaces(title)
        if placeholder := PLACEHOLDER_TITLE.match(fold(title)):
            number = number or int(next(filter(None, placeholder.groups()), 0)) or None
            title = None
    if title:
        title, number = _cut_number(title, number)
    if split and title and not artist and not any(map(_collapse, tags.artists)):
        pieces = _DASH.split(title, maxsplit=1)
        if len(pieces) == 2 and all(map(fold, pieces)) and not pieces[0].strip().isdecimal():
            artist = pieces[0].strip()
            title, number = _cut_number(pieces[1].strip(), number)
    album_artist = _collapse(tags.album_artist)
    return replace(
        tags,
        title=title,
        artist=artist,
        album=album,
        album_artist=None if album_artist and is_unknown(album_artist) else album_artist,
        track_number=number,
        artists=tuple(name for name in map(_collapse, tags.artists) if name and not is_unknown(name)),
        duration_ms=tags.duration_ms or None,
        compilation=tags.compilation or is_various(album_artist),
    )


def _collapse(value: str | None) -> str | None:
    return " ".join(value.split()) or None if value else None


def _restore_spaces(title: str) -> str:
    """Return a title that a file name became, with its spaces. Underscores are spaces where there
    are no others, and so are hyphens where longer dashes part artist and title."""
    if " " in title.strip():
        return title
    if "---" in title:
        title = title.replace("---", " - ").replace("_", " ")
        title = " - ".join(piece.replace("-", " ") for piece in title.split(" - "))
    return " ".join(title.replace("_", " ").split())


def _cut_number(title: str, number: int | None) -> tuple[str, int | None]:
    """Cut the leading track numbers that cannot be part of the name; return title and number. "03 -
    Title", "003-Title" and "3. Title" are cut, "99 Luftballons" and "1979" are not."""
    while (found := _LEADING.match(title)) is not None:
        written, sign = found["number"], found["sign"]
        rest = title[found.end() :].strip()
        has_zero = written.startswith("0") and len(written) > 1
        agrees = number is not None and int(written) == number and sign.strip() != ""
        is_listed = number is None and sign.rstrip() in (".", " -", " –") and sign != sign.rstrip()
        if not fold(rest) or not (has_zero or agrees or is_listed):
            return title, number
        title, number = rest, number or int(written) or None
    return title, number


def strip_artist(title: str, artist: str | None) -> str:
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
    """Return the tags that the last two folders and the file name suggest.
    >>> guess = guess_from_path(b"Mara Quill/Harbour (2001)/03 - Paper Boats.flac")
    >>> guess.artist, guess.album, guess.date, guess.track_number, guess.title
    ('Mara Quill', 'Harbour', '2001', 3, 'Paper Boats')"""
    pieces = [_read_piece(p) for p in path.decode("utf-8", "replace").split("/") if p.strip(". ")]
    if not pieces:
        return TrackTags()
    stem = re.sub(r"\.[A-Za-z0-9]{1,5}$", "", pieces.pop())
    disc = None
    if pieces and (found := _DISC_FOLDER.match(pieces[-1])):
        disc = int(found["disc"]) or None
        pieces.pop()
    artist, album, date = _guess_from_folders(pieces)
    parts = [part for part in _DASH.split(stem) if not part.strip().isdecimal()]
    if (
        len(parts) == 2
        and pieces
        and NAMELESS_FOLDER.match(fold(pieces[-1]))
        and not (artist and fold(parts[0]) == fold(artist))
        and not parse_versions(bare_title(parts[1]) or parts[1]).kinds
    ):
        # "phone backup/832/Artist - Title": a nameless folder says nothing, nor the one above.
        artist = album = date = None
    number = None
    if found := _STEM_NUMBER.match(stem):
        number, disc = int(found["number"]) or None, int(found["disc"] or 0) or disc
        stem = found["rest"]
    parts = [p.strip() for p in _DASH.split(stem) if fold(p)]
    track_artist = None
    if len(parts) > 2 and album and fold(parts[1]) == fold(album):
        del parts[1]
    if len(parts) >= 3 and parts[-2].isdecimal():  # Artist - 03 - Title
        number = number or int(parts[-2]) or None
        del parts[-2]
    if len(parts) >= 2 and (artist is None or fold(parts[0]) == fold(artist) or is_various(artist)):
        track_artist, parts = parts[0], parts[1:]
    return TrackTags(
        title=" - ".join(parts) or None,
        artist=track_artist or (None if is_various(artist) else artist),
        album=album,
        album_artist=artist,
        track_number=number,
        disc_number=disc,
        date=date,
        compilation=is_various(artist),
    )


def _guess_from_folders(pieces: list[str]) -> tuple[str | None, str | None, str | None]:
    """Return (artist, album, year) by the last two folders; shelves ("Music") name nothing."""
    folders = [piece for piece in pieces[-2:] if fold(piece) not in SHELVES]
    artist = folders[0] if len(folders) == 2 else None
    if not folders or (len(folders) == 1 and fold(pieces[-1]) in SHELVES):
        return artist, None, None
    album, date = _split_year(folders[-1])
    parts = _DASH.split(album, maxsplit=1) if album else []
    if len(parts) == 2 and (artist is None or fold(parts[0]) == fold(artist)):
        artist = parts[0].strip()
        album, later = _split_year(parts[1].strip())
        date = date or later
    return artist, album, date


def _read_piece(piece: str) -> str:
    piece = piece.replace("_", " ") if " " not in piece else piece
    return " ".join(piece.split())


def _split_year(folder: str) -> tuple[str | None, str | None]:
    """Return (album, year) of a folder's name: "2001 - Harbour [FLAC]" is "Harbour" of "2001"."""
    name = _FORMAT_TAIL.sub("", folder)
    found = _YEAR_TAIL.search(name) or _YEAR_HEAD.match(name)
    if found:
        name = (name[: found.start()] + " " + name[found.end() :]).strip()
    return name.strip() or None, (found["year"] if found else None)


def _fill_gaps(tags: TrackTags, guess: TrackTags) -> TrackTags:
    artist = tags.artist
    is_artist_known = artist is not None or bool(tags.artists)
    if not is_artist_known:
        has_album_artist = tags.album_artist is not None and not is_various(tags.album_artist)
        artist = tags.album_artist if has_album_artist else guess.artist
    names = ("title", "album", "track_number", "disc_number", "date")
    return replace(
        tags,
        **{name: getattr(tags, name) or getattr(guess, name) for name in names},
        artist=artist,
        album_artist=tags.album_artist if tags.album_artist or is_artist_known else guess.album_artist,
        compilation=tags.compilation or (guess.compilation and not is_artist_known),
    )
