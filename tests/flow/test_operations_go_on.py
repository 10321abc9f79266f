"""Operations of a killed daemon, which the next daemon resumes under their numbers."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.flow.test_daemon import Running, daemon
from tests.support.flow import rows, settings, write_config, write_rows

pytestmark = pytest.mark.process

TRACKS, KILLS = 1200, 3


async def test_an_import_and_an_enrichment_over_http_survive_kills_and_end_with_their_numbers(
    tmp_path: Path,
) -> None:
    catalogue = invent_catalogue(5, 3000)
    wanted = [one for one in catalogue.recordings if one.title and not one.video][:TRACKS]
    file = write_rows(
        tmp_path / "tracks.csv",
        [{"key": str(i), "title": one.title, "artist": one.artist, "mb_recording_id": one.mbid}
         for i, one in enumerate(wanted)],
    )  # fmt: skip
    database = tmp_path / "soulspot.db"
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        slow = {
            "providers__musicbrainz__batch_size": 20,
            "providers__listenbrainz__batch_size": 20,
            "providers__spotify__enabled": False,
            "library__watch": False,
        }
        config = write_config(tmp_path / "config.toml", settings(sandbox, database, **slow))
        started: dict[str, int] = {}
        for kill in range(KILLS):
            async with daemon(config) as running:
                address = (await running.hears("daemon_ready"))["address"]
                async with aiohttp.ClientSession(address) as client:
                    if kill == 0:
                        started["import"] = await begin(client, "import?name=tracks.csv", data=file.read_bytes())
                        started["enrich"] = await begin(client, "enrich", json={"wait": 5})
                await seen(sandbox, len(sandbox.requests) + 3 + 5 * kill, running)
                await running.ends(signal.SIGKILL)
            assert left(database) >= {("enrich", "processing")}, "the kill came while there was work"
        async with daemon(config) as running:
            address = (await running.hears("daemon_ready"))["address"]
            async with aiohttp.ClientSession(address) as client:
                ended = {kind: await end(client, number) for kind, number in started.items()}
                async with client.get("/api/v1/operations") as answer:
                    listed = (await answer.json())["operations"]
            assert await running.ends(signal.SIGTERM) == 0
    assert {one["id"]: one["kind"] for one in listed} == {number: kind for kind, number in started.items()}
    for one in ended.values():
        assert (one["status"], one["is_complete"], one["progress"]) == ("completed", True, 100.0)
        assert (one["total_items"], one["processed_items"]) == (TRACKS, TRACKS)
    assert len(rows(database)) == TRACKS
    assert rows(database, "SELECT count(*) AS n FROM enriched_tracks WHERE status = 'pending'") == [{"n": 0}]
    assert os.listdir(tmp_path / "soulspot.db-uploads") == []


async def test_a_cancelled_operation_stays_cancelled_after_a_kill(tmp_path: Path) -> None:
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        rows_ = write_rows(tmp_path / "rows.csv", [{"title": "Nowhere", "artist": f"{i}"} for i in range(300)])
        async with daemon(config) as running:
            address = (await running.hears("daemon_ready"))["address"]
            async with aiohttp.ClientSession(address) as client:
                await begin(client, "import?name=rows.csv", data=rows_.read_bytes())
                number = await begin(client, "enrich", json={"wait": 86_400})
                async with client.post(f"/api/v1/operations/{number}/cancel") as answer:
                    assert (await answer.json())["status"] == "cancelled"
            await running.ends(signal.SIGKILL)
        async with daemon(config) as running:
            address = (await running.hears("daemon_ready"))["address"]
            async with aiohttp.ClientSession(address) as client:
                assert (await end(client, number))["status"] == "cancelled"
            assert await running.ends(signal.SIGTERM) == 0


async def begin(client: aiohttp.ClientSession, path: str, **how: Any) -> int:
    async with client.post(f"/api/v1/{path}", **how) as answer:
        assert answer.status == 202, await answer.text()
        return int((await answer.json())["operation_id"])


async def end(client: aiohttp.ClientSession, number: int) -> dict[str, Any]:
    """Wait for the operation's end, and return it as its event describes it."""
    async with client.get("/api/v1/events", params={"last_event_id": "0"}) as stream:
        while True:
            async with client.get(f"/api/v1/operations/{number}") as answer:
                found: dict[str, Any] = await answer.json()
            if found["is_complete"]:
                return found
            await heard(stream, lambda line: line == b"event: operation.finished\n")


async def heard(stream: aiohttp.ClientResponse, check: Callable[[bytes], bool]) -> None:
    async for line in stream.content:
        if check(line):
            return
    raise AssertionError("the stream ended")


async def seen(sandbox: Sandbox, count: int, running: Running) -> None:
    """Wait until the services have seen this many requests."""
    while len(sandbox.requests) < count:
        assert running.process.returncode is None
        await asyncio.sleep(0.005)


def left(database: Path) -> set[tuple[str, str]]:
    found = rows(database, "SELECT kind, status FROM batch_operations WHERE status IN ('pending', 'processing')")
    return {(row["kind"], row["status"]) for row in found}
