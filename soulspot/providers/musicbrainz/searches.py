"""The searches by kind of lookup: how to read their hits and assign them to queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.models import Entity, Query
from soulspot.providers import ids
from soulspot.providers.musicbrainz import answers, name_search, text_search


@dataclass(frozen=True, slots=True)
class Search:
    """The search for one kind of lookup."""

    expected_hits: float | None  # of one clause, to begin with; None: few enough to need no watching
    answered: Callable[[Sequence[Query], Entity, dict[str, Any]], list[Query]]  # by an entity's hit
    finds: str = "recordings"
    entity: Callable[[dict[str, Any]], Entity | None] = answers.recording


def _answered_by_text(queries: Sequence[Query], entity: Entity, hit: dict[str, Any]) -> list[Query]:
    return text_search.find_answered(queries, entity.fields, answers.titles(hit))


def _answered_by_id(queries: Sequence[Query], entity: Entity, hit: dict[str, Any]) -> list[Query]:
    return [query for query in queries if ids.parse_mbid(query["mbid"]) == entity.id]


def _answered_by_isrc(queries: Sequence[Query], entity: Entity, hit: dict[str, Any]) -> list[Query]:
    return [query for query in queries if ids.parse_isrc(query["isrc"]) in entity.fields.get("isrcs", ())]


def _answered_by_release(queries: Sequence[Query], entity: Entity, hit: dict[str, Any]) -> list[Query]:
    on = {entry["id"] for entry in entity.fields.get("releases", ())}
    return [query for query in queries if ids.parse_mbid(query["mbid"]) in on]


# The kinds that a search answers, in the order in which they are sent.
SEARCHES = {
    "recording": Search(None, _answered_by_id),
    "isrc": Search(0.8, _answered_by_isrc),
    "text": Search(3.0, _answered_by_text),
    "loose": Search(6.0, _answered_by_text),
    "by_artist": Search(4.0, _answered_by_text),
    "album": Search(3.0, name_search.find_answered_albums, "releases", answers.release),
    "artist": Search(2.5, name_search.find_answered_artists, "artists", answers.artist),
    "release": Search(None, _answered_by_release),
}
