"""Spotify answers in our fields: tracks alone, in batches, in searches and in albums. The entities'
fields are listed in docs/reference/fields.md."""

from collections.abc import Iterator
from typing import Any

from soulspot.errors import BadAnswer
from soulspot.models import SPOTIFY, Entity
from soulspot.providers import ids
from soulspot.providers.documents import as_date, as_number, as_object, as_text, distinct, objects_in, without_empty


def track(document: dict[str, Any], requested: str | None = None, album: dict[str, Any] | None = None) -> Entity | None:
    """Return the entity of a track; None when it has no id and none was requested.

    With a market, relinking may answer the `requested` id with another track: the entity keeps the
    requested id, and `spotify_track_id` is the id that came. Pass the `album` of a track in it."""
    own = ids.parse_spotify_id(document.get("id"))
    key = requested or own
    if key is None:
        return None
    on = album if album is not None else as_object(document.get("album"))
    artists = list(objects_in(document.get("artists")))
    names = distinct(as_text(artist.get("name")) for artist in artists)
    outer, inner = as_object(on.get("external_ids")), as_object(document.get("external_ids"))
    code = ids.parse_isrc(inner.get("isrc"))
    explicit = document.get("explicit")
    fields = {
        "title": as_text(document.get("name")),
        "artist": ", ".join(names) or None,
        "artists": names,
        "album": as_text(on.get("name")),
        "album_artist": _names(on),
        "track_number": as_number(document.get("track_number")),
        "disc_number": as_number(document.get("disc_number")),
        "track_count": as_number(on.get("total_tracks")),
        "duration_ms": as_number(document.get("duration_ms")),
        "isrcs": [code] if code else [],
        "release_date": as_date(on.get("release_date")),
        "label": as_text(on.get("label")),
        "barcode": as_text(outer.get("upc")) or as_text(outer.get("ean")),
        "explicit": explicit if isinstance(explicit, bool) else None,
        "popularity": _percent(document.get("popularity")),
        "cover_url": _cover(on.get("images")),
        "spotify_track_id": own or key,
        "spotify_album_id": ids.parse_spotify_id(on.get("id")),
        "spotify_artist_ids": distinct(ids.parse_spotify_id(artist.get("id")) for artist in artists),
    }
    return Entity(SPOTIFY, "track", key, without_empty(fields))


def batch(document: Any, count: int, kind: str = "tracks") -> list[dict[str, Any] | None]:
    """Return the items of a batch answer in the order of the request; None for an unknown id.
    `kind` is "tracks" (`GET /tracks`) or "albums" (`GET /albums`). Relinking changes ids, so items
    are matched by position: BadAnswer unless there are `count`, all objects or null."""
    items = document.get(kind) if isinstance(document, dict) else None
    if not isinstance(items, list) or len(items) != count:
        raise BadAnswer(f"the {kind} in the answer are not the ones asked for")
    if any(item is not None and not isinstance(item, dict) for item in items):
        raise BadAnswer(f"something in the answer is not one of the {kind}")
    return items


def hits(document: Any) -> list[dict[str, Any]]:
    """Return the tracks of a search, best first, without null entries; BadAnswer when absent."""
    page = document.get("tracks") if isinstance(document, dict) else None
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        raise BadAnswer("the search answer has no tracks")
    return list(objects_in(page["items"]))


def album_tracks(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the tracks in an answer of `GET /albums/{id}`, at most the album's first 50."""
    yield from objects_in(as_object(document.get("tracks")).get("items"))


def has_more(album: dict[str, Any], known: int) -> bool:
    return (as_number(as_object(album.get("tracks")).get("total")) or 0) > known


def page(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the tracks in an answer of `GET /albums/{id}/tracks`; BadAnswer when it has none."""
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise BadAnswer("the album's answer has no tracks")
    yield from objects_in(document["items"])


def _names(album: dict[str, Any]) -> str | None:
    names = distinct(as_text(artist.get("name")) for artist in objects_in(album.get("artists")))
    return ", ".join(names) or None


def _percent(value: Any) -> int | None:
    number = as_number(value, least=0)
    return number if number is not None and number <= 100 else None


def _cover(images: Any) -> str | None:
    # Spotify lists the widest image first, but some images have no size.
    usable = [(as_number(image.get("width")) or 0, as_text(image.get("url"))) for image in objects_in(images)]
    return max(((width, url) for width, url in usable if url), key=lambda pair: pair[0], default=(0, None))[1]
