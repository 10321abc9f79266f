"""Recordings by their tags: the clauses of these searches, and the queries that a hit answers.

| kind | the clause matches |
|---|---|
| text | title and artist as phrases, and the length within NARROW |
| text, `scope` = `wide` | any word of the title; the artist raises the score; asked alone |
| loose | misspelt title and artist; no known length; another script, by album or title and length |
| by_artist | everything of these artists (`arid`, MBIDs parted by blanks) that is as long |
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from soulspot.models import Query
from soulspot.providers.musicbrainz.lucene import any_word, every_word_or_nearly, likeness, phrase, span
from soulspot.text import bare_title, fold, is_latin, lead_artist

# Milliseconds on either side: what another encoding or mastering differs by, what an encoder's
# padding adds to that, and what speaks for the same recording where names cannot.
NARROW, LOOSE, EXACT = 5_000, 10_000, 2_000
# The part of the length that may differ, where that is more: 90 minutes are not exact to a second.
OF_LENGTH = 100
ANY_LENGTH = "dur:[0 TO 99999999]"
# Likeness, 0 to 100, from which a hit is an answer at all; matching decides later.
SAME_TITLE, SAME_ARTIST = 70.0, 60.0


def is_wide(query: Query) -> bool:
    """Whether a query needs a search of its own. It matches so much that it would crowd other
    queries' hits out of the 100 shown."""
    return query.get("scope") == "wide"


def narrow_clause(query: Query) -> str:
    """Return the clause for title, artist, length and album, as far as the query has them."""
    parts = list(_name_phrases(query))
    if length := tagged_length(query):
        parts.append(span("dur", length, allowed_difference(length, NARROW)))
    if album := query.get("album"):
        parts.append(f"release:{phrase(album)}")
    return f"({' AND '.join(parts)})"


def wide_clause(query: Query) -> str:
    """Return the clause for any word of the title, in a recording's name or alias."""
    words = any_word(query["title"])
    title = f"(recording:{words} OR alias:{words})"
    if not (artist := query.get("artist")):
        return title
    # The artist is not required: the index has no artist aliases, and a name in another script
    # would never be found. "(T AND A) OR T" says so whatever the server's default operator is.
    words = any_word(artist)
    return f"({title} AND (artist:{words} OR artistname:{words} OR creditname:{words})) OR {title}"


def loose_clause(query: Query, *, slips: bool = True) -> str:
    """Return the clause for a recording whose tags are misspelt or differ from MusicBrainz. `slips`
    tells whether the server takes Lucene's `~`, for words with a letter or two wrong."""
    title, artist, album, length = (query["title"], query.get("artist"), query.get("album"), tagged_length(query))
    ways = []
    if artist:
        near = [
            f"recording:{every_word_or_nearly(bare_title(title), slips=slips)}",
            f"artist:{every_word_or_nearly(lead_artist(artist), slips=slips)}",
        ]
        if length:
            near.append(span("dur", length, allowed_difference(length, LOOSE)))
        ways.append(f"({' AND '.join(near)})")
    if artist or not length:
        unknown = f" NOT {ANY_LENGTH}" if length else ""
        ways.append(f"({' AND '.join(_name_phrases(query))}{unknown})")
    if length:
        exact = span("dur", length, allowed_difference(length, EXACT))
        if album:
            ways.append(f"(release:{phrase(bare_title(album))} AND {exact})")
        if not artist or is_latin(title) is not is_latin(artist):
            same = phrase(_shorten(title, bare_title))
            ways.append(f"((recording:{same} OR alias:{same}) AND {exact})")
    return f"({' OR '.join(ways)})"


def by_artist_clause(query: Query) -> str:
    """Return the clause for all recordings by the artists in the term `arid` (MBIDs, parted by
    spaces) whose length is that of the query, within the tolerance EXACT."""
    length = tagged_length(query) or 0
    ids = " OR ".join(query["arid"].split())
    return f"(arid:({ids}) AND {span('dur', length, allowed_difference(length, EXACT))})"


def find_answered(queries: Sequence[Query], fields: Mapping[str, Any], titles: Sequence[str]) -> list[Query]:
    """Return the queries whose own terms a hit satisfies, judged leniently. `fields` are the hit's,
    `titles` all its names. A hit that satisfies no query was found by something that the answer
    does not show: it goes to the query with the nearest title."""
    if len(queries) == 1:
        is_apart = is_wide(queries[0]) and likeness(queries[0]["title"], titles) < SAME_TITLE
        return [] if is_apart else list(queries)
    satisfied = [query for query in queries if _is_satisfied(query, fields, titles)]
    if satisfied or queries[0].kind == "by_artist":
        return satisfied
    return [max(queries, key=lambda query: likeness(query["title"], titles))]


def _is_satisfied(query: Query, fields: Mapping[str, Any], titles: Sequence[str]) -> bool:
    length, actual = tagged_length(query), fields.get("duration_ms")
    apart = abs(length - int(actual)) if length and actual else None
    is_exact = apart is not None and length is not None and apart <= allowed_difference(length, EXACT)
    if query.kind == "by_artist":
        return is_exact and not set(query["arid"].split()).isdisjoint(fields.get("mb_artist_ids", ()))
    is_apart = apart is not None and length is not None and apart > allowed_difference(length, NARROW)
    if query.kind == "text" and is_apart:
        return False
    credits = [fields.get("artist", ""), *fields.get("artists", ()), *fields.get("artist_aliases", ())]
    is_titled = likeness(query["title"], titles) >= SAME_TITLE
    artist, album = query.get("artist"), query.get("album")
    if is_titled and (not artist or likeness(artist, credits) >= SAME_ARTIST):
        return True
    if query.kind != "loose" or not is_exact:
        return False
    releases = [str(entry.get("title", "")) for entry in fields.get("releases", ())]
    return is_titled or (album is not None and likeness(album, releases) >= SAME_TITLE)


def tagged_length(query: Query) -> int | None:
    """Return the length in the query's tags, in milliseconds; None when unknown."""
    duration = query.get("duration_ms") or ""
    return int(duration) if duration.isascii() and duration.isdecimal() else None


def allowed_difference(length: int, usual: int) -> int:
    """Return the milliseconds that lengths may differ by: `usual`, or 1 % of a long `length`."""
    return max(usual, length // OF_LENGTH)


def _name_phrases(query: Query) -> Iterator[str]:
    """Yield title and artist as phrases in their shorter forms, which longer forms contain."""
    yield f"recording:{phrase(_shorten(query['title'], bare_title))}"
    if artist := query.get("artist"):
        yield f"artist:{phrase(_shorten(artist, lead_artist))}"


def _shorten(text: str, shorten: Callable[[str], str]) -> str:
    shorter = shorten(text)
    return shorter if fold(shorter) else text
