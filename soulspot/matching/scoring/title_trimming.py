"""Names of artist and album cut off titles: "Artist - Title", "Title (Album)"."""

from dataclasses import dataclass, replace

from soulspot.matching.albums.release import SAME_ALBUM, bare_name
from soulspot.matching.text.names import name_similarity
from soulspot.matching.text.similarity import text_similarity, title_similarity
from soulspot.matching.text.titles import Title, count_parts, parse_title
from soulspot.matching.versions.parsing import parse_versions
from soulspot.matching.views import View
from soulspot.text import fold

_LONG = 5  # letters from which a name may be miswritten


@dataclass(frozen=True, slots=True)
class TrimmedTitle:
    """A title without names in it; a name of the other side is as good as a tag that agrees."""

    title: Title
    has_other_artist: bool = False
    has_other_album: bool = False


def trim_title(view: View, other: View) -> TrimmedTitle:
    """Return the title of `view` without pieces that name an artist or an album of either side. The
    title "Mara Quill - Paper Boats (Harbour)" of a track on "Harbour" is "paper boats"."""
    title = view.title
    if len(title.segments) < 2 and not title.asides:
        return TrimmedTitle(title)
    # The other side goes first: its name in this title is evidence, our own name is none.
    sides = (("other", other), ("own", view))
    found: set[str] = set()
    for whose, side in sides:
        head = _cut_album(title, side)
        # "Artist - Title" of a title track: the piece in front is the artist, not the title.
        if head is not None and not any(_is_artist(fold(head), each) for _, each in sides):
            title, found = parse_title(head), {f"{whose} album"}
            break
    segments, kept = list(title.segments), []

    def is_name(piece: str, *, exact: bool = False) -> bool:
        for whose, side in sides:
            if (is_album := _is_album(piece, side, exact)) or _is_artist(piece, side):
                found.add(f"{whose} {'album' if is_album else 'artist'}")
                return True
        return False

    if len(segments) > 1 and any(_is_artist(segments[0], side) for _, side in sides):
        found.add("other artist" if _is_artist(segments[0], other) else "own artist")
        del segments[0]
    while len(segments) > 1:
        if len(segments) > 2 and is_name(" ".join(segments[-2:])):
            del segments[-2:]
        elif is_name(segments[-1]):
            del segments[-1]
        else:
            break
    for aside in title.asides:
        # A version word is no album's name, unless it stands in a name that is exactly the album's.
        may_be_name = not aside.versions.hard or aside.versions.details
        if not (may_be_name and is_name(aside.text, exact=bool(aside.versions.hard))):
            kept.append(aside)
    if not found:
        return TrimmedTitle(title)
    rest = replace(title, segments=tuple(segments), asides=tuple(kept))
    return TrimmedTitle(rest, "other artist" in found, "other album" in found)


def _cut_album(title: Title, side: View) -> str | None:
    """Return the text before the album's name that ends the title; None where none does."""
    if not title.cuts or not side.albums:
        return None
    names = {fold(name) for album in side.albums for name in (album.name, bare_name(album.name))}
    for end, head in title.cuts:
        versions = parse_versions(end)
        if versions.hard and not versions.details:
            continue  # a version word alone is no album's name
        # An album that begins with the text in front is named after the track, as singles are.
        others = [name for name in names if len(end) >= _LONG and not name.startswith(fold(head))]
        # "Taylor's Version" is nearly "Red (Taylor's Version)": version words make no near album.
        if end in names or (not versions.hard and any(_is_miswritten(end, name) for name in others)):
            return head
    return None


def _is_miswritten(end: str, name: str) -> bool:
    return text_similarity(end, name) >= SAME_ALBUM and count_parts(end).numbers == count_parts(name).numbers


def _is_artist(piece: str, side: View) -> bool:
    return any(name_similarity(piece, name) >= 0.85 for name in (side.credit.whole, *side.credit.names) if name)


def _is_album(piece: str, side: View, exact: bool) -> bool:
    names = [album.title.plain for album in side.albums]
    if exact or piece in names:
        return piece in names
    # Asides are part of the name here: an album is not "live" because a title says so.
    return any((title_similarity(_whole(piece), _whole(name)) or 0.0) >= SAME_ALBUM for name in names)


def _whole(text: str) -> Title:
    parsed = parse_title(text)
    return Title((parsed.plain,)) if parsed.asides else parsed
