"""Front covers over HTTP: fetched by us, so that the page asks nobody else."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable

from aiohttp import web

from soulspot.errors import Limited, ProviderError
from soulspot.pipeline import EnrichmentService
from soulspot.tagging.covers import Cover, CoverCache
from soulspot.web.requests import CoverQuery, query_of

KEEP = "private, max-age=86400"


class CoverRoutes:
    """The handlers over one service."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/tracks/{track_id:[0-9]{1,18}}/cover", self.of_track),
            web.get("/api/v1/covers", self.at_address),
        ]

    async def of_track(self, request: web.Request) -> web.StreamResponse:
        """The front cover of a track."""
        return await self._answer(
            request, self._covers(request).for_track(int(request.match_info["track_id"]))
        )

    async def at_address(self, request: web.Request) -> web.StreamResponse:
        """The one at an address that a track or candidate has: ?url="""
        asked = query_of(request, CoverQuery)
        return await self._answer(request, self._covers(request).get(asked.url))

    def _covers(self, request: web.Request) -> CoverCache:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise web.HTTPForbidden(
                text="covers are shown on our own page only"
            )  # we would ask others for it
        if self._service.parts.covers is None:
            raise web.HTTPNotFound(text="no covers are fetched: see export.covers.enabled")
        return self._service.parts.covers

    async def _answer(self, request: web.Request, coming: Awaitable[Cover | None]) -> web.StreamResponse:
        try:
            cover = await coming
        except Limited as error:
            wait = max(1, math.ceil(error.until - time.time()))
            raise web.HTTPServiceUnavailable(text=str(error), headers={"Retry-After": str(wait)}) from error
        except ProviderError as error:
            raise web.HTTPBadGateway(text=str(error)) from error
        if cover is None:
            raise web.HTTPNotFound(text="there is no cover")
        headers = {"ETag": f'"{cover.digest}"', "Cache-Control": KEEP,
                   "Content-Security-Policy": "default-src 'none'; sandbox"}  # fmt: skip
        if any(one.value == cover.digest for one in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        body = await asyncio.to_thread(cover.path.read_bytes)
        return web.Response(body=body, content_type=cover.kind, headers=headers)
