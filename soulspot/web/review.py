"""Review over HTTP: the list, one track beside its candidates, and what a person says of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from soulspot import review
from soulspot.enrich import EnrichmentService
from soulspot.review_by_hand import ByHand, Named, NoSuchTrack
from soulspot.store import review as rows

HIGHEST = 2**63 - 1  # SQLite's integers
MOST_AT_ONCE = 100  # ids of one request
LONGEST = 500  # characters of words, names and reasons
TRACK = "/api/v1/review/{track_id:[0-9]{1,18}}"

Json = Callable[[web.Request], Awaitable[dict[str, Any]]]
"""Reads a request's body as a JSON object. HTTPBadRequest when it is none."""


class Review:
    """The handlers over one service; `body` reads a request."""

    def __init__(self, service: EnrichmentService, body: Json) -> None:
        self._service = service
        self._body = body

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/review", self.page),
            web.get("/api/v1/review/track", self.track),
            web.get(TRACK, self.case),
            web.post(f"{TRACK}/accept", self.accept),
            web.post(f"{TRACK}/reject", self.reject),
            web.post(f"{TRACK}/undo", self.undo),
            web.post(f"{TRACK}/search", self.search),
            web.get(TRACK + "/search/{lookup_id:[0-9]{1,18}}", self.searched),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Tracks in review: ?after= (a track_id), ?limit= (1 to 500), ?query= (words of names or path)."""
        after = _number(request, "after", 0, 0, HIGHEST)
        limit = _number(request, "limit", review.PAGE, 1, review.LARGEST_PAGE)
        words = request.query.get("query", "")[:LONGEST]
        found = await self._service.database.read(
            lambda c: review.page(c, after=after, limit=limit, words=words)
        )
        return web.json_response(found)

    async def track(self, request: web.Request) -> web.Response:
        """The number of the track of the file at ?path= (bytes that are no UTF-8 percent-encoded)."""
        query = parse_qsl(request.rel_url.raw_query_string, errors="surrogateescape")
        path = os.fsencode(dict(query).get("path", ""))
        if not path.startswith(b"/"):
            raise web.HTTPUnprocessableEntity(text="path: the absolute path of a file")
        track_id = await self._service.database.read(lambda c: rows.track_of_path(c, path))
        if track_id is None:
            raise web.HTTPNotFound(text="there is no track of this path")
        return web.json_response({"track_id": track_id})

    async def case(self, request: web.Request) -> web.Response:
        return await self._answer(request, ByHand.case)

    async def accept(self, request: web.Request) -> web.Response:
        """{provider, entity_id, reason?}: the track is this one, whatever the scores say."""
        body = await self._body(request)
        named, reason = _named(body), _text(body, "reason")
        return await self._answer(request, lambda hand, track: hand.accept(track, named, reason), body)

    async def reject(self, request: web.Request) -> web.Response:
        """{provider, entity_id, reason?} or {entities: [{provider, entity_id}, ...]}: the track is none of these."""
        body = await self._body(request)
        many = body.get("entities", [body])
        if not isinstance(many, list) or not 1 <= len(many) <= MOST_AT_ONCE:
            raise web.HTTPUnprocessableEntity(text=f"entities: a list of 1 to {MOST_AT_ONCE}")
        named, reason = [_named(one) for one in many], _text(body, "reason")
        return await self._answer(request, lambda hand, track: hand.reject(track, named, reason), body)

    async def undo(self, request: web.Request) -> web.Response:
        """{provider?}: forget what persons said of the track."""
        body = await self._body(request)
        provider = _provider(body)
        return await self._answer(request, lambda hand, track: hand.undo(track, provider), body)

    async def search(self, request: web.Request) -> web.Response:
        """{words, provider?}: search for the track; 202 with the address where the finds will be."""
        body = await self._body(request)
        words, provider = _text(body, "words"), _provider(body)
        if not words:
            raise web.HTTPUnprocessableEntity(text="words: what to search for")
        track_id = int(request.match_info["track_id"])
        try:
            lookup_id = await self._hand(body).search(track_id, words, provider)
        except NoSuchTrack as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except ValueError as error:
            raise web.HTTPUnprocessableEntity(text=str(error)) from error
        where = f"/api/v1/review/{track_id}/search/{lookup_id}"
        return web.json_response(
            {"lookup_id": lookup_id, "url": where}, status=202, headers={"Location": where}
        )

    async def searched(self, request: web.Request) -> web.Response:
        """How a search stands, and what it found."""
        track_id, lookup_id = (int(request.match_info[name]) for name in ("track_id", "lookup_id"))

        def look(connection: sqlite3.Connection) -> dict[str, Any] | None:
            return review.search(connection, track_id, lookup_id)

        found = await self._service.database.read(look)
        if found is None:
            raise web.HTTPNotFound(text=f"track {track_id} has no search {lookup_id}")
        return web.json_response(found)

    async def _answer(
        self,
        request: web.Request,
        do: Callable[[ByHand, int], Awaitable[dict[str, Any]]],
        body: dict[str, Any] | None = None,
    ) -> web.Response:
        try:
            return web.json_response(await do(self._hand(body or {}), int(request.match_info["track_id"])))
        except NoSuchTrack as error:
            raise web.HTTPNotFound(text=str(error)) from error

    def _hand(self, body: dict[str, Any]) -> ByHand:
        return ByHand(self._service, by=_text(body, "by") or "http")


def _number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    said = request.query.get(name)
    if said is None:
        return default
    if not (said.isascii() and said.isdecimal()) or len(said) > 19 or not least <= int(said) <= most:
        raise web.HTTPUnprocessableEntity(text=f"{name}: a number from {least} to {most}")
    return int(said)


def _text(body: dict[str, Any], name: str) -> str | None:
    said = body.get(name)
    if said is not None and (not isinstance(said, str) or len(said) > LONGEST or not _sound(said)):
        raise web.HTTPUnprocessableEntity(text=f"{name}: a text of at most {LONGEST} characters")
    return said.strip() or None if said else None


def _sound(text: str) -> bool:
    """Whether a text can be stored: JSON can spell half of a surrogate pair."""
    return not any(0xD800 <= ord(char) <= 0xDFFF for char in text)


def _provider(body: dict[str, Any]) -> str | None:
    provider = body.get("provider")
    if provider is not None and provider not in review.PROVIDERS:
        raise web.HTTPUnprocessableEntity(text=f"provider: {' or '.join(review.PROVIDERS)}")
    return provider


def _named(body: Any) -> Named:
    if not isinstance(body, dict) or not isinstance(entity_id := body.get("entity_id"), str):
        raise web.HTTPUnprocessableEntity(text="entity_id: a text")
    provider = _provider(body)
    if not _sound(entity_id):
        raise web.HTTPUnprocessableEntity(text="entity_id: a text")
    try:
        return review.named(entity_id[:LONGEST], provider)
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=f"entity_id: {error}") from error
