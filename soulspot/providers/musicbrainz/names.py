"""Releases and artists by name: their clauses, and whose a hit is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from soulspot.models import Query
from soulspot.providers.musicbrainz.lucene import either, every_word, likeness
from soulspot.text import bare_title, lead_artist

VARIOUS_ARTISTS = "89ad4ac3-39f7-470e-966a-56509c546377"
"""MusicBrainz' special purpose artist for compilations."""
SAME_ALBUM, SAME_ARTIST, SAME_NAME = 70.0, 60.0, 85.0
"""Likeness, 0 to 100, from which a hit is taken for an answer at all."""


def album(query: Query) -> str:
    """A release by its name and artist; a compilation by its name and the artist MBID that stands for all. With
    artist MBIDs (`arid`): theirs by its name, or with as many tracks. With `tracks` alone: by its name, whosever."""
    title = f"release:{either(query['album'], bare_title(query['album']))}"
    known, tracks = query.get("arid"), query.get("tracks")
    if known:
        sized = f"({title} OR tracks:{tracks})" if tracks else title
        return f"(arid:({' OR '.join(known.split())}) AND {sized})"
    if tracks:
        return f"({title} AND tracks:{tracks})"
    artist = query.get("artist")
    by = f"artist:{either(artist, lead_artist(artist))}" if artist else f"arid:{VARIOUS_ARTISTS}"
    return f"({title} AND {by})"


def album_owners(queries: Sequence[Query], fields: Mapping[str, Any]) -> list[Query]:
    """The album queries that a release hit answers, leniently, for matching decides later."""
    return [query for query in queries if _is_of(query, fields)]


def _is_of(query: Query, fields: Mapping[str, Any]) -> bool:
    titled = likeness(query["album"], [fields.get("album", "")]) >= SAME_ALBUM
    tracks = query.get("tracks")
    sized = tracks is not None and tracks == str(fields.get("track_count"))
    if known := query.get("arid"):
        return (titled or sized) and not set(known.split()).isdisjoint(fields.get("mb_artist_ids", ()))
    if tracks:
        return titled and sized
    artist = query.get("artist")
    credits = [fields.get("album_artist", ""), *fields.get("artist_aliases", ())]
    return titled and (not artist or likeness(artist, credits) >= SAME_ARTIST)


def artist(query: Query) -> str:
    """An artist by any of the names it goes by, in whatever order they stand."""
    words = every_word(query["name"])
    return f"(artist:{words} OR alias:{words} OR sortname:{words})"


def artist_owners(queries: Sequence[Query], fields: Mapping[str, Any]) -> list[Query]:
    """The artist queries that an artist hit answers."""
    names = list(_names(fields))
    return [query for query in queries if likeness(query["name"], names) >= SAME_NAME]


def _names(fields: Mapping[str, Any]) -> Iterator[str]:
    yield str(fields.get("artist", ""))
    yield from fields.get("artist_aliases", ())
