"""Spotify answers: tracks, in a list, a search, an album or alone, in our fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soulspot.errors import BadAnswer
from soulspot.models import SPOTIFY, Entity
from soulspot.providers import ids
from soulspot.providers.documents import date_of, dict_of, dicts_in, distinct, number_of, present, text_of


def track(
    document: dict[str, Any], asked: str | None = None, album: dict[str, Any] | None = None
) -> Entity | None:
    """One track; None when it has no id and none was asked.

    With a market, relinking may answer `asked` with another track: the entity keeps the asked id,
    `spotify_track_id` is the one that came. Tracks inside an album answer name no album: it is given as
    `album`."""
    own = ids.spotify_id(document.get("id"))
    key = asked or own
    if key is None:
        return None
    on = album if album is not None else dict_of(document.get("album"))
    artists = list(dicts_in(document.get("artists")))
    names = distinct(text_of(artist.get("name")) for artist in artists)
    outer, inner = dict_of(on.get("external_ids")), dict_of(document.get("external_ids"))
    code = ids.isrc(inner.get("isrc"))
    explicit = document.get("explicit")
    fields = {
        "title": text_of(document.get("name")),
        "artist": ", ".join(names) or None,
        "artists": names,
        "album": text_of(on.get("name")),
        "album_artist": _names(on),
        "track_number": number_of(document.get("track_number")),
        "disc_number": number_of(document.get("disc_number")),
        "track_count": number_of(on.get("total_tracks")),
        "duration_ms": number_of(document.get("duration_ms")),
        "isrcs": [code] if code else [],
        "release_date": date_of(on.get("release_date")),
        "label": text_of(on.get("label")),
        "barcode": text_of(outer.get("upc")) or text_of(outer.get("ean")),
        "explicit": explicit if isinstance(explicit, bool) else None,
        "popularity": _percent(document.get("popularity")),
        "cover_url": _cover(on.get("images")),
        "spotify_track_id": own or key,
        "spotify_album_id": ids.spotify_id(on.get("id")),
        "spotify_artist_ids": distinct(ids.spotify_id(artist.get("id")) for artist in artists),
    }
    return Entity(SPOTIFY, "track", key, present(fields))


def batch(document: Any, asked: int, what: str = "tracks") -> list[dict[str, Any] | None]:
    """The tracks of `GET /tracks` or the albums of `GET /albums` (`what`), None for an unknown id, in the order
    asked: they are matched by position. BadAnswer unless there is one for each."""
    items = document.get(what) if isinstance(document, dict) else None
    if not isinstance(items, list) or len(items) != asked:
        raise BadAnswer(f"the {what} in the answer are not the ones asked for")
    if any(item is not None and not isinstance(item, dict) for item in items):
        raise BadAnswer(f"something in the answer is not one of the {what}")
    return items


def hits(document: Any) -> list[dict[str, Any]]:
    """The tracks of a search, best first; null entries are passed over."""
    page = document.get("tracks") if isinstance(document, dict) else None
    if not isinstance(page, dict) or not isinstance(page.get("items"), list):
        raise BadAnswer("the search answer has no tracks")
    return list(dicts_in(page["items"]))


def album_tracks(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The tracks in an album answer, at most its first 50."""
    yield from dicts_in(dict_of(document.get("tracks")).get("items"))


def has_more(album: dict[str, Any], known: int) -> bool:
    """Whether an album has more tracks than the `known` first ones."""
    return (number_of(dict_of(album.get("tracks")).get("total")) or 0) > known


def page(document: Any) -> Iterator[dict[str, Any]]:
    """The tracks of `GET /albums/{id}/tracks`."""
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise BadAnswer("the album's answer has no tracks")
    yield from dicts_in(document["items"])


def _names(album: dict[str, Any]) -> str | None:
    return (
        ", ".join(distinct(text_of(artist.get("name")) for artist in dicts_in(album.get("artists")))) or None
    )


def _percent(value: Any) -> int | None:
    number = number_of(value, least=0)
    return number if number is not None and number <= 100 else None


def _cover(images: Any) -> str | None:
    """The URL of the widest image; Spotify lists it first, and some images have no size."""
    usable = [(number_of(image.get("width")) or 0, text_of(image.get("url"))) for image in dicts_in(images)]
    return max(((width, url) for width, url in usable if url), key=lambda pair: pair[0], default=(0, None))[1]
