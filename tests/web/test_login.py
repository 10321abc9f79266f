"""Logging in: a browser gets a cookie for the token, which only SoulSpot's page can use."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest

from soulspot.web.guards import COOKIE, cookie_of
from tests.web.conftest import Running, Start
from tests.web.test_guards import TOKEN, is_problem

JSON_OR_FORM = pytest.mark.parametrize("how", ["json", "data"])


async def cookie(running: Running, how: str = "json") -> dict[str, str]:
    """Log in and return the headers that a browser then sends."""
    async with running.http.post("/login", **{how: {"token": TOKEN}}, allow_redirects=False) as answer:
        assert answer.status == (204 if how == "json" else 303)
        said = answer.headers["Set-Cookie"]
    running.http.session.cookie_jar.clear()
    morsel = SimpleCookie(said)[COOKIE]
    assert morsel["httponly"]
    assert (morsel["samesite"], morsel["path"]) == ("Strict", "/")
    assert TOKEN not in said
    return {"Cookie": f"{COOKIE}={morsel.value}"}


@JSON_OR_FORM
async def test_whoever_logs_in_may_look_and_change(start: Start, how: str) -> None:
    running = await start(token=TOKEN)
    headers = await cookie(running, how)
    for path in ("/api/v1/status", "/api/v1/events", "/api/v1/tracks"):
        async with running.http.get(path, headers=headers) as answer:
            assert answer.status == 200
    async with running.http.post("/api/v1/retry", headers=headers) as answer:
        assert answer.status == 202
    await running.finished()


@JSON_OR_FORM
@pytest.mark.parametrize("token", ["wrong", "", TOKEN + " ", "☂"])
async def test_whoever_does_not_know_the_token_gets_no_cookie(start: Start, how: str, token: str) -> None:
    running = await start(token=TOKEN)
    async with running.http.post("/login", **{how: {"token": token}}) as answer:
        assert answer.status == 401
        assert "Set-Cookie" not in answer.headers
        assert answer.content_type == ("application/problem+json" if how == "json" else "text/html")


async def test_a_cookie_of_another_token_is_worth_nothing(start: Start) -> None:
    running = await start(token=TOKEN)
    for value in (cookie_of("another token"), TOKEN, "", "\udcff"):
        async with running.http.get(
            "/api/v1/status", headers={"Cookie": f"{COOKIE}={value.encode('utf-8', 'replace').decode()}"}
        ) as answer:
            await is_problem(answer, 401)


@pytest.mark.parametrize("foreign", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}])
async def test_another_sites_page_cannot_use_the_cookie_nor_log_somebody_in(
    start: Start, foreign: dict[str, str]
) -> None:
    running = await start(token=TOKEN)
    headers = await cookie(running)
    async with running.http.post("/api/v1/retry", headers=headers | foreign) as answer:
        assert "other sites" in await is_problem(answer, 403)
    async with running.http.post("/login", json={"token": TOKEN}, headers=foreign) as answer:
        assert "other sites" in await is_problem(answer, 403)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    async with running.http.post("/api/v1/retry", headers=bearer | foreign) as answer:
        assert answer.status == 202  # no browser adds this by itself
    await running.finished()


async def test_a_browser_without_cookie_is_sent_to_the_form(start: Start) -> None:
    running = await start(token=TOKEN)
    browser = {"Accept": "text/html,application/xhtml+xml"}
    async with running.http.get("/", headers=browser, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login")
    async with running.http.get("/login") as answer:
        assert answer.status == 200
        assert 'name="token"' in await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_whoever_is_logged_in_or_needs_no_token_sees_no_form(start: Start, running: Running) -> None:
    async with running.http.get("/login", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/")
    async with running.http.post("/login", json={"token": "x"}) as answer:
        assert answer.status == 204
        assert "Set-Cookie" not in answer.headers


async def test_logging_out_takes_the_cookie_back(start: Start) -> None:
    running = await start(token=TOKEN)
    async with running.http.post("/logout", headers=await cookie(running)) as answer:
        assert answer.status == 204
        assert SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]["max-age"] == "0"


@pytest.mark.parametrize("body", [{}, {"token": 5}, {"token": None}, {"token": TOKEN, "more": 1}])
async def test_a_login_that_is_none_is_a_problem(start: Start, body: dict[str, object]) -> None:
    running = await start(token=TOKEN)
    async with running.http.post("/login", json=body) as answer:
        await is_problem(answer, 422)


async def test_every_answer_tells_browsers_to_take_it_for_what_it_says_and_to_keep_nothing(
    running: Running,
) -> None:
    for path in ("/healthz", "/api/v1/status", "/no/such/page"):
        async with running.http.get(path) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
