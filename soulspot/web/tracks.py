"""Tracks over HTTP: pages of rows by status and words, and one track with where everything came from."""

from __future__ import annotations

from aiohttp import web

from soulspot.pipeline import EnrichmentService
from soulspot.store import browse
from soulspot.web.requests import TrackQuery, query_of


class Tracks:
    """The handlers over one service."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/tracks", self.page),
            web.get("/api/v1/tracks/{track_id:[0-9]{1,18}}", self.track),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Rows of enriched_tracks by track_id: ?after= ?limit= ?status= ?query="""
        asked = query_of(request, TrackQuery)
        found, after = await self._service.database.read(
            lambda c: browse.page(
                c, after=asked.after, limit=asked.limit, status=asked.status, words=asked.query or None
            )
        )
        return web.json_response({"tracks": found, "next": after})

    async def track(self, request: web.Request) -> web.Response:
        """The row, what the library says, candidates, lookups, decisions."""
        track_id = int(request.match_info["track_id"])
        found = await self._service.database.read(lambda c: browse.one(c, track_id))
        if found is None:
            raise web.HTTPNotFound(text=f"there is no track {track_id}")
        return web.json_response(found)
