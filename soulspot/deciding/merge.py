"""Merge the facts of several sources: one value a field, and the name of the source that gave
it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from soulspot.deciding.genres import tidy_genres
from soulspot.models import TrackTags
from soulspot.text import fold

TAGS = "tags"
DEFAULT_ORDER = ("musicbrainz", "listenbrainz", "spotify", TAGS)

# Fields that describe an album. Each has its own order, but only sources that name the track's
# album, or none, may fill them: a date of another album describes nothing.
RELEASE_FIELDS = ("album", "album_artist", "track_number", "disc_number", "release_date", "mb_release_id",
                  "mb_release_group_id", "label", "catalog_number", "barcode", "cover_url")  # fmt: skip
SINGLE_FIELDS = (
    "title", "artist", "duration_ms", "original_date", "explicit", "popularity",
    "mb_recording_id", "spotify_track_id", "spotify_album_id",
)  # fmt: skip
LIST_FIELDS = ("artists", "genres", "mb_artist_ids", "spotify_artist_ids")
# Ids say what was accepted. A configured order of sources chooses among descriptions of that, and
# cannot take it back.
ID_FIELDS = ("mb_recording_id", "mb_release_id", "mb_release_group_id", "mb_artist_ids",
             "spotify_track_id", "spotify_album_id", "spotify_artist_ids")  # fmt: skip

_EDITION = re.compile(
    r"\s*[(\[][^()\[\]]*[)\]]$|\s+-\s+(?:single|ep)$|[\s,:;-]+(?:cd|dis[ck])\s*\d{1,2}$"
    r"|[\s,:;-]+(?:super |\d+\w\w )?(?:deluxe|expanded|special|limited|anniversary|remastered)(?: edition| version)?$",
    re.IGNORECASE,
)


def merge(
    facts: Mapping[str, Mapping[str, Any]],
    order: Mapping[str, Sequence[str]],
    *,
    own: TrackTags,
    album: str | None = None,
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return (values, sources): for every field the value of the first source in its order that has
    one.

    `facts` maps a source ("musicbrainz", "listenbrainz", "spotify", "tags") to its fields, named as
    in docs/reference/fields.md. `order` maps a field to its order of sources; "*" stands for every
    field that it does not name. `own` are the tags, `album` the name of the release that the track
    was accepted on."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def set_first(field: str, order_of_sources: Sequence[str]) -> None:
        for source in order_of_sources:
            value = facts.get(source, {}).get(field)
            if field == "genres" and value:
                value = tidy_genres(value)
            if value not in (None, "", (), []):
                values[field] = tuple(value) if isinstance(value, list) else value
                sources[field] = source
                return

    for field in (*SINGLE_FIELDS, *LIST_FIELDS):
        set_first(field, _order_of(field, order))
    names = [name for name in (own.album, album) if name] or _first_album(facts, _order_of("album", order))
    for field in RELEASE_FIELDS:
        set_first(field, [one for one in _order_of(field, order) if _describes(facts.get(one, {}), names)])
        if field == "release_date":
            _refine_date(values, sources, field, facts, names)
    _refine_date(values, sources, "original_date", facts, [])
    _set_isrc(values, sources, facts, _order_of("isrc", order), own)
    return values, sources


def _refine_date(
    values: dict[str, Any],
    sources: dict[str, str],
    field: str,
    facts: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
) -> None:
    """Replace a date by that of another source which has more of it: "1999" by "1999-05-01"."""
    chosen = values.get(field)
    if not chosen:
        return
    usable = [source for source in facts if field != "release_date" or _describes(facts[source], names)]
    dates = [(facts[source].get(field), source) for source in usable]
    finer = [(date, source) for date, source in dates if isinstance(date, str) and date.startswith(f"{chosen}-")]
    if finer:
        values[field], sources[field] = max(finer, key=lambda pair: len(pair[0]))


def _order_of(field: str, order: Mapping[str, Sequence[str]]) -> Sequence[str]:
    chosen = order.get(field) or order.get("*") or DEFAULT_ORDER
    return (*chosen, *DEFAULT_ORDER) if field in ID_FIELDS else chosen


def _first_album(facts: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> list[str]:
    return [str(name) for source in order if (name := facts.get(source, {}).get("album"))][:1]


def _describes(fields: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether a source may describe a release: it names one of these albums, or none at all."""
    album = fields.get("album")
    return not album or not names or any(_same_album(str(album), name) for name in names)


def _same_album(one: str, other: str) -> bool:
    """Whether two names are one album's: equal, or equal without words for an edition."""
    a, b = fold(one) or one.strip(), fold(other) or other.strip()
    return a == b or fold(_without_edition(one)) == b or a == fold(_without_edition(other))


def _without_edition(name: str) -> str:
    name = name.strip()
    while (shorter := _EDITION.sub("", name)) not in (name, ""):
        name = shorter
    return name


def _set_isrc(
    values: dict[str, Any],
    sources: dict[str, str],
    facts: Mapping[str, Mapping[str, Any]],
    order: Sequence[str],
    own: TrackTags,
) -> None:
    """Set the library's own ISRC where an accepted source has it too, else the first of the first
    source."""
    named: dict[str, Sequence[str]] = {one: facts.get(one, {}).get("isrcs") or () for one in order}
    named[TAGS] = own.ids.isrcs
    for isrc in own.ids.isrcs:
        for source in order:
            if source != TAGS and isrc in named[source]:
                values["isrc"], sources["isrc"] = isrc, source
                return
    for source in order:
        if named[source]:
            values["isrc"], sources["isrc"] = named[source][0], source
            return


def tag_facts(tags: TrackTags) -> dict[str, Any]:
    """Return what the library itself says, with the field names of the sources; unconfirmed ids
    stay out."""
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
        "genres": list(tags.genres),
    }


def release_facts(release: Mapping[str, Any]) -> dict[str, Any]:
    """Return the album's fields from one entry of a recording's `releases`."""
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
