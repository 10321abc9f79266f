"""MusicBrainz' search hits as JSON, without keys that have no value; `score` is 0 to 100."""

from collections.abc import Sequence

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Artist, Catalogue, Credit, Medium, Place, Recording, Release
from soulspot.sandbox.servers.musicbrainz.entities import aliases, dated, type_id, without_blanks
from soulspot.sandbox.servers.service import Json


def artist_hit(artist: Artist, score: int) -> Json:
    more = {"type": artist.type, "country": artist.country}
    return without_blanks({"score": score, **_artist(artist), **more})


def _artist(artist: Artist) -> Json:
    return without_blanks(
        {"id": artist.mbid, "name": artist.name, "sort-name": artist.sort_name,
         "disambiguation": artist.disambiguation, "aliases": aliases(artist.aliases)}
    )  # fmt: skip


def _credit(credit: Credit) -> list[Json]:
    return [
        without_blanks({"name": part.name, "artist": _artist(part.artist), "joinphrase": part.join}) for part in credit
    ]


def _tags(tags: Sequence[tuple[str, int]]) -> list[Json]:
    return [{"count": count, "name": name} for name, count in tags]


def recording_hit(catalogue: Catalogue, recording: Recording, score: int) -> Json:
    """Return a hit; a release stands in it once for every medium that the recording is on."""
    identity = {
        "id": recording.mbid, "score": score, "artist-credit-id": ids.mbid("credit", recording.artist),
        "title": recording.title, "length": recording.duration_ms, "disambiguation": recording.disambiguation,
    }  # fmt: skip
    details = {
        "artist-credit": _credit(recording.credit),
        "first-release-date": recording.first_release_date,
        "releases": [_release_with_track(place, recording) for place in catalogue.places(recording.mbid)],
        "isrcs": list(recording.isrcs),
        "tags": _tags(recording.tags),
    }
    # `video` is the one key that stays without a value: null for everything but videos
    return {**without_blanks(identity), "video": recording.video or None, **without_blanks(details)}


def _release_with_track(place: Place, recording: Recording) -> Json:
    """Return the release of `place` as a recording's hit shows it: with this one track only, and
    with an artist credit only where its artist is not the recording's."""
    release, medium, track = place.release, place.medium, place.track
    shown_track = {"id": track.mbid, "number": track.number, "title": track.title, "length": track.duration_ms}
    return without_blanks(
        {
            **_release(release),
            "artist-credit": _credit(release.credit) if release.artist != recording.artist else [],
            "track-count": len(release.tracks),
            "media": [
                {"id": _medium_id(release, medium), "position": medium.position, "format": medium.format,
                 "track": [without_blanks(shown_track)], "track-count": len(medium.tracks),
                 "track-offset": track.position - 1}
            ],
        }
    )  # fmt: skip


def _medium_id(release: Release, medium: Medium) -> str:
    return ids.mbid(release.mbid, medium.position)


def _release(release: Release) -> Json:
    group = {
        "id": release.group_mbid, "type-id": type_id(release.primary_type),
        "primary-type-id": type_id(release.primary_type), "title": release.title,
        "primary-type": release.primary_type, "secondary-types": list(release.secondary_types),
        "secondary-type-ids": [type_id(name) for name in release.secondary_types],
    }  # fmt: skip
    return without_blanks(
        {
            "id": release.mbid, "status-id": type_id(release.status), "count": 1, "title": release.title,
            "status": release.status, "disambiguation": release.disambiguation,
            "release-group": without_blanks(group), **dated(release),
        }
    )  # fmt: skip


def release_hit(release: Release, score: int) -> Json:
    """Return a hit of the release search."""
    label = {"id": release.label_mbid, "name": release.label}
    return without_blanks(
        {
            "score": score, **_release(release), "artist-credit-id": ids.mbid("credit", release.artist),
            "artist-credit": _credit(release.credit),
            "text-representation": {"language": "eng", "script": "Latn"}, "barcode": release.barcode,
            "label-info": [{"catalog-number": release.catno, "label": label}] if release.label else [],
            "track-count": len(release.tracks),
            "media": [
                {"id": _medium_id(release, medium), "format": medium.format, "disc-count": 0,
                 "track-count": len(medium.tracks)}
                for medium in release.media
            ],
            "tags": _tags(release.tags),
        }
    )  # fmt: skip
