"""MusicBrainz answers (WS/2 JSON): recordings from searches, lookups and URL relations, in our fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from soulspot.errors import BadAnswer
from soulspot.models import MUSICBRAINZ, Entity
from soulspot.providers import ids
from soulspot.providers.documents import (
    by_count,
    date_of,
    dict_of,
    dicts_in,
    distinct,
    number_of,
    present,
    text_of,
)


def search_hits(document: Any) -> tuple[list[dict[str, Any]], int]:
    """The hits of a recording search, best first, and the number of all matches, of which they may be a
    part."""
    return _hits(document, "recordings")


def release_hits(document: Any) -> tuple[list[dict[str, Any]], int]:
    """As `search_hits`, of a release search."""
    return _hits(document, "releases")


def artist_hits(document: Any) -> tuple[list[dict[str, Any]], int]:
    """As `search_hits`, of an artist search."""
    return _hits(document, "artists")


def _hits(document: Any, what: str) -> tuple[list[dict[str, Any]], int]:
    if not isinstance(document, dict) or not isinstance(document.get(what), list):
        raise BadAnswer(f"the search answer has no {what}")
    count = number_of(document.get("count"), least=0)
    if count is None:
        raise BadAnswer("the search answer has no count")
    return list(dicts_in(document[what])), count


def artist(document: dict[str, Any]) -> Entity | None:
    """One artist with the other names it goes by; None when it has no id."""
    mbid = ids.mbid(document.get("id"))
    if mbid is None:
        return None
    fields = {
        "artist": text_of(document.get("name")),
        "artist_aliases": distinct(_other_names([{"artist": document, "name": document.get("name")}])),
        "mb_artist_ids": [mbid],
        "disambiguation": text_of(document.get("disambiguation")),
        "score": number_of(document.get("score"), least=0),
    }
    return Entity(MUSICBRAINZ, "artist", mbid, present(fields))


def release(document: dict[str, Any]) -> Entity | None:
    """One release without its tracks; None when it has no id."""
    entry = next(releases({**document, "media": []}), None)
    if entry is None:
        return None
    label = next(dicts_in(document.get("label-info")), {})
    fields = {
        "album": entry.get("title"),
        "album_artist": entry.get("album_artist"),
        "artist_aliases": distinct(_other_names(list(dicts_in(document.get("artist-credit"))))),
        "release_date": entry.get("date"),
        "label": text_of(dict_of(label.get("label")).get("name")),
        "catalog_number": text_of(label.get("catalog-number")),
        "barcode": text_of(document.get("barcode")),
        "track_count": entry.get("track_count") or _tracks_on(document),
        "mb_artist_ids": _artist_ids(list(dicts_in(document.get("artist-credit")))),
        "disambiguation": text_of(document.get("disambiguation")),
        "mb_release_id": entry["id"],
        "mb_release_group_id": entry.get("release_group_id"),
        "releases": [entry],
        "score": number_of(document.get("score"), least=0),
    }
    return Entity(MUSICBRAINZ, "release", entry["id"], present(fields))


def recordings_on(document: dict[str, Any]) -> Iterator[Entity]:
    """The recordings of a looked-up release, each with its places there."""
    found: dict[str, Entity] = {}
    for medium in dicts_in(document.get("media")):
        tracks = [*dicts_in(medium.get("pregap") and [medium["pregap"]]), *_tracks(medium)]
        for track in tracks:
            heard = dict_of(track.get("recording"))
            place = {**document, "media": [{**medium, "tracks": [track]}]}
            entity = recording({**heard, "releases": [place]})
            if entity is None:
                continue
            if entity.id in found:
                places = [*found[entity.id].fields["releases"], *entity.fields["releases"]]
                entity = Entity(
                    entity.provider, entity.kind, entity.id, {**entity.fields, "releases": places}
                )
            found[entity.id] = entity
    yield from found.values()


def _tracks_on(document: dict[str, Any]) -> int | None:
    return (
        sum(number_of(medium.get("track-count")) or 0 for medium in dicts_in(document.get("media"))) or None
    )


def recording(document: dict[str, Any], **more: Any) -> Entity | None:
    """One recording, with `more` fields; None when it has no id."""
    mbid = ids.mbid(document.get("id"))
    if mbid is None:
        return None
    credit = list(dicts_in(document.get("artist-credit")))
    fields = {
        "title": text_of(document.get("title")),
        "artist": credit_text(credit),
        "artists": distinct(_credited(part) for part in credit),
        "artist_aliases": distinct(_other_names(credit)),
        "duration_ms": number_of(document.get("length")),
        "isrcs": _isrcs(document.get("isrcs")),
        "original_date": date_of(document.get("first-release-date")),
        "genres": by_count(document.get("genres"), "name"),  # its tags are anything: "seen live", "00s"
        "disambiguation": text_of(document.get("disambiguation")),
        "video": document["video"] if isinstance(document.get("video"), bool) else None,
        "mb_recording_id": mbid,
        "mb_artist_ids": _artist_ids(credit),
        "spotify_track_ids": distinct(_spotify_links(document.get("relations"))),
        "releases": [entry for release in dicts_in(document.get("releases")) for entry in releases(release)],
        "score": number_of(document.get("score"), least=0),
    }
    return Entity(MUSICBRAINZ, "recording", mbid, present({**fields, **more}))


def titles(document: dict[str, Any]) -> list[str]:
    """Every name the answer has for a recording: its title, its aliases, and the titles of its tracks."""
    names = [document.get("title"), *(alias.get("name") for alias in dicts_in(document.get("aliases")))]
    for release in dicts_in(document.get("releases")):
        for medium in dicts_in(release.get("media")):
            names += [track.get("title") for track in _tracks(medium)]
    return distinct(text_of(name) for name in names)


def releases(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One entry for each place that the recording has on the release."""
    group = dict_of(document.get("release-group"))
    secondary = group.get("secondary-types")
    base = {
        "id": ids.mbid(document.get("id")),
        "title": text_of(document.get("title")),
        "status": text_of(document.get("status")),
        "date": date_of(document.get("date")),
        "country": text_of(document.get("country")),
        "primary_type": text_of(group.get("primary-type")),
        "secondary_types": distinct(map(text_of, secondary)) if isinstance(secondary, list) else None,
        "release_group_id": ids.mbid(group.get("id")),
        "album_artist": credit_text(list(dicts_in(document.get("artist-credit")))),
        "track_count": number_of(document.get("track-count")),
    }
    if base["id"] is None:
        return
    places = [
        (medium, track) for medium in dicts_in(document.get("media")) for track in [*_tracks(medium)] or [{}]
    ]
    for medium, track in places or [({}, {})]:
        yield present(
            {
                **base,
                "disc_number": number_of(medium.get("position")),
                "track_number": _position(medium, track),
                "track_count": number_of(medium.get("track-count")) or base["track_count"],
                "format": text_of(medium.get("format")),
            }
        )


