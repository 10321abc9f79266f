"""Which of MusicBrainz' searches answers what: who sends it, who reads its hits, and whose a hit is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.models import Entity, Query
from soulspot.providers import ids
from soulspot.providers.musicbrainz import answers, names, text
from soulspot.providers.musicbrainz.client import Reader


@dataclass(frozen=True, slots=True)
class Search:
    """How one kind is searched: what sends it, what reads its hits, and whose a hit is.

    `hits`: how many a clause matches on average, to begin with; None where that needs no watching."""

    send: Callable[[Reader, str], Any]
    hits: float | None
    read: Callable[[Any], tuple[list[dict[str, Any]], int]]
    entity: Callable[[dict[str, Any]], Entity | None]
    owners: Callable[[Sequence[Query], Entity, dict[str, Any]], list[Query]]


def _recordings(
    hits: float | None, owners: Callable[[Sequence[Query], Entity, dict[str, Any]], list[Query]]
) -> Search:
    return Search(Reader.search, hits, answers.search_hits, answers.recording, owners)


def _by_text(queries: Sequence[Query], entity: Entity, hit: dict[str, Any]) -> list[Query]:
    return text.owners(queries, entity.fields, answers.titles(hit))


SEARCHES = {
    "recording": _recordings(None, lambda qs, one, hit: [q for q in qs if ids.mbid(q["mbid"]) == one.id]),
    "isrc": _recordings(
        0.8, lambda qs, one, hit: [q for q in qs if ids.isrc(q["isrc"]) in one.fields.get("isrcs", ())]
    ),
    "text": _recordings(3.0, _by_text),
    "loose": _recordings(6.0, _by_text),
    "by_artist": _recordings(4.0, _by_text),
    "album": Search(
        Reader.search_releases, 3.0, answers.release_hits, answers.release,
        lambda qs, one, hit: names.album_owners(qs, one.fields),
    ),
    "artist": Search(
        Reader.search_artists, 2.5, answers.artist_hits, answers.artist,
        lambda qs, one, hit: names.artist_owners(qs, one.fields),
    ),
}  # fmt: skip
