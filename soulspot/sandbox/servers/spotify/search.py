"""Spotify's search: free words and the filters track, artist, album, isrc, upc, year and genre."""

import re
from collections.abc import Sequence
from functools import reduce
from typing import TypeVar

from soulspot.sandbox.catalogue.values import Catalogue, SpotifyAlbum, SpotifyTrack
from soulspot.sandbox.search.analysis import fold, tokens
from soulspot.sandbox.search.index import Index, fields_of

T = TypeVar("T", SpotifyTrack, SpotifyAlbum)
# A filter's value is quoted, or goes on to the next filter. "isrc:A OR isrc:B" is therefore two
# filters, the first with the value "A OR", and finds nothing, as at Spotify.
_FILTER = re.compile(r'\b(track|artist|album|isrc|upc|year|genre):\s*(?:"([^"]*)"?|((?:(?!\s+\w+:)[^"])*))')


class SpotifySearch:
    """Search over the tracks and albums of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        albums = catalogue.spotify_albums_by_id

        def names(value: SpotifyTrack | SpotifyAlbum) -> list[str]:
            return [artist.name for artist in value.artists]

        of_track, of_album = fields_of(catalogue.spotify_tracks), fields_of(catalogue.spotify_albums)
        tracks = {
            "track": of_track("text", lambda t: [t.title]),
            "artist": of_track("text", names),
            "album": of_track("text", lambda t: [albums[t.album_id].title]),
            "isrc": of_track("keyword", lambda t: [t.isrc or ""]),
            "upc": of_track("keyword", lambda t: [albums[t.album_id].upc or ""]),
            "year": of_track("number", lambda t: [albums[t.album_id].date[:4]]),
            "any": of_track("text", lambda t: [t.title, albums[t.album_id].title, *names(t)]),
        }
        self._tracks = Index(len(catalogue.spotify_tracks), tracks, "any")
        album_fields = {
            "album": of_album("text", lambda a: [a.title]),
            "artist": of_album("text", names),
            "upc": of_album("keyword", lambda a: [a.upc or ""]),
            "year": of_album("number", lambda a: [a.date[:4]]),
            "any": of_album("text", lambda a: [a.title, *names(a)]),
        }
        self._albums = Index(len(catalogue.spotify_albums), album_fields, "any")

    def tracks(self, query: str) -> list[SpotifyTrack]:
        return _rank(self._tracks, query, self.catalogue.spotify_tracks, "track")

    def albums(self, query: str) -> list[SpotifyAlbum]:
        return _rank(self._albums, query, self.catalogue.spotify_albums, "album")


def _rank(index: Index, query: str, values: Sequence[T], title_field: str) -> list[T]:
    """Return the values in which every filter and free word of the query holds, best first."""
    filters = [(name, quoted or bare) for name, quoted, bare in _FILTER.findall(query)]
    free = _FILTER.sub(" ", query)
    parts = [_filtered(index, name, value.strip()) for name, value in filters]
    parts += [set(index.field("any").docs(token)) for token in tokens(free)]
    if not parts:
        return []
    title = fold(next((value for name, value in filters if name == title_field), free)).strip()
    found = [values[doc] for doc in reduce(set.__and__, parts)]
    # The id breaks ties: unlike MusicBrainz, Spotify pages do not overlap.
    return sorted(found, key=lambda each: (fold(each.title) != title, -each.popularity, each.id))


def _filtered(index: Index, name: str, value: str) -> set[int]:
    """Return the documents in which a filter holds; one that the kind lacks holds nowhere."""
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
