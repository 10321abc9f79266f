"""Hostile requests on every route of a real daemon: refused quickly, and nobody else waits."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.hostile.attacked import attacked

pytestmark = pytest.mark.process

MEGABYTE = 1 << 20
# A guard against hanging, with room for a busy machine: on an idle one it takes milliseconds.
HEALTH_WITHIN = 5.0


async def watch_health(client: aiohttp.ClientSession) -> None:
    """Ask for health again and again, until cancelled."""
    while True:
        async with client.get("/healthz", timeout=aiohttp.ClientTimeout(HEALTH_WITHIN)) as answer:
            assert answer.status == 200
        await asyncio.sleep(0.02)


def hostile_paths(music: str) -> Iterator[Any]:
    yield ["/a" * 480_000]
    yield ["/a" * 30_000] * 8
    yield [music + "/b" * 100_000]
    yield [music + "/x/.." * 100_000]
    yield ["/" * 900_000]
    yield ["a"] * 200_000
    yield [f"{music}/{number}" for number in range(18_000)]
    yield [music + "\0"]
    yield ["\ud800" * 1000]
    yield [1] * 200_000
    yield [[[]]] * 100_000
    yield "/" * 900_000
    yield [music + "/" + "ü" * 3000]


def hostile_values() -> Iterator[Any]:
    yield "x" * 900_000
    yield "\0" * 1000
    yield "\ud800\udfff" * 100
    yield "((((" * 100_000
    yield '"' * 100_000
    yield "%" * 400_000
    yield 10**4000
    yield 1e308
    yield -1
    yield [None] * 200_000
    yield {str(number): number for number in range(60_000)}
    yield None
    yield True


def hostile_bodies(fields: list[str], music: str) -> Iterator[bytes]:
    """Yield bodies that are no JSON, or JSON of an evil shape or with an evil value in a field."""
    yield b"[" * MEGABYTE
    yield b'{"a":' * 170_000
    yield b"[" * 400_000 + b"]" * 400_000
    yield b"{" + b'"a":1,' * 150_000 + b'"b":1}'
    yield b"9" * 900_000
    yield b'{"wait": ' + b"9" * 4000 + b"}"
    yield b'{"wait": NaN, "after": Infinity}'
    yield b"\xff\xfe" * 1000
    yield b"\0" * MEGABYTE
    yield b"x" * (2 * MEGABYTE)
    for field in fields:
        values = [*hostile_values(), *(hostile_paths(music) if field == "paths" else ())]
        yield from (json.dumps({field: value}).encode() for value in values)


async def routes(client: aiohttp.ClientSession) -> list[tuple[str, str, list[str]]]:
    """Return (method, path, fields of the JSON body) of every route, as OpenAPI has them."""
    async with client.get("/api/v1/openapi.json") as answer:
        document = await answer.json()
    found = []
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            content = described.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            name = schema.get("$ref", "").rpartition("/")[2]
            fields = list(document["components"]["schemas"].get(name, schema).get("properties", {}))
            found.append((method.upper(), path, fields))
    return found


async def send(client: aiohttp.ClientSession, method: str, url: URL | str, **more: Any) -> int | None:
    """Return the status; None for a connection that was closed. A stream is not read."""
    with suppress(aiohttp.ClientError):
        async with client.request(method, url, **more) as answer:
            return answer.status
    return None


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_no_body_of_any_route_keeps_others_waiting_or_breaks_anything(tmp_path: Path) -> None:
    music = str(tmp_path / "music")
    async with attacked(tmp_path) as (running, client), aiohttp.ClientSession(client._base_url) as healthy:
        watching = asyncio.create_task(watch_health(healthy))
        for method, path, fields in await routes(client):
            address = path.replace("{id}", "1").replace("{track_id}", "1").replace("{lookup_id}", "1")
            if method != "POST" or "cancel" in path:
                continue
            for body in hostile_bodies(fields, music):
                headers = {"Content-Type": "application/json"}
                status = await send(client, method, address, data=body, headers=headers)
                assert status is None or status < 500, (path, body[:80], status)
                assert not watching.done(), watching.exception()
        watching.cancel()
        assert running.said("request_failed") == []
        assert await running.ends(signal.SIGTERM) == 0


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_no_query_or_header_of_any_route_keeps_others_waiting_or_breaks_anything(tmp_path: Path) -> None:
    texts = ["%00", "%ff%fe", "%ed%a0%80", "9" * 4000, "a&" * 2000, "((((" * 500, "*" * 3000, "%22" * 1000, "/a" * 3500]
    async with attacked(tmp_path) as (running, client), aiohttp.ClientSession(client._base_url) as healthy:
        watching = asyncio.create_task(watch_health(healthy))
        for method, path, _ in await routes(client):
            for text in texts:
                numbers = path.replace("{id}", text[:3000]).replace("{track_id}", text[:3000])
                for address in (
                    numbers.replace("{lookup_id}", "1"),
                    *(f"{path}?{name}={text}" for name in ("path", "query", "after", "limit", "url", "name", "source")),
                ):
                    url = URL(
                        address.replace("{id}", "1").replace("{track_id}", "1").replace("{lookup_id}", "1"),
                        encoded=True,
                    )
                    status = await send(client, method, url)
                    assert status is None or status < 500 or status == 503, (address[:80], status)
            for name in ("Cookie", "If-None-Match", "Range", "Last-Event-ID", "Origin", "Authorization", "Accept"):
                for text in ("a=" * 3000, '"a",' * 1500, "bytes=" + "0-1," * 1500, "9" * 5000, "W/" * 3000):
                    address = path.replace("{id}", "1").replace("{track_id}", "1").replace("{lookup_id}", "1")
                    status = await send(client, method, address, headers={name: text})
                    assert status is None or status < 500 or status == 503, (address, name, status)
            assert not watching.done(), watching.exception()
        watching.cancel()
        assert running.said("request_failed") == []


async def test_paths_of_many_parts_leave_no_thread_that_outlives_the_stop(tmp_path: Path) -> None:
    music = str(tmp_path / "music")
    longest = music + "/b" * ((4000 - len(music)) // 2)
    async with attacked(tmp_path) as (running, client):
        bodies = [json.dumps({"paths": paths}) for paths in (["/a" * 30_000], [longest] * 250, ["/a" * 480_000])]
        asking = [
            asyncio.create_task(send(client, "POST", f"/api/v1/{kind}", data=body))
            for kind in ("scan", "enrich", "write-tags", "enrich/cost")
            for body in bodies
        ]
        await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        assert await running.ends(signal.SIGTERM) == 0
        await asyncio.gather(*asking)
