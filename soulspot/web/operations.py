"""Operations over HTTP: start, list, follow, cancel."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiohttp import web

from soulspot.operations.refetch import refetch_cost
from soulspot.operations.reports.results import retry_refusal
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.store import operations as rows
from soulspot.web.bodies import chunks
from soulspot.web.requests import (
    EnrichBody,
    ImportQuery,
    OperationQuery,
    RetryBody,
    ScanBody,
    body_of,
    query_of,
)

IMPORT_SUFFIXES = (".csv", ".tsv", ".json", ".ndjson", ".jsonl", ".xml")
OPERATION = "/api/v1/operations/{id:[0-9]{1,18}}"


class OperationRoutes:
    """The handlers over one service and its operations."""

    def __init__(self, service: EnrichmentService, operations: Operations) -> None:
        self._service = service
        self._operations = operations

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/v1/scan", self.scan),
            web.post("/api/v1/import", self.import_file),
            web.post("/api/v1/enrich", self.enrich),
            web.post("/api/v1/enrich/cost", self.enrich_cost),
            web.post("/api/v1/retry", self.retry),
            web.get("/api/v1/operations", self.page),
            web.get(OPERATION, self.operation),
            web.post(f"{OPERATION}/cancel", self.cancel),
        ]

    async def scan(self, request: web.Request) -> web.Response:
        """Look through the library, or through parts of it."""
        body = await body_of(request, ScanBody)
        places = places_of(self._service, body.paths)
        if not places and not self._service.has_library:
            raise web.HTTPUnprocessableEntity(text="library.paths is empty: there is nothing to scan")
        return accepted(await self._operations.scan(places))

    async def enrich(self, request: web.Request) -> web.Response:
        """Scan, and follow the work until nothing is due."""
        body = await body_of(request, EnrichBody)
        places = places_of(self._service, body.paths)
        return accepted(await self._operations.enrich(places, float(body.wait), force=body.force))

    async def enrich_cost(self, request: web.Request) -> web.Response:
        """What it would cost to enrich these with `force`."""
        body = await body_of(request, ScanBody)
        return web.json_response(
            (await refetch_cost(self._service, places_of(self._service, body.paths))).as_json()
        )

    async def retry(self, request: web.Request) -> web.Response:
        """Ask again for what failed, or was not known."""
        body = await body_of(request, RetryBody)
        if why := retry_refusal(self._service, body.provider):
            raise web.HTTPUnprocessableEntity(text=f"provider: {why}")
        return accepted(await self._operations.retry(body.states, body.provider))

    async def import_file(self, request: web.Request) -> web.Response:
        """The body is the file; it is kept until it has been read, restarts included."""
        name = Path(query_of(request, ImportQuery).name).name
        packed = ".gz" if name.lower().endswith(".gz") else ""
        suffix = Path(name.lower().removesuffix(packed)).suffix
        if suffix not in IMPORT_SUFFIXES:
            raise web.HTTPUnprocessableEntity(
                text=f"name: a file ending in {', '.join(IMPORT_SUFFIXES)} (or one of these with .gz)"
            )
        if request.content_type.startswith("multipart/"):
            raise web.HTTPUnsupportedMediaType(text="the body must be the file itself, not a form")
        folder = self._operations.uploads
        folder.mkdir(mode=0o700, exist_ok=True)
        handle, place = tempfile.mkstemp(suffix=suffix + packed, prefix="import-", dir=folder)
        path = Path(place)
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in chunks(request):
                    await asyncio.to_thread(file.write, chunk)
            return accepted(await self._operations.import_file(path, name=name, remove=True))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def page(self, request: web.Request) -> web.Response:
        """The newest first: ?before= ?limit="""
        asked = query_of(request, OperationQuery)
        found = await self._service.database.read(lambda c: rows.latest(c, asked.limit + 1, asked.before))
        shown = [self._operations.live(one) for one in found[: asked.limit]]
        return web.json_response(
            {"operations": shown, "next": shown[-1]["id"] if len(found) > asked.limit else None}
        )

    async def operation(self, request: web.Request) -> web.Response:
        """How one stands."""
        return web.json_response(await self._found(int(request.match_info["id"])))

    async def cancel(self, request: web.Request) -> web.Response:
        """End it; what it has queued stays queued. 409 when it has ended already."""
        number = int(request.match_info["id"])
        await self._found(number)
        if not await self._operations.cancel(number):
            raise web.HTTPConflict(text=f"operation {number} has ended already")
        return web.json_response(await self._found(number))

    async def _found(self, number: int) -> dict[str, Any]:
        found = await self._service.database.read(lambda c: rows.find(c, number))
        if found is None:
            raise web.HTTPNotFound(text=f"there is no operation {number}")
        return self._operations.live(found)


def places_of(service: EnrichmentService, paths: Sequence[str]) -> list[bytes]:
    """The `paths` of a request; they must lie inside the configured library."""
    try:
        places = [os.path.abspath(os.fsencode(path)) for path in paths]
        real = [os.path.realpath(place) for place in places]
    except ValueError as error:
        raise web.HTTPUnprocessableEntity(text=f"paths: {error}") from error
    for path, place in zip(paths, real, strict=True):
        if not service.is_in_library(place):
            raise web.HTTPUnprocessableEntity(
                text=f"paths: {path!r} is not inside the library that is configured: the daemon reads only what "
                "library.paths names"
            )
    return places


def accepted(operation_id: int) -> web.Response:
    """202, and where to look how it stands."""
    where = f"/api/v1/operations/{operation_id}"
    return web.json_response(
        {"operation_id": operation_id, "url": where}, status=202, headers={"Location": where}
    )
