"""ListenBrainz: up to 1,000 recordings a request, and the labs data sets (merged and Spotify ids).
docs/explain/providers.md lists the facts about the service, which come from its source code."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.errors import BadAnswer
from soulspot.limits import Gate, Gates
from soulspot.models import LISTENBRAINZ, Answer, Entity, Query
from soulspot.providers import ids
from soulspot.providers.answer_sheet import AnswerSheet
from soulspot.providers.base import Provider
from soulspot.providers.http import Http
from soulspot.providers.listenbrainz import answers

log = logging.getLogger(__name__)

CAPACITY = {"recording": 1000, "redirect": 100, "spotify_ids": 100, "spotify_names": 100, "text": 100}


@dataclass(frozen=True, slots=True)
class DataSet:
    """A labs data set: its route, the input row of a query, and the reader of the answer's rows.
    `key` is the key of a query among the entities that `read` returns; the service answers rows
    with the same key once, so they are sent once, and an empty key is not sent at all."""

    name: str
    key: Callable[[Query], str]
    row: Callable[[Query], dict[str, str]]
    read: Callable[[Any], Mapping[str, Iterable[Entity]]]


def _mbid(query: Query) -> str:
    return ids.parse_mbid(query["mbid"]) or ""


def _mbid_row(query: Query) -> dict[str, str]:
    return {"recording_mbid": _mbid(query)}


DATA_SETS = {
    "redirect": DataSet("recording-mbid-lookup", _mbid, _mbid_row, answers.redirects),
    "spotify_ids": DataSet("spotify-id-from-mbid", _mbid, _mbid_row, answers.spotify_ids),
    "spotify_names": DataSet(
        "spotify-id-from-metadata",
        lambda query: answers.name_key(query["artist"], query.get("album") or "", query["title"]),
        lambda query: {
            "artist_name": query["artist"],
            "release_name": query.get("album") or "",
            "track_name": query["title"],
        },
        answers.spotify_names,
    ),
    "text": DataSet(
        "acr-lookup",
        lambda query: answers.name_key(query["artist"], query["title"]),
        lambda query: {"artist_credit_name": query["artist"], "recording_name": query["title"]},
        answers.recordings_by_name,
    ),
}


class ListenBrainz(Provider):
    """The provider of the API and the labs data sets, with a gate for each of the two hosts. `rate`
    is in requests a second to each host, `timeout` in seconds a request; `token` is optional."""

    name = LISTENBRAINZ

    def __init__(
        self, gates: Gates, *, base_url: str, labs_url: str, token: str | None = None, rate: float, timeout: float,
        batch_size: int = 1000,
    ) -> None:  # fmt: skip
        self._base_url = base_url.rstrip("/")
        self._labs_url = labs_url.rstrip("/")
        # Only the API sends X-RateLimit headers and asks clients to keep to them.
        self._api_gate = gates.open(self.name, base_url, rate=rate, pace_on_headers=True)
        self._labs_gate = gates.open(self.name, labs_url, rate=rate)
        self._headers = {"Authorization": f"Token {token}"} if token else {}
        self._batch_size = batch_size
        self._http = Http(gates, self.name, timeout=timeout)

    @property
    def capacity(self) -> Mapping[str, int]:
        return {kind: min(most, self._batch_size) for kind, most in CAPACITY.items()}

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer `queries`; a merged MBID is Missing as a "recording", found as a "redirect"."""
        return await AnswerSheet(queries).fill(CAPACITY, _find_fault, self._answer_all)

    async def _answer_all(self, sheet: AnswerSheet) -> None:
        for kind, most in self.capacity.items():
            unanswered = sheet.unanswered(kind)
            for start in range(0, len(unanswered), most):
                await self._answer(sheet, kind, unanswered[start : start + most])

    def opens_at(self, kind: str) -> float | None:
        return self._gate(kind).opens_at()

    def retune(self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None) -> None:
        for gate in (self._api_gate, self._labs_gate):
            gate.retune(rate=rate, daily_budget=daily_budget)
        self._batch_size, self._http.timeout = batch_size, timeout

    async def close(self) -> None:
        await self._http.close()

    def _gate(self, kind: str) -> Gate:
        return self._labs_gate if kind in DATA_SETS else self._api_gate

    async def _answer(self, sheet: AnswerSheet, kind: str, queries: list[Query]) -> None:
        data_set = DATA_SETS.get(kind)
        by_key: dict[str, list[Query]] = {}
        for query in queries:
            by_key.setdefault(data_set.key(query) if data_set else _mbid(query), []).append(query)
        # Equal keys get one answer of labs, in one row: they are sent once and share it.
        with sheet.request(queries):
            found = await (self._fetch_rows(data_set, by_key) if data_set else self._fetch_recordings(by_key))
            for key, same in by_key.items():
                for query in same:
                    sheet.put_found(query, found.get(key, ()))

    async def _fetch_recordings(self, mbids: Iterable[str]) -> Mapping[str, Iterable[Entity]]:
        document = await self._http.fetch_json(
            "POST", f"{self._base_url}/metadata/recording/", base_url=self._base_url,
            payload={"recording_mbids": list(mbids), "inc": "artist tag release"}, headers=self._headers,
        )  # fmt: skip
        return answers.recordings(document)

    async def _fetch_rows(self, data_set: DataSet, by_key: Mapping[str, list[Query]]) -> Mapping[str, Iterable[Entity]]:
        rows = [data_set.row(same[0]) for key, same in by_key.items() if key]
        if not rows:
            return {}
        url = f"{self._labs_url}/{data_set.name}/json"
        try:
            document = await self._http.fetch_json("POST", url, base_url=self._labs_url, payload=rows)
        except BadAnswer as error:
            # Labs removes data sets now and then; its other lookups go on without.
            if error.status not in (404, 410):
                raise
            log.warning("ListenBrainz labs has no %s any more", data_set.name)
            return {}
        return data_set.read(document)


def _find_fault(query: Query) -> str | None:
    if query.kind in ("text", "spotify_names"):
        is_named = all((query.get(name) or "").strip() for name in ("title", "artist"))
        return None if is_named else "a text lookup needs title and artist"
    return None if ids.parse_mbid(query.get("mbid")) else f"not a MusicBrainz id: {query.get('mbid')!r}"
