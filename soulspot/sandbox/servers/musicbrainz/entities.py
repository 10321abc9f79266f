"""MusicBrainz' entities as JSON, as a lookup shows them; each name in `inc` adds keys."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Artist, Catalogue, Credit, Medium, Place, Recording, Release, Track
from soulspot.sandbox.catalogue.words import GENRES
from soulspot.sandbox.servers.service import Json

_MOST_LINKED = 25  # linked lists of a lookup are capped, and nothing in the answer says so


def without_blanks(shown: Json) -> Json:
    """Return the object without the keys whose value is None, "" or an empty list."""
    return {key: value for key, value in shown.items() if value not in (None, "", [])}


def genre_mbid(name: str) -> str | None:
    """Return the MBID of a tag that is a genre, None for other tags."""
    return ids.mbid("genre", name) if name in GENRES else None


def type_id(name: str) -> str:
    """Return the id that stands beside the name of a type, status or format."""
    return ids.mbid("type", name)


def aliases(names: Sequence[str]) -> list[Json]:
    """Return alias entries whose names are all that is known of them."""
    unknown = dict.fromkeys(("locale", "type", "primary", "begin-date", "end-date"))
    return [{"name": name, "sort-name": name, **unknown} for name in names]


def dated(release: Release) -> Json:
    """Return `date`, `country` and `release-events` of a release, as far as it has them."""
    country = release.country
    area = {"id": ids.mbid("area", country), "name": country, "sort-name": country}
    event = {"date": release.date, "area": {**area, "iso-3166-1-codes": [country]}}
    return without_blanks({"date": release.date, "country": country, "release-events": [event] if country else []})


def _tags_and_genres(tags: Sequence[tuple[str, int]], inc: Collection[str]) -> Json:
    shown: Json = {}
    if "tags" in inc:
        shown["tags"] = [{"name": name, "count": count} for name, count in tags]
    if "genres" in inc:
        shown["genres"] = [
            {"id": genre, "name": name, "count": count, "disambiguation": ""}
            for name, count in tags
            if (genre := genre_mbid(name))
        ]
    return shown


def artist(value: Artist, inc: Collection[str]) -> Json:
    return {
        "id": value.mbid, "name": value.name, "sort-name": value.sort_name,
        "disambiguation": value.disambiguation, "type": value.type, "type-id": type_id(value.type),
        "country": value.country, **({"aliases": aliases(value.aliases)} if "aliases" in inc else {}),
        **_tags_and_genres(value.tags, inc),
    }  # fmt: skip


def _credit(value: Credit, inc: Collection[str]) -> list[Json]:
    return [{"name": part.name, "joinphrase": part.join, "artist": artist(part.artist, inc)} for part in value]


def recording(catalogue: Catalogue, value: Recording, inc: Collection[str], nested: bool = False) -> Json:
    """Return a recording; a `nested` one has no releases, aliases and URL relations."""
    shown: Json = {
        "id": value.mbid, "title": value.title, "length": value.duration_ms,
        "disambiguation": value.disambiguation, "video": value.video,
    }  # fmt: skip
    if value.first_release_date:
        shown["first-release-date"] = value.first_release_date
    # `artists` credits the entity itself, `artist-credits` everything nested in it as well.
    if "artist-credits" in inc or ("artists" in inc and not nested):
        shown["artist-credit"] = _credit(value.credit, inc)
    if "isrcs" in inc:
        shown["isrcs"] = list(value.isrcs)
    shown |= _tags_and_genres(value.tags, inc)
    if "ratings" in inc:
        shown["rating"] = {"value": None, "votes-count": 0}
    if nested:
        return shown
    if "aliases" in inc:
        shown["aliases"] = aliases(value.aliases)
    if "url-rels" in inc:
        shown["relations"] = _spotify_relations("track", value.url_ids)
    if "releases" in inc:
        # A release is listed once, however many of its media have the recording.
        on_release: dict[str, list[Place]] = {}
        for place in catalogue.places(value.mbid):
            on_release.setdefault(place.release.mbid, []).append(place)
        shown["releases"] = [_linked_release(places, inc) for places in list(on_release.values())[:_MOST_LINKED]]
    return shown


def _linked_release(places: Sequence[Place], inc: Collection[str]) -> Json:
    release = places[0].release
    shown = _release_core(release)
    if "artist-credits" in inc:
        shown["artist-credit"] = _credit(release.credit, inc)
    if "release-groups" in inc:
        shown["release-group"] = _group(release, inc)
    if "media" in inc:
        shown["media"] = [
            {**_medium(p.medium), "track-offset": p.track.position - 1, "tracks": [_track_core(p.track)]}
            for p in places
        ]
    return shown


def _release_core(value: Release) -> Json:
    return {
        "id": value.mbid, "title": value.title, "status": value.status, "status-id": type_id(value.status),
        "disambiguation": value.disambiguation, "quality": "normal", "packaging": None, "packaging-id": None,
        "text-representation": {"language": "eng", "script": "Latn"}, "barcode": value.barcode, **dated(value),
    }  # fmt: skip


def _group(value: Release, inc: Collection[str]) -> Json:
    shown: Json = {
        "id": value.group_mbid, "title": value.title, "primary-type": value.primary_type,
        "primary-type-id": type_id(value.primary_type), "secondary-types": list(value.secondary_types),
        "secondary-type-ids": [type_id(name) for name in value.secondary_types],
        "first-release-date": value.group_first_date, "disambiguation": "",
    }  # fmt: skip
    if "artist-credits" in inc:
        shown["artist-credit"] = _credit(value.credit, inc)
    return shown | _tags_and_genres(value.tags, inc)


def _medium(medium: Medium) -> Json:
    return {
        "position": medium.position, "format": medium.format, "format-id": type_id(medium.format), "title": "",
        "track-count": len(medium.tracks),
    }  # fmt: skip


def _track_core(track: Track) -> Json:
    return {
        "id": track.mbid, "position": track.position, "number": track.number, "title": track.title,
        "length": track.duration_ms,
    }  # fmt: skip


def release(catalogue: Catalogue, value: Release, inc: Collection[str]) -> Json:
    """Return a release as a lookup shows it; with `recordings` in `inc` it is a whole album."""
    shown = _release_core(value)
    shown["asin"] = None
    # The archive's images are counted, not listed: their ids are in ListenBrainz' answers only.
    front = value.cover_id is not None
    art = {"artwork": front, "count": int(front), "front": front, "back": False, "darkened": False}
    shown["cover-art-archive"] = art
    if "artist-credits" in inc or "artists" in inc:
        shown["artist-credit"] = _credit(value.credit, inc)
    if "release-groups" in inc:
        shown["release-group"] = _group(value, inc)
    if "labels" in inc:
        label = {"id": value.label_mbid, "name": value.label, "sort-name": value.label, "disambiguation": ""}
        shown["label-info"] = [{"catalog-number": value.catno, "label": label}] if value.label else []
    shown |= _tags_and_genres(value.tags, inc)
    if "url-rels" in inc:
        linked = [value.spotify_id] if value.linked and value.spotify_id else []
        shown["relations"] = _spotify_relations("album", linked)
    if "recordings" in inc:
        shown["media"] = [
            {**_medium(medium), "track-offset": 0, "tracks": [_track(catalogue, track, inc) for track in medium.tracks]}
            for medium in value.media
        ]
    elif "media" in inc:
        shown["media"] = [_medium(medium) for medium in value.media]
    return shown


def _track(catalogue: Catalogue, track: Track, inc: Collection[str]) -> Json:
    played = catalogue.recordings_by_mbid[track.recording_mbid]
    shown = _track_core(track)
    if "artist-credits" in inc:
        shown["artist-credit"] = _credit(played.credit, inc)
    shown["recording"] = recording(catalogue, played, inc, nested=True)
    return shown


def spotify_url(kind: str, spotify_id: str) -> str:
    """Return the public address of a Spotify "track" or "album"."""
    return f"https://open.spotify.com/{kind}/{spotify_id}"


def _spotify_relations(kind: str, spotify_ids: Iterable[str]) -> list[Json]:
    return [_relation("forward", "url", _url(spotify_url(kind, each))) for each in spotify_ids]


def _relation(direction: str, target_type: str, target: Json) -> Json:
    """Return a "free streaming" relation, the one that links entities to URLs at Spotify."""
    plain: dict[str, Any] = {"attributes": [], "attribute-ids": {}, "attribute-values": {}}
    plain |= {"begin": None, "end": None, "ended": False, "source-credit": "", "target-credit": ""}
    return {
        "type": "free streaming", "type-id": type_id("free streaming"), **plain, "direction": direction,
        "target-type": target_type, target_type: target,
    }  # fmt: skip


def _url(resource: str) -> Json:
    return {"id": ids.mbid("url", resource), "resource": resource}


def url(catalogue: Catalogue, resource: str, inc: Collection[str]) -> Json | None:
    """Return a URL with the recordings or releases related to it, or None."""
    kind, _, spotify_id = resource.removeprefix("https://open.spotify.com/").partition("/")
    recordings = catalogue.recordings_by_url_id.get(spotify_id, []) if kind == "track" else []
    releases = catalogue.releases_by_url_id.get(spotify_id, []) if kind == "album" else []
    if not recordings and not releases:
        return None
    relations: list[Json] = []
    if "recording-rels" in inc:
        shown = (recording(catalogue, each, inc, nested=True) for each in recordings)
        relations += [_relation("backward", "recording", each) for each in shown]
    if "release-rels" in inc:
        relations += [_relation("backward", "release", _release_core(each)) for each in releases]
    return {**_url(resource), "relations": relations}
