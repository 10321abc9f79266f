"""Guessing tokens: slow, logged without the guesses, and never in the way of the right one."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from soulspot.web import throttle
from soulspot.web.throttle import CLIENTS, DELAY, FREE, HELD, LOG_EVERY, LOGINS, Throttle
from tests.support.virtual_time import run_virtual
from tests.web.conftest import Start
from tests.web.test_guards import TOKEN, is_problem


class Gate:
    """A throttle in virtual time."""

    def __init__(self) -> None:
        self.clock = asyncio.get_running_loop().time
        self.throttle = Throttle(self.clock)

    async def guess(self, client: str = "10.0.0.1", *, right: bool = False) -> bool | None:
        """Return the verdict; None for a refusal."""
        try:
            return await self.throttle.judge(client, lambda: right)
        except web.HTTPTooManyRequests:
            return None


def test_after_a_few_wrong_tokens_each_further_one_takes_its_time_and_the_right_one_none() -> None:
    async def main() -> None:
        gate = Gate()
        assert [await gate.guess() for _ in range(FREE)] == [False] * FREE
        assert gate.clock() == 0.0
        for number in range(1, 20):
            assert await gate.guess() is False
            assert gate.clock() == pytest.approx(number * DELAY)
        now = gate.clock()
        assert await gate.guess(right=True)
        assert await gate.guess("10.0.0.2", right=True)
        assert gate.clock() == now

    run_virtual(main())


def test_a_flood_of_guesses_over_many_connections_is_no_faster_than_its_limit() -> None:
    async def main() -> None:
        gate = Gate()
        tried = 0

        def is_right() -> bool:
            nonlocal tried
            tried += 1
            return False

        async def attack() -> None:
            while gate.clock() < 60.0:
                with suppress(web.HTTPTooManyRequests):
                    await gate.throttle.judge("10.0.0.1", is_right)
                await asyncio.sleep(0.1)

        await asyncio.gather(*(attack() for _ in range(200)))
        assert tried <= 60.0 / DELAY * HELD + HELD + FREE
        assert await gate.guess("10.0.0.2", right=True), "another client does not suffer"

    run_virtual(main())


def test_the_log_has_a_line_a_minute_with_the_count_and_the_client() -> None:
    async def main() -> list[dict[str, object]]:
        gate = Gate()
        with capture_logs() as said:
            while gate.clock() < 2.5 * LOG_EVERY:
                await gate.guess()
        return said  # type: ignore[return-value]

    said = run_virtual(main())
    assert [line["event"] for line in said] == ["wrong_token"] * 3
    assert {line["client"] for line in said} == {"10.0.0.1"}
    assert said[0]["attempts"] == 1
    assert said[1]["attempts"] == pytest.approx(LOG_EVERY / DELAY + FREE, abs=2)


def test_clients_are_remembered_up_to_a_limit() -> None:
    async def main() -> None:
        gate = Gate()
        for number in range(3 * CLIENTS):
            await gate.guess(str(number))
        assert len(gate.throttle._wrong) == CLIENTS

    run_virtual(main())


def test_no_more_than_a_few_bodies_with_a_token_are_awaited_at_a_time() -> None:
    async def main() -> None:
        gate = Gate().throttle
        with ExitStack() as others:
            for _ in range(LOGINS):
                others.enter_context(gate.login())
            with pytest.raises(web.HTTPServiceUnavailable):
                others.enter_context(gate.login())
        with gate.login():
            pass

    run_virtual(main())


async def test_wrong_tokens_are_slowed_down_on_every_way_in_and_the_right_one_passes(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throttle, "DELAY", 0.01)
    running = await start(token=TOKEN)
    statuses = []
    with capture_logs() as said:
        for number in range(FREE + 3):
            async with running.http.get("/api/v1/status", headers={"Authorization": f"Bearer guess{number}"}) as answer:
                statuses.append(answer.status)
        monkeypatch.setattr(throttle, "HELD", 0)  # as if so many were being tried
        for refused in (
            running.http.get("/api/v1/status", headers={"Authorization": "Bearer guess"}),
            running.http.post("/login", json={"token": "guess"}),
        ):
            async with refused as answer:
                await is_problem(answer, 429)
                assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.setattr(throttle, "HELD", HELD)
    assert statuses == [401] * (FREE + 3)
    assert "guess" not in str(said)
    async with running.http.get("/api/v1/status", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert answer.status == 200
    async with running.http.get("/api/v1/status") as answer:
        assert answer.status == 401, "nobody is slowed down who sends no token"
