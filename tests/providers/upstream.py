"""A small upstream on loopback that answers as a test says, and remembers its requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from soulspot.limits import Gates, LimitEvent, MemoryPort, RequestRecord

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Upstream:
    """A listening server at `url`; a test may replace `answer` at any time."""

    url: str
    answer: Answering
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@asynccontextmanager
async def upstream(answer: Answering) -> AsyncIterator[Upstream]:
    """Serve `answer` on a free port for the length of the block."""
    here = Upstream("", answer)

    async def handle(request: web.Request) -> web.StreamResponse:
        here.requests.append(request)
        here.bodies.append(
            await request.json() if request.content_type == "application/json" and request.can_read_body else None
        )
        return await here.answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    here.url = f"http://{host}:{port}"
    try:
        yield here
    finally:
        await runner.cleanup()


@dataclass
class Watched:
    """Gates so fast that a test never waits, with all their records and events."""

    records: list[RequestRecord] = field(default_factory=list)
    events: list[LimitEvent] = field(default_factory=list)
    port: MemoryPort = field(default_factory=MemoryPort)

    def __post_init__(self) -> None:
        self.gates = Gates(self.port, on_request=self.records.append, on_limit=self.events.append)

    @property
    def statuses(self) -> list[int | None]:
        return [record.status for record in self.records]


FAST = 10_000.0


def always(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    """Return a handler that answers everything with one JSON document, or one str or bytes body."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if isinstance(document, (str, bytes)):
            body = document.encode() if isinstance(document, str) else document
            return web.Response(status=status, body=body, headers=headers, content_type="application/json")
        return web.json_response(document, status=status, headers=headers)

    return answer
