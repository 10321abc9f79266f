"""Facts of several sources become one value a field, and the name of the source that gave it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from soulspot.deciding.genres import handful
from soulspot.models import TrackTags
from soulspot.text import fold

TAGS = "tags"
DEFAULT_ORDER = ("musicbrainz", "listenbrainz", "spotify", TAGS)

# what belongs to one release is taken from one release: a title from here and a date from there describe nothing
RELEASE_FIELDS = ("album", "album_artist", "track_number", "disc_number", "release_date", "mb_release_id",
                  "mb_release_group_id", "label", "catalog_number", "barcode", "cover_url")  # fmt: skip
SINGLE_FIELDS = (
    "title", "artist", "duration_ms", "original_date", "explicit", "popularity",
    "mb_recording_id", "spotify_track_id", "spotify_album_id",
)  # fmt: skip
LIST_FIELDS = ("artists", "genres", "mb_artist_ids", "spotify_artist_ids")


# ids say what was accepted: an order of sources chooses among descriptions of it, and cannot take it back
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
    """(values, sources): for every field the first source of its order that has it.

    `facts` maps a source ("musicbrainz", "listenbrainz", "spotify", "tags") to its fields as docs/fields.md names
    them; `order` maps a field to its order of sources, "*" standing for every field it does not name. `own` is
    what the library says, `album` the name of the release it was found to belong to, if any."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(field: str, candidates: Sequence[str]) -> None:
        for source in candidates:
            value = facts.get(source, {}).get(field)
            if field == "genres" and value:
                value = handful(value)
            if value not in (None, "", (), []):
                values[field] = tuple(value) if isinstance(value, list) else value
                sources[field] = source
                return

    for field in (*SINGLE_FIELDS, *LIST_FIELDS):
        take(field, _order_of(field, order))
    names = [name for name in (own.album, album) if name] or _first_album(facts, _order_of("album", order))
    for field in RELEASE_FIELDS:
        take(field, [one for one in _order_of(field, order) if _speaks_of(facts.get(one, {}), names)])
        if field == "release_date":
            _make_exact(values, sources, field, facts, names)
    _make_exact(values, sources, "original_date", facts, [])
    _take_isrc(values, sources, facts, _order_of("isrc", order), own)
    return values, sources


def _make_exact(
    values: dict[str, Any],
    sources: dict[str, str],
    field: str,
    facts: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
) -> None:
    """A date that another source has with month and day is taken from there, where the two agree so far."""
    said = values.get(field)
    if not said:
        return
    speaking = [source for source in facts if field != "release_date" or _speaks_of(facts[source], names)]
    exact = [(facts[source].get(field), source) for source in speaking]
    better = [
        (date, source) for date, source in exact if isinstance(date, str) and date.startswith(f"{said}-")
    ]
    if better:
        values[field], sources[field] = max(better, key=lambda pair: len(pair[0]))


def _order_of(field: str, order: Mapping[str, Sequence[str]]) -> Sequence[str]:
    chosen = order.get(field) or order.get("*") or DEFAULT_ORDER
    return (*chosen, *DEFAULT_ORDER) if field in ID_FIELDS else chosen


def _first_album(facts: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> list[str]:
    return [str(name) for source in order if (name := facts.get(source, {}).get("album"))][:1]


def _speaks_of(fields: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether a source means one of these albums, as far as it says which: only then may it describe the release."""
    album = fields.get("album")
    return not album or not names or any(_same_album(str(album), name) for name in names)


def _same_album(one: str, other: str) -> bool:
    """Whether two names are one album's: equal, or one of them has words for an edition besides."""
    a, b = fold(one) or one.strip(), fold(other) or other.strip()
    return a == b or fold(_without_edition(one)) == b or a == fold(_without_edition(other))


def _without_edition(name: str) -> str:
    name = name.strip()
    while (shorter := _EDITION.sub("", name)) not in (name, ""):
        name = shorter
    return name


def _take_isrc(
    values: dict[str, Any],
    sources: dict[str, str],
    facts: Mapping[str, Mapping[str, Any]],
    order: Sequence[str],
    own: TrackTags,
) -> None:
    """The library's own ISRC where an accepted source confirms it, else the first of the first source with any."""
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
        "genres": list(tags.genres),
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
