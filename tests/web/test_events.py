"""The event stream: every event once and in order, for many, slow and returning clients."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from soulspot.store import events as rows
from soulspot.web import events as web_events
from tests.support.factories import NOW
from tests.web.conftest import Running
from tests.web.test_guards import is_problem


@dataclass
class Said:
    """A message of the stream; a heartbeat has a `comment` only."""

    id: int | None = None
    event: str = ""
    data: Any = None
    comment: str = ""


class Listener:
    """A client of the stream."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def messages(self) -> AsyncIterator[Said]:
        said = Said()
        async for raw in self._answer.content:
            line = raw.decode().rstrip("\n")
            name, _, value = line.partition(": ")
            if not line:
                yield said
                said = Said()
            elif not name:
                said.comment = value
            elif name == "id":
                said.id = int(value)
            elif name == "event":
                said.event = value
            elif name == "data":
                said.data = json.loads(value)

    async def events(self, count: int) -> list[Said]:
        """Return the next messages that are neither status nor comment."""
        found: list[Said] = []
        if count:
            async for said in self.messages():
                if said.id is not None:
                    found.append(said)
                    if len(found) == count:
                        break
        return found

    async def next(self, kind: str) -> Said:
        async for said in self.messages():
            if said.event == kind:
                return said
        raise AssertionError("the stream ended")


@asynccontextmanager
async def listening(running: Running, last: int | str | None = None) -> AsyncIterator[Listener]:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    async with running.http.get("/api/v1/events", headers=headers) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        yield Listener(answer)


async def happen(running: Running, *numbers: int) -> None:
    def add(connection: sqlite3.Connection) -> None:
        for number in numbers:
            rows.add(connection, "track.accepted", {"track_id": number}, NOW)

    await running.service.database.write(add)


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_events, "POLL", 0.01)


async def test_whoever_comes_hears_what_happens_from_then_on(running: Running) -> None:
    await happen(running, 1, 2)
    async with listening(running) as listener:
        await listener.next("status")  # it listens now
        await happen(running, 3)
        await happen(running, 4, 5)
        found = await listener.events(3)
    assert [(one.id, one.event, one.data["track_id"]) for one in found] == [
        (3, "track.accepted", 3), (4, "track.accepted", 4), (5, "track.accepted", 5),
    ]  # fmt: skip


@pytest.mark.parametrize("recent", [2000, 3])
async def test_whoever_comes_back_misses_nothing_and_hears_nothing_twice(
    running: Running, recent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_events, "RECENT", recent)
    monkeypatch.setattr(web_events, "WRITE_EVENTS", 4)
    await happen(running, *range(1, 21))
    async with listening(running, 5) as listener:
        first = [one.data["track_id"] for one in await listener.events(3)]
    async with listening(running, 8) as listener:
        more = [one.data["track_id"] for one in await listener.events(12)]
        await happen(running, 21)
        more += [one.data["track_id"] for one in await listener.events(1)]
    assert first + more == [*range(6, 22)]


async def test_whoever_was_away_for_too_long_is_told_so_and_gets_what_is_left(running: Running) -> None:
    await happen(running, 1, 2, 3, 4)
    await running.service.database.write(lambda c: c.execute("DELETE FROM events WHERE event_id < 3"))
    async with listening(running, 1) as listener:
        assert "no longer kept" in (await listener.next("reset")).data["why"]
        assert [one.id for one in await listener.events(2)] == [3, 4]
    async with listening(running, 2) as listener:
        assert [one.id for one in await listener.events(2)] == [3, 4]


async def test_an_id_of_another_database_is_told_so(running: Running) -> None:
    async with listening(running, 99) as listener:
        assert "another database" in (await listener.next("reset")).data["why"]


