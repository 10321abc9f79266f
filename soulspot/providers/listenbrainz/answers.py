"""ListenBrainz answers in our fields: recordings of the main API, and rows of labs data sets. The
entities' fields are listed in docs/reference/fields.md."""

import re
from collections.abc import Iterator
from typing import Any

from anyascii import anyascii

from soulspot.errors import BadAnswer
from soulspot.models import LISTENBRAINZ, Entity
from soulspot.providers import ids
from soulspot.providers.documents import (
    as_date,
    as_number,
    as_object,
    as_text,
    distinct,
    objects_in,
    parse_each,
    rank_by_votes,
    without_empty,
)

_NOT_WORD = re.compile(r"[^\w]+")


def recordings(document: Any) -> dict[str, list[Entity]]:
    """Return the entities in an answer of `POST /1/metadata/recording/`, by MBID. The service
    leaves out unknown MBIDs. Raises BadAnswer when the answer is not an object."""
    if not isinstance(document, dict):
        raise BadAnswer("the metadata answer is not an object")
    found = {}
    for key, value in document.items():
        mbid = ids.parse_mbid(key)
        if mbid is not None and isinstance(value, dict):
            found[mbid] = [_recording(mbid, value)]
    return found


def _recording(mbid: str, document: dict[str, Any]) -> Entity:
    recording, artist = as_object(document.get("recording")), as_object(document.get("artist"))
    release = as_object(document.get("release"))
    credit = list(objects_in(artist.get("artists")))
    year = as_number(release.get("year"), least=1000)
    fields = {
        "title": as_text(recording.get("name")),
        "artist": as_text(artist.get("name")),
        "artists": distinct(as_text(part.get("name")) for part in credit),
        "album": as_text(release.get("name")),
        "album_artist": as_text(release.get("album_artist_name")),
        "duration_ms": as_number(recording.get("length")),
        "isrcs": parse_each(recording.get("isrcs"), ids.parse_isrc),
        "release_date": as_date(str(year)) if year else None,
        "original_date": as_date(recording.get("first_release_date")),
        "genres": _genres(as_object(document.get("tag"))),
        "cover_url": cover_url(release),
        "mb_recording_id": mbid,
        "mb_release_id": ids.parse_mbid(release.get("mbid")),
        "mb_release_group_id": ids.parse_mbid(release.get("release_group_mbid")),
        "mb_artist_ids": distinct(ids.parse_mbid(part.get("artist_mbid")) for part in credit),
        "spotify_track_ids": distinct(map(ids.parse_spotify_track_url, _strings_in(recording.get("url_rels")))),
    }
    return Entity(LISTENBRAINZ, "recording", mbid, without_empty(fields))


def cover_url(release: dict[str, Any]) -> str | None:
    """Return the URL of a release's front cover, 500 pixels, at the Cover Art Archive. The release
    names image and owner (`caa_id`, `caa_release_mbid`), so no request is needed."""
    image, owner = as_number(release.get("caa_id")), ids.parse_mbid(release.get("caa_release_mbid"))
    return f"https://coverartarchive.org/release/{owner}/{image}-500.jpg" if image and owner else None


def redirects(document: Any) -> dict[str, list[Entity]]:
    """Return the entities in rows of labs `recording-mbid-lookup`, by the requested MBID. An MBID
    that was merged has two: a "redirect" to the present MBID, and its recording. Unknown MBIDs,
    rows of nulls, are left out."""
    found = {}
    for row in _rows(document):
        requested = ids.parse_mbid(row.get("original_recording_mbid"))
        present = ids.parse_mbid(row.get("recording_mbid"))
        if requested is None or present is None:
            continue
        recording = _labs_recording(present, row)
        redirect = Entity(LISTENBRAINZ, "redirect", requested, {"redirect_to": present})
        found[requested] = [recording] if present == requested else [redirect, recording]
    return found


