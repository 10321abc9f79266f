"""Pieces of a title that are the artist's or the album's name ("Artist - Title", "Title (Album)"), taken off."""

from __future__ import annotations

from dataclasses import dataclass, replace

from soulspot.matching.albums.release import SAME_ALBUM, bare_name
from soulspot.matching.text.names import name_similarity
from soulspot.matching.text.similarity import text_similarity, title_similarity
from soulspot.matching.text.titles import Title, counted, parse_title
from soulspot.matching.versions.words import parse_versions
from soulspot.matching.views import View
from soulspot.text import fold

_LONG = 5  # letters of a name of which one may be wrong


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A title without foreign pieces; `artist` and `album` say whether one was the *other* side's name,
    which is as good as a tag that agrees."""

    title: Title
    artist: bool = False
    album: bool = False


def trim(view: View, other: View) -> Trimmed:
    """The title of `view` without pieces that are an artist's or album's name of either side."""
    title = view.title
    if len(title.segments) < 2 and not title.asides:
        return Trimmed(title)
    found: set[str] = set()
    for whose, side in (("other", other), ("own", view)):
        if (head := _before_album(title, side)) is not None and not (
            # "Artist - Title" of the title track
            any(_is_artist(fold(head), one) for one in (other, view))
        ):
            title, found = parse_title(head), {f"{whose} album"}
            break
    segments, kept = list(title.segments), []

    def explained(piece: str, *, exact: bool = False) -> bool:
        for whose, side in (("other", other), ("own", view)):
            if _is_album(piece, side, exact):
                found.add(f"{whose} album")
                return True
            if _is_artist(piece, side):
                found.add(f"{whose} artist")
                return True
        return False

    if len(segments) > 1 and any(_is_artist(segments[0], side) for side in (other, view)):
        found.add("other artist" if _is_artist(segments[0], other) else "own artist")
        del segments[0]
    while len(segments) > 1:
        if len(segments) > 2 and explained(" ".join(segments[-2:])):
            del segments[-2:]
        elif explained(segments[-1]):
            del segments[-1]
        else:
            break
    for aside in title.asides:
        # a version word is no album's name, unless it stands in a name that is exactly the album's
        named = not aside.versions.hard or aside.versions.details
        if not (named and explained(aside.text, exact=bool(aside.versions.hard))):
            kept.append(aside)
    if not found:
        return Trimmed(title)
    rest = replace(title, segments=tuple(segments), asides=tuple(kept))
    return Trimmed(rest, "other artist" in found, "other album" in found)


def _before_album(title: Title, side: View) -> str | None:
    """What stands before the album's name where the title ends with it, whatever dashes and brackets that has."""
    if not title.ends or not side.albums:
        return None
    names = {fold(name) for album in side.albums for name in (album.name, bare_name(album.name))}
    for end, head in title.ends:
        words = parse_versions(end)
        if words.hard and not words.details:
            continue  # a version word alone is no album's name
        # a name that begins with what would be left is the title's own: a single is called as its track
        others = [name for name in names if len(end) >= _LONG and not name.startswith(fold(head))]
        if end in names or any(_miswritten(end, name) for name in others):
            return head
    return None


def _miswritten(end: str, name: str) -> bool:
    return text_similarity(end, name) >= SAME_ALBUM and counted(end).numbers == counted(name).numbers


def _is_artist(piece: str, side: View) -> bool:
    return any(
        name_similarity(piece, name) >= 0.85 for name in (side.credit.whole, *side.credit.names) if name
    )


def _is_album(piece: str, side: View, exact: bool) -> bool:
    names = [album.title.plain for album in side.albums]
    if exact or piece in names:
        return piece in names
    # the whole of the name: an album is not "live" because a title says so
    return any((title_similarity(_piece(piece), _piece(name)) or 0.0) >= SAME_ALBUM for name in names)


def _piece(text: str) -> Title:
    parsed = parse_title(text)
    return Title((parsed.plain,)) if parsed.asides else parsed
