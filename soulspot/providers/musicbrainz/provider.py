"""MusicBrainz: many lookups in one search, merged ids one by one, Spotify links 70 at a time."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from typing import Any

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused, Unavailable
from soulspot.limits import Gates
from soulspot.models import MUSICBRAINZ, Answer, Entity, Found, Missing, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.musicbrainz import answers, text
from soulspot.providers.musicbrainz import query as lucene
from soulspot.providers.musicbrainz.client import Reader, set_up
from soulspot.providers.musicbrainz.searches import SEARCHES, Search
from soulspot.providers.session import GatedSession
from soulspot.providers.threaded import SyncClient
from soulspot.providers.transport import with_retries

log = logging.getLogger(__name__)

CAPACITY = {
    "recording": 100, "isrc": 100, "album": 30, "release": 20, "text": 40, "artist": 40, "loose": 25, "by_artist": 40,
    "url": 70, "redirect": 1,
}  # fmt: skip
FEW_HITS, SHOWN, MOST_PARTS = 80, 100, 4
"""A search is sized to match about this many: with more than 100 it has to be split."""


class MusicBrainz(Provider):
    """A `Provider`. `base_url` is what a path is appended to, `contact` an address or URL for the User-Agent,
    `rate` is in requests a second, `timeout` in seconds for one request."""

    name = MUSICBRAINZ

    def __init__(
        self,
        gates: Gates,
        *,
        base_url: str,
        contact: str,
        rate: float = 1.0,
        timeout: float = 30.0,
        batch_size: int = 100,
    ) -> None:
        self._gates = gates
        self._base_url = base_url
        self._gate = gates.open(self.name, base_url, rate=rate)
        self._timeout = timeout
        self._batch_size = batch_size
        self._hits = {kind: how.hits for kind, how in SEARCHES.items() if how.hits}
        self._slips = True  # until the server says that it does not take them
        set_up(contact)
        self._client = SyncClient(
            "musicbrainz",
            lambda: GatedSession(gates, self.name, base_url=base_url, timeout=self._timeout),
            lambda session: Reader(session, base_url, contact),
        )

    @property
    def capacity(self) -> Mapping[str, int]:
        return {kind: min(most, self._batch_size, self._fitting(kind)) for kind, most in CAPACITY.items()}

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """As `Provider.lookup`. What the search index does not have is Missing; a merged id is, too."""
        sheet = AnswerSheet(queries)
        sheet.check(CAPACITY, _fault)
        try:
            for kind in SEARCHES:
                for chunk in self._chunks(sheet.open(kind), kind):
                    await self._search(sheet, chunk)
            for chunk in lucene.by_size(sheet.open("release")):
                await self._releases(sheet, chunk)
            open_urls = sheet.open("url")
            for start in range(0, len(open_urls), self.capacity["url"]):
                await self._urls(sheet, open_urls[start : start + self.capacity["url"]])
            for query in sheet.open("redirect"):
                await self._redirect(sheet, query)
        except (Limited, Unavailable, Refused, BadAnswer) as error:
            return sheet.given_up(error)
        return sheet.answers()

    def opens_at(self, kind: str) -> float | None:
        return self._gate.opens_at()

    def retune(
        self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None
    ) -> None:
        """As `Provider.retune`."""
        self._gate.retune(rate=rate, daily_budget=daily_budget)
        self._batch_size, self._timeout = batch_size, timeout

    async def close(self) -> None:
        self._client.abandon()

    def _chunks(self, queries: list[Query], kind: str) -> list[list[Query]]:
        queries.sort(key=text.is_wide)  # the narrow ones together
        return list(lucene.chunks(queries, self.capacity[kind]))

    def _fitting(self, kind: str) -> int:
        """So many clauses of this kind that what they match should be shown whole, by what they have matched so far."""
        return max(1, int(FEW_HITS / self._hits[kind])) if kind in self._hits else SHOWN

    async def _search(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        """One search; when it matches more than it shows, its parts, for whose hits are missing is
        unknown."""
        sheet.asking(queries)
        kind = queries[0].kind
        how = SEARCHES[kind]
        try:
            document = await self._send(how, queries)
        except BatchRejected as error:
            sheet.rejected(error)
            return
        except BadAnswer as error:
            if kind != "artist" or error.status != 404:
                raise
            log.warning("MusicBrainz has no artist search at this address")
            document = {"artists": [], "count": 0}
        hits, count = how.read(document)
        if kind in self._hits and not text.is_wide(queries[0]):
            self._hits[kind] = max(0.7 * self._hits[kind] + 0.3 * min(count, SHOWN) / len(queries), 0.1)
        if count > len(hits) and len(queries) > 1:
            await self._in_parts(self._search, sheet, queries, count)
            return
        found: dict[Query, dict[str, Entity]] = {query: {} for query in queries}
        for hit in hits:
            if entity := how.entity(hit):
                for query in how.owners(queries, entity, hit):
                    found[query].setdefault(entity.id, entity)
        for query, entities in found.items():
            sheet.put_found(query, entities.values())

    async def _send(self, how: Search, queries: list[Query]) -> Any:
        """Ask them together. Where that is refused, words with slips (`~`) may be why: only if the same without them is
        taken are they left out from then on."""
        try:
            return await self._ask(how.send, lucene.joined(queries, slips=self._slips))
        except BatchRejected as error:
            if queries[0].kind != "loose" or not self._slips:
                raise
            document = await self._ask(how.send, lucene.joined(queries, slips=False))
            log.warning("MusicBrainz does not take words with slips (~): %s", error)
            self._slips = False
            return document

    async def _releases(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        """All recordings of several releases in one search; a release of more than a search shows is looked up."""
        sheet.asking(queries)
        if len(queries) == 1 and lucene.tracks_hinted(queries[0]) > lucene.SHOWN:
            await self._release(sheet, queries[0])
            return
        try:
            document = await self._ask(Reader.search, lucene.joined(queries))
        except BatchRejected as error:
            sheet.rejected(error)
            return
        hits, count = answers.search_hits(document)
        if count > len(hits):
            if len(queries) > 1:
                await self._in_parts(self._releases, sheet, queries, count)
            else:
                await self._release(sheet, queries[0])
            return
        found: dict[Query, list[Entity]] = {query: [] for query in queries}
        for hit in hits:
            if entity := answers.recording(hit):
                on = {entry["id"] for entry in entity.fields.get("releases", ())}
                for query in queries:
                    if ids.mbid(query["mbid"]) in on:
                        found[query].append(entity)
        for query, entities in found.items():
            sheet.put_found(query, entities)

    async def _release(self, sheet: AnswerSheet, query: Query) -> None:
        try:
            document = await self._ask(Reader.release, ids.mbid(query["mbid"]))
        except BatchRejected as error:
            sheet.rejected(error)
            return
        except BadAnswer as error:
            if error.status != 404:
                raise
            sheet.put(query, Missing())
            return
        if not isinstance(document, dict):
            raise BadAnswer("the release is not an object")
        sheet.put_found(query, answers.recordings_on(document))

    @staticmethod
    async def _in_parts(
        ask: Callable[[AnswerSheet, list[Query]], Awaitable[None]],
        sheet: AnswerSheet,
        queries: list[Query],
        count: int,
    ) -> None:
        """Ask again in so many parts that each should be shown whole; in a few at a time, for it may be one clause that
        matches so much."""
        size = max(1, ceil(len(queries) / min(MOST_PARTS, max(2, ceil(count / FEW_HITS)))))
        for start in range(0, len(queries), size):
            await ask(sheet, queries[start : start + size])

    async def _urls(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        sheet.asking(queries)
        resources = [ids.spotify_track_url(query["spotify_id"].strip()) for query in queries]
        found: dict[str, tuple[Entity, ...]] = {}
        try:
            document = await self._ask(Reader.urls, resources)
            found = {track_id: tuple(entities) for track_id, entities in answers.url_resources(document)}
        except BatchRejected as error:
            sheet.rejected(error)
            return
        except BadAnswer as error:
            if error.status != 404:
                raise
        for query in queries:
            sheet.put_found(query, found.get(query["spotify_id"].strip(), ()))

    async def _redirect(self, sheet: AnswerSheet, query: Query) -> None:
        """Look an id up, which follows the 301 of a merged one; the search index has none of those."""
        sheet.asking([query])
        asked = ids.mbid(query["mbid"]) or ""
        try:
            document = await self._ask(Reader.recording, asked)
        except BatchRejected as error:
            sheet.rejected(error)
            return
        except BadAnswer as error:
            if error.status != 404:
                raise
            sheet.put(query, Missing())
            return
        entity = answers.recording(document) if isinstance(document, dict) else None
        if entity is None:
            raise BadAnswer("the lookup answered with no recording")
        moved = Entity(MUSICBRAINZ, "redirect", asked, {"redirect_to": entity.id})
        sheet.put(query, Found((entity,) if entity.id == asked else (moved, entity)))

    async def _ask(self, method: Callable[..., Any], *args: Any) -> Any:
        return await with_retries(
            self._gate,
            lambda attempt: self._client.call(method, *args, deadline=self._timeout, attempt=attempt),
        )


def _fault(query: Query) -> str | None:
    """Why a query cannot be asked; one malformed id could fail the whole search."""
    match query.kind:
        case "recording" | "redirect" | "release":
            return None if ids.mbid(query.get("mbid")) else f"not a MusicBrainz id: {query.get('mbid')!r}"
        case "isrc":
            return None if ids.isrc(query.get("isrc")) else f"not an ISRC: {query.get('isrc')!r}"
        case "url":
            return None if ids.spotify_id(query.get("spotify_id")) else "not a Spotify id"
        case "album":
            return None if (query.get("album") or "").strip() else "an album search needs the album's name"
        case "artist":
            return None if (query.get("name") or "").strip() else "an artist search needs a name"
        case "by_artist":
            known = [ids.mbid(one) for one in (query.get("arid") or "").split()]
            named = bool(known) and None not in known and text.length_of(query) is not None
            return None if named else "a search by artist needs artist MBIDs and a length"
    return None if (query.get("title") or "").strip() else "a text search needs a title"
