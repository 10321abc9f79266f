"""The guards: host names, origins and tokens, and the problem documents of refusals."""

from __future__ import annotations

import asyncio
import errno

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from soulspot.errors import DatabaseFull
from soulspot.pipeline.status import status_of
from soulspot.web.guards import OPEN_PATHS, guard
from tests.web.conftest import Running, Start

TOKEN = "a token ☂ of some length"


async def is_problem(answer: ClientResponse, status: int) -> str:
    """Check that an answer is a problem document (RFC 9457); return its detail."""
    assert (answer.status, answer.content_type) == (status, "application/problem+json")
    body = await answer.json()
    assert body["status"] == status
    assert body["title"]
    return str(body["detail"])


# --- token ----------------------------------------------------------------------------------------


async def test_with_a_token_set_every_route_but_health_needs_it(start: Start) -> None:
    running = await start(token=TOKEN)
    app = running.http.server.app  # type: ignore[attr-defined]
    routes = [(route.method, route.resource.canonical) for route in app.router.routes() if route.resource]
    assert len(routes) >= 9
    for method, path in routes:
        address = path.replace("{id}", "1")
        async with running.http.request(method, address) as answer:
            if address in OPEN_PATHS:
                assert answer.status in (200, 422)
            elif method == "HEAD":
                assert answer.status == 401
            else:
                assert "http.token" in await is_problem(answer, 401)
                assert answer.headers["WWW-Authenticate"] == "Bearer"
    async with running.http.get("/there/is/no/such/page") as answer:
        assert answer.status == 401  # strangers do not learn which pages there are
    assert (await status_of(running.service))["operations"] == []


@pytest.mark.parametrize(
    "said",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer a token ☂ of some lengt", "a token ☂ of some length",
     "Basic a token ☂ of some length", "Bearer Bearer a token ☂ of some length"],
)  # fmt: skip
async def test_whoever_does_not_know_the_token_is_refused(start: Start, said: str) -> None:
    running = await start(token=TOKEN)
    async with running.http.get("/api/v1/status", headers={"Authorization": said}) as answer:
        await is_problem(answer, 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_whoever_knows_the_token_may_ask_and_change(start: Start, scheme: str) -> None:
    running = await start(token=TOKEN)
    headers = {"Authorization": f"{scheme} {TOKEN}"}
    async with running.http.get("/api/v1/status", headers=headers) as answer:
        assert answer.status == 200
    async with running.http.post("/api/v1/retry", headers=headers) as answer:
        assert answer.status == 202
    await running.finished()


async def test_a_token_that_is_no_text_is_refused_like_any_other(start: Start) -> None:
    running = await start(token=TOKEN)
    server = running.http.server
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer \xff\xfe\r\n\r\n")
    status = await reader.readline()
    writer.close()
    assert status.split()[1] == b"401"


# --- hosts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/status", "/no/such/page"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8753", "localhost.evil.example", "2130706433", "a:b:c", ""]
)
async def test_a_name_that_is_not_ours_is_refused_whatever_the_page(start: Start, host: str, path: str) -> None:
    running = await start(allowed_hosts=("music.example",))
    async with running.http.get(path, headers={"Host": host}) as answer:
        assert "http.allowed_hosts" in await is_problem(answer, 403)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8753", "127.0.0.1", "127.0.0.1:1", "192.168.1.5:8753", "[::1]", "[::1]:8753",
     "music.example", "Music.Example:443"],
)  # fmt: skip
async def test_our_own_names_and_bare_addresses_are_answered(start: Start, host: str) -> None:
    running = await start(allowed_hosts=("MUSIC.example",))
    async with running.http.get("/api/v1/status", headers={"Host": host}) as answer:
        assert answer.status == 200


# --- other sites' pages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://127.0.0.1"},
    ],
)
async def test_other_sites_pages_cannot_start_anything(running: Running, headers: dict[str, str]) -> None:
    for path in ("/api/v1/scan", "/api/v1/import", "/api/v1/enrich", "/api/v1/retry"):
        async with running.http.post(path, headers=headers, data=b"") as answer:
            assert "other sites" in await is_problem(answer, 403)
    assert (await status_of(running.service))["operations"] == []


async def test_our_own_page_and_programs_that_are_no_browser_can(running: Running) -> None:
    own = f"http://{running.http.server.host}:{running.http.server.port}"
    for headers in ({}, {"Origin": own}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        async with running.http.post("/api/v1/retry", headers=headers) as answer:
            assert answer.status == 202
    await running.finished()


async def test_looking_is_not_changing(running: Running) -> None:
    async with running.http.get("/api/v1/status", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


# --- what goes wrong ------------------------------------------------------------------------------


async def test_a_wrong_method_is_a_problem_that_names_the_right_one(running: Running) -> None:
    async with running.http.get("/api/v1/scan") as answer:
        await is_problem(answer, 405)
        assert answer.headers["Allow"] == "POST"
    async with running.http.delete("/api/v1/status") as answer:
        await is_problem(answer, 405)


async def test_an_unknown_page_is_a_problem(running: Running) -> None:
    async with running.http.get("/no/such/page") as answer:
        await is_problem(answer, 404)


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (DatabaseFull("the disk is full"), 507, "the disk is full"),
        (OSError(errno.ENOSPC, "No space left", "/secret/upload"), 507, "the disk is full"),
        (OSError(errno.EIO, "secret disk"), 500, "its log has the details"),
        (RuntimeError("secret detail"), 500, "its log has the details"),
    ],
)
async def test_what_breaks_inside_is_a_problem_that_keeps_our_secrets(
    error: Exception, status: int, detail: str
) -> None:
    async def handler(request: web.Request) -> web.Response:
        raise error

    app = web.Application(middlewares=[guard(None, ())])
    app.router.add_get("/", handler)
    async with TestClient(TestServer(app)) as client, client.get("/") as answer:
        said = await is_problem(answer, status)
    assert detail in said
    assert "secret" not in said
