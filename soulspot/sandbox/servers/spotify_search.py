"""Spotify's search: free words and the filters track, artist, album, isrc, upc, year and genre."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeVar

from soulspot.sandbox.catalogue.values import Catalogue, SpotifyAlbum, SpotifyTrack
from soulspot.sandbox.search.analysis import fold, tokens
from soulspot.sandbox.search.index import Field, Index

T = TypeVar("T", SpotifyTrack, SpotifyAlbum)
# A filter's value is quoted, or goes on to the next filter; "isrc:A OR isrc:B" is therefore two filters, the
# first with the value "A OR", and finds nothing.
_FILTER = re.compile(r'\b(track|artist|album|isrc|upc|year|genre):\s*(?:"([^"]*)"?|((?:(?!\s+\w+:)[^"])*))')


class SpotifySearch:
    """Search over the tracks and albums of a catalogue; exact titles come first, then the popular."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        tracks, albums = catalogue.spotify_tracks, catalogue.spotify_albums

        def of_album(at: int) -> SpotifyAlbum:
            return catalogue.spotify_albums_by_id[tracks[at].album_id]

        def words(at: int) -> list[str]:
            track = tracks[at]
            return [track.title, of_album(at).title, *(artist.name for artist in track.artists)]

        self._tracks = Index(
            len(tracks),
            {
                "track": Field("text", lambda at: [tracks[at].title]),
                "artist": Field("text", lambda at: [artist.name for artist in tracks[at].artists]),
                "album": Field("text", lambda at: [of_album(at).title]),
                "isrc": Field("keyword", lambda at: [tracks[at].isrc or ""]),
                "upc": Field("keyword", lambda at: [of_album(at).upc or ""]),
                "year": Field("number", lambda at: [of_album(at).date[:4]]),
                "any": Field("text", words),
            },
            "any",
        )
        self._albums = Index(
            len(albums),
            {
                "album": Field("text", lambda at: [albums[at].title]),
                "artist": Field("text", lambda at: [artist.name for artist in albums[at].artists]),
                "upc": Field("keyword", lambda at: [albums[at].upc or ""]),
                "year": Field("number", lambda at: [albums[at].date[:4]]),
                "any": Field("text", lambda at: [albums[at].title, *(a.name for a in albums[at].artists)]),
            },
            "any",
        )

    def tracks(self, query: str) -> list[SpotifyTrack]:
        return _ranked(self._tracks, query, self.catalogue.spotify_tracks, "track", lambda t: t.popularity)

    def albums(self, query: str) -> list[SpotifyAlbum]:
        return _ranked(self._albums, query, self.catalogue.spotify_albums, "album", lambda a: a.popularity)


def _ranked(
    index: Index, query: str, values: Sequence[T], title_field: str, popularity: Callable[[T], int]
) -> list[T]:
    wanted = [(name, quoted or bare) for name, quoted, bare in _FILTER.findall(query)]
    free = _FILTER.sub(" ", query)
    parts = [_found(index, name, value.strip()) for name, value in wanted]
    parts += [set(index.field("any").docs(token)) for token in tokens(free)]
    if not parts:
        return []
    title = fold(next((value for name, value in wanted if name == title_field), free)).strip()
    found = [values[at] for at in reduce(set.__and__, parts)]
    return sorted(found, key=lambda each: (fold(each.title) != title, -popularity(each), each.id))


def _found(index: Index, name: str, value: str) -> set[int]:
    """The documents in which one filter holds; a filter the kind does not have holds nowhere."""
    if name not in index.fields:
        return set()
    field = index.field(name)
    if field.kind == "keyword":
        return set(field.docs(value.lower()))
    if name == "year":
        low, _, high = value.partition("-")
        if not low.isdigit() or (high and not high.isdigit()):
            return set()
        return set(field.docs_between(int(low), int(high or low)))
    words = tokens(value)
    return reduce(set.__and__, (set(field.docs(word)) for word in words)) if words else set()
