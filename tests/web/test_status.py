"""Health: a process that cannot work says why; services upstream do not count."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import pytest

from soulspot.errors import DatabaseFull
from soulspot.web import status
from tests.pipeline.test_intake import song
from tests.web.conftest import NOBODY, Running, Start
from tests.web.test_guards import TOKEN, is_problem


async def unready(running: Running) -> str:
    async with running.http.get("/readyz") as answer:
        assert answer.headers["Retry-After"] == "10"
        return await is_problem(answer, 503)


async def ready(running: Running) -> bool:
    async with running.http.get("/readyz") as answer:
        return answer.status == 200


async def test_a_process_that_starts_or_stops_is_not_ready(running: Running) -> None:
    assert await ready(running)
    running.state["ready"] = False
    assert await unready(running) == "starting or stopping"


async def test_a_database_that_is_gone_is_told_although_its_file_is_still_open(running: Running) -> None:
    path = running.service.database.path
    aside = path.rename(path.with_name("aside.db"))
    assert "was removed or replaced" in await unready(running)
    path.write_bytes(b"")  # another file of the same name is not it
    assert "was removed or replaced" in await unready(running)
    aside.rename(path)
    assert await ready(running)


async def test_a_full_disk_is_told_until_something_can_be_written_again(running: Running) -> None:
    database = running.service.database
    limit = await database.write(lambda c: c.execute("PRAGMA page_count").fetchone()[0])
    await database.write(lambda c: c.execute(f"PRAGMA max_page_count = {limit}"))

    def fill(connection: sqlite3.Connection) -> None:
        for number in range(10_000):
            connection.execute(
                "INSERT INTO events (kind, payload, created_at) VALUES (?, '{}', '')", (f"{number}" * 99,)
            )

    with pytest.raises(DatabaseFull):
        await database.write(fill)
    assert await unready(running) == "the disk is full"
    async with running.http.get("/healthz") as answer:
        assert answer.status == 200
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 1000000"))
    assert await ready(running)


async def test_too_little_room_is_told_before_a_write_fails(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "ROOM", 1 << 62)
    assert await unready(running) == "the disk is full"


async def test_a_database_that_does_not_answer_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "ANSWERS_WITHIN", 0.01)

    async def read(_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(running.service.database, "read", read)
    assert "has not answered" in await unready(running)


async def test_a_database_that_cannot_be_read_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(_: Any) -> None:
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(running.service.database, "read", read)
    assert "malformed" in await unready(running)


async def test_health_needs_no_token_and_asks_nobody(start: Start) -> None:
    running = await start(token=TOKEN)  # its services are at an address where nobody answers
    assert NOBODY
    assert await ready(running)
    assert running.service.telemetry.requests == {}


async def test_the_status_tells_of_operations_without_their_long_reports(running: Running) -> None:
    song(running.music / "1.flac", "One")
    number = await running.operations.scan()
    await running.finished()
    async with running.http.get("/api/v1/status") as answer:
        [shown] = (await answer.json())["operations"]
    assert (shown["id"], shown["metadata"]) == (number, {"places": []})
    assert {"report", "notes", "performance", "errors"} <= (await running.operation(number))["metadata"].keys()
