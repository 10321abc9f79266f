"""Review over HTTP: the list, one track beside its candidates, and what a person says of it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from soulspot.operations.review import cases
from soulspot.operations.review.reviewer import EntityKey, Reviewer, UnknownTrack
from soulspot.pipeline import EnrichmentService
from soulspot.store import review as rows
from soulspot.web.requests import body_of, query_of
from soulspot.web.review_requests import (
    AcceptBody,
    Body,
    Entity,
    RejectBody,
    ReviewQuery,
    SearchBody,
    UndoBody,
)

TRACK = "/api/v1/review/{track_id:[0-9]{1,18}}"


class Review:
    """The handlers over one service."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service

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
        """Tracks in review: ?after= (a track_id), ?limit=, ?query= (words of names or path)."""
        asked = query_of(request, ReviewQuery)
        found = await self._service.database.read(
            lambda c: cases.list_cases(c, after=asked.after, limit=asked.limit, words=asked.query)
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
        return await self._answer(request, Body(), Reviewer.case)

    async def accept(self, request: web.Request) -> web.Response:
        """The track is this one, whatever the scores say."""
        body = await body_of(request, AcceptBody)
        named = _named(body)
        return await self._answer(request, body, lambda hand, track: hand.accept(track, named, body.reason))

    async def reject(self, request: web.Request) -> web.Response:
        """The track is none of these."""
        body = await body_of(request, RejectBody)
        named = [_named(one) for one in body.named]
        return await self._answer(request, body, lambda hand, track: hand.reject(track, named, body.reason))

    async def undo(self, request: web.Request) -> web.Response:
        """Forget what persons said of the track."""
        body = await body_of(request, UndoBody)
        return await self._answer(request, body, lambda hand, track: hand.undo(track, body.provider))

    async def search(self, request: web.Request) -> web.Response:
        """Search for the track; 202 with the address where the finds will be."""
        body = await body_of(request, SearchBody)
        track_id = int(request.match_info["track_id"])
        try:
            lookup_id = await self._hand(body).search(track_id, body.words, body.provider)
        except UnknownTrack as error:
            raise web.HTTPNotFound(text=str(error)) from error
        except ValueError as error:
            raise web.HTTPUnprocessableEntity(text=f"words: {error}") from error
        where = f"/api/v1/review/{track_id}/search/{lookup_id}"
        return web.json_response(
            {"lookup_id": lookup_id, "url": where}, status=202, headers={"Location": where}
        )

    async def searched(self, request: web.Request) -> web.Response:
        """How a search stands, and what it found."""
        track_id, lookup_id = (int(request.match_info[name]) for name in ("track_id", "lookup_id"))

        def look(connection: sqlite3.Connection) -> dict[str, Any] | None:
            return cases.load_search(connection, track_id, lookup_id)

        found = await self._service.database.read(look)
        if found is None:
            raise web.HTTPNotFound(text=f"track {track_id} has no search {lookup_id}")
        return web.json_response(found)

    async def _answer(
        self, request: web.Request, body: Body, do: Callable[[Reviewer, int], Awaitable[dict[str, Any]]]
    ) -> web.Response:
        try:
            return web.json_response(await do(self._hand(body), int(request.match_info["track_id"])))
        except UnknownTrack as error:
            raise web.HTTPNotFound(text=str(error)) from error

    def _hand(self, body: Body) -> Reviewer:
        return Reviewer(self._service, by=body.by or "http")


def _named(entity: Entity) -> EntityKey:
    try:
        return cases.parse_entity(entity.entity_id, entity.provider)
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=f"entity_id: {error}") from error
