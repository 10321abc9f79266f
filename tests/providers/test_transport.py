"""Promises of every request, whichever library sends it, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from soulspot.errors import BadAnswer, BatchRejected, Limited, Refused, TooLong, Unavailable
from soulspot.providers.http import Http
from soulspot.providers.transport import TimedOut, endpoint_of, redirect_target
from tests.providers.upstream import FAST, Answering, Watched, always, upstream

Fetch = Callable[[str], Awaitable[Any]]


@contextlib.asynccontextmanager
async def fetching(watched: Watched, url: str, seconds: float = 20.0) -> AsyncIterator[Fetch]:
    """Yield a function that gets a path and returns its JSON."""
    watched.gates.open("p", url, rate=FAST)
    http = Http(watched.gates, "p", timeout=seconds)
    try:
        yield lambda path: http.fetch_json("GET", url + path, base_url=url)
    finally:
        await http.close()


async def test_an_answer_comes_back_and_its_request_is_reported_once() -> None:
    watched = Watched()
    async with upstream(always({"a": [1, "é"]})) as up, fetching(watched, up.url) as fetch:
        assert await fetch("/ws/2/recording") == {"a": [1, "é"]}
    (record,) = watched.records
    assert (record.provider, record.endpoint, record.status, record.attempt) == (
        "p",
        "/ws/2/recording",
        200,
        1,
    )
    assert record.duration_ms > 0


@pytest.mark.parametrize("status", [429, 503])
async def test_a_limit_is_not_asked_again_and_nobody_asks_until_it_is_over(status: int) -> None:
    watched = Watched()
    answer = always({"error": "slow down"}, status, {"Retry-After": "7200"})
    async with upstream(answer) as up, fetching(watched, up.url) as fetch:
        with pytest.raises(Limited) as limited:
            await fetch("/")
        with pytest.raises(Limited):
            await fetch("/")
        assert len(up.requests) == 1
    assert limited.value.status == status
    assert limited.value.until == pytest.approx(watched.gates.snapshot()[0].opens_at, abs=1)


async def test_a_failing_service_is_asked_three_times_and_each_passes_the_gate(no_backoff: None) -> None:
    watched = Watched()
    async with upstream(always("<html>bad gateway</html>", 502)) as up:
        async with fetching(watched, up.url) as fetch:
            with pytest.raises(Unavailable) as failure:
                await fetch("/")
        assert len(up.requests) == 3
    assert failure.value.answered
    assert failure.value.status == 502
    assert [record.attempt for record in watched.records] == [1, 2, 3]
    assert watched.gates.snapshot()[0].requests == 3


async def test_a_dropped_connection_is_no_answer_and_is_tried_again(no_backoff: None) -> None:
    watched = Watched()

    async def drop(request: web.Request) -> web.StreamResponse:
        if len(up.requests) < 3:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"third": "time"})

    async with upstream(drop) as up, fetching(watched, up.url) as fetch:
        assert await fetch("/") == {"third": "time"}
    assert watched.statuses == [None, None, 200]


async def test_a_host_that_is_not_there_is_unavailable_without_an_answer(no_backoff: None) -> None:
    watched = Watched()
    async with upstream(always({})) as up:
        url = up.url
    async with fetching(watched, url) as fetch:
        with pytest.raises(Unavailable) as failure:
            await fetch("/")
    assert not failure.value.answered
    assert watched.statuses == [None, None, None]


async def test_retries_stay_a_small_share_of_the_traffic(no_backoff: None) -> None:
    watched = Watched()
    async with upstream(always({}, 500)) as up, fetching(watched, up.url) as fetch:
        good = always({})
        for _ in range(10):  # an outage of ten requests, with successes between them that keep the breaker shut
            up.answer = always({}, 500)
            with pytest.raises(Unavailable):
                await fetch("/")
            up.answer = good
            await fetch("/")
        retries = sum(record.attempt > 1 for record in watched.records)
    assert retries <= 5 + len(watched.records) / 10


@pytest.mark.parametrize(
    "body",
    [
        '{"a": [1, 2',
        "<html><body>hello</body></html>",
        "[" * 200_000,
        '{"n": ' + "7" * 5000 + "}",
        '{"n": NaN}',
        '{"n": Infinity}',
        "",
        b"\xff\xfe\x00",
    ],
    ids=["truncated", "html", "deep", "long number", "nan", "infinity", "empty", "binary"],
)
async def test_what_is_not_json_is_a_bad_answer_and_not_asked_again(body: str | bytes) -> None:
    watched = Watched()
    async with upstream(always(body)) as up, fetching(watched, up.url) as fetch:
        with pytest.raises(BadAnswer):
            await fetch("/")
        assert len(up.requests) == 1
    assert watched.statuses == [200]


async def test_a_lone_surrogate_does_not_reach_the_database() -> None:
    body = '{"name": "a\\ud83dz", "whole": "\\ud83d\\ude00"}'
    async with upstream(always(body)) as up, fetching(Watched(), up.url) as fetch:
        document = await fetch("/")
    assert document == {"name": "a?z", "whole": "😀"}


async def test_a_decompression_bomb_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    bomb = gzip.compress(b'"' + b"a" * 40_000_000 + b'"')

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=bomb,
            headers={"Content-Encoding": "gzip"},
            content_type="application/json",
            zlib_executor_size=0,
        )

    async with upstream(answer) as up, fetching(watched, up.url) as fetch:
        with pytest.raises(BadAnswer, match="larger than 16777216"):
            await fetch("/")
    assert watched.statuses == [200]


async def test_a_body_that_cannot_be_decompressed_is_a_bad_answer_of_a_host_that_lives() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"})

    watched = Watched()
    async with upstream(answer) as up, fetching(watched, up.url) as fetch:
        with pytest.raises(BadAnswer, match="decompressed"):
            await fetch("/")
        assert len(up.requests) == 1
    assert [record.status for record in watched.records] == [200]


def redirecting(status: int, location: str) -> Answering:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/here":
            return web.json_response({"here": True})
        return web.Response(status=status, headers={"Location": location})

    return answer


async def test_a_redirect_on_the_same_host_is_followed_and_passes_the_gate_once_more() -> None:
    watched = Watched()
    async with upstream(redirecting(301, "/here")) as up, fetching(watched, up.url) as fetch:
        assert await fetch("/") == {"here": True}
    assert watched.statuses == [301, 200]
    assert [gate.requests for gate in watched.gates.snapshot()] == [2]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_redirect_leads_to_another_host_or_port(method: str, status: int) -> None:
    watched = Watched()
    async with upstream(always({"secret": True})) as other, upstream(redirecting(status, other.url)) as up:
        watched.gates.open("p", up.url, rate=FAST)
        http = Http(watched.gates, "p", timeout=5)
        headers = {"Authorization": "Token secret"}
        with pytest.raises(BadAnswer, match=f"redirects to {other.url}, which is not followed: it is another host"):
            await http.fetch_json(method, up.url, base_url=up.url, payload={"a": 1}, headers=headers)
        await http.close()
        assert other.requests == []
        assert len(up.requests) == 1  # and not asked again at once


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://host/a", "/b", "https://host/b"),
        ("https://host/a", "https://HOST:443/b", "https://HOST:443/b"),
        ("http://host/a", "https://host/b", "https://host/b"),
        ("http://host:81/a", "//host:81/b", "http://host:81/b"),
        ("https://host/a", "http://host/b", None),
        ("https://host/a", "https://host.evil/b", None),
        ("https://host/a", "https://host@evil/b", None),
        ("http://host/a", "http://host:81/b", None),
        ("http://host/a", "http://169.254.169.254/latest", None),
        ("http://host/a", "//evil/b", None),
        ("http://host/a", "file:///etc/passwd", None),
        ("http://host/a", "http://[/", None),
        ("http://host/a", "http://host:port/", None),
        ("http://host/a", "", None),
        ("http://host/a", None, None),
    ],
)
def test_redirects_stay_on_their_host_and_never_leave_https(url: str, location: str | None, target: str | None) -> None:
    if target is not None:
        assert redirect_target(url, location) == target
        return
    with pytest.raises(BadAnswer, match="host redirects to"):
        redirect_target(url, location)


async def test_a_circle_of_redirects_ends() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "/again"})

    async with upstream(answer) as up, fetching(Watched(), up.url) as fetch:
        with pytest.raises(BadAnswer, match="redirects"):
            await fetch("/")
        assert len(up.requests) == 4


@pytest.mark.parametrize(
    ("status", "error"), [(400, BatchRejected), (414, TooLong), (401, Refused), (403, Refused), (404, BadAnswer)]
)
async def test_a_refusal_keeps_the_services_own_words(status: int, error: type[Exception]) -> None:
    async with (
        upstream(always({"error": "so it is"}, status)) as up,
        fetching(Watched(), up.url) as fetch,
    ):
        with pytest.raises(error, match="so it is"):
            await fetch("/")


async def test_a_service_that_dribbles_costs_one_timeout() -> None:
    watched = Watched()

    async def dribble(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        for _ in range(10_000):
            await response.write(b" ")
            await asyncio.sleep(0.005)
        return response

    async with upstream(dribble) as up, fetching(watched, up.url, seconds=0.2) as fetch:
        with pytest.raises(TimedOut):
            await fetch("/")
        assert len(up.requests) == 1
        assert watched.statuses == [None]
        up.answer = always({"well": "again"})
        assert await fetch("/") == {"well": "again"}


async def test_cancelling_a_request_says_nothing_of_the_host_and_the_next_one_works() -> None:
    watched = Watched()
    arrived, never = asyncio.Event(), asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await never.wait()
        return web.Response()

    async with upstream(hang) as up, fetching(watched, up.url) as fetch:
        task = asyncio.ensure_future(fetch("/"))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert watched.statuses == [None]
        assert watched.gates.snapshot()[0].failures == 0
        up.answer = always({"next": 1})
        assert await fetch("/") == {"next": 1}


async def test_time_before_the_gate_does_not_count_against_the_deadline() -> None:
    watched = Watched()
    async with upstream(always({"ok": 1})) as up:
        watched.gates.open("p", up.url, rate=4.0)
        async with fetching(watched, up.url, seconds=0.15) as fetch:
            assert await fetch("/") == {"ok": 1}  # the gate holds the first request for a quarter of a second


def test_endpoints_in_reports_never_carry_an_id() -> None:
    base = "https://host/mirror/ws/2"
    mbid = "3e0bdde6-74e0-46d4-855a-4493589fd6b2"
    assert endpoint_of(f"{base}/recording/{mbid}?inc=isrcs", base) == "/recording/{id}"
    assert endpoint_of("https://api/v1/tracks/?ids=a,b", "https://api/v1") == "/tracks"
    assert endpoint_of("https://api/v1/albums/2agWNCZl5Ts9W05mij8EPh", "https://api/v1/") == "/albums/{id}"
    assert endpoint_of("https://elsewhere/api/token", "https://api/v1") == "/api/token"