def url_resources(document: Any) -> Iterator[tuple[str, list[Entity]]]:
    """(Spotify track id, recordings) for each URL of an answer, which is a bare object when one URL was
    asked."""
    if not isinstance(document, dict):
        raise BadAnswer("the URL answer is not an object")
    several = document.get("urls")
    for url in dicts_in(several if isinstance(several, list) else [document]):
        track_id = ids.spotify_track_in(url.get("resource"))
        if track_id is not None:
            yield track_id, list(_linked(url, track_id))


def credit_text(credit: list[dict[str, Any]]) -> str | None:
    """The credit as written: names and join phrases."""
    return "".join(f"{_credited(part) or ''}{_join(part)}" for part in credit).strip() or None


def _linked(url: dict[str, Any], track_id: str) -> Iterator[Entity]:
    for relation in dicts_in(url.get("relations")):
        if relation.get("ended") is True or not isinstance(relation.get("recording"), dict):
            continue
        entity = recording(relation["recording"], spotify_track_ids=[track_id])
        if entity is not None:
            yield entity


def _artist_ids(credit: list[dict[str, Any]]) -> list[str]:
    return distinct(ids.mbid(dict_of(part.get("artist")).get("id")) for part in credit)


def _credited(part: dict[str, Any]) -> str | None:
    return text_of(part.get("name")) or text_of(dict_of(part.get("artist")).get("name"))


def _join(part: dict[str, Any]) -> str:
    phrase = part.get("joinphrase")
    return phrase if isinstance(phrase, str) else ""


def _other_names(credit: list[dict[str, Any]]) -> Iterator[str | None]:
    """Sort names, aliases, and the artist's own name where the credit has another."""
    for part in credit:
        artist = dict_of(part.get("artist"))
        own = text_of(artist.get("name"))
        yield own if own != _credited(part) else None
        yield text_of(artist.get("sort-name"))
        for alias in dicts_in(artist.get("aliases")):
            yield text_of(alias.get("name"))


def _tracks(medium: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Under "track" in a search hit, under "tracks" in a lookup; the matching track only, in both."""
    yield from dicts_in(medium.get("track") or medium.get("tracks"))


def _position(medium: dict[str, Any], track: dict[str, Any]) -> int | None:
    """From 1. Printed numbers ("A1") are no positions; `track-offset` counts from 0."""
    offset = number_of(medium.get("track-offset"), least=0)
    return number_of(track.get("position")) or (
        number_of(track.get("number")) if offset is None else offset + 1
    )


def _isrcs(value: Any) -> list[str]:
    return distinct(map(ids.isrc, value)) if isinstance(value, list) else []


def _spotify_links(relations: Any) -> Iterator[str | None]:
    for relation in dicts_in(relations):
        if relation.get("ended") is not True:
            yield ids.spotify_track_in(dict_of(relation.get("url")).get("resource"))
