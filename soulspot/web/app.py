"""The HTTP application: every route behind the guards."""

from collections.abc import Callable, Collection

from aiohttp import web

from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.web.activity import Activity
from soulspot.web.bodies import MAX_JSON
from soulspot.web.events import EventRoutes, Feed
from soulspot.web.guards import STREAMS, guard, harden
from soulspot.web.login import LoginRoutes
from soulspot.web.metrics import MetricsRoute
from soulspot.web.openapi import OpenApi
from soulspot.web.operations import OperationRoutes
from soulspot.web.page import PageRoutes
from soulspot.web.review import ReviewRoutes
from soulspot.web.routing import Handlers
from soulspot.web.sql_imports import SqlImportRoutes
from soulspot.web.status import StatusRoutes
from soulspot.web.throttle import Throttle
from soulspot.web.tracks import TrackRoutes


def make_application(
    service: EnrichmentService, operations: Operations, *, ready: Callable[[], bool], version: str,
    token: str | None = None, allowed_hosts: Collection[str] = (), is_daemon: bool = True,
) -> web.Application:  # fmt: skip
    """Return the aiohttp application with every route behind the guards. `ready` says whether the
    process has started and is not stopping. `token` is None where no client has to know one;
    `allowed_hosts` are names of the server beside localhost and IPs. Commands look for a daemon at
    this address and go through it, unless it is said to be none."""
    activity = Activity(service)
    status = StatusRoutes(service, operations, activity, ready=ready, version=version, is_daemon=is_daemon)
    throttle = Throttle()
    feed = Feed(service, status.document)
    handlers: list[Handlers] = [
        status, LoginRoutes(token, throttle), PageRoutes(covers=service.parts.covers is not None), activity,
        MetricsRoute(service, version), EventRoutes(feed), OperationRoutes(service, operations),
        SqlImportRoutes(service, operations), TrackRoutes(service, operations), ReviewRoutes(service, operations),
    ]  # fmt: skip
    # The document describes itself too, so it gets the list that it is part of.
    handlers.append(OpenApi(handlers, version=version, token=token is not None))
    app = web.Application(middlewares=[guard(token, allowed_hosts, throttle)], client_max_size=MAX_JSON)
    for each in handlers:
        app.add_routes(each.routes())

    async def close_feed(_: web.Application) -> None:
        feed.close()

    app[STREAMS] = lambda: feed.clients
    app.cleanup_ctx.append(activity.sampling)
    app.on_response_prepare.append(harden)
    app.on_shutdown.append(close_feed)
    return app
