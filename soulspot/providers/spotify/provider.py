"""Spotify: 50 tracks a request where the app may, otherwise the cheapest routes that are left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused, Unavailable
from soulspot.limits import Gates, StatePort
from soulspot.models import SPOTIFY, Answer, Found, Missing, Postponed, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.spotify import answers
from soulspot.providers.spotify.capability import Capability
from soulspot.providers.spotify.client import SpotifyApi, Withheld
from soulspot.providers.spotify.single import SingleRoutes, filters

LONGEST_ALBUM = 400
"""Tracks of an album that are read; 50 come with it, each further request brings 50 more."""
CAPACITY = {"track": 50, "tracklist": 20, "album": 1, "isrc": 1, "text": 1}
CAPACITY_WITHOUT_BATCHES = {"tracklist": 1, "album": 1, "track": 20}
"""Tracks to take at a time when the batch routes are withheld: an album's worth of company, and no more than
can be asked for one by one in a reasonable time. Albums come first: what they show needs no question of its own."""


class Spotify(Provider):
    """A `Provider`. What the app may do is learned by asking once and kept in `port` by client id.

    `rate` is in requests a second, `timeout` in seconds for one request, `daily_budget` in requests in any 24
    h (None: no limit of ours), `market` an ISO 3166-1 country code or None."""

    name = SPOTIFY

    def __init__(
        self,
        gates: Gates,
        port: StatePort,
        *,
        base_url: str,
        token_url: str,
        client_id: str,
        client_secret: str,
        rate: float,
        timeout: float,
        batch_size: int = 50,
        daily_budget: int | None = None,
        market: str | None = None,
    ) -> None:
        self._gate = gates.open(self.name, base_url, rate=rate, daily_budget=daily_budget)
        self._token_gate = gates.open(self.name, token_url, rate=rate)
        self.on_batches_withheld: Callable[[], None] | None = None
        """Called when it shows that the batch routes are withheld, so that plans can be made anew."""
        self._batch_size = batch_size
        self._capability = Capability(port, client_id)
        self._api = SpotifyApi(
            gates,
            self._gate,
            base_url=base_url,
            token_url=token_url,
            client_id=client_id,
            client_secret=client_secret,
            timeout=timeout,
            market=market,
        )
        self._single = SingleRoutes(self._api)

    @property
    def capacity(self) -> Mapping[str, int]:
        most = (
            {**CAPACITY_WITHOUT_BATCHES, **CAPACITY, **CAPACITY_WITHOUT_BATCHES}
            if self._capability.are_batches_withheld
            else CAPACITY
        )
        return {kind: min(number, self._batch_size) for kind, number in most.items()}

    @property
    def expensive_kinds(self) -> frozenset[str]:
        """The kinds of which a request answers one, so that whatever makes them needless had better come first."""
        expensive = frozenset({"album", "isrc", "text"})
        return expensive | {"track", "tracklist"} if self.are_batches_withheld else expensive

    @property
    def incidental_kinds(self) -> frozenset[str]:
        """The kinds that answers to others may answer by the way."""
        return frozenset({"track"}) if self.are_batches_withheld else frozenset()

    @property
    def are_batches_withheld(self) -> bool:
        """Whether it is known that the batch routes are not for this app."""
        return self._capability.are_batches_withheld

    async def load_capability(self) -> None:
        """Load what is remembered of the app, so that plans can be made for it."""
        await self._capability.are_batches_served()

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """As `Provider.lookup`. Tracks keep the id that was asked for, also where a market relinks them."""
        sheet = AnswerSheet(queries)
        sheet.check(CAPACITY, _fault)
        try:
            await self._tracks(sheet)
            await self._tracklists(sheet)
            for query in sheet.open("album", "isrc", "text"):
                await self._search(sheet, query)
        except (Limited, Unavailable, Refused, BadAnswer) as error:
            return sheet.given_up(error)
        return sheet.answers()

    def opens_at(self, kind: str) -> float | None:
        gates = [self._gate, self._token_gate] if self._api.needs_token() else [self._gate]
        return max((at for gate in gates if (at := gate.opens_at()) is not None), default=None)

    def retune(
        self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None
    ) -> None:
        """As `Provider.retune`."""
        self._gate.retune(rate=rate, daily_budget=daily_budget)
        if self._token_gate is not self._gate:
            self._token_gate.retune(rate=rate, daily_budget=None)
        self._batch_size, self._api.timeout = batch_size, timeout

    async def close(self) -> None:
        self._api.abandon()

    async def _tracks(self, sheet: AnswerSheet) -> None:
        while (
            chunk := sheet.open("track")[: self.capacity["track"]]
        ) and await self._capability.are_batches_served() is not False:
            sheet.asking(chunk)
            try:
                document = await self._api.tracks([query["id"].strip() for query in chunk])
            except Withheld:
                if await self._withheld_now(sheet):
                    return
                break
            except BatchRejected as error:
                sheet.rejected(error)
                continue
            await self._capability.record(True)
            for query, item in zip(chunk, answers.batch(document, len(chunk)), strict=True):
                entity = answers.track(item, query["id"].strip()) if item is not None else None
                sheet.put(query, Found((entity,)) if entity is not None else Missing())
        await self._single.answer(sheet)

    async def _withheld_now(self, sheet: AnswerSheet) -> bool:
        """It has just shown that there are no batches. Whether somebody plans anew what was planned for batches."""
        await self._capability.record(False)
        if self.on_batches_withheld is None:
            return False
        for query in sheet.open("track", "tracklist"):
            sheet.put(query, Postponed("Spotify withholds the batch routes: asked in another way"))
        self.on_batches_withheld()
        return True

    async def _tracklists(self, sheet: AnswerSheet) -> None:
        """Whole albums by their ids. Their tracks name no ISRC."""
        while (
            chunk := sheet.open("tracklist")[: self.capacity["tracklist"]]
        ) and await self._capability.are_batches_served() is not False:
            sheet.asking(chunk)
            try:
                document = await self._api.albums([query["id"].strip() for query in chunk])
            except Withheld:
                if await self._withheld_now(sheet):
                    return
                break
            except BatchRejected as error:
                sheet.rejected(error)
                continue
            await self._capability.record(True)
            for query, album in zip(chunk, answers.batch(document, len(chunk), "albums"), strict=True):
                await self._tracklist(sheet, query, album)
        for query in sheet.open("tracklist"):
            sheet.asking([query])
            try:
                album = await self._api.album(query["id"].strip())
            except BatchRejected as error:
                sheet.rejected(error)
                continue
            await self._tracklist(sheet, query, album)

    async def _tracklist(self, sheet: AnswerSheet, query: Query, album: Any) -> None:
        if not isinstance(album, dict):
            sheet.put(query, Missing())
            return
        items = list(answers.album_tracks(album))
        sheet.asking([query])
        while answers.has_more(album, len(items)) and len(items) < LONGEST_ALBUM:
            page = list(answers.page(await self._api.album_tracks(query["id"].strip(), len(items))))
            if not page:
                break
            items += page
        # what only whole albums tell (label, barcode) is left out: whether an album is read is a matter of chance
        plain = {name: value for name, value in album.items() if name not in ("label", "external_ids")}
        entities = [entity for item in items if (entity := answers.track(item, album=plain)) is not None]
        sheet.put(query, Found(tuple(entities)) if entities else Missing())

    async def _search(self, sheet: AnswerSheet, query: Query) -> None:
        """By ISRC or by text, one search each: Spotify has no OR."""
        sheet.asking([query])
        code = ids.isrc(query.get("isrc")) if query.kind == "isrc" else None
        try:
            found = answers.hits(await self._api.search(f"isrc:{code}" if code else _text(query)))
        except BatchRejected as error:
            sheet.rejected(error)
            return
        entities = [entity for entity in map(answers.track, found) if entity is not None]
        if (
            code
        ):  # Spotify took the ISRCs of answers away once, for weeks: then all hits are taken at its word
            entities = [entity for entity in entities if code in entity.fields.get("isrcs", [code])]
        sheet.put(query, Found(tuple(entities)) if entities else Missing())


def _text(query: Query) -> str:
    terms = {"track": query.get("title"), "artist": query.get("artist"), "album": query.get("album")}
    return filters(**{name: value for name, value in terms.items() if value})


def _fault(query: Query) -> str | None:
    """Why a query cannot be asked; one malformed id fails all of its batch."""
    match query.kind:
        case "track" | "tracklist" as kind:
            what = {"track": "track", "tracklist": "album"}[kind]
            return (
                None if ids.spotify_id(query.get("id")) else f"not a Spotify {what} id: {query.get('id')!r}"
            )
        case "isrc":
            return None if ids.isrc(query.get("isrc")) else f"not an ISRC: {query.get('isrc')!r}"
        case "album":
            return None if filters(album=query.get("album") or "") else "an album search needs a name"
    return None if filters(title=query.get("title") or "") else "a text search needs a title"
