"""The server socket: its limit of connections, and its patience with silent ones."""

from __future__ import annotations

import asyncio
import json

from aiohttp import ClientSession, web

from soulspot.web.server import serve


def application() -> web.Application:
    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="hello")

    app = web.Application()
    app.add_routes([web.get("/", hello)])
    return app


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = address.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def test_a_connection_too_many_is_refused_and_the_others_are_served() -> None:
    async with serve(application(), "127.0.0.1", 0, most=3) as address:
        held = [await connect(address) for _ in range(3)]
        for reader, writer in held:
            writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"
        reader, _ = await connect(address)
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503")
        assert json.loads(body)["detail"] == "too many connections"
        for reader, writer in held:
            writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            await reader.read()
            writer.close()
            await writer.wait_closed()
        async with ClientSession(address) as client, client.get("/") as answer:
            assert await answer.text() == "hello"


async def test_a_connection_that_keeps_silent_or_never_ends_its_headers_is_closed() -> None:
    async with serve(application(), "127.0.0.1", 0, silence=0.05) as address:
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: 127.0"):
            reader, writer = await connect(address)
            writer.write(begun)
            assert await reader.read() == b""
            writer.close()
