"""Builders of answers as the services send them, with defaults for all that a test leaves out."""

from __future__ import annotations

from typing import Any
from uuid import UUID


def mbid(number: int) -> str:
    return str(UUID(int=number, version=4))


def spotify_id(number: int) -> str:
    return f"{number:022d}"


def mb_hit(
    number: int,
    title: str = "Song",
    artist: str = "Band",
    length: int | None = 200_000,
    isrcs: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return a recording as a MusicBrainz search shows it."""
    credit = {"name": artist, "artist": {"id": mbid(10**6), "name": artist, "sort-name": artist}}
    hit = {"id": mbid(number), "score": 100, "title": title, "artist-credit": [credit], "isrcs": list(isrcs)}
    return hit if length is None else {**hit, "length": length}


def mb_search(*hits: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    return {"count": len(hits) if count is None else count, "offset": 0, "recordings": list(hits)}


def sp_track(number: int, album: int = 1, **more: Any) -> dict[str, Any]:
    """Return a track as Spotify shows it alone, in a list or in a search."""
    return {
        "id": spotify_id(number),
        "name": f"Track {number}",
        "artists": [{"id": spotify_id(900), "name": "Band"}],
        "album": {"id": spotify_id(10_000 + album), "name": f"Album {album}", "total_tracks": 12},
        "duration_ms": 200_000,
        "external_ids": {"isrc": f"USABC26{number:05d}"},
        **more,
    }


def sp_search(*tracks: dict[str, Any] | None) -> dict[str, Any]:
    return {"tracks": {"items": list(tracks), "total": len(tracks)}}


def sp_album(album: int, *numbers: int) -> dict[str, Any]:
    """Return an album of Spotify; its tracks have neither album nor ISRC."""
    tracks = [{k: v for k, v in sp_track(n).items() if k not in ("album", "external_ids")} for n in numbers]
    return {
        "id": spotify_id(10_000 + album),
        "name": f"Album {album}",
        "artists": [{"id": spotify_id(900), "name": "Band"}],
        "release_date": "2001-02-03",
        "total_tracks": len(numbers),
        "external_ids": {"upc": "012345678905"},
        "images": [{"url": "https://i/300", "width": 300}, {"url": "https://i/640", "width": 640}],
        "tracks": {"items": tracks},
    }


def mb_release(
    number: int,
    title: str = "Album",
    artist: str = "Band",
    tracks: int = 10,
    **more: Any,
) -> dict[str, Any]:
    """Return a release of one disc as a MusicBrainz release search shows it."""
    credit = {"name": artist, "artist": {"id": mbid(10**6), "name": artist, "sort-name": artist}}
    return {
        "id": mbid(number), "score": 100, "title": title, "status": "Official", "artist-credit": [credit],
        "release-group": {"id": mbid(10**7 + number), "primary-type": "Album"}, "date": "2001-02-03",
        "track-count": tracks, "media": [{"position": 1, "format": "CD", "track-count": tracks}], **more,
    }  # fmt: skip


def mb_releases(*hits: dict[str, Any], count: int | None = None) -> dict[str, Any]:
    return {"count": len(hits) if count is None else count, "offset": 0, "releases": list(hits)}


def mb_on(number: int, release: int, position: int, **more: Any) -> dict[str, Any]:
    """Return a recording as a search shows it, at this position of a release."""
    track = {"title": f"Song {number}", "number": str(position)}
    medium = {"position": 1, "track-offset": position - 1, "track": [track], "track-count": 10}
    place = {"id": mbid(release), "title": "Album", "status": "Official", "media": [medium]}
    return mb_hit(number, f"Song {number}") | {"releases": [place]} | more
