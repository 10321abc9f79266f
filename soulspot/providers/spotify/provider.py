"""Spotify: 50 tracks a request where the app may, else the cheapest routes that are left."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from soulspot.limits import Gates, StatePort
from soulspot.models import SPOTIFY, Answer, Missing, Postponed, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.spotify import answers
from soulspot.providers.spotify.capability import Capability
from soulspot.providers.spotify.client import SpotifyApi, SpotifyApp, Withheld
from soulspot.providers.spotify.single import SingleRoutes, join_filters, put_track, track_id

# Tracks read of one album: 50 come with it, each further request brings 50 more.
LONGEST_ALBUM = 400
CAPACITY = {"track": 50, "tracklist": 20, "album": 1, "isrc": 1, "text": 1}
# Lookups claimed at a time where the batch routes are withheld. Of tracks enough that an album's
# come together, and few enough to be requested one by one. Albums are claimed first: their answers
# often save the requests for their tracks.
CAPACITY_WITHOUT_BATCHES = {"tracklist": 1, "album": 1, "track": 20}


class Spotify(Provider):
    """The provider of the Web API.

    The first batch finds out whether the app may use the batch routes; `port` keeps that by client
    id. `rate` is in requests a second, `timeout` in seconds a request, `daily_budget` in requests
    in any 24 hours (None: no limit of ours)."""

    name = SPOTIFY

    def __init__(
        self,
        gates: Gates,
        port: StatePort,
        app: SpotifyApp,
        *,
        rate: float,
        timeout: float,
        batch_size: int = 50,
        daily_budget: int | None = None,
    ) -> None:
        self._gate = gates.open(self.name, app.base_url, rate=rate, daily_budget=daily_budget)
        self._token_gate = gates.open(self.name, app.token_url, rate=rate)
        self.on_batches_withheld: Callable[[], None] | None = None
        """Called when the batch routes turn out to be withheld, so that plans can be made anew."""
        self._batch_size = batch_size
        self._capability = Capability(port, app.client_id)
        self._api = SpotifyApi(gates, app, timeout=timeout)
        self._single = SingleRoutes(self._api)

    @property
    def capacity(self) -> Mapping[str, int]:
        # The order of the keys is the order of claims, so the overriding keys stand first.
        without = {**CAPACITY_WITHOUT_BATCHES, **CAPACITY, **CAPACITY_WITHOUT_BATCHES}
        most = without if self.are_batches_withheld else CAPACITY
        return {kind: min(number, self._batch_size) for kind, number in most.items()}

    @property
    def expensive_kinds(self) -> frozenset[str]:
        expensive = frozenset({"album", "isrc", "text"})
        return expensive | {"track", "tracklist"} if self.are_batches_withheld else expensive

    @property
    def incidental_kinds(self) -> frozenset[str]:
        return frozenset({"track"}) if self.are_batches_withheld else frozenset()

    @property
    def are_batches_withheld(self) -> bool:
        return self._capability.are_batches_withheld

    async def load_capability(self) -> None:
        await self._capability.are_batches_served()

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer `queries`; a track keeps the requested id, even where a market relinks it."""
        return await AnswerSheet(queries).fill(CAPACITY, _find_fault, self._answer_all)

    async def _answer_all(self, sheet: AnswerSheet) -> None:
        await self._answer_in_batches(sheet, "track")
        await self._single.answer_tracks(sheet)
        await self._answer_in_batches(sheet, "tracklist")
        for query in sheet.unanswered("tracklist"):
            with sheet.request([query]):
                await self._answer_tracklist(sheet, query, await self._api.album(track_id(query)))
        for query in sheet.unanswered("album", "isrc", "text"):
            await self._search(sheet, query)

    def opens_at(self, kind: str) -> float | None:
        # The request for a token passes the gate of its own host first.
        gates = [self._gate, self._token_gate] if self._api.needs_token() else [self._gate]
        return max((at for gate in gates if (at := gate.opens_at()) is not None), default=None)

    def retune(self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None) -> None:
        self._gate.retune(rate=rate, daily_budget=daily_budget)
        # On one host (the sandbox, say) both are one gate, and the budget must stay.
        if self._token_gate is not self._gate:
            self._token_gate.retune(rate=rate, daily_budget=None)
        self._batch_size, self._api.http.timeout = batch_size, timeout

    async def close(self) -> None:
        await self._api.http.close()

    async def _answer_in_batches(self, sheet: AnswerSheet, kind: str) -> None:
        while queries := sheet.unanswered(kind)[: self.capacity[kind]]:
            if await self._capability.are_batches_served() is False:
                return
            route = "tracks" if kind == "track" else "albums"
            try:
                with sheet.request(queries):
                    document = await self._api.batch(route, [track_id(query) for query in queries])
                    items = answers.batch(document, len(queries), route)
                    await self._capability.record(True)
                    for query, item in zip(queries, items, strict=True):
                        if kind == "track":
                            put_track(sheet, query, item)
                        else:
                            await self._answer_tracklist(sheet, query, item)
            except Withheld:
                await self._note_withheld(sheet)
                return

    async def _note_withheld(self, sheet: AnswerSheet) -> None:
        """Remember that batches are withheld; postpone what was planned for batches. Without a
        listener nobody plans anew: the queries then take the single routes."""
        await self._capability.record(False)
        if self.on_batches_withheld is not None:
            for query in sheet.unanswered("track", "tracklist"):
                sheet.put(query, Postponed("Spotify withholds the batch routes: asked in another way"))
            self.on_batches_withheld()

    async def _answer_tracklist(self, sheet: AnswerSheet, query: Query, album: Any) -> None:
        if not isinstance(album, dict):
            sheet.put(query, Missing())
            return
        items = list(answers.album_tracks(album))
        with sheet.request([query]):
            while answers.has_more(album, len(items)) and len(items) < LONGEST_ALBUM:
                page = list(answers.page(await self._api.album_tracks(track_id(query), len(items))))
                if not page:
                    break
                items += page
            # Label and barcode stand only in whole albums: a row must not depend on chance.
            bare = {name: value for name, value in album.items() if name not in ("label", "external_ids")}
            entities = (answers.track(item, album=bare) for item in items)
            sheet.put_found(query, [entity for entity in entities if entity is not None])

    async def _search(self, sheet: AnswerSheet, query: Query) -> None:
        """Search by ISRC or text, a request for each query: Spotify has no OR."""
        isrc = ids.parse_isrc(query.get("isrc")) if query.kind == "isrc" else None
        terms = {"track": query.get("title"), "artist": query.get("artist"), "album": query.get("album")}
        named = join_filters(**{name: value for name, value in terms.items() if value})
        with sheet.request([query]):
            tracks = answers.hits(await self._api.search(f"isrc:{isrc}" if isrc else named))
            entities = [entity for entity in map(answers.track, tracks) if entity is not None]
            if isrc:
                # For weeks Spotify's answers had no ISRCs: such hits are taken at its word.
                entities = [entity for entity in entities if isrc in entity.fields.get("isrcs", [isrc])]
            sheet.put_found(query, entities)


def _find_fault(query: Query) -> str | None:
    """Return why a query cannot be sent, or None: one malformed id would fail the whole batch."""
    match query.kind:
        case "track" | "tracklist":
            kind = "track" if query.kind == "track" else "album"
            is_valid = ids.parse_spotify_id(query.get("id"))
            return None if is_valid else f"not a Spotify {kind} id: {query.get('id')!r}"
        case "isrc":
            return None if ids.parse_isrc(query.get("isrc")) else f"not an ISRC: {query.get('isrc')!r}"
        case "album":
            return None if join_filters(album=query.get("album") or "") else "an album search needs a name"
    return None if join_filters(title=query.get("title") or "") else "a text search needs a title"
