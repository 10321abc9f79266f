"""The HTTP side put together: every route behind the guards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Any

from aiohttp import web

from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.web.activity import Activity
from soulspot.web.bodies import MAX_JSON
from soulspot.web.covers import CoverRoutes
from soulspot.web.events import Events, Feed
from soulspot.web.exports import ExportRoutes
from soulspot.web.guards import guard, harden
from soulspot.web.login import Login
from soulspot.web.metrics import Metrics
from soulspot.web.openapi import document
from soulspot.web.openapi_routes import ROUTES
from soulspot.web.operations import OperationRoutes
from soulspot.web.page import Page
from soulspot.web.review import Review
from soulspot.web.sql_imports import SqlImports
from soulspot.web.status import Status
from soulspot.web.tags import Tags
from soulspot.web.tracks import Tracks


class Api:
    """The routes over one service. `ready` says whether it can work."""

    def __init__(
        self, service: EnrichmentService, operations: Operations, *, ready: Callable[[], bool], version: str
    ) -> None:
        self._service = service
        self._operations = operations
        self._ready = ready
        self._version = version

    def application(self, *, token: str | None, allowed_hosts: tuple[str, ...]) -> web.Application:
        """The aiohttp application with every route behind the guards."""
        app = web.Application(middlewares=[guard(token, allowed_hosts)], client_max_size=MAX_JSON)
        service, operations = self._service, self._operations
        activity = Activity(service)
        status = Status(service, operations, activity, ready=self._ready, version=self._version)
        feed = Feed(service, status.document)
        app.add_routes(
            [
                *status.routes(),
                *Login(token).routes(),
                *Page(covers=service.parts.covers is not None).routes(),
                *CoverRoutes(service).routes(),
                *activity.routes(),
                web.get("/metrics", Metrics(service, self._version).handle),
                *OperationRoutes(service, operations).routes(),
                *ExportRoutes(service, operations).routes(),
                *SqlImports(service).routes(),
                *Tags(service, operations).routes(),
                *Tracks(service).routes(),
                *Review(service).routes(),
                *Events(feed).routes(),
            ]
        )

        @cache
        def described() -> dict[str, Any]:  # takes a while, which a daemon that starts need not wait for
            return document(ROUTES, version=self._version, token=token is not None)

        async def openapi(_: web.Request) -> web.Response:
            return web.json_response(await asyncio.to_thread(described))

        app.router.add_get("/api/v1/openapi.json", openapi)

        async def let_go(_: web.Application) -> None:
            feed.close()

        app.cleanup_ctx.append(activity.looking)
        app.on_response_prepare.append(harden)
        app.on_shutdown.append(let_go)
        return app
