"""Facts of several sources become one value a field, and the name of the source that gave it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from soulspot.models import TrackTags
from soulspot.text import fold

TAGS = "tags"
DEFAULT_ORDER = ("musicbrainz", "listenbrainz", "spotify", TAGS)

# what belongs to one release is taken from one release: a title from here and a date from there describe nothing
RELEASE_FIELDS = ("album", "album_artist", "track_number", "disc_number", "release_date", "mb_release_id",
                  "mb_release_group_id", "label", "catalog_number", "barcode")  # fmt: skip
SINGLE_FIELDS = (
    "title", "artist", "duration_ms", "original_date", "explicit", "popularity", "cover_url",
    "mb_recording_id", "spotify_track_id", "spotify_album_id",
)  # fmt: skip
LIST_FIELDS = ("artists", "genres", "mb_artist_ids", "spotify_artist_ids")


def merge(
    facts: Mapping[str, Mapping[str, Any]], order: Mapping[str, Sequence[str]], *, own: TrackTags
) -> tuple[dict[str, Any], dict[str, str]]:
    """(values, sources): for every field the first source of its order that has it.

    `facts` maps a source ("musicbrainz", "listenbrainz", "spotify", "tags") to its fields as docs/fields.md names
    them; `order` maps a field to its order of sources, "*" standing for every field it does not name."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(field: str, candidates: Sequence[str]) -> None:
        for source in candidates:
            value = facts.get(source, {}).get(field)
            if value not in (None, "", (), []):
                values[field] = tuple(value) if isinstance(value, list) else value
                sources[field] = source
                return

    for field in (*SINGLE_FIELDS, *LIST_FIELDS):
        take(field, _order_of(field, order))
    for field in RELEASE_FIELDS:
        take(field, [source for source in _order_of(field, order) if _same_album(facts.get(source, {}), own)])
    _take_isrc(values, sources, facts, _order_of("isrc", order), own)
    return values, sources


def _order_of(field: str, order: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return order.get(field) or order.get("*") or DEFAULT_ORDER


def _same_album(fields: Mapping[str, Any], own: TrackTags) -> bool:
    """A source may describe the release only when it speaks of the album the library has, if the library says one."""
    if not own.album or "album" not in fields:
        return True
    here, there = fold(own.album), fold(str(fields["album"]))
    return here == there or here.startswith(there) or there.startswith(here)


def _take_isrc(
    values: dict[str, Any],
    sources: dict[str, str],
    facts: Mapping[str, Mapping[str, Any]],
    order: Sequence[str],
    own: TrackTags,
) -> None:
    """The library's own ISRC where an accepted source confirms it, else the first that a source names."""
    for source in order:
        listed = facts.get(source, {}).get("isrcs") or ()
        confirmed = [isrc for isrc in own.ids.isrcs if isrc in listed]
        if source != TAGS and listed:
            values["isrc"], sources["isrc"] = (confirmed or list(listed))[0], source
            return
    if own.ids.isrcs and TAGS in order:
        values["isrc"], sources["isrc"] = own.ids.isrcs[0], TAGS


def tag_facts(tags: TrackTags) -> dict[str, Any]:
    """What the library itself says, in the vocabulary of the sources; unconfirmed ids stay out."""
    return {
        "title": tags.title,
        "artist": tags.artist,
        "artists": list(tags.artists) or ([tags.artist] if tags.artist else []),
        "album": tags.album,
        "album_artist": tags.album_artist,
        "track_number": tags.track_number,
        "disc_number": tags.disc_number,
        "duration_ms": tags.duration_ms,
        "release_date": tags.date,
        "genres": [genre.lower() for genre in tags.genres],
    }


def release_facts(release: Mapping[str, Any]) -> dict[str, Any]:
    """The album's fields out of one entry of a recording's `releases`."""
    renamed = {
        "title": "album",
        "date": "release_date",
        "id": "mb_release_id",
        "release_group_id": "mb_release_group_id",
        "album_artist": "album_artist",
        "track_number": "track_number",
        "disc_number": "disc_number",
    }
    return {name: release[key] for key, name in renamed.items() if key in release}
