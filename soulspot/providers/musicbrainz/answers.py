"""MusicBrainz answers (WS/2 JSON) in our fields: recordings, releases and artists. The entities'
fields are listed in docs/reference/fields.md."""

from collections.abc import Iterator
from typing import Any

from soulspot.errors import BadAnswer
from soulspot.models import MUSICBRAINZ, Entity
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

_TRACK_LISTS = ("pregap", "track", "tracks", "data-tracks")  # of a medium


def search_hits(document: Any, kind: str) -> tuple[list[dict[str, Any]], int]:
    """Return the hits of a search, best first, and the count of all matches. `kind` is
    "recordings", "releases" or "artists". BadAnswer when the document is of no search."""
    if not isinstance(document, dict) or not isinstance(document.get(kind), list):
        raise BadAnswer(f"the search answer has no {kind}")
    count = as_number(document.get("count"), least=0)
    if count is None:
        raise BadAnswer("the search answer has no count")
    return list(objects_in(document[kind])), count


def artist(document: dict[str, Any]) -> Entity | None:
    """Return an artist with their other names; None when the document has no id."""
    mbid = ids.parse_mbid(document.get("id"))
    if mbid is None:
        return None
    fields = {
        "artist": as_text(document.get("name")),
        "artist_aliases": distinct(_other_names([{"artist": document, "name": document.get("name")}])),
        "mb_artist_ids": [mbid],
        "disambiguation": as_text(document.get("disambiguation")),
        "score": as_number(document.get("score"), least=0),
    }
    return Entity(MUSICBRAINZ, "artist", mbid, without_empty(fields))


def release(document: dict[str, Any]) -> Entity | None:
    """Return a release without its tracks; None when the document has no id."""
    entry = next(releases({**document, "media": []}), None)
    if entry is None:
        return None
    label = next(objects_in(document.get("label-info")), {})
    fields = {
        "album": entry.get("title"),
        "album_artist": entry.get("album_artist"),
        "artist_aliases": distinct(_other_names(list(objects_in(document.get("artist-credit"))))),
        "release_date": entry.get("date"),
        "label": as_text(as_object(label.get("label")).get("name")),
        "catalog_number": as_text(label.get("catalog-number")),
        "barcode": as_text(document.get("barcode")),
        "track_count": entry.get("track_count") or _tracks_on(document),
        "mb_artist_ids": _artist_ids(list(objects_in(document.get("artist-credit")))),
        "disambiguation": as_text(document.get("disambiguation")),
        "mb_release_id": entry["id"],
        "mb_release_group_id": entry.get("release_group_id"),
        "releases": [entry],
        "score": as_number(document.get("score"), least=0),
    }
    return Entity(MUSICBRAINZ, "release", entry["id"], without_empty(fields))


def recordings_on(document: dict[str, Any]) -> Iterator[Entity]:
    """Return the recordings of a looked-up release, each with its positions there."""
    found: dict[str, Entity] = {}
    for medium in objects_in(document.get("media")):
        bare = {name: value for name, value in medium.items() if name not in _TRACK_LISTS}
        for track in _tracks(medium):
            heard = as_object(track.get("recording"))
            place = {**document, "media": [{**bare, "tracks": [track]}]}
            entity = recording({**heard, "releases": [place]})
            if entity is None:
                continue
            if entity.id in found:
                places = [*found[entity.id].fields["releases"], *entity.fields["releases"]]
                entity = Entity(entity.provider, entity.kind, entity.id, {**entity.fields, "releases": places})
            found[entity.id] = entity
    yield from found.values()


def _tracks_on(document: dict[str, Any]) -> int | None:
    return sum(as_number(medium.get("track-count")) or 0 for medium in objects_in(document.get("media"))) or None


def recording(document: dict[str, Any], **more: Any) -> Entity | None:
    """Return a recording with `more` fields; None when the document has no id."""
    mbid = ids.parse_mbid(document.get("id"))
    if mbid is None:
        return None
    credit = list(objects_in(document.get("artist-credit")))
    fields = {
        "title": as_text(document.get("title")),
        "artist": credit_text(credit),
        "artists": distinct(_credited(part) for part in credit),
        "artist_aliases": distinct(_other_names(credit)),
        "duration_ms": as_number(document.get("length")),
        "isrcs": parse_each(document.get("isrcs"), ids.parse_isrc),
        "original_date": as_date(document.get("first-release-date")),
        "genres": rank_by_votes(document.get("genres"), "name"),  # not its tags: "seen live", "00s"
        "disambiguation": as_text(document.get("disambiguation")),
        "video": document["video"] if isinstance(document.get("video"), bool) else None,
        "mb_recording_id": mbid,
        "mb_artist_ids": _artist_ids(credit),
        "spotify_track_ids": distinct(_spotify_links(document.get("relations"))),
        "releases": [entry for release in objects_in(document.get("releases")) for entry in releases(release)],
        "score": as_number(document.get("score"), least=0),
    }
    return Entity(MUSICBRAINZ, "recording", mbid, without_empty({**fields, **more}))


