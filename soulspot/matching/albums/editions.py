"""Which releases an album of the library may be: candidates of a release search, ranked; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from soulspot.matching.albums.release import SAME_ALBUM, Album
from soulspot.matching.text.names import credit_of, credit_similarity, is_various
from soulspot.matching.text.similarity import title_similarity
from soulspot.models import Entity, TrackTags

SAME_ALBUM_ARTIST = 0.6


def choose_editions(
    tags: TrackTags,
    album: str,
    artist: str | None,
    releases: Sequence[Entity],
    *,
    size: int,
    by_artist: Set[str] = frozenset(),
) -> list[Entity]:
    """The releases of this name, the likeliest first; `size` is how many tracks of the album the library has.

    `artist` is None for a compilation. Releases whose id is in `by_artist` are known to be the artist's, whatever name
    that has there; they may be called otherwise, too, when they have as many tracks. Ranked by name, an edition that
    can hold all the tracks before a shorter one, official before others, the year of the tags, the nearest number of
    tracks, the earliest date."""
    wanted = Album(album)
    least = max(size, tags.track_total or 0, tags.track_number or 0)
    ranked = []
    for release in releases:
        fields = release.fields
        entry: Mapping[str, Any] = next(iter(fields.get("releases", ())), {})
        found = Album(
            str(fields.get("album", "")),
            status=entry.get("status"),
            primary=entry.get("primary_type"),
            secondary=tuple(entry.get("secondary_types", ())),
        )
        likeness = title_similarity(wanted.title, found.title) or 0.0
        count, date = int(fields.get("track_count", 0)), str(fields.get("release_date", "9999"))
        if release.id in by_artist:
            if likeness < SAME_ALBUM and count != size:
                continue
        elif likeness < SAME_ALBUM or not album_may_be_by(fields, artist):
            continue
        rank = (
            -round(likeness, 2),
            0 < count < least,
            found.preference if artist else 0,
            tags.date is not None and date[:4] != tags.date[:4],
            abs(count - least),
            date,
            release.id,
        )
        ranked.append((rank, release))
    return [release for _, release in sorted(ranked, key=lambda pair: pair[0])]


def album_may_be_by(fields: Mapping[str, Any], artist: str | None) -> bool:
    """Whether an album with these fields may be this artist's; None stands for various artists. What cannot be
    compared may be."""
    credit = fields.get("album_artist")
    if not credit:
        return True
    if artist is None:
        return is_various(str(credit))
    similarity = credit_similarity(credit_of(artist), credit_of(str(credit)))
    if similarity is None or similarity >= SAME_ALBUM_ARTIST:
        return True
    aliases = fields.get("artist_aliases", ())
    return any((credit_similarity(credit_of(artist), credit_of(str(one))) or 0.0) >= 0.85 for one in aliases)
