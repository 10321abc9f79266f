"""MusicBrainz searches: one Lucene clause a lookup, many clauses a request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote_plus

from soulspot.models import Query
from soulspot.providers import ids
from soulspot.providers.musicbrainz import names, text

MAX_BYTES = 5800
"""Of the encoded query. Past 6 to 7 kB of URL the server answers 414; the rest of the URL takes under 200."""
SHOWN = 100
"""Hits that an answer shows at most."""
FULL_ANSWER, USUAL_ALBUM = 96, 14
"""Recordings that releases asked together may have, and those of one of unknown size."""


def clause(query: Query, *, slips: bool = True) -> str:
    """The Lucene clause whose matches answer `query`. `slips`: whether Lucene's `~` may stand in it."""
    match query.kind:
        case "recording":
            return f"rid:{ids.mbid(query['mbid'])}"
        case "isrc":
            return f"isrc:{ids.isrc(query['isrc'])}"
        case "release":
            return f"reid:{ids.mbid(query['mbid'])}"
        case "album":
            return names.album(query)
        case "artist":
            return names.artist(query)
        case "loose":
            return text.loose(query, slips=slips)
        case "by_artist":
            return text.by_artist(query)
    return text.wide(query) if text.is_wide(query) else text.narrow(query)


def joined(queries: Sequence[Query], *, slips: bool = True) -> str:
    """One search that asks all of them."""
    return " OR ".join(clause(query, slips=slips) for query in queries)


def chunks(queries: Sequence[Query], most: int) -> Iterator[list[Query]]:
    """The queries in searches of at most `most` clauses and MAX_BYTES encoded bytes."""
    chunk: list[Query] = []
    size = 0
    for query in queries:
        length = len(quote_plus(clause(query))) + len("+OR+")
        lonely = text.is_wide(query) or (bool(chunk) and text.is_wide(chunk[-1]))
        if chunk and (len(chunk) >= most or size + length > MAX_BYTES or lonely):
            yield chunk
            chunk, size = [], 0
        chunk.append(query)
        size += length
    if chunk:
        yield chunk


def by_size(queries: Sequence[Query]) -> Iterator[list[Query]]:
    """Releases in searches of at most FULL_ANSWER tracks, by the hint "tracks"; a release without one counts as
    USUAL_ALBUM."""
    chunk: list[Query] = []
    size = 0
    for query in queries:
        tracks = tracks_hinted(query)
        if chunk and size + tracks > FULL_ANSWER:
            yield chunk
            chunk, size = [], 0
        chunk.append(query)
        size += tracks
    if chunk:
        yield chunk


def tracks_hinted(query: Query) -> int:
    """How many tracks a release has, as far as the one who asks knows."""
    hint = query.hinted("tracks") or ""
    return int(hint) if hint.isascii() and hint.isdecimal() and len(hint) < 6 else USUAL_ALBUM