def spotify_ids(document: Any) -> dict[str, list[Entity]]:
    """Return the Spotify ids in rows of labs `spotify-id-from-mbid`, by MBID. Labs answers only one
    of several rows with the same names: here they share the ids."""
    by_mbid = ((ids.parse_mbid(row.get("recording_mbid")), row) for row in _rows(document))
    rows = [(mbid, row, _track_ids(row)) for mbid, row in by_mbid if mbid]
    ids_by_names = {_names(row): track_ids for _, row, track_ids in rows if track_ids and any(_names(row))}
    found = {}
    for mbid, row, track_ids in rows:
        if track_ids := track_ids or ids_by_names.get(_names(row), []):
            fields = {"mb_recording_id": mbid, "spotify_track_ids": track_ids}
            found[mbid] = [Entity(LISTENBRAINZ, "spotify_ids", mbid, fields)]
    return found


def spotify_names(document: Any) -> dict[str, list[Entity]]:
    """Return the Spotify ids in rows of labs `spotify-id-from-metadata`, by `name_key`. Labs
    repeats the requested names in its rows; their key is the entity's id."""
    found = {}
    for row in _rows(document):
        key, track_ids = name_key(*(name or "" for name in _names(row))), _track_ids(row)
        if key and track_ids:
            found[key] = [Entity(LISTENBRAINZ, "spotify_ids", key, {"spotify_track_ids": track_ids})]
    return found


def name_key(*names: str) -> str:
    """Return names as labs folds them: joined, without non-words, in lower case and ASCII. The
    order is that of labs: artist credit and title, or artist, release and title."""
    return anyascii(_NOT_WORD.sub("", "".join(names)).lower())


def recordings_by_name(document: Any) -> dict[str, list[Entity]]:
    """Return the recordings in rows of labs `acr-lookup`, by `name_key` of artist credit and title.
    A recording stands under the requested names (where labs repeats them) and under its own."""
    found: dict[str, list[Entity]] = {}
    for row in _rows(document):
        mbid = ids.parse_mbid(row.get("recording_mbid"))
        if mbid is None:
            continue
        entity = _labs_recording(mbid, row)
        for names in (("artist_credit_arg", "recording_arg"), ("artist_credit_name", "recording_name")):
            artist, title = (as_text(row.get(name)) for name in names)
            if artist and title and (key := name_key(artist, title)):
                found.setdefault(key, [entity])
    return found


def _labs_recording(mbid: str, row: dict[str, Any]) -> Entity:
    credit = list(objects_in(row.get("artists")))
    credited = row.get("artist_credit_mbids")
    artist_ids = credited if isinstance(credited, list) else row.get("artist_mbids")
    fields = {
        "title": as_text(row.get("recording_name")),
        "artist": as_text(row.get("artist_credit_name")),
        "artists": distinct(as_text(part.get("artist_credit_name")) for part in credit),
        "album": as_text(row.get("release_name")),
        "duration_ms": as_number(row.get("length")),
        "mb_recording_id": mbid,
        "mb_release_id": ids.parse_mbid(row.get("release_mbid")),
        "mb_artist_ids": parse_each(artist_ids, ids.parse_mbid),
    }
    return Entity(LISTENBRAINZ, "recording", mbid, without_empty(fields))


def _rows(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, list):
        raise BadAnswer("the labs answer is not a list")
    return list(objects_in(document))


def _track_ids(row: dict[str, Any]) -> list[str]:
    return parse_each(row.get("spotify_track_ids"), ids.parse_spotify_id)


def _names(row: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(as_text(row.get(name)) for name in ("artist_name", "release_name", "track_name"))


def _genres(tags: dict[str, Any]) -> list[str]:
    """Return the genres of the nearest level that has any: recording, release group, artist."""
    for level in ("recording", "release_group", "artist"):
        # Only a tag with a `genre_mbid` is a genre of MusicBrainz; others are "seen live", "00s".
        if genres := rank_by_votes([tag for tag in objects_in(tags.get(level)) if tag.get("genre_mbid")], "tag"):
            return genres
    return []


def _strings_in(value: Any, depth: int = 3) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings_in(item, depth - 1)
