"""MusicBrainz searches: one Lucene clause a lookup, many clauses a request, and whose a hit is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from rapidfuzz import fuzz

from soulspot.models import Query
from soulspot.providers import ids
from soulspot.text import fold, latin

MAX_BYTES = 5800
"""Of the encoded query. Past 6 to 7 kB of URL the server answers 414; the rest of the URL takes under 200."""
DURATION_SLACK = 10_000
"""Milliseconds on either side: wide enough for another mastering, narrow enough to leave other versions
out."""
VARIOUS_ARTISTS = "89ad4ac3-39f7-470e-966a-56509c546377"
"""MusicBrainz' special purpose artist for compilations."""
SHOWN = 100
"""Hits that an answer shows at most."""
FULL_ANSWER, USUAL_ALBUM = 96, 14
"""Recordings that releases asked together may have, and those of one of unknown size."""
MAX_WORDS = 12
SAME_TITLE, SAME_ARTIST = 70.0, 60.0
"""Likeness, 0 to 100, from which a hit is taken for an answer at all."""

_QUOTED = re.compile(r'(["\\])')
_BRACKETED = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_DASHED = re.compile(r"\s+[-–—]\s+.*$")
_NEXT_ARTIST = re.compile(r"(?i)\s*(?:[;,/&+]|\b(?:feat|ft|featuring|vs|with)\b\.?)\s*")


def clause(query: Query) -> str:
    """The Lucene clause whose matches answer `query`, narrow unless its scope says otherwise."""
    match query.kind:
        case "recording":
            return f"rid:{ids.mbid(query['mbid'])}"
        case "isrc":
            return f"isrc:{ids.isrc(query['isrc'])}"
        case "release":
            return f"reid:{ids.mbid(query['mbid'])}"
        case "album":
            return _album(query)
    return _wide(query) if alone(query) else _narrow(query)


def alone(query: Query) -> bool:
    """Whether a query is asked by itself, so that its many matches crowd nobody else's out of the 100
    hits."""
    return query.get("scope") == "wide"


def joined(queries: Sequence[Query]) -> str:
    """One search that asks all of them."""
    return " OR ".join(clause(query) for query in queries)


def chunks(queries: Sequence[Query], most: int) -> Iterator[list[Query]]:
    """The queries in searches of at most `most` clauses and MAX_BYTES encoded bytes."""
    chunk: list[Query] = []
    size = 0
    for query in queries:
        length = len(quote_plus(clause(query))) + len("+OR+")
        if chunk and (len(chunk) >= most or size + length > MAX_BYTES or alone(query) or alone(chunk[-1])):
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


def _narrow(query: Query) -> str:
    parts = [f"recording:{_either(query['title'], bare_title(query['title']))}"]
    if artist := query.get("artist"):
        parts.append(f"artist:{_either(artist, lead_artist(artist))}")
    duration = query.get("duration_ms") or ""
    if query.get("scope") == "no_length":
        return f"({' AND '.join(parts)} NOT dur:[0 TO 99999999])"
    if duration.isascii() and duration.isdecimal():
        low, high = max(int(duration) - DURATION_SLACK, 0), int(duration) + DURATION_SLACK
        parts.append(f"dur:[{low} TO {high}]")
    if album := query.get("album"):
        parts.append(f"release:{_phrase(album)}")
    return f"({' AND '.join(parts)})"


def _wide(query: Query) -> str:
    """Any of the title's words, in the recording's name or alias. The artist raises the score and is not required:
    the index has no artist aliases, so that a name in another script would never be found.

    (T AND A) OR T says that whatever the server's default operator is."""
    words = _any_word(query["title"])
    title = f"(recording:{words} OR alias:{words})"
    if not (artist := query.get("artist")):
        return title
    words = _any_word(artist)
    return f"({title} AND (artist:{words} OR artistname:{words} OR creditname:{words})) OR {title}"


