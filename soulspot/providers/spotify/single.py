"""Spotify tracks without the batch route: albums' worth of them by search, then by album, the rest one by
one."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from soulspot.errors import BatchRejected
from soulspot.models import Found, Missing, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.documents import dict_of
from soulspot.providers.spotify import answers
from soulspot.providers.spotify.client import SpotifyApi
from soulspot.text import fold

MAX_QUERY = 250
"""Characters of `q`; Spotify cuts or refuses what is longer."""
FAIR_SHARE = 40
"""Characters that the cutting of a long value leaves of it; three such values fit."""
WORTH_IT = 2
"""One request for an album pays off from the second track on; a lone track is asked for itself, with its
ISRC."""
MOST_REMEMBERED = 10_000

AlbumKey = tuple[str, str]


class SingleRoutes:
    """Keeps for its lifetime which albums a search did not find, so as not to search for them again."""

    def __init__(self, api: SpotifyApi) -> None:
        self._api = api
        self._barren: OrderedDict[AlbumKey, None] = OrderedDict()

    async def answer(self, sheet: AnswerSheet) -> None:
        """Answer every open "track" query of `sheet`, with the fewest requests that their hints allow."""
        for key, queries in self._albums(sheet).items():
            if len(queries) >= WORTH_IT and key not in self._barren and _can_be_searched(queries[0]):
                await self._search_album(sheet, key, queries)
        for query in _in_order(sheet):
            if query in sheet.open("track"):  # an album may have answered it meanwhile
                await self._single(sheet, query)

    def _albums(self, sheet: AnswerSheet) -> dict[AlbumKey, list[Query]]:
        groups: dict[AlbumKey, list[Query]] = {}
        for query in _in_order(sheet):
            if (key := _album_key(query)) is not None:
                groups.setdefault(key, []).append(query)
        return groups

    async def _search_album(self, sheet: AnswerSheet, key: AlbumKey, queries: list[Query]) -> None:
        sheet.asking(queries)
        album, artist = queries[0].hinted("album") or "", queries[0].hinted("artist") or ""
        try:
            found = answers.hits(await self._api.search(filters(album=album, artist=artist)))
        except BatchRejected:
            found = []  # the hints made a query that Spotify does not take; the ids can still be asked for
        by_id = {ids.spotify_id(track.get("id")): track for track in found}
        matched = [query for query in queries if _asked(query) in by_id]
        for query in matched:
            _put(sheet, query, by_id[_asked(query)])
        if not matched:
            self._remember_barren(key)
            return
        await self._rest_of_album(sheet, key, by_id[_asked(matched[0])])

    async def _single(self, sheet: AnswerSheet, query: Query) -> None:
        sheet.asking([query])
        try:
            document = await self._api.track(_asked(query))
        except BatchRejected as error:
            sheet.rejected(error)
            return
        if not isinstance(document, dict):
            sheet.put(query, Missing())
            return
        _put(sheet, query, document)
        if (key := _album_key(query)) is not None:
            await self._rest_of_album(sheet, key, document)

    async def _rest_of_album(self, sheet: AnswerSheet, key: AlbumKey, track: dict[str, Any]) -> None:
        """A track told its album's id: fetch the album when enough of its other tracks are asked for."""
        album_id = ids.spotify_id(dict_of(track.get("album")).get("id"))
        wanted = self._albums(sheet).get(key, [])
        if album_id is None or len(wanted) < WORTH_IT:
            return
        sheet.asking(wanted)
        album = await self._api.album(album_id)
        if not isinstance(album, dict):
            return
        by_id = {ids.spotify_id(item.get("id")): item for item in answers.album_tracks(album)}
        for query in wanted:
            if (item := by_id.get(_asked(query))) is not None:
                _put(sheet, query, item, album)

    def _remember_barren(self, key: AlbumKey) -> None:
        self._barren[key] = None
        if len(self._barren) > MOST_REMEMBERED:
            self._barren.popitem(last=False)


def filters(**values: str) -> str:
    """A search `q` of field filters, `track:"..." artist:"..."`, of at most 250 characters: the longest value
    is cut, at a word, until it fits. Quotes would end a filter early and are left out."""
    texts = {name: " ".join(value.replace('"', " ").split()) for name, value in values.items()}
    while True:
        q = " ".join(f'{name}:"{text}"' for name, text in texts.items() if text)
        over = len(q) - MAX_QUERY
        if over <= 0:
            return q
        longest = max(texts, key=lambda name: len(texts[name]))
        kept = texts[longest][: max(len(texts[longest]) - over, FAIR_SHARE)]
        texts[longest] = kept.rpartition(" ")[0] or kept


def _album_key(query: Query) -> AlbumKey | None:
    """What the hints of two tracks of one album have in common, or None without such hints."""
    if beside := query.hinted("beside"):
        return "", beside
    key = fold(query.hinted("album") or ""), fold(query.hinted("artist") or "")
    return key if all(key) else None


def _can_be_searched(query: Query) -> bool:
    """Whether the hints name the album; `beside` only tells which tracks are of one, and is no name upstream."""
    return bool(query.hinted("album"))


def _in_order(sheet: AnswerSheet) -> list[Query]:
    """The open ones by their ids, not as they came in: the first of an album tells more of itself than the others do of
    theirs, and which one that is should not be left to chance."""
    return sorted(sheet.open("track"), key=_asked)


def _asked(query: Query) -> str:
    return query["id"].strip()


def _put(
    sheet: AnswerSheet, query: Query, document: dict[str, Any], album: dict[str, Any] | None = None
) -> None:
    entity = answers.track(document, _asked(query), album)
    sheet.put(query, Found((entity,)) if entity is not None else Missing())
