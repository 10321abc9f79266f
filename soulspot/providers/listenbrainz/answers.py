"""ListenBrainz answers: recording metadata of the main API, and the rows of labs data sets, in our fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from anyascii import anyascii

from soulspot.errors import BadAnswer
from soulspot.models import LISTENBRAINZ, Entity
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

_NOT_WORD = re.compile(r"[^\w]+")


def recordings(document: Any) -> dict[str, Entity]:
    """The answer of `POST /1/metadata/recording/` by MBID; what ListenBrainz does not know is not in it."""
    if not isinstance(document, dict):
        raise BadAnswer("the metadata answer is not an object")
    found = {}
    for key, value in document.items():
        mbid = ids.mbid(key)
        if mbid is not None and isinstance(value, dict):
            found[mbid] = _recording(mbid, value)
    return found


def _recording(mbid: str, document: dict[str, Any]) -> Entity:
    recording, artist = dict_of(document.get("recording")), dict_of(document.get("artist"))
    release = dict_of(document.get("release"))
    credit = list(dicts_in(artist.get("artists")))
    year = number_of(release.get("year"), least=1000)
    codes = recording.get("isrcs")
    fields = {
        "title": text_of(recording.get("name")),
        "artist": text_of(artist.get("name")),
        "artists": distinct(text_of(part.get("name")) for part in credit),
        "album": text_of(release.get("name")),
        "album_artist": text_of(release.get("album_artist_name")),
        "duration_ms": number_of(recording.get("length")),
        "isrcs": distinct(map(ids.isrc, codes)) if isinstance(codes, list) else [],
        "release_date": date_of(str(year)) if year else None,
        "original_date": date_of(recording.get("first_release_date")),
        "genres": _genres(dict_of(document.get("tag"))),
        "cover_url": cover_url(release),
        "mb_recording_id": mbid,
        "mb_release_id": ids.mbid(release.get("mbid")),
        "mb_release_group_id": ids.mbid(release.get("release_group_mbid")),
        "mb_artist_ids": distinct(ids.mbid(part.get("artist_mbid")) for part in credit),
        "spotify_track_ids": distinct(map(ids.spotify_track_in, _strings(recording.get("url_rels")))),
    }
    return Entity(LISTENBRAINZ, "recording", mbid, present(fields))


def cover_url(release: dict[str, Any]) -> str | None:
    """The front cover's URL at the Cover Art Archive, 500 pixels, which takes no further request to know."""
    image, owner = number_of(release.get("caa_id")), ids.mbid(release.get("caa_release_mbid"))
    return f"https://coverartarchive.org/release/{owner}/{image}-500.jpg" if image and owner else None


def redirects(document: Any) -> dict[str, list[Entity]]:
    """Rows of labs `recording-mbid-lookup` by the id that was asked (its `original_recording_mbid`): the
    recording there is now, after a "redirect" when that has another id. Unknown ids are rows of nulls."""
    found = {}
    for row in _rows(document):
        asked, now = ids.mbid(row.get("original_recording_mbid")), ids.mbid(row.get("recording_mbid"))
        if asked is None or now is None:
            continue
        moved = [Entity(LISTENBRAINZ, "redirect", asked, {"redirect_to": now})] if now != asked else []
        found[asked] = [*moved, _labs_recording(now, row)]
    return found


def spotify_ids(document: Any) -> dict[str, Entity]:
    """Rows of labs `spotify-id-from-mbid` by MBID. Of rows with the same names labs answers one only: they
    share it."""
    rows = [
        (mbid, row, _track_ids(row))
        for row in _rows(document)
        if (mbid := ids.mbid(row.get("recording_mbid")))
    ]
    by_names = {_names(row): track_ids for _, row, track_ids in rows if track_ids and any(_names(row))}
    found = {}
    for mbid, row, track_ids in rows:
        if track_ids := track_ids or by_names.get(_names(row), []):
            fields = {"mb_recording_id": mbid, "spotify_track_ids": track_ids}
            found[mbid] = Entity(LISTENBRAINZ, "spotify_ids", mbid, fields)
    return found


def spotify_names(document: Any) -> dict[str, Entity]:
    """Rows of labs `spotify-id-from-metadata` by the key of the names that were asked, which labs repeats; an entity
    has that key for its id."""
    found = {}
    for row in _rows(document):
        names = [text_of(row.get(name)) or "" for name in ("artist_name", "release_name", "track_name")]
        key, track_ids = name_key(*names), _track_ids(row)
        if key and track_ids:
            found[key] = Entity(LISTENBRAINZ, "spotify_ids", key, {"spotify_track_ids": track_ids})
    return found


def name_key(*names: str) -> str:
    """What labs folds names (artist credit and title, or artist, release and title) to, in its order: non-words cut,
    lower case, in ASCII."""
    return anyascii(_NOT_WORD.sub("", "".join(names)).lower())


def named(document: Any) -> dict[str, Entity]:
    """Rows of labs `acr-lookup` by the key of the names that were asked (where labs repeats those) and of those
    that it answers."""
    found: dict[str, Entity] = {}
    for row in _rows(document):
        mbid = ids.mbid(row.get("recording_mbid"))
        if mbid is None:
            continue
        entity = _labs_recording(mbid, row)
        for names in (("artist_credit_arg", "recording_arg"), ("artist_credit_name", "recording_name")):
            artist, title = (text_of(row.get(name)) for name in names)
            if artist and title and (key := name_key(artist, title)):
                found.setdefault(key, entity)
    return found


def _labs_recording(mbid: str, row: dict[str, Any]) -> Entity:
    credit = list(dicts_in(row.get("artists")))
    artist_ids = row.get("artist_credit_mbids")
    listed = artist_ids if isinstance(artist_ids, list) else row.get("artist_mbids")
    fields = {
        "title": text_of(row.get("recording_name")),
        "artist": text_of(row.get("artist_credit_name")),
        "artists": distinct(text_of(part.get("artist_credit_name")) for part in credit),
        "album": text_of(row.get("release_name")),
        "duration_ms": number_of(row.get("length")),
        "mb_recording_id": mbid,
        "mb_release_id": ids.mbid(row.get("release_mbid")),
        "mb_artist_ids": distinct(map(ids.mbid, listed)) if isinstance(listed, list) else [],
    }
    return Entity(LISTENBRAINZ, "recording", mbid, present(fields))


def _rows(document: Any) -> list[dict[str, Any]]:
    if not isinstance(document, list):
        raise BadAnswer("the labs answer is not a list")
    return list(dicts_in(document))


def _track_ids(row: dict[str, Any]) -> list[str]:
    value = row.get("spotify_track_ids")
    return distinct(map(ids.spotify_id, value)) if isinstance(value, list) else []


def _names(row: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(text_of(row.get(name)) for name in ("artist_name", "release_name", "track_name"))


def _genres(tags: dict[str, Any]) -> list[str]:
    """From the nearest level that has any; a tag with a `genre_mbid` is one of MusicBrainz' genres."""
    levels = [tags.get(level) for level in ("recording", "release_group", "artist")]
    for level in levels:
        if genres := by_count([tag for tag in dicts_in(level) if tag.get("genre_mbid")], "tag"):
            return genres
    return []  # its other tags are anything: "seen live", "00s"


def _strings(value: Any, depth: int = 3) -> Iterator[str]:
    """Every string in a small document: what `url_rels` looks like is not documented."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _strings(item, depth - 1)
