"""Tracks over HTTP: pages of rows, one track with the source of every field, and front covers. The
daemon fetches covers itself, so that the page contacts no other server."""

import asyncio
import math
import time
from collections.abc import Awaitable
from typing import Any

from aiohttp import web

from soulspot.errors import Limited, ProviderError
from soulspot.store import browse, failures
from soulspot.tagging.covers import Cover, CoverCache
from soulspot.web import responses
from soulspot.web.requests import CoverQuery, TrackQuery, UnreadableQuery
from soulspot.web.routing import API, ServiceHandlers, found_or_404, is_cached, route

CACHE_CONTROL = "private, max-age=86400"
# A cover comes from strangers: opened by itself in a tab, it may run and load nothing.
POLICY = "default-src 'none'; sandbox"
IMAGE = {200: "image/*", 304: None}


class TrackRoutes(ServiceHandlers):
    """The handlers of tracks and their covers."""

    @route("GET", f"{API}/tracks", {200: responses.TrackPage}, query=TrackQuery)
    async def page(self, query: TrackQuery) -> dict[str, Any]:
        """List tracks by number, of one status and with these words if given."""
        rows, after = await self._service.database.read(
            lambda c: browse.page(
                c, after=query.after, limit=query.limit, status=query.status, words=query.query or None
            )
        )
        return {"tracks": rows, "next": after}

    @route("GET", f"{API}/unreadable", {200: responses.UnreadableFiles}, query=UnreadableQuery)
    async def unreadable(self, query: UnreadableQuery) -> dict[str, Any]:
        """List the files that could not be read, and why."""
        read = self._service.database.read
        files = await read(lambda c: failures.list_unreadable_files(c, query.limit))
        count = await read(failures.count_unreadable_files)
        return {"files": [{"path": path, "reason": reason} for path, reason in files], "count": count}

    @route("GET", f"{API}/tracks/{{track_id}}", {200: responses.Track})
    async def track(self, track_id: int) -> dict[str, Any]:
        """Show all that is known of a track: its row, tags, candidates, lookups and decisions."""
        found = await self._service.database.read(lambda c: browse.load_track(c, track_id))
        return found_or_404(found, f"there is no track {track_id}")

    @route("GET", f"{API}/tracks/{{track_id}}/cover", IMAGE, problems=(404, 502, 503))
    async def cover(self, request: web.Request, track_id: int) -> web.StreamResponse:
        """Fetch the front cover of a track."""
        return await self._answer(request, self._covers(request).for_track(track_id))

    @route("GET", f"{API}/covers", IMAGE, query=CoverQuery, problems=(403, 404, 502, 503))
    async def cover_at_url(self, request: web.Request, query: CoverQuery) -> web.StreamResponse:
        """Fetch the front cover at the `cover_url` of a track or candidate."""
        return await self._answer(request, self._covers(request).get(query.url))

    def _covers(self, request: web.Request) -> CoverCache:
        # An image of another site's page would make this daemon send requests for that site.
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            raise web.HTTPForbidden(text="covers are shown on SoulSpot's own page only")
        return found_or_404(self._service.parts.covers, "no covers are fetched: set export.covers.enabled")

    async def _answer(self, request: web.Request, coming: Awaitable[Cover | None]) -> web.StreamResponse:
        try:
            cover = found_or_404(await coming, "there is no cover")
        except Limited as error:
            wait = max(1, math.ceil(error.until - time.time()))
            raise web.HTTPServiceUnavailable(text=str(error), headers={"Retry-After": str(wait)}) from error
        except ProviderError as error:
            raise web.HTTPBadGateway(text=str(error)) from error
        headers = {"ETag": f'"{cover.digest}"', "Cache-Control": CACHE_CONTROL, "Content-Security-Policy": POLICY}
        if is_cached(request, cover.digest):
            return web.Response(status=304, headers=headers)
        body = await asyncio.to_thread(cover.path.read_bytes)
        return web.Response(body=body, content_type=cover.kind, headers=headers)
