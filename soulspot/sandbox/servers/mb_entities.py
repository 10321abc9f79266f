"""MusicBrainz' entities as JSON: what a lookup shows of them for which `inc`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import (
    Artist,
    Catalogue,
    Credit,
    Medium,
    Place,
    Recording,
    Release,
    Track,
)
from soulspot.sandbox.catalogue.words import GENRES

Json = dict[str, Any]
LINKED = 25  # linked lists of a lookup are capped, and nothing says so


def genre_mbid(name: str) -> str | None:
    """The MBID of a tag that is a genre."""
    return ids.mbid("genre", name) if name in GENRES else None


def area(country: str) -> Json:
    return {
        "id": ids.mbid("area", country),
        "name": country,
        "sort-name": country,
        "iso-3166-1-codes": [country],
    }


def aliases(names: Sequence[str]) -> list[Json]:
    return [
        {
            "name": name,
            "sort-name": name,
            "locale": None,
            "type": None,
            "primary": None,
            "begin-date": None,
            "end-date": None,
        }
        for name in names
    ]


def type_id(name: str) -> str:
    return ids.mbid("type", name)


def _tagged(shown: Json, tags: Sequence[tuple[str, int]], inc: Collection[str]) -> None:
    if "tags" in inc:
        shown["tags"] = [{"name": name, "count": count} for name, count in tags]
    if "genres" in inc:
        shown["genres"] = [
            {"id": genre_mbid(name), "name": name, "count": count, "disambiguation": ""}
            for name, count in tags
            if genre_mbid(name)
        ]


def artist(value: Artist, inc: Collection[str]) -> Json:
    shown: Json = {
        "id": value.mbid,
        "name": value.name,
        "sort-name": value.sort_name,
        "disambiguation": value.disambiguation,
        "type": value.type,
        "type-id": type_id(value.type),
        "country": value.country,
    }
    if "aliases" in inc:
        shown["aliases"] = aliases(value.aliases)
    _tagged(shown, value.tags, inc)
    return shown


def credit(value: Credit, inc: Collection[str]) -> list[Json]:
    return [
        {"name": part.name, "joinphrase": part.join, "artist": artist(part.artist, inc)} for part in value
    ]


def recording(catalogue: Catalogue, value: Recording, inc: Collection[str], nested: bool = False) -> Json:
    """A recording as a lookup shows it; `nested` in another entity, where it has no releases of its own."""
    shown: Json = {
        "id": value.mbid,
        "title": value.title,
        "length": value.duration_ms,
        "disambiguation": value.disambiguation,
        "video": value.video,
    }
    if value.first_release_date:
        shown["first-release-date"] = value.first_release_date
    if "artist-credits" in inc or ("artists" in inc and not nested):
        shown["artist-credit"] = credit(value.credit, inc)
    if "isrcs" in inc:
        shown["isrcs"] = list(value.isrcs)
    _tagged(shown, value.tags, inc)
    if "ratings" in inc:
        shown["rating"] = {"value": None, "votes-count": 0}
    if "aliases" in inc and not nested:
        shown["aliases"] = aliases(value.aliases)
    if "url-rels" in inc and not nested:
        shown["relations"] = [url_relation(spotify_url("track", each)) for each in value.url_ids]
    if "releases" in inc and not nested:
        seen: dict[str, list[Place]] = {}
        for place in catalogue.places(value.mbid):
            seen.setdefault(place.release.mbid, []).append(place)
        shown["releases"] = [_linked_release(places, inc) for places in list(seen.values())[:LINKED]]
    return shown


def _linked_release(places: Sequence[Place], inc: Collection[str]) -> Json:
    release = places[0].release
    shown = release_core(release)
    if "artist-credits" in inc:
        shown["artist-credit"] = credit(release.credit, inc)
    if "release-groups" in inc:
        shown["release-group"] = group(release, inc)
    if "media" in inc:
        shown["media"] = [
            {**_medium_core(p.medium), "track-offset": p.track.position - 1, "tracks": [_track_core(p.track)]}
            for p in places
        ]
    return shown


def release_core(value: Release) -> Json:
    shown: Json = {
        "id": value.mbid,
        "title": value.title,
        "status": value.status,
        "status-id": type_id(value.status),
        "disambiguation": value.disambiguation,
        "quality": "normal",
        "packaging": None,
        "packaging-id": None,
        "text-representation": {"language": "eng", "script": "Latn"},
        "barcode": value.barcode,
    }
    if value.date:
        shown["date"] = value.date
    if value.country:
        shown["country"] = value.country
        shown["release-events"] = [{"date": value.date, "area": area(value.country)}]
    return shown


def group(value: Release, inc: Collection[str]) -> Json:
    shown: Json = {
        "id": value.group_mbid,
        "title": value.title,
        "primary-type": value.primary_type,
        "primary-type-id": type_id(value.primary_type),
        "secondary-types": list(value.secondary_types),
        "secondary-type-ids": [type_id(name) for name in value.secondary_types],
        "first-release-date": value.group_first_date,
        "disambiguation": "",
    }
    if "artist-credits" in inc:
        shown["artist-credit"] = credit(value.credit, inc)
    _tagged(shown, value.tags, inc)
    return shown


def _medium_core(medium: Medium) -> Json:
    return {
        "position": medium.position,
        "format": medium.format,
        "format-id": type_id(medium.format),
        "title": "",
        "track-count": len(medium.tracks),
    }


def _track_core(track: Track) -> Json:
    return {
        "id": track.mbid,
        "position": track.position,
        "number": track.number,
        "title": track.title,
        "length": track.duration_ms,
    }


def release(catalogue: Catalogue, value: Release, inc: Collection[str]) -> Json:
    """A release as a lookup shows it."""
    shown = release_core(value)
    shown["asin"] = None
    front = value.cover_id is not None
    shown["cover-art-archive"] = {
        "artwork": front,
        "count": int(front),
        "front": front,
        "back": False,
        "darkened": False,
    }
    if "artist-credits" in inc or "artists" in inc:
        shown["artist-credit"] = credit(value.credit, inc)
    if "release-groups" in inc:
        shown["release-group"] = group(value, inc)
    if "labels" in inc:
        label = {"id": value.label_mbid, "name": value.label, "sort-name": value.label, "disambiguation": ""}
        shown["label-info"] = [{"catalog-number": value.catno, "label": label}] if value.label else []
    _tagged(shown, value.tags, inc)
    if "url-rels" in inc:
        linked = [value.spotify_id] if value.linked and value.spotify_id else []
        shown["relations"] = [url_relation(spotify_url("album", each)) for each in linked]
    if inc_media := {"recordings", "media"} & set(inc):
        shown["media"] = []
        for medium in value.media:
            core = _medium_core(medium)
            if "recordings" in inc_media:
                core["track-offset"] = 0
                core["tracks"] = [_track(catalogue, track, inc) for track in medium.tracks]
            shown["media"].append(core)
    return shown


def _track(catalogue: Catalogue, track: Track, inc: Collection[str]) -> Json:
    shown = _track_core(track)
    of = catalogue.recordings_by_mbid[track.recording_mbid]
    if "artist-credits" in inc:
        shown["artist-credit"] = credit(of.credit, inc)
    shown["recording"] = recording(catalogue, of, inc, nested=True)
    return shown


def spotify_url(kind: str, spotify_id: str) -> str:
    return f"https://open.spotify.com/{kind}/{spotify_id}"


def _relation() -> Json:
    return {
        "type": "free streaming",
        "type-id": type_id("free streaming"),
        "attributes": [],
        "attribute-ids": {},
        "attribute-values": {},
        "begin": None,
        "end": None,
        "ended": False,
        "source-credit": "",
        "target-credit": "",
    }


def url_relation(resource: str) -> Json:
    """A relation to a URL, seen from a recording or release."""
    url = {"id": ids.mbid("url", resource), "resource": resource}
    return {**_relation(), "direction": "forward", "target-type": "url", "url": url}


def url(catalogue: Catalogue, resource: str, inc: Collection[str]) -> Json | None:
    """A URL and what is related to it; None when MusicBrainz does not have the URL."""
    kind, _, spotify_id = resource.removeprefix("https://open.spotify.com/").partition("/")
    recordings = catalogue.recordings_by_url_id.get(spotify_id, []) if kind == "track" else []
    releases = catalogue.releases_by_url_id.get(spotify_id, []) if kind == "album" else []
    if not recordings and not releases:
        return None
    relations: list[Json] = []
    if "recording-rels" in inc:
        relations += [
            {
                **_relation(),
                "direction": "backward",
                "target-type": "recording",
                "recording": recording(catalogue, each, inc, nested=True),
            }
            for each in recordings
        ]
    if "release-rels" in inc:
        relations += [
            {
                **_relation(),
                "direction": "backward",
                "target-type": "release",
                "release": release_core(each),
            }
            for each in releases
        ]
    return {"id": ids.mbid("url", resource), "resource": resource, "relations": relations}
