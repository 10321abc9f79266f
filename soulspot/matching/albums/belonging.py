"""Which of a recording's releases a file belongs to, and which one is worth preferring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soulspot.matching.albums.release import SAME_ALBUM, Album
from soulspot.matching.text.names import credit_of, credit_similarity, is_various
from soulspot.matching.text.similarity import title_similarity
from soulspot.matching.views import View

OTHER_VERSION = 0.8  # the most two album names are alike when one says "live" and the other does not


def album_similarity(a: Album, b: Album) -> float:
    """0 to 1 of two album names; 1 when the release ids are equal, 0 when the album artists are strangers."""
    if a.id and a.id == b.id:
        return 1.0
    similarity = title_similarity(a.title, b.title)
    if similarity is None:
        return 0.0
    if a.title.versions.hard != b.title.versions.hard:
        similarity = min(similarity, OTHER_VERSION)
    if a.artist and b.artist and not is_various(a.artist) and not is_various(b.artist):
        artists = credit_similarity(credit_of(a.artist), credit_of(b.artist))
        if artists is not None and artists < 0.6:
            return similarity * 0.9
    return similarity


def same_position(a: Album, b: Album) -> bool | None:
    """Whether both stand at the same place of the release; None when one does not say."""
    if a.number is None or b.number is None:
        return None
    if a.disc is not None and b.disc is not None and a.disc != b.disc:
        return False
    return a.number == b.number


def choose_release(tags: View, candidate: View) -> Mapping[str, Any] | None:
    """The entry of the candidate's releases the file belongs to, or None.

    By release id, else album name, position, official before promotion, album before single before compilation,
    the same year, the earliest date. With an album name in the tags a release of another name is never chosen."""
    wanted = tags.albums[0] if tags.albums else None
    known = [
        (one, entry)
        for one, entry in zip(candidate.albums, candidate.entries, strict=True)
        if entry is not None
    ]
    if tags.release_id:
        for one, entry in known:
            if one.id == tags.release_id and (wanted is None or album_similarity(wanted, one) >= 0.5):
                return entry
    if wanted is not None and "album" not in tags.guessed:
        known = [(one, entry) for one, entry in known if album_similarity(wanted, one) >= SAME_ALBUM]
    if not known:
        return None

    def rank(found: tuple[Album, Mapping[str, Any]]) -> tuple[float, int, int, int, str, str]:
        one = found[0]
        likeness = -round(album_similarity(wanted, one), 2) if wanted else 0.0
        place = {True: 0, None: 1, False: 2}[same_position(wanted, one) if wanted else None]
        year = 0 if tags.year and one.date and one.date[:4] == tags.year else 1
        return (likeness, place, one.preference, year, one.date or "9999", one.id or "")

    return min(known, key=rank)[1]
