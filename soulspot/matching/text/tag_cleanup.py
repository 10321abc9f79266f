"""Tags put in order: placeholders dropped, titles cleared of numbers, gaps filled by path."""

import html
import re
from dataclasses import replace
from functools import lru_cache

from soulspot.matching.text.names import is_unknown, is_various
from soulspot.matching.text.paths import DASH, YEAR_TAIL, guess_from_path
from soulspot.matching.text.vocabulary import PLACEHOLDER_ALBUM, PLACEHOLDER_TITLE
from soulspot.models import TrackTags
from soulspot.text import fold, lead_artist

# "10.000 Sheep" has no track number.
_LEADING = re.compile(
    r"^(?!\d+\.000\b)(?P<disc>\d{1,2}[-.])?(?P<number>\d{1,3})(?P<sign>\s*[-–._)]\s*|\s+)(?=[^\d\s]|\d+\D)"
)
# What a downloader copied out of a web page. "AT&T;" is none.
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8}\d{0,2});")


@lru_cache(maxsize=1024)
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
    if album and (PLACEHOLDER_ALBUM.match(fold(album)) or not YEAR_TAIL.sub("", album).strip()):
        album = None
    if title:
        title = _restore_spaces(title)
        if placeholder := PLACEHOLDER_TITLE.match(fold(title)):
            number = number or int(next(filter(None, placeholder.groups()), 0)) or None
            title = None
    if title:
        title, number = _cut_number(title, number)
    if split and title and not artist and not any(map(_collapse, tags.artists)):
        pieces = DASH.split(title, maxsplit=1)
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
    if not value:
        return None
    if "&" in value and ";" in value:
        value = _ENTITY.sub(lambda found: html.unescape(found[0]), value)
    return " ".join(value.split()) or None


def _restore_spaces(title: str) -> str:
    """Return a title that a file name became, with its spaces. Underscores are spaces where there
    are no others, and so are hyphens where longer dashes part artist and title."""
    if " " in title.strip() or not fold(title):
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
    pieces = DASH.split(title)
    names = {fold(artist), fold(lead_artist(artist))} - {""} if artist else set()
    if len(pieces) > 1 and fold(pieces[0]) in names:
        del pieces[0]
    elif len(pieces) > 1 and fold(pieces[-1]) in names:
        del pieces[-1]
    else:
        return title
    return " - ".join(piece.strip() for piece in pieces)


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
