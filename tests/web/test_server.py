"""The server socket: its limit of connections, and its patience with silent ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession, web

from soulspot.web import server
from soulspot.web.guards import STREAMS, guard
from soulspot.web.server import RESERVED, serve


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "YOUNG", 0.0)
    monkeypatch.setattr(server, "STALLED", 0.05)


HELLO = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
READY = HELLO.replace(b"/ ", b"/readyz ", 1)
WAIT = HELLO.replace(b"/ ", b"/wait ", 1)
FLOOD = HELLO.replace(b"/ ", b"/flood ", 1)


@dataclass
class Served:
    address: str
    go: asyncio.Event  # ends the requests of /wait
    waiting: list[None]  # one for each request of /wait so far

    async def connect(self, request: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self.address.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        return reader, writer

    async def get(self, path: str) -> int:
        async with ClientSession(self.address) as client, client.get(path) as answer:
            return answer.status

    async def wait(self, times: int, request: bytes = WAIT) -> list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open connections with a request each that is not answered before `go`."""
        made = [await self.connect(request) for _ in range(times)]
        while len(self.waiting) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        return made


@asynccontextmanager
async def served(streams: int = 0, **limits: float) -> AsyncIterator[Served]:
    go, waiting = asyncio.Event(), []

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    async def wait(request: web.Request) -> web.Response:
        waiting.append(None)
        await go.wait()
        return web.Response()

    async def flood(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * (64 << 20))

    app = web.Application(middlewares=[guard(None, ())])
    app[STREAMS] = lambda: streams
    app.add_routes([web.get(path, hello) for path in ("/", "/healthz")])
    app.add_routes([web.get("/wait", wait), web.get("/readyz", wait), web.get("/flood", flood)])
    async with serve(app, "127.0.0.1", 0, **limits) as address:  # type: ignore[arg-type]
        yield Served(address, go, waiting)
        go.set()


async def test_idle_connections_make_room_for_a_newcomer_the_oldest_first() -> None:
    async with served(most=3) as one:
        held = [await one.connect(HELLO) for _ in range(3)]
        for reader, _ in held:
            await reader.readuntil(b"hello")
        for path in ("/", "/healthz"):
            assert await one.get(path) == 200
        assert await held[0][0].read() == b""
        held[2][1].write(HELLO)
        assert await held[2][0].readline() == b"HTTP/1.1 200 OK\r\n", "the youngest is still open"


async def test_a_thousand_silent_connections_shut_nobody_out() -> None:
    async with served(most=20) as one:
        held = [await one.connect() for _ in range(1000)]
        assert await one.get("/healthz") == 200
        assert await one.get("/") == 200
        for _, writer in held:
            writer.close()


async def test_while_all_are_busy_newcomers_are_refused_at_once_and_health_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "YOUNG", 60.0)
    async with served(most=3) as one:
        await one.wait(3)
        for _ in range(RESERVED):
            assert await one.get("/") == 503
        assert await one.get("/healthz") == 200
        one.go.set()
        while await one.get("/") != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_beyond_all_places_a_connection_is_refused_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "YOUNG", 60.0)
    async with served(most=1) as one:
        # requests beyond the limit are refused, so only those for health can take all places
        await one.wait(1 + RESERVED, READY)
        reader, _ = await one.connect()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert json.loads(body)["detail"] == "too many connections"


async def test_event_streams_take_no_place_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "YOUNG", 60.0)
    async with served(streams=4, most=2) as one:
        await one.wait(4)
        assert await one.get("/") == 200


async def test_a_client_that_takes_nothing_of_its_answer_makes_room_in_the_end() -> None:
    async with served(most=1) as one:
        _, writer = await one.connect(FLOOD)
        while (status := await one.get("/")) != 200:
            assert status == 503
            await asyncio.sleep(0.02)
        writer.close()


async def test_a_keep_alive_connection_of_the_greediest_client_is_closed_first() -> None:
    async with served(most=4) as one:
        modest = await asyncio.open_connection(
            "127.0.0.1", int(one.address.rpartition(":")[2]), local_addr=("127.0.0.2", 0)
        )
        modest[1].write(HELLO)
        await modest[0].readuntil(b"hello")
        for _ in range(12):
            await one.connect()
        assert await one.get("/") == 200
        modest[1].write(HELLO)
        assert await modest[0].readline() == b"HTTP/1.1 200 OK\r\n"


async def test_a_connection_that_keeps_silent_or_never_ends_its_headers_is_closed() -> None:
    async with served(silence=0.05) as one:
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: 127.0"):
            reader, writer = await one.connect()
            writer.write(begun)
            assert await reader.read() == b""
            writer.close()
