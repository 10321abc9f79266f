"""The base of the local servers: record, delay and spoil every request as the behaviour says."""

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar

from aiohttp import web

from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Catalogue
from soulspot.sandbox.servers.behaviour import Behaviour, Faults
from soulspot.sandbox.servers.faults import html, spoil

Json = dict[str, Any]
CONTROL = "/_sandbox/"


class Refusal(Exception):
    """An error answer: its HTTP status, its message, and headers beside the usual ones."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.status, self.message, self.headers = status, message, headers or {}


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """One request as a server saw it.

    `at` is the time of arrival on the sandbox' clock, `wall` in seconds since the epoch. `query`
    joins repeated parameters by commas. `body_items` is the length of the list in a JSON body.
    `status` 0: dropped on purpose, or the client went away."""

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
class Context:
    """The things that all servers share: truth, behaviour, clock, chance and record."""

    catalogue: Catalogue
    behaviour: Behaviour
    now: Callable[[], float]
    rng: Random
    record: Callable[[RecordedRequest], None]
    control: Callable[[web.Request], Awaitable[web.StreamResponse]]

    def happens(self, share: float) -> bool:
        """Whether a fault of this share (0 to 1) of requests befalls this request, by chance."""
        return share > 0 and self.rng.random() < share

    def always_happens(self, share: float, *names: object) -> bool:
        """Whether a trait of this share (0 to 1) of all things belongs to the named thing."""
        return share > 0 and ids.number("fate", self.behaviour.seed, *names) % 1_000_000 < share * 1_000_000


class Service(ABC):
    """One server. Subclasses set `name` and `base_path` and implement `answer`."""

    name: ClassVar[str]
    base_path: ClassVar[str] = ""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.catalogue, self.behaviour = context.catalogue, context.behaviour

    @abstractmethod
    async def answer(self, request: web.Request) -> web.Response:
        """Return the answer of the real service to this request."""

    def app(self) -> web.Application:
        """Return an aiohttp application that hands every path and method to `answer`."""
        # aiohttp's own limit of 1 MiB is below what the services accept.
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith(CONTROL):
            return await self.context.control(request)
        at, wall, status, items = self.context.now(), time.time(), 0, 0
        try:
            items = _longest_list(await request.read())
            response = await self._answer_with_faults(request)
            if response is not None:
                status = response.status
                return response
            # aiohttp has no answer that sends nothing: cut the connection under it.
            if request.transport:
                request.transport.abort()
            return web.Response()
        finally:
            # This runs for a client that went away, too: that cancels the handler.
            query = {name: ",".join(request.query.getall(name)) for name in request.query}
            agent = request.headers.get("User-Agent", "")
            self.context.record(
                RecordedRequest(self.name, request.method, request.path, query, items, at, status, wall, agent)
            )

    async def _answer_with_faults(self, request: web.Request) -> web.Response | None:
        """Return the answer, perhaps late or spoilt; None drops the connection."""
        faults: Faults = getattr(self.behaviour, self.name)
        happens = self.context.happens
        if happens(faults.drop_share):
            return None
        response = html(faults.error_status, "Error") if happens(faults.error_share) else None
        if response is None:
            response = await self.answer(request)
        # Only the announcement of a limit changes, not the limit.
        if response.status in (429, 503) and faults.retry_after is not None:
            response.headers.pop("Retry-After", None)
            if faults.retry_after:
                response.headers["Retry-After"] = faults.retry_after
        delay = faults.latency + (faults.slow_seconds if happens(faults.slow_share) else 0.0)
        if delay > 0:
            await asyncio.sleep(delay)
        if response.status == 200 and happens(faults.malformed_share):
            return spoil(response, faults.malformed)
        return response


def _longest_list(body: bytes) -> int:
    """Return the length of the list that a JSON body is, or of the longest in its top object."""
    try:
        value = json.loads(body) if body[:1] in (b"[", b"{") else None
    except (ValueError, RecursionError):
        return 0
    lists = [value] if isinstance(value, list) else value.values() if isinstance(value, dict) else []
    return max((len(each) for each in lists if isinstance(each, list)), default=0)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer as the services write it: UTF-8, without blanks and escapes."""
    return web.Response(
        status=status,
        body=json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
        content_type="application/json",
        charset="utf-8",
        headers=headers,
    )
