"""MusicBrainz: many lookups in one search, Spotify links 70 a request, merged ids one by one.
docs/explain/providers.md lists the requests, and the facts about the web service (WS/2)."""

import logging
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from soulspot.errors import BadAnswer, BatchRejected, TooLong
from soulspot.limits import Gates
from soulspot.models import MUSICBRAINZ, Answer, Entity, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.musicbrainz import answers
from soulspot.providers.musicbrainz.clauses import SHOWN, expected_tracks, join_clauses, split_searches
from soulspot.providers.musicbrainz.client import MusicBrainzApi
from soulspot.providers.musicbrainz.searches import SEARCHES, Search
from soulspot.providers.musicbrainz.text_search import is_wide, tagged_length

log = logging.getLogger(__name__)

CAPACITY = {
    "recording": 100, "isrc": 100, "album": 30, "release": 20, "text": 40, "artist": 40, "loose": 25, "by_artist": 40,
    "url": 70, "redirect": 1,
}  # fmt: skip
# A search is sized to match FEW_HITS; beyond SHOWN hits it is split into MOST_PARTS at most.
FEW_HITS, MOST_PARTS = 80, 4


class MusicBrainz(Provider):
    """The provider of the web service, or of a mirror of it. A request's path is appended to
    `base_url`; `contact` is an e-mail address or URL for the User-Agent; `rate` is in requests a
    second, `timeout` in seconds a request."""

    name = MUSICBRAINZ

    def __init__(
        self, gates: Gates, *, base_url: str, contact: str, rate: float = 1.0, timeout: float = 30.0,
        batch_size: int = 100,
    ) -> None:  # fmt: skip
        self._gate = gates.open(self.name, base_url, rate=rate)
        self._batch_size = batch_size
        # Hits that one clause has matched on average lately, by kind.
        self._hits = {kind: search.expected_hits for kind, search in SEARCHES.items() if search.expected_hits}
        self._takes_slips = True  # until the server refuses Lucene's `~`
        self._api = MusicBrainzApi(gates, base_url=base_url, contact=contact, timeout=timeout)

    @property
    def capacity(self) -> Mapping[str, int]:
        # A kind whose clauses matched much lately gets fewer clauses a search.
        fitting = {kind: max(1, int(FEW_HITS / hits)) for kind, hits in self._hits.items()}
        return {kind: min(n, self._batch_size, fitting.get(kind, SHOWN)) for kind, n in CAPACITY.items()}

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer `queries`; all that the search index does not have is Missing, merged ids too."""
        return await AnswerSheet(queries).fill(CAPACITY, find_fault, self._answer_all)

    async def _answer_all(self, sheet: AnswerSheet) -> None:
        for kind in SEARCHES:
            # Wide queries last: each takes a search of its own, the others share theirs.
            unanswered = sorted(sheet.unanswered(kind), key=is_wide)
            for chunk in split_searches(unanswered, self.capacity[kind]):
                await self._search(sheet, chunk)
        urls, most = sheet.unanswered("url"), self.capacity["url"]
        for start in range(0, len(urls), most):
            await self._fetch_urls(sheet, urls[start : start + most])
        for query in sheet.unanswered("redirect"):
            await self._follow_redirect(sheet, query)

    def opens_at(self, kind: str) -> float | None:
        return self._gate.opens_at()

    def retune(self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None) -> None:
        self._gate.retune(rate=rate, daily_budget=daily_budget)
        self._batch_size, self._api.http.timeout = batch_size, timeout

    async def close(self) -> None:
        await self._api.http.close()

    async def _search(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        """Answer queries of one kind with one search; with several, if it shows too few hits."""
        kind = queries[0].kind
        search = SEARCHES[kind]
        if kind == "release" and len(queries) == 1 and expected_tracks(queries[0]) > SHOWN:
            await self._fetch_release(sheet, queries[0])
            return
        with sheet.request(queries):
            hits, count = answers.search_hits(await self._send_search(search, queries), search.finds)
            if kind in self._hits and not is_wide(queries[0]):
                self._hits[kind] = max(0.7 * self._hits[kind] + 0.3 * min(count, SHOWN) / len(queries), 0.1)
            if count > len(hits) and len(queries) > 1:
                # Nobody knows whose hits are not shown. Pages are no way out, for ties have no
                # stable order. A few parts at a time: one clause may match most of it.
                size = max(1, ceil(len(queries) / min(MOST_PARTS, max(2, ceil(count / FEW_HITS)))))
                for start in range(0, len(queries), size):
                    await self._search(sheet, queries[start : start + size])
                return
            if count > len(hits) and kind == "release":
                await self._fetch_release(sheet, queries[0])
                return
            found: dict[Query, dict[str, Entity]] = {query: {} for query in queries}
            for hit in hits:
                if entity := search.entity(hit):
                    for query in search.answered(queries, entity, hit):
                        found[query].setdefault(entity.id, entity)
            for query, entities in found.items():
                sheet.put_found(query, entities.values())

    async def _send_search(self, search: Search, queries: list[Query]) -> Any:
        kind = queries[0].kind
        try:
            return await self._api.search(search.finds, join_clauses(queries, slips=self._takes_slips))
        except BatchRejected as error:
            # The `~` may be at fault: it is left out for good if the search passes without it. A
            # search that is too long says nothing of it, for without `~` it is shorter, too.
            if kind != "loose" or not self._takes_slips or isinstance(error, TooLong):
                raise
            document = await self._api.search(search.finds, join_clauses(queries, slips=False))
            log.warning("MusicBrainz does not take words with slips (~): %s", error)
            self._takes_slips = False
            return document
        except BadAnswer as error:
            if kind != "artist" or error.status != 404:
                raise
            log.warning("MusicBrainz has no artist search at this address")
            return {"artists": [], "count": 0}

    async def _fetch_release(self, sheet: AnswerSheet, query: Query) -> None:
        with sheet.request([query], missing_on_404=True):
            document = await self._api.release(ids.parse_mbid(query["mbid"]) or "")
            if not isinstance(document, dict):
                raise BadAnswer("the release is not an object")
            sheet.put_found(query, answers.recordings_on(document))

    async def _fetch_urls(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        with sheet.request(queries, missing_on_404=True):
            track_ids = [query["spotify_id"].strip() for query in queries]
            document = await self._api.urls([ids.spotify_track_url(track) for track in track_ids])
            found = dict(answers.recordings_by_url(document))
            for query, track in zip(queries, track_ids, strict=True):
                sheet.put_found(query, found.get(track, ()))

    async def _follow_redirect(self, sheet: AnswerSheet, query: Query) -> None:
        """Answer a "redirect" query: the lookup of a merged id leads to its recording by a 301."""
        requested = ids.parse_mbid(query["mbid"]) or ""
        with sheet.request([query], missing_on_404=True):
            document = await self._api.recording(requested)
            entity = answers.recording(document) if isinstance(document, dict) else None
            if entity is None:
                raise BadAnswer("the lookup answered with no recording")
            redirect = Entity(MUSICBRAINZ, "redirect", requested, {"redirect_to": entity.id})
            sheet.put_found(query, [entity] if entity.id == requested else [redirect, entity])


def find_fault(query: Query) -> str | None:
    """Return why a query cannot be sent, or None: one malformed id could fail the whole search."""
    match query.kind:
        case "recording" | "redirect" | "release":
            is_valid = ids.parse_mbid(query.get("mbid"))
            return None if is_valid else f"not a MusicBrainz id: {query.get('mbid')!r}"
        case "isrc":
            return None if ids.parse_isrc(query.get("isrc")) else f"not an ISRC: {query.get('isrc')!r}"
        case "url":
            return None if ids.parse_spotify_id(query.get("spotify_id")) else "not a Spotify id"
        case "album":
            return None if (query.get("album") or "").strip() else "an album search needs the album's name"
        case "artist":
            return None if (query.get("name") or "").strip() else "an artist search needs a name"
        case "by_artist":
            artist_ids = [ids.parse_mbid(artist) for artist in (query.get("arid") or "").split()]
            is_usable = bool(artist_ids) and None not in artist_ids and tagged_length(query) is not None
            return None if is_usable else "a search by artist needs artist MBIDs and a length"
    return None if (query.get("title") or "").strip() else "a text search needs a title"