async def test_the_position_can_stand_in_the_address(running: Running) -> None:
    await happen(running, 1, 2)
    async with running.http.get("/api/v1/events", params={"last_event_id": "1"}) as answer:
        assert [one.id for one in await Listener(answer).events(1)] == [2]


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "9" * 30])
async def test_a_position_that_is_none_is_a_problem(running: Running, last: str) -> None:
    async with running.http.get("/api/v1/events", headers={"Last-Event-ID": last}) as answer:
        assert "Last-Event-ID" in await is_problem(answer, 422)


async def test_the_status_comes_at_once_and_when_it_changes(running: Running) -> None:
    async with listening(running) as listener:
        first = await listener.next("status")
        assert first.id is None
        assert first.data["tracks"]["total"] == 0
        async with running.http.post("/api/v1/retry") as answer:
            number = (await answer.json())["operation_id"]
        while not (said := await listener.next("status")).data["operations"]:
            pass
    assert said.data["operations"][0]["id"] == number


async def test_silence_is_broken_by_signs_of_life(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_events, "HEARTBEAT", 0.0)
    async with listening(running) as listener:
        async for said in listener.messages():
            if said.comment:
                break
    assert said.comment == "still here"


async def test_many_clients_hear_the_same(running: Running) -> None:
    async def hear() -> list[int | None]:
        async with listening(running, 0) as listener:
            return [one.id for one in await listener.events(100)]

    listeners = [asyncio.create_task(hear()) for _ in range(50)]
    for start in range(1, 101, 10):
        await happen(running, *range(start, start + 10))
    assert await asyncio.gather(*listeners) == [[*range(1, 101)]] * 50


async def test_a_client_too_many_is_told_when_to_come_back(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_events, "MAX_CLIENTS", 1)
    async with listening(running), running.http.get("/api/v1/events") as answer:
        assert "connected already" in await is_problem(answer, 503)
        assert answer.headers["Retry-After"] == "10"


async def test_a_client_that_takes_nothing_is_let_go_and_costs_no_memory(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_events, "WRITE_SECONDS", 0.05)
    gone = asyncio.Event()
    real = web_events.Feed.leave

    def leave(feed: web_events.Feed) -> None:
        real(feed)
        gone.set()

    monkeypatch.setattr(web_events.Feed, "leave", leave)

    def add(connection: sqlite3.Connection) -> None:
        for _ in range(2_000):
            rows.add(connection, "track.accepted", {"text": "x" * 20_000}, NOW)

    await running.service.database.write(add)
    _, writer = await asyncio.open_connection(running.http.server.host, running.http.server.port)
    writer.write(b"GET /api/v1/events?last_event_id=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    await gone.wait()
    writer.close()


async def test_the_end_of_the_daemon_is_the_end_of_the_stream(running: Running) -> None:
    async with listening(running) as listener:
        await listener.next("status")
        app = running.http.server.app  # type: ignore[attr-defined]
        await app.shutdown()
        async for said in listener.messages():
            assert said.event != "reset"


@pytest.mark.parametrize("error", [sqlite3.OperationalError("database is locked"), RuntimeError("a fault of ours")])
async def test_what_goes_wrong_once_does_not_silence_the_stream(
    running: Running, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, real = [error], rows.list_after

    def since(*positional: Any) -> list[rows.Event]:
        if left:
            raise left.pop()
        return real(*positional)

    async with listening(running) as listener:
        await listener.next("status")
        monkeypatch.setattr(rows, "list_after", since)
        await happen(running, 1)
        assert [one.id for one in await listener.events(1)] == [1]


async def test_whoever_comes_when_nobody_has_listened_for_a_while_is_told_how_it_stands_now(
    running: Running,
) -> None:
    async with listening(running) as first:
        assert (await first.next("status")).data["operations"] == []
    await asyncio.wait(_looking())
    number = await running.operations.scan()
    await running.finished()
    async with listening(running) as second:
        told = (await second.next("status")).data["operations"]
    assert [(one["id"], one["status"]) for one in told] == [(number, "completed")]


def _looking() -> set[asyncio.Task[Any]]:
    """Return the task that polls the outbox while there are clients."""
    return {task for task in asyncio.all_tasks() if task.get_name() == "events"}
