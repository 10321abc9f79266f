"""MusicBrainz searches: one Lucene clause a lookup, many clauses a request."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote_plus

from soulspot.models import Query
from soulspot.providers import ids
from soulspot.providers.musicbrainz import name_search, text_search

# Bytes of the encoded query: the server answers 414 to URLs beyond 6 to 7 kB.
MAX_BYTES = 5800
# Hits that an answer shows at most.
SHOWN = 100
# Recordings of the releases in one search, and of one release of unknown size.
FULL_ANSWER, USUAL_ALBUM = 96, 14


def build_clause(query: Query, *, slips: bool = True) -> str:
    """Return the Lucene clause that finds `query`; with Lucene's `~` only where `slips` is true."""
    match query.kind:
        case "recording":
            return f"rid:{ids.parse_mbid(query['mbid'])}"
        case "isrc":
            return f"isrc:{ids.parse_isrc(query['isrc'])}"
        case "release":
            return f"reid:{ids.parse_mbid(query['mbid'])}"
        case "album":
            return name_search.album_clause(query)
        case "artist":
            return name_search.artist_clause(query)
        case "loose":
            return text_search.loose_clause(query, slips=slips)
        case "by_artist":
            return text_search.by_artist_clause(query)
    is_wide = text_search.is_wide(query)
    return text_search.wide_clause(query) if is_wide else text_search.narrow_clause(query)


def join_clauses(queries: Sequence[Query], *, slips: bool = True) -> str:
    """Return one search for all of `queries`; `slips` as for `build_clause`."""
    return " OR ".join(build_clause(query, slips=slips) for query in queries)


def split_searches(queries: Sequence[Query], most: int) -> Iterator[list[Query]]:
    """Yield the queries in groups for one search each. A group has at most `most` clauses,
    MAX_BYTES encoded bytes, and releases of FULL_ANSWER tracks. A wide query stands alone."""
    group: list[Query] = []
    size = tracks = 0
    for query in queries:
        query_size = len(quote_plus(build_clause(query))) + len("+OR+")
        query_tracks = expected_tracks(query) if query.kind == "release" else 0
        is_alone = text_search.is_wide(query) or (bool(group) and text_search.is_wide(group[-1]))
        is_full = size + query_size > MAX_BYTES or tracks + query_tracks > FULL_ANSWER
        if group and (len(group) >= most or is_full or is_alone):
            yield group
            group, size, tracks = [], 0, 0
        group.append(query)
        size += query_size
        tracks += query_tracks
    if group:
        yield group


def expected_tracks(query: Query) -> int:
    """Return the number of tracks in a "release" query's hint `tracks`; USUAL_ALBUM without."""
    hint = query.hinted("tracks") or ""
    return int(hint) if hint.isascii() and hint.isdecimal() and len(hint) < 6 else USUAL_ALBUM
