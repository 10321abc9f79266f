"""The routes: health, status, and the operations that other processes start here."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from soulspot.enrich import EnrichmentService
from soulspot.operations import Operations
from soulspot.reports import why_not_retried
from soulspot.store import operations as rows
from soulspot.web.guards import guard, problem
from soulspot.web.metrics import Metrics
from soulspot.web.review import Review

MAX_IMPORT = 2 << 30  # bytes of an import file
CHUNK_SECONDS = 30.0  # a body that brings nothing for this long is given up
SLOWEST = 1 << 10  # bytes a second: an upload that is slower than this, over all, is given up
MAX_WAIT = 86_400.0  # seconds
STATES = ("failed", "missing")
IMPORT_SUFFIXES = (".csv", ".tsv", ".json", ".ndjson", ".jsonl")


class Api:
    """The handlers over one service. `ready` says whether it can work."""

    def __init__(
        self, service: EnrichmentService, operations: Operations, *, ready: Callable[[], bool], version: str
    ) -> None:
        self._service = service
        self._operations = operations
        self._ready = ready
        self._version = version

    def application(self, *, token: str | None, allowed_hosts: tuple[str, ...]) -> web.Application:
        """The aiohttp application with every route behind the guards."""
        app = web.Application(middlewares=[guard(token, allowed_hosts)], client_max_size=1 << 20)
        app.add_routes(
            [
                web.get("/healthz", self.healthz),
                web.get("/readyz", self.readyz),
                web.get("/metrics", Metrics(self._service, self._version).handle),
                web.get("/api/v1/status", self.status),
                web.post("/api/v1/scan", self.scan),
                web.post("/api/v1/import", self.import_file),
                web.post("/api/v1/enrich", self.enrich),
                web.post("/api/v1/retry", self.retry),
                web.get("/api/v1/operations", self.operations),
                web.get("/api/v1/operations/{id:[0-9]{1,18}}", self.operation),
                *Review(self._service, _json).routes(),
            ]
        )
        return app

    async def healthz(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.Response:
        if not self._ready():
            return problem(503, "Service Unavailable", "starting or stopping")
        return web.json_response({"status": "ready"})

    async def status(self, request: web.Request) -> web.Response:
        return web.json_response(
            {"version": self._version, "pid": os.getpid(), **await self._service.status()}
        )

    async def scan(self, request: web.Request) -> web.Response:
        places = self._places(await _json(request))
        if not places and not self._service.has_library:
            raise web.HTTPBadRequest(text="library.paths is empty: there is nothing to scan")
        return _accepted(await self._operations.scan(places))

    async def enrich(self, request: web.Request) -> web.Response:
        body = await _json(request)
        wait = body.get("wait", 60.0)
        if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= MAX_WAIT:
            raise web.HTTPBadRequest(text=f"wait: seconds, from 0 to {MAX_WAIT:.0f}")
        return _accepted(await self._operations.enrich(self._places(body), float(wait)))

    async def retry(self, request: web.Request) -> web.Response:
        body = await _json(request)
        states = body.get("states", ["failed"])
        if not isinstance(states, list) or not states or not all(one in STATES for one in states):
            raise web.HTTPBadRequest(text='states: a list of "failed" and "missing"')
        provider = body.get("provider")
        if why := why_not_retried(self._service, provider):
            raise web.HTTPBadRequest(text=f"provider: {why}")
        return _accepted(await self._operations.retry(states, provider))

    async def import_file(self, request: web.Request) -> web.Response:
        name = Path(request.query.get("name", "import.csv")).name
        packed = ".gz" if name.lower().endswith(".gz") else ""
        suffix = Path(name.lower().removesuffix(packed)).suffix
        if suffix not in IMPORT_SUFFIXES:
            raise web.HTTPBadRequest(
                text=f"name: a file ending in {', '.join(IMPORT_SUFFIXES)} (or one of these with .gz)"
            )
        handle, place = tempfile.mkstemp(suffix=suffix + packed, prefix="soulspot-import-")
        path = Path(place)
        try:
            with os.fdopen(handle, "wb") as file:
                async for chunk in _chunks(request):
                    await asyncio.to_thread(file.write, chunk)
            return _accepted(await self._operations.import_file(path, name=name, remove=True))
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    async def operations(self, request: web.Request) -> web.Response:
        found = await self._service.database.read(lambda c: rows.latest(c, 100))
        return web.json_response({"operations": found})

    async def operation(self, request: web.Request) -> web.Response:
        wanted = int(request.match_info["id"])
        found = await self._service.database.read(lambda c: rows.find(c, wanted))
        if found is None:
            raise web.HTTPNotFound(text=f"there is no operation {wanted}")
        return web.json_response(found)

    def _places(self, body: dict[str, Any]) -> list[bytes]:
        """The `paths` of a request; they must lie inside the configured library."""
        paths = body.get("paths", [])
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise web.HTTPBadRequest(text="paths: a list of texts")
        try:
            places = [os.path.abspath(os.fsencode(path)) for path in paths]
            real = [os.path.realpath(place) for place in places]
        except ValueError as error:
            raise web.HTTPBadRequest(text=f"paths: {error}") from error
        for path, place in zip(paths, real, strict=True):
            if not self._service.in_library(place):
                raise web.HTTPBadRequest(text=f"paths: {path!r} is not inside the library that is configured")
        return places


def _accepted(operation_id: int) -> web.Response:
    where = f"/api/v1/operations/{operation_id}"
    return web.json_response(
        {"operation_id": operation_id, "url": where}, status=202, headers={"Location": where}
    )


async def _chunks(request: web.Request) -> AsyncIterator[bytes]:
    """An uploaded file. HTTPRequestTimeout when it dribbles, HTTPRequestEntityTooLarge when it does not end."""
    clock = asyncio.get_running_loop().time
    began, size = clock(), 0
    while True:
        try:
            async with asyncio.timeout(CHUNK_SECONDS):
                chunk = await request.content.read(1 << 18)
        except TimeoutError:
            raise _too_slow() from None
        if not chunk:
            return
        size += len(chunk)
        if size > MAX_IMPORT:
            raise web.HTTPRequestEntityTooLarge(MAX_IMPORT, size)
        if clock() - began > CHUNK_SECONDS + size / SLOWEST:
            raise _too_slow()
        yield chunk


def _too_slow() -> web.HTTPRequestTimeout:
    return web.HTTPRequestTimeout(text="the body comes too slowly")


async def _json(request: web.Request) -> dict[str, Any]:
    if not request.can_read_body:
        return {}
    try:
        async with asyncio.timeout(CHUNK_SECONDS):
            body = await request.json()
    except TimeoutError:
        raise _too_slow() from None
    except (ValueError, LookupError, RecursionError):  # LookupError: a charset that nobody knows
        raise web.HTTPBadRequest(text="the body is not JSON") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body