def _album(query: Query) -> str:
    """A release by its name and artist; a compilation by its name and the artist MBID that stands for all."""
    title = f"release:{_either(query['album'], bare_title(query['album']))}"
    artist = query.get("artist")
    by = f"artist:{_either(artist, lead_artist(artist))}" if artist else f"arid:{VARIOUS_ARTISTS}"
    return f"({title} AND {by})"


def _phrase(text: str) -> str:
    """A quoted phrase; within quotes only the quote and the backslash are special to Lucene."""
    return '"' + _QUOTED.sub(r"\\\1", text) + '"'


def _either(text: str, shorter: str) -> str:
    return _phrase(text) if fold(shorter) in ("", fold(text)) else f"({_phrase(text)} OR {_phrase(shorter)})"


def _any_word(text: str) -> str:
    words = list(dict.fromkeys(fold(text).split()))[:MAX_WORDS]  # folded: no specials, no AND, OR, NOT
    return f"({' OR '.join(words)})" if words else _phrase(text)


def bare_title(title: str) -> str:
    """The title without what stores append: "(feat. X)", "[Live]", "- 2011 Remaster"."""
    return _DASHED.sub("", _BRACKETED.sub("", title)).strip()


def lead_artist(credit: str) -> str:
    """The first name of a credit. It matches the whole credit too, however that is joined in MusicBrainz."""
    return next((name for name in _NEXT_ARTIST.split(credit) if name.strip()), credit).strip()


def owners(queries: Sequence[Query], fields: Mapping[str, Any], titles: Sequence[str]) -> list[Query]:
    """The queries that a hit answers: those whose own terms it satisfies, leniently, for matching decides later.

    `fields` are the hit's, `titles` all the names it goes by. A hit of several narrow texts that satisfies none was
    found by something the answer does not show and goes to the nearest; a wide text's must have the title."""
    tests: dict[str, Callable[[Query], bool]] = {
        "recording": lambda query: ids.mbid(query["mbid"]) == fields.get("mb_recording_id"),
        "isrc": lambda query: ids.isrc(query["isrc"]) in fields.get("isrcs", ()),
        "text": lambda query: _satisfies(query, fields, titles),
    }
    if queries[0].kind == "text" and len(queries) == 1:
        wide = alone(queries[0])
        return [] if wide and _likeness(queries[0]["title"], titles) < SAME_TITLE else [queries[0]]
    found = [query for query in queries if tests[query.kind](query)]
    if found or queries[0].kind != "text":
        return found
    return [max(queries, key=lambda query: _likeness(query["title"], titles))]


def album_owners(queries: Sequence[Query], fields: Mapping[str, Any]) -> list[Query]:
    """The album queries that a release hit answers, as leniently as `owners`."""
    credits = [fields.get("album_artist", ""), *fields.get("artist_aliases", ())]
    return [
        query
        for query in queries
        if _likeness(query["album"], [fields.get("album", "")]) >= SAME_TITLE
        and (not query.get("artist") or _likeness(query["artist"], credits) >= SAME_ARTIST)
    ]


def _satisfies(query: Query, fields: Mapping[str, Any], titles: Sequence[str]) -> bool:
    credits = [fields.get("artist", ""), *fields.get("artists", ()), *fields.get("artist_aliases", ())]
    expected, actual = query.get("duration_ms") or "", fields.get("duration_ms")
    if expected.isdecimal() and actual and abs(int(expected) - actual) > DURATION_SLACK:
        return False
    artist = query.get("artist")
    return _likeness(query["title"], titles) >= SAME_TITLE and (
        not artist or _likeness(artist, credits) >= SAME_ARTIST
    )


def _likeness(wanted: str, names: Sequence[str]) -> float:
    """0 to 100: how well the likest of `names` has the words of `wanted`, in its script or in Latin. A name of signs
    alone ("!!!") has no words and is like itself."""
    if not fold(wanted):
        return 100.0 if wanted.strip() in (name.strip() for name in names) else 0.0
    return max(
        (fuzz.token_set_ratio(spell(wanted), spell(n)) for spell in (fold, latin) for n in names), default=0.0
    )
