"""ListenBrainz' view of a recording as JSON, and the release that it shows for a recording."""

from collections.abc import Collection

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue, Credit, Recording, Release, credit_text
from soulspot.sandbox.servers.musicbrainz.entities import genre_mbid, spotify_url
from soulspot.sandbox.servers.service import Json

_TYPE_ORDER = {"Album": 0, "EP": 1, "Single": 2}


def canonical_release(catalogue: Catalogue, recording: Recording) -> Release | None:
    """Return the release that ListenBrainz shows: plain and early ones first; None without any."""
    return min(
        (place.release for place in catalogue.places(recording.mbid)),
        key=lambda r: (len(r.secondary_types), _TYPE_ORDER.get(r.primary_type, 3), r.date or "9999", r.mbid),
        default=None,
    )


def credit_id(credit: Credit) -> int:
    """Return ListenBrainz' number of an artist credit."""
    return ids.number("credit", credit_text(credit)) % 3_000_000


def metadata(catalogue: Catalogue, recording: Recording, inc: Collection[str]) -> Json:
    """Return one entry of POST /1/metadata/recording/; `inc` has any of artist, tag, release."""
    release = canonical_release(catalogue, recording)
    streams = [{"type": "free streaming", "url": spotify_url("track", each)} for each in recording.url_ids]
    shown: Json = {
        "recording": {
            "name": recording.title, "length": recording.duration_ms, "isrcs": list(recording.isrcs),
            "first_release_date": recording.first_release_date or None, "rels": [], "url_rels": streams,
        }
    }  # fmt: skip
    if "artist" in inc:
        shown["artist"] = {
            "name": recording.artist,
            "artist_credit_id": credit_id(recording.credit),
            "artists": [
                {"artist_mbid": part.artist.mbid, "name": part.name, "join_phrase": part.join,
                 "area": part.artist.country, "type": part.artist.type, "rels": {}}
                for part in recording.credit
            ],
        }  # fmt: skip
    if "tag" in inc:
        shown["tag"] = {
            "recording": [_tag(name, count) for name, count in recording.tags],
            "artist": [
                {"artist_mbid": part.artist.mbid, **_tag(name, count)}
                for part in recording.credit
                for name, count in part.artist.tags
            ],
            "release_group": [_tag(name, count) for name, count in release.tags] if release else [],
        }
    if "release" in inc:
        shown["release"] = _release(release) if release else {}
    return shown


def _release(release: Release) -> Json:
    shown: Json = {
        "mbid": release.mbid, "name": release.title, "release_group_mbid": release.group_mbid,
        "album_artist_name": release.artist,
    }  # fmt: skip
    if release.date:
        shown["year"] = int(release.date[:4])
    if release.cover_id is not None:
        shown["caa_id"], shown["caa_release_mbid"] = release.cover_id, release.mbid
    return shown


def _tag(name: str, count: int) -> Json:
    genre = genre_mbid(name)
    return {"tag": name, "count": count} | ({"genre_mbid": genre} if genre else {})
