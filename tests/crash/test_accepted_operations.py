"""What was answered 202 is done, however short the daemon lives and however full its disk is."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.flow.test_daemon import Running, daemon
from tests.flow.test_operations_go_on import begin, end
from tests.support.flow import rows, write_config, write_rows

pytestmark = pytest.mark.process

KINDS = {
    "scan": ("scan", {}),
    "enrich": ("enrich", {"wait": 0}),
    "retry": ("retry", {}),
    "export": ("export", {"format": "csv"}),
    "write_tags": ("write-tags", {}),
}


def configured(tmp_path: Path, **more: Any) -> Path:
    """Return a configuration that asks no service."""
    off = {f"providers.{name}.enabled": False for name in ("musicbrainz", "spotify", "listenbrainz")}
    values = {"database.path": str(tmp_path / "soulspot.db"), "http.listen": "127.0.0.1:0", **off, **more}
    return write_config(tmp_path / "config.toml", values)


def songs(tmp_path: Path, count: int) -> bytes:
    made = [{"key": str(n), "title": f"Song {n}", "artist": f"Artist {n % 900}"} for n in range(count)]
    return write_rows(tmp_path / "songs.csv", made).read_bytes()


def imported_once(database: Path, count: int) -> bool:
    keys = [row["source_key"] for row in rows(database)]
    whole = rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    return whole and sorted(map(int, keys)) == [*range(count)]


@pytest.mark.parametrize(
    ("count", "lives", "longest"), [(2000, 4, 0.3), pytest.param(20_000, 10, 4.5, marks=pytest.mark.long)]
)
@pytest.mark.timeout(240)
async def test_an_accepted_import_survives_short_lives(tmp_path: Path, count: int, lives: int, longest: float) -> None:
    config, database, rng = configured(tmp_path), tmp_path / "soulspot.db", random.Random(count)
    async with daemon(config) as running, await client_of(running) as client:
        number = await begin(client, "import?name=songs.csv", data=songs(tmp_path, count))
        await running.ends(signal.SIGKILL)
    reached = []
    for _ in range(lives):
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            await asyncio.sleep(rng.uniform(0.05, longest))
            await running.ends(signal.SIGKILL)
        [row] = rows(database, "SELECT status, json_extract(place, '$.report.rows') AS place FROM batch_operations")
        assert row["status"] in ("pending", "processing", "completed")
        reached.append(row["place"] or 0)
        assert len(rows(database, "SELECT 1 FROM tracks")) == reached[-1], "rows and place commit together"
    assert reached == sorted(reached), "no life begins again at the first row"
    async with daemon(config) as running, await client_of(running) as client:
        ended = await end(client, number)
        assert await running.ends(signal.SIGTERM) == 0
    assert (ended["status"], ended["processed_items"]) == ("completed", count)
    assert ended["metadata"]["report"].items() >= {"rows": count, "queued": count, "bad": 0}.items()
    assert imported_once(database, count)
    assert os.listdir(tmp_path / "soulspot.db-uploads") == []


@pytest.mark.parametrize("kind", KINDS)
async def test_no_accepted_operation_vanishes_in_short_lives(tmp_path: Path, kind: str) -> None:
    music = tmp_path / "music"
    music.mkdir()
    path, body = KINDS[kind]
    config, database = (
        configured(tmp_path, **{"library.paths": [str(music)], "library.watch": False}),
        tmp_path / "soulspot.db",
    )
    async with daemon(config) as running, await client_of(running) as client:
        # in one go: the operation is hardly begun when its process dies
        number = await begin(client, path, json=body)
        await running.ends(signal.SIGKILL)
    for _ in range(4):
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            await running.ends(signal.SIGKILL)
        [row] = rows(database, f"SELECT kind, status FROM batch_operations WHERE id = {number}")
        assert (row["kind"], row["status"]) in [(kind, status) for status in ("pending", "processing", "completed")]
    async with daemon(config) as running, await client_of(running) as client:
        assert (await end(client, number))["status"] == "completed"
        assert await running.ends(signal.SIGTERM) == 0


async def test_a_full_disk_pauses_an_accepted_import_and_refuses_the_next(tmp_path: Path) -> None:
    count, database = 2500, tmp_path / "soulspot.db"
    body = songs(tmp_path, count)
    async with daemon(configured(tmp_path)) as running, await client_of(running) as client:
        number = await begin(client, "import?name=songs.csv", data=body)
        await reaches(client, number, lambda row: row["processed_items"] >= 500)
        # no file of the process may grow any more: what a disk without room does, and needs no root
        allow(running, 16 << 10)
        paused = await reaches(client, number, lambda row: row["paused"] is not None)
        assert not paused["is_complete"]
        assert "paused: " in paused["paused"]
        assert len(os.listdir(tmp_path / "soulspot.db-uploads")) == 1
        async with client.post("/api/v1/import?name=more.csv", data=body) as answer:
            assert answer.status == 507
            assert "the disk is full" in (await answer.json())["detail"]
        assert len(os.listdir(tmp_path / "soulspot.db-uploads")) == 1
        allow(running, resource.RLIM_INFINITY)
        ended = await end(client, number)
        assert await running.ends(signal.SIGTERM) == 0
    assert (ended["status"], ended["processed_items"]) == ("completed", count)
    assert imported_once(database, count)


async def client_of(running: Running) -> aiohttp.ClientSession:
    return aiohttp.ClientSession((await running.hears("daemon_ready"))["address"])


async def reaches(client: aiohttp.ClientSession, number: int, is_there: Any) -> dict[str, Any]:
    """Follow an operation until its row is as wanted; return that."""
    while True:
        async with client.get(f"/api/v1/operations/{number}") as answer:
            row: dict[str, Any] = await answer.json()
        if is_there(row):
            return row
        assert not row["is_complete"], row


def allow(running: Running, size: int) -> None:
    """Set how many bytes a file of the daemon may have."""
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
