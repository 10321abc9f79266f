"""MusicBrainz' search hits as JSON: keys without a value are left out; no genres, ratings or relations."""

from __future__ import annotations

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Artist, Catalogue, Credit, Place, Recording, Release
from soulspot.sandbox.servers.mb_entities import Json, aliases, area, type_id


def artist_hit(artist: Artist, score: int) -> Json:
    """A hit of the artist search."""
    more = {"type": artist.type, **({"country": artist.country} if artist.country else {})}
    return {"score": score, **_artist(artist), **more}


def _artist(artist: Artist) -> Json:
    shown: Json = {"id": artist.mbid, "name": artist.name, "sort-name": artist.sort_name}
    if artist.disambiguation:
        shown["disambiguation"] = artist.disambiguation
    if artist.aliases:
        shown["aliases"] = aliases(artist.aliases)
    return shown


def hit_credit(credit: Credit) -> list[Json]:
    parts = []
    for part in credit:
        shown: Json = {"name": part.name, "artist": _artist(part.artist)}
        if part.join:
            shown["joinphrase"] = part.join
        parts.append(shown)
    return parts


def recording_hit(catalogue: Catalogue, recording: Recording, score: int) -> Json:
    """A hit of the recording search: a release stands there once for every medium the recording is on,
    with the matching track alone."""
    hit: Json = {
        "id": recording.mbid,
        "score": score,
        "artist-credit-id": ids.mbid("credit", recording.artist),
        "title": recording.title,
    }
    if recording.duration_ms is not None:
        hit["length"] = recording.duration_ms
    if recording.disambiguation:
        hit["disambiguation"] = recording.disambiguation
    hit["video"] = True if recording.video else None
    hit["artist-credit"] = hit_credit(recording.credit)
    if recording.first_release_date:
        hit["first-release-date"] = recording.first_release_date
    if places := catalogue.places(recording.mbid):
        hit["releases"] = [_hit_place(place, recording) for place in places]
    if recording.isrcs:
        hit["isrcs"] = list(recording.isrcs)
    if recording.tags:
        hit["tags"] = [{"count": count, "name": name} for name, count in recording.tags]
    return hit


def _hit_place(place: Place, recording: Recording) -> Json:
    release = place.release
    shown = _hit_release(release)
    if release.artist != recording.artist:
        shown["artist-credit"] = hit_credit(release.credit)
    track: Json = {"id": place.track.mbid, "number": place.track.number, "title": place.track.title}
    if place.track.duration_ms is not None:
        track["length"] = place.track.duration_ms
    shown["track-count"] = len(release.tracks)
    shown["media"] = [
        {
            "id": ids.mbid(release.mbid, place.medium.position),
            "position": place.medium.position,
            "format": place.medium.format,
            "track": [track],
            "track-count": len(place.medium.tracks),
            "track-offset": place.track.position - 1,
        }
    ]
    return shown


def _hit_release(release: Release) -> Json:
    group: Json = {
        "id": release.group_mbid,
        "type-id": type_id(release.primary_type),
        "primary-type-id": type_id(release.primary_type),
        "title": release.title,
        "primary-type": release.primary_type,
    }
    if release.secondary_types:
        group["secondary-types"] = list(release.secondary_types)
        group["secondary-type-ids"] = [type_id(name) for name in release.secondary_types]
    shown: Json = {
        "id": release.mbid,
        "status-id": type_id(release.status),
        "count": 1,
        "title": release.title,
        "status": release.status,
    }
    if release.disambiguation:
        shown["disambiguation"] = release.disambiguation
    shown["release-group"] = group
    if release.date:
        shown["date"] = release.date
    if release.country:
        shown["country"] = release.country
        shown["release-events"] = [{"date": release.date, "area": area(release.country)}]
    return shown


def release_hit(release: Release, score: int) -> Json:
    """A hit of the release search."""
    shown = {"score": score, **_hit_release(release)}
    shown["artist-credit-id"] = ids.mbid("credit", release.artist)
    shown["artist-credit"] = hit_credit(release.credit)
    shown["text-representation"] = {"language": "eng", "script": "Latn"}
    if release.barcode is not None:
        shown["barcode"] = release.barcode
    if release.label:
        label = {"id": release.label_mbid, "name": release.label}
        shown["label-info"] = [{"catalog-number": release.catno, "label": label}]
    shown["track-count"] = len(release.tracks)
    shown["media"] = [
        {
            "id": ids.mbid(release.mbid, medium.position),
            "format": medium.format,
            "disc-count": 0,
            "track-count": len(medium.tracks),
        }
        for medium in release.media
    ]
    if release.tags:
        shown["tags"] = [{"count": count, "name": name} for name, count in release.tags]
    return shown
