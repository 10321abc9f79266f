"""Releases and artists by name: their clauses, and the queries that a hit answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from soulspot.models import Entity, Query
from soulspot.providers.musicbrainz.lucene import any_form, every_word, likeness
from soulspot.text import bare_title, lead_artist

# MusicBrainz' special purpose artist for compilations.
VARIOUS_ARTISTS = "89ad4ac3-39f7-470e-966a-56509c546377"
# Likeness, 0 to 100, from which a hit is an answer at all; matching decides later.
SAME_ALBUM, SAME_ARTIST, SAME_NAME = 70.0, 60.0, 85.0


def album_clause(query: Query) -> str:
    """Return the clause of an "album" query, which depends on its other terms. `arid` (artist MBIDs
    parted by blanks): theirs by its name, or with as many `tracks`. `tracks` alone: by its name,
    whosever. `artist`: by both names. Otherwise a compilation by its name."""
    title = f"release:{any_form(query['album'], bare_title(query['album']))}"
    artist_ids, tracks = query.get("arid"), query.get("tracks")
    if artist_ids:
        sized = f"({title} OR tracks:{tracks})" if tracks else title
        return f"(arid:({' OR '.join(artist_ids.split())}) AND {sized})"
    if tracks:
        return f"({title} AND tracks:{tracks})"
    artist = query.get("artist")
    by = f"artist:{any_form(artist, lead_artist(artist))}" if artist else f"arid:{VARIOUS_ARTISTS}"
    return f"({title} AND {by})"


def find_answered_albums(queries: Sequence[Query], release: Entity, hit: dict[str, Any]) -> list[Query]:
    """Return the "album" queries that a release answers, judged leniently."""
    return [query for query in queries if _is_answered(query, release.fields)]


def _is_answered(query: Query, fields: Mapping[str, Any]) -> bool:
    is_titled = likeness(query["album"], [fields.get("album", "")]) >= SAME_ALBUM
    tracks = query.get("tracks")
    is_sized = tracks is not None and tracks == str(fields.get("track_count"))
    if artist_ids := query.get("arid"):
        is_theirs = not set(artist_ids.split()).isdisjoint(fields.get("mb_artist_ids", ()))
        return is_theirs and (is_titled or is_sized)
    if tracks:
        return is_titled and is_sized
    artist = query.get("artist")
    credits = [fields.get("album_artist", ""), *fields.get("artist_aliases", ())]
    return is_titled and (not artist or likeness(artist, credits) >= SAME_ARTIST)


def artist_clause(query: Query) -> str:
    """Return the clause for an artist by any of their names, its words in any order."""
    words = every_word(query["name"])
    return f"(artist:{words} OR alias:{words} OR sortname:{words})"


def find_answered_artists(queries: Sequence[Query], artist: Entity, hit: dict[str, Any]) -> list[Query]:
    """Return the "artist" queries that an artist answers."""
    names = [str(artist.fields.get("artist", "")), *artist.fields.get("artist_aliases", ())]
    return [query for query in queries if likeness(query["name"], names) >= SAME_NAME]