def titles(document: dict[str, Any]) -> list[str]:
    """Return the names of a recording: its title, its aliases and the titles of its tracks."""
    names = [document.get("title"), *(alias.get("name") for alias in objects_in(document.get("aliases")))]
    for release in objects_in(document.get("releases")):
        for medium in objects_in(release.get("media")):
            names += [track.get("title") for track in _tracks(medium)]
    return distinct(as_text(name) for name in names)


def releases(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an entry for each position of the recording on the release; one without positions. An
    entry has the fields of `releases` in docs/reference/fields.md."""
    group = as_object(document.get("release-group"))
    base = {
        "id": ids.parse_mbid(document.get("id")),
        "title": as_text(document.get("title")),
        "status": as_text(document.get("status")),
        "date": as_date(document.get("date")),
        "country": as_text(document.get("country")),
        "primary_type": as_text(group.get("primary-type")),
        "secondary_types": parse_each(group.get("secondary-types"), as_text),
        "release_group_id": ids.parse_mbid(group.get("id")),
        "album_artist": credit_text(list(objects_in(document.get("artist-credit")))),
        "track_count": as_number(document.get("track-count")),
    }
    if base["id"] is None:
        return
    places = [(medium, track) for medium in objects_in(document.get("media")) for track in [*_tracks(medium)] or [{}]]
    for medium, track in places or [({}, {})]:
        yield without_empty(
            {
                **base,
                "disc_number": as_number(medium.get("position")),
                "track_number": _position(medium, track),
                "track_count": as_number(medium.get("track-count")) or base["track_count"],
                "format": as_text(medium.get("format")),
            }
        )


def recordings_by_url(document: Any) -> Iterator[tuple[str, list[Entity]]]:
    """Yield (Spotify track id, its recordings) for each URL in an answer of `/url`. The answer is a
    list of URLs, or a bare object when one URL was requested."""
    if not isinstance(document, dict):
        raise BadAnswer("the URL answer is not an object")
    several = document.get("urls")
    for url in objects_in(several if isinstance(several, list) else [document]):
        track_id = ids.parse_spotify_track_url(url.get("resource"))
        if track_id is not None:
            yield track_id, list(_linked(url, track_id))


def credit_text(credit: list[dict[str, Any]]) -> str | None:
    """Return an artist credit as written, names and join phrases; None without names."""
    return "".join(f"{_credited(part) or ''}{_join(part)}" for part in credit).strip() or None


def _linked(url: dict[str, Any], track_id: str) -> Iterator[Entity]:
    for relation in objects_in(url.get("relations")):
        if relation.get("ended") is True or not isinstance(relation.get("recording"), dict):
            continue
        entity = recording(relation["recording"], spotify_track_ids=[track_id])
        if entity is not None:
            yield entity


def _artist_ids(credit: list[dict[str, Any]]) -> list[str]:
    return distinct(ids.parse_mbid(as_object(part.get("artist")).get("id")) for part in credit)


def _credited(part: dict[str, Any]) -> str | None:
    return as_text(part.get("name")) or as_text(as_object(part.get("artist")).get("name"))


def _join(part: dict[str, Any]) -> str:
    phrase = part.get("joinphrase")
    return phrase if isinstance(phrase, str) else ""


def _other_names(credit: list[dict[str, Any]]) -> Iterator[str | None]:
    """Yield sort names, aliases, and the artist's own name where the credit has another."""
    for part in credit:
        artist = as_object(part.get("artist"))
        own = as_text(artist.get("name"))
        yield own if own != _credited(part) else None
        yield as_text(artist.get("sort-name"))
        for alias in objects_in(artist.get("aliases")):
            yield as_text(alias.get("name"))


def _tracks(medium: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a medium's tracks: the hidden one before the first, those of the music ("track" in a
    search hit, "tracks" in a lookup), and those of its data session."""
    yield from objects_in([medium.get("pregap")])
    yield from objects_in(medium.get("track") or medium.get("tracks"))
    yield from objects_in(medium.get("data-tracks"))


def _position(medium: dict[str, Any], track: dict[str, Any]) -> int | None:
    """Return a track's position from 1: printed numbers ("A1") are none; offsets are from 0. The
    hidden track before the first one, whose position is 0, has none."""
    if as_number(track.get("position", track.get("number")), least=0) == 0:
        return None
    offset = as_number(medium.get("track-offset"), least=0)
    return as_number(track.get("position")) or (as_number(track.get("number")) if offset is None else offset + 1)


def _spotify_links(relations: Any) -> Iterator[str | None]:
    for relation in objects_in(relations):
        if relation.get("ended") is not True:
            yield ids.parse_spotify_track_url(as_object(relation.get("url")).get("resource"))
