"""Recordings by what tags say of them: the clauses of narrow, loose and wide searches, and whose a hit is.

| kind | the clause matches |
|---|---|
| text | the title and the artist as phrases, and the length within NARROW |
| text with `scope` = `wide` | any word of the title; the artist only raises the score. For a request of its own |
| loose | slips of the pen in title and artist; no length known upstream; another script, by album or title and length |
| by_artist | everything of these artists (`arid`, parted by blanks) that is as long |
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from soulspot.models import Query
from soulspot.providers.musicbrainz.lucene import any_word, every_word_or_nearly, likeness, phrase, span
from soulspot.text import bare_title, fold, is_latin, lead_artist

NARROW, LOOSE, EXACT = 5_000, 10_000, 2_000
"""Milliseconds on either side: what another encoding or mastering differs by, what an encoder's padding adds to it,
and what speaks for the same recording where names cannot."""
OF_LENGTH = 100
"""Part of the length that may differ where that is more: 90 minutes are not measured to the second."""
ANY_LENGTH = "dur:[0 TO 99999999]"
SAME_TITLE, SAME_ARTIST = 70.0, 60.0
"""Likeness, 0 to 100, from which a hit is taken for an answer at all."""


def is_wide(query: Query) -> bool:
    """Whether a query is asked by itself, so that its many matches crowd nobody else's out of the 100
    hits."""
    return query.get("scope") == "wide"


def narrow(query: Query) -> str:
    parts = list(_named(query))
    if length := length_of(query):
        parts.append(span("dur", length, slack(length, NARROW)))
    if album := query.get("album"):
        parts.append(f"release:{phrase(album)}")
    return f"({' AND '.join(parts)})"


def wide(query: Query) -> str:
    """Any of the title's words, in the recording's name or alias. The artist raises the score and is not required:
    the index has no artist aliases, so that a name in another script would never be found.

    (T AND A) OR T says that whatever the server's default operator is."""
    words = any_word(query["title"])
    title = f"(recording:{words} OR alias:{words})"
    if not (artist := query.get("artist")):
        return title
    words = any_word(artist)
    return f"({title} AND (artist:{words} OR artistname:{words} OR creditname:{words})) OR {title}"


def loose(query: Query, *, slips: bool = True) -> str:
    """`slips`: whether the server is known to take Lucene's `~`."""
    title, artist, album, length = query["title"], query.get("artist"), query.get("album"), length_of(query)
    ways = []
    if artist:
        near = [
            f"recording:{every_word_or_nearly(bare_title(title), slips=slips)}",
            f"artist:{every_word_or_nearly(lead_artist(artist), slips=slips)}",
        ]
        if length:
            near.append(span("dur", length, slack(length, LOOSE)))
        ways.append(f"({' AND '.join(near)})")
    if artist or not length:
        unknown = f" NOT {ANY_LENGTH}" if length else ""
        ways.append(f"({' AND '.join(_named(query))}{unknown})")
    if length:
        exact = span("dur", length, slack(length, EXACT))
        if album:
            ways.append(f"(release:{phrase(bare_title(album))} AND {exact})")
        if not artist or is_latin(title) is not is_latin(artist):
            same = phrase(_short(title, bare_title))
            ways.append(f"((recording:{same} OR alias:{same}) AND {exact})")
    return f"({' OR '.join(ways)})"


def by_artist(query: Query) -> str:
    length = length_of(query) or 0
    ids = " OR ".join(query["arid"].split())
    return f"(arid:({ids}) AND {span('dur', length, slack(length, EXACT))})"


def owners(queries: Sequence[Query], fields: Mapping[str, Any], titles: Sequence[str]) -> list[Query]:
    """The queries that a hit answers: those whose own terms it satisfies, leniently, for matching decides later.

    `fields` are the hit's, `titles` all the names it goes by. A hit of several texts that satisfies none was
    found by something the answer does not show and goes to the nearest; a wide text's must have the title."""
    if len(queries) == 1:
        apart = is_wide(queries[0]) and likeness(queries[0]["title"], titles) < SAME_TITLE
        return [] if apart else list(queries)
    found = [query for query in queries if _satisfies(query, fields, titles)]
    if found or queries[0].kind == "by_artist":
        return found
    return [max(queries, key=lambda query: likeness(query["title"], titles))]


def _satisfies(query: Query, fields: Mapping[str, Any], titles: Sequence[str]) -> bool:
    length, actual = length_of(query), fields.get("duration_ms")
    apart = abs(length - int(actual)) if length and actual else None
    exact = apart is not None and length is not None and apart <= slack(length, EXACT)
    if query.kind == "by_artist":
        return exact and not set(query["arid"].split()).isdisjoint(fields.get("mb_artist_ids", ()))
    if query.kind == "text" and apart is not None and length is not None and apart > slack(length, NARROW):
        return False
    credits = [fields.get("artist", ""), *fields.get("artists", ()), *fields.get("artist_aliases", ())]
    titled = likeness(query["title"], titles) >= SAME_TITLE
    artist, album = query.get("artist"), query.get("album")
    if titled and (not artist or likeness(artist, credits) >= SAME_ARTIST):
        return True
    if query.kind != "loose" or not exact:
        return False
    releases = [str(entry.get("title", "")) for entry in fields.get("releases", ())]
    return titled or (album is not None and likeness(album, releases) >= SAME_TITLE)


def length_of(query: Query) -> int | None:
    """The length that the tags say, in milliseconds."""
    duration = query.get("duration_ms") or ""
    return int(duration) if duration.isascii() and duration.isdecimal() else None


def slack(length: int, usual: int) -> int:
    return max(usual, length // OF_LENGTH)


def _named(query: Query) -> Iterator[str]:
    """The shorter forms as phrases: they stand in the longer ones, too."""
    yield f"recording:{phrase(_short(query['title'], bare_title))}"
    if artist := query.get("artist"):
        yield f"artist:{phrase(_short(artist, lead_artist))}"


def _short(text: str, shorten: Callable[[str], str]) -> str:
    shorter = shorten(text)
    return shorter if fold(shorter) else text
