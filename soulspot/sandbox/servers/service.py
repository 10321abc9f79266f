"""What the local servers share: every request is recorded, delayed and spoilt as the behaviour says."""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.servers.behaviour import Behaviour, Faults
from soulspot.sandbox.servers.faults import html, spoil

CONTROL = "/_sandbox/"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as a server saw it.

    `at` is the sandbox' clock when it came (seconds, monotonic), `wall` the same moment since the epoch.
    `query` has repeated parameters joined by commas; `body_items` is the length of the list in a JSON body, 0
    without one. `status` 0 means that the connection was dropped on purpose or the client went away."""

    service: str
    method: str
    path: str
    query: dict[str, str]
    body_items: int
    at: float
    status: int
    wall: float
    user_agent: str = ""


@dataclass
class Room:
    """What the servers share: the truth, the behaviour, the clock, chance, and the record of requests."""

    catalogue: Catalogue
    behaviour: Behaviour
    now: Callable[[], float]
    rng: Random
    record: Callable[[RecordedRequest], None]
    control: Callable[[web.Request], Awaitable[web.StreamResponse]]

    def chance(self, share: float) -> bool:
        return share > 0 and self.rng.random() < share

    def fated(self, share: float, *names: object) -> bool:
        """Chance that falls the same way each time for the same names."""
        return share > 0 and ids.number("fate", self.behaviour.seed, *names) % 1_000_000 < share * 1_000_000


class Service(ABC):
    """One server; subclasses answer."""

    name = ""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.catalogue = room.catalogue

    @property
    def behaviour(self) -> Behaviour:
        return self.room.behaviour

    @property
    def faults(self) -> Faults:
        faults: Faults = getattr(self.behaviour, self.name)
        return faults

    @abstractmethod
    async def answer(self, request: web.Request) -> web.Response:
        """The answer of the real service to this request."""

    def app(self) -> web.Application:
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await self.room.control(request)
        at, wall, status, items = self.room.now(), time.time(), 0, 0
        try:
            items = _items(await request.read())
            response = await self._with_faults(request)
            if response is not None:
                status = response.status
                return response
            if request.transport:
                request.transport.abort()
            return web.Response()
        finally:
            query = {name: ",".join(request.query.getall(name)) for name in request.query}
            self.room.record(
                RecordedRequest(
                    self.name,
                    request.method,
                    request.path,
                    query,
                    items,
                    at,
                    status,
                    wall,
                    request.headers.get("User-Agent", ""),
                )
            )

    async def _with_faults(self, request: web.Request) -> web.Response | None:
        """The answer, late, spoilt, or None to drop the connection."""
        faults, room = self.faults, self.room
        if room.chance(faults.drop_share):
            return None
        response = html(faults.error_status, "Error") if room.chance(faults.error_share) else None
        if response is None:
            response = await self.answer(request)
        if response.status in (429, 503) and faults.retry_after is not None:
            response.headers.pop("Retry-After", None)
            if faults.retry_after:
                response.headers["Retry-After"] = faults.retry_after
        delay = faults.latency + (faults.slow_seconds if room.chance(faults.slow_share) else 0.0)
        if delay > 0:
            await asyncio.sleep(delay)
        if response.status == 200 and room.chance(faults.malformed_share):
            return spoil(response, faults.malformed)
        return response


def _items(body: bytes) -> int:
    """The length of the list that a JSON body is, or has."""
    try:
        value = json.loads(body) if body[:1] in (b"[", b"{") else None
    except (ValueError, RecursionError):
        return 0
    lists = [value] if isinstance(value, list) else value.values() if isinstance(value, dict) else []
    return max((len(each) for each in lists if isinstance(each, list)), default=0)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """JSON as the services write it: UTF-8, not escaped."""
    return web.Response(
        status=status,
        body=json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )
