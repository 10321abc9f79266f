"""ListenBrainz: up to 1,000 recordings a request, and the labs data sets that know merged ids and Spotify
ids."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused, Unavailable
from soulspot.limits import Gate, Gates
from soulspot.models import LISTENBRAINZ, Answer, Entity, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.http import Http
from soulspot.providers.listenbrainz import answers

log = logging.getLogger(__name__)

CAPACITY = {"recording": 1000, "redirect": 100, "spotify_ids": 100, "spotify_names": 100, "text": 100}
DATA_SETS = {
    "redirect": "recording-mbid-lookup",
    "spotify_ids": "spotify-id-from-mbid",
    "spotify_names": "spotify-id-from-metadata",
    "text": "acr-lookup",
}


class ListenBrainz(Provider):
    """A `Provider`. Its two hosts have a gate each. Only the API's answers are believed about pace: it sends
    X-RateLimit headers and asks clients to keep to them. `token` is not needed for anything asked here."""

    name = LISTENBRAINZ

    def __init__(
        self,
        gates: Gates,
        *,
        base_url: str,
        labs_url: str,
        token: str | None = None,
        rate: float,
        timeout: float,
        batch_size: int = 1000,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._labs_url = labs_url.rstrip("/")
        self._api_gate = gates.open(self.name, base_url, rate=rate, pace_on_headers=True)
        self._labs_gate = gates.open(self.name, labs_url, rate=rate)
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        self._batch_size = batch_size
        self._http = Http(gates, self.name, timeout=timeout)

    @property
    def capacity(self) -> Mapping[str, int]:
        return {kind: min(most, self._batch_size) for kind, most in CAPACITY.items()}

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """As `Provider.lookup`. A merged id is Missing as a "recording" and found as a "redirect"."""
        sheet = AnswerSheet(queries)
        sheet.check(CAPACITY, _fault)
        try:
            for kind, most in self.capacity.items():
                wanted = sheet.open(kind)
                for start in range(0, len(wanted), most):
                    await self._ask(sheet, kind, wanted[start : start + most])
        except (Limited, Unavailable, Refused, BadAnswer) as error:
            return sheet.given_up(error)
        return sheet.answers()

    def opens_at(self, kind: str) -> float | None:
        return self._gate(kind).opens_at()

    def retune(
        self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None
    ) -> None:
        """As `Provider.retune`."""
        for gate in (self._api_gate, self._labs_gate):
            gate.retune(rate=rate, daily_budget=daily_budget)
        self._batch_size, self._http.timeout = batch_size, timeout

    async def close(self) -> None:
        await self._http.close()

    def _gate(self, kind: str) -> Gate:
        return self._labs_gate if kind in DATA_SETS else self._api_gate

    async def _ask(self, sheet: AnswerSheet, kind: str, queries: list[Query]) -> None:
        sheet.asking(queries)
        if kind == "text":
            await self._texts(sheet, queries)
            return
        if kind == "spotify_names":
            await self._spotify_names(sheet, queries)
            return
        wanted = [ids.mbid(query["mbid"]) or "" for query in queries]
        try:
            found = await self._data_set(kind, wanted) if kind in DATA_SETS else await self._metadata(wanted)
        except BatchRejected as error:
            sheet.rejected(error)
            return
        for query, mbid in zip(queries, wanted, strict=True):
            sheet.put_found(query, found.get(mbid, ()))

    async def _metadata(self, mbids: list[str]) -> dict[str, tuple[Entity, ...]]:
        document = await self._http.fetch_json(
            "POST",
            f"{self._base_url}/metadata/recording/",
            base_url=self._base_url,
            payload={"recording_mbids": list(dict.fromkeys(mbids)), "inc": "artist tag release"},
            headers=self._headers,
        )
        return {mbid: (entity,) for mbid, entity in answers.recordings(document).items()}

    async def _texts(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        """Exact names only. Two inputs that labs folds to one key get one answer: they are sent once; names of
        signs alone it folds to nothing, and they are not sent at all."""
        by_key: dict[str, list[Query]] = {}
        for query in queries:
            by_key.setdefault(answers.name_key(query["artist"], query["title"]), []).append(query)
        asked = [same[0] for key, same in by_key.items() if key]
        inputs = [{"artist_credit_name": one["artist"], "recording_name": one["title"]} for one in asked]
        try:
            document = await self._rows("text", inputs) if inputs else []
        except BatchRejected as error:
            sheet.rejected(error)
            return
        found = answers.named(document)
        for key, same in by_key.items():
            for query in same:
                sheet.put_found(query, [found[key]] if key in found else [])

    async def _spotify_names(self, sheet: AnswerSheet, queries: list[Query]) -> None:
        """Exact names only. Inputs that labs folds to one key get one answer: they are sent once."""
        by_key: dict[str, list[Query]] = {}
        for query in queries:
            names = query["artist"], query.get("album") or "", query["title"]
            by_key.setdefault(answers.name_key(*names), []).append(query)
        inputs = [
            {"artist_name": one["artist"], "release_name": one.get("album") or "", "track_name": one["title"]}
            for key, (one, *_) in by_key.items() if key
        ]  # fmt: skip
        try:
            document = await self._rows("spotify_names", inputs) if inputs else []
        except BatchRejected as error:
            sheet.rejected(error)
            return
        found = answers.spotify_names(document)
        for key, same in by_key.items():
            for query in same:
                sheet.put_found(query, [found[key]] if key in found else [])

    async def _data_set(self, kind: str, mbids: list[str]) -> dict[str, tuple[Entity, ...]]:
        document = await self._rows(kind, [{"recording_mbid": mbid} for mbid in dict.fromkeys(mbids)])
        if kind == "redirect":
            return {mbid: tuple(entities) for mbid, entities in answers.redirects(document).items()}
        return {mbid: (entity,) for mbid, entity in answers.spotify_ids(document).items()}

    async def _rows(self, kind: str, inputs: list[dict[str, str]]) -> Any:
        """A labs data set takes and gives a JSON list of objects. Labs removes data sets now and then: 404."""
        try:
            return await self._http.fetch_json(
                "POST", f"{self._labs_url}/{DATA_SETS[kind]}/json", base_url=self._labs_url, payload=inputs
            )
        except BadAnswer as error:
            if error.status not in (404, 410):
                raise
            log.warning("ListenBrainz labs has no %s any more", DATA_SETS[kind])
            return []


def _fault(query: Query) -> str | None:
    if query.kind in ("text", "spotify_names"):
        named = all((query.get(name) or "").strip() for name in ("title", "artist"))
        return None if named else "a text lookup needs title and artist"
    return None if ids.mbid(query.get("mbid")) else f"not a MusicBrainz id: {query.get('mbid')!r}"
