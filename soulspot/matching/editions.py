"""Which releases an album of the library may be: candidates of a release search, ranked; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soulspot.matching.names import credit_of, credit_similarity, is_various
from soulspot.matching.releases import preference
from soulspot.matching.similarity import title_similarity
from soulspot.matching.views import SAME_ALBUM, Album, album_title
from soulspot.models import Entity, TrackTags

SAME_ALBUM_ARTIST = 0.6


def choose_editions(
    tags: TrackTags, album: str, artist: str | None, releases: Sequence[Entity], *, size: int
) -> list[Entity]:
    """The releases of this name, the likeliest first; `size` is how many tracks of the album the library has.

    `artist` is None for a compilation. Ranked by name, an edition that can hold all the tracks before a shorter
    one, official before others, the year of the tags, the nearest number of tracks, the earliest date."""
    wanted = album_title(album)
    least = max(size, tags.track_total or 0, tags.track_number or 0)
    ranked = []
    for release in releases:
        fields = release.fields
        name = str(fields.get("album", ""))
        entry: Mapping[str, Any] = next(iter(fields.get("releases", ())), {})
        likeness = title_similarity(wanted, album_title(name)) or 0.0
        if likeness < SAME_ALBUM or not _same_artist(artist, fields):
            continue
        count = int(fields.get("track_count", 0))
        view = Album(
            title=album_title(name),
            name=name,
            status=entry.get("status"),
            primary=entry.get("primary_type"),
            secondary=frozenset(str(kind).casefold() for kind in entry.get("secondary_types", ())),
        )
        date = str(fields.get("release_date", "9999"))
        other_year = tags.date is not None and date[:4] != tags.date[:4]
        too_short = 0 < count < least
        rank = (
            -round(likeness, 2), too_short, preference(view) if artist else 0, other_year, abs(count - least), date,
            release.id,
        )  # fmt: skip
        ranked.append((rank, release))
    return [release for _, release in sorted(ranked, key=lambda pair: pair[0])]


def _same_artist(artist: str | None, fields: Mapping[str, Any]) -> bool:
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
