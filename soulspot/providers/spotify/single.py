"""Spotify tracks without the batch route: whole albums by search or by id, the rest one by one."""

from collections import OrderedDict
from typing import Any

from soulspot.errors import BatchRejected, TooLong
from soulspot.models import Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.documents import as_object
from soulspot.providers.spotify import answers
from soulspot.providers.spotify.client import SpotifyApi
from soulspot.text import fold

# Characters of `q`; Spotify cuts or refuses what is longer.
MAX_QUERY = 250
# Characters that a long value keeps when it is cut; three such values fit.
FAIR_SHARE = 40
# Tracks from which a request for their album pays: a lone track is requested by itself, with ISRC.
WORTH_IT = 2
MOST_REMEMBERED = 10_000
AlbumKey = tuple[str, str]


class SingleRoutes:
    """Answers "track" queries by the routes left to apps without batches. Remembers, for its
    lifetime, which albums a search did not find."""

    def __init__(self, api: SpotifyApi) -> None:
        self._api = api
        self._albums_not_found: OrderedDict[AlbumKey, None] = OrderedDict()

    async def answer_tracks(self, sheet: AnswerSheet) -> None:
        """Answer every open "track" query with as few requests as the queries' hints allow."""
        for key, queries in self._group_by_album(sheet).items():
            is_known = key in self._albums_not_found
            if len(queries) >= WORTH_IT and not is_known and queries[0].hinted("album"):
                await self._search_album(sheet, key, queries)
        for query in _unanswered_tracks(sheet):
            if query in sheet.unanswered("track"):  # its album may have answered it meanwhile
                await self._fetch_track(sheet, query)

    def _group_by_album(self, sheet: AnswerSheet) -> dict[AlbumKey, list[Query]]:
        groups: dict[AlbumKey, list[Query]] = {}
        for query in _unanswered_tracks(sheet):
            if (key := _album_key(query)) is not None:
                groups.setdefault(key, []).append(query)
        return groups

    async def _search_album(self, sheet: AnswerSheet, key: AlbumKey, queries: list[Query]) -> None:
        album, artist = queries[0].hinted("album") or "", queries[0].hinted("artist") or ""
        with sheet.request(queries):
            try:
                tracks = answers.hits(await self._api.search(join_filters(album=album, artist=artist)))
            except TooLong:
                return  # nobody has looked for the album; its ids can still be requested
            except BatchRejected:
                tracks = []  # Spotify takes no such search; the ids can still be requested
            by_id = {ids.parse_spotify_id(track.get("id")): track for track in tracks}
            matched = [query for query in queries if track_id(query) in by_id]
            for query in matched:
                put_track(sheet, query, by_id[track_id(query)])
            if matched:
                await self._fetch_rest_of_album(sheet, key, by_id[track_id(matched[0])])
                return
        self._albums_not_found[key] = None
        if len(self._albums_not_found) > MOST_REMEMBERED:
            self._albums_not_found.popitem(last=False)

    async def _fetch_track(self, sheet: AnswerSheet, query: Query) -> None:
        with sheet.request([query]):
            document = await self._api.track(track_id(query))
            put_track(sheet, query, document)
            if isinstance(document, dict) and (key := _album_key(query)) is not None:
                await self._fetch_rest_of_album(sheet, key, document)

    async def _fetch_rest_of_album(self, sheet: AnswerSheet, key: AlbumKey, track: dict[str, Any]) -> None:
        """Fetch the album that `track` names, when enough of its other tracks are open."""
        album_id = ids.parse_spotify_id(as_object(track.get("album")).get("id"))
        queries = self._group_by_album(sheet).get(key, [])
        if album_id is None or len(queries) < WORTH_IT:
            return
        with sheet.request(queries):
            album = as_object(await self._api.album(album_id))
            by_id = {ids.parse_spotify_id(item.get("id")): item for item in answers.album_tracks(album)}
            for query in queries:
                if (item := by_id.get(track_id(query))) is not None:
                    put_track(sheet, query, item, album)


def join_filters(**values: str) -> str:
    """Return a search `q` of field filters, `track:"..." artist:"..."`, of at most 250 characters.
    The longest value is cut, at a word, until the query fits. Quotes, which would end a filter, are
    left out, and so are empty values."""
    texts = {name: " ".join(value.replace('"', " ").split()) for name, value in values.items()}
    while True:
        q = " ".join(f'{name}:"{text}"' for name, text in texts.items() if text)
        excess = len(q) - MAX_QUERY
        if excess <= 0:
            return q
        longest = max(texts, key=lambda name: len(texts[name]))
        kept = texts[longest][: max(len(texts[longest]) - excess, FAIR_SHARE)]
        texts[longest] = kept.rpartition(" ")[0] or kept


def track_id(query: Query) -> str:
    """Return the Spotify id that a "track" or "tracklist" query asks for."""
    return query["id"].strip()


def put_track(
    sheet: AnswerSheet, query: Query, document: dict[str, Any] | None, album: dict[str, Any] | None = None
) -> None:
    """Answer a "track" query with a track's document; without one it is Missing. `album` is the
    album of a track that came inside it."""
    entity = answers.track(document, track_id(query), album) if isinstance(document, dict) else None
    sheet.put_found(query, [] if entity is None else [entity])


def _album_key(query: Query) -> AlbumKey | None:
    """Return a key that the hints of two tracks of one album share; None without such hints. The
    hint `beside` only says which tracks share an album; it is no name of the album."""
    if beside := query.hinted("beside"):
        return "", beside
    key = fold(query.hinted("album") or ""), fold(query.hinted("artist") or "")
    return key if all(key) else None


def _unanswered_tracks(sheet: AnswerSheet) -> list[Query]:
    # Ordered by id: the first track of an album answers more than the others do, and which track
    # that is should not depend on the order of arrival.
    return sorted(sheet.unanswered("track"), key=track_id)
