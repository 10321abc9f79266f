"""A daemon whose files are lost or damaged says so, accepts nothing, and saves what it can."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.store.ownership import Ownership
from tests.flow.test_daemon import Running, daemon
from tests.support.flow import Ended, rows, settings, soulspot, write_config, write_rows
from tests.support.until import answered, until

pytestmark = [pytest.mark.process, pytest.mark.timeout(120)]

TRACKS = 60
DONE = "SELECT 1 FROM batch_operations WHERE kind = 'import' AND status = 'completed'"


@asynccontextmanager
async def working(tmp_path: Path) -> AsyncIterator[tuple[Running, aiohttp.ClientSession, Path, Path]]:
    """Yield a daemon that has imported some tracks, a client, its configuration, its database."""
    catalogue = invent_catalogue(3, 200)
    wanted = [one for one in catalogue.recordings if one.title and not one.video][:TRACKS]
    file = write_rows(tmp_path / "tracks.csv", [{"mb_recording_id": one.mbid} for one in wanted])
    database = tmp_path / "data" / "soulspot.db"
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, database, providers__spotify__enabled=False))
        async with daemon(config) as running:
            address = (await running.hears("daemon_ready"))["address"]
            async with aiohttp.ClientSession(address) as session:
                async with session.post("/api/v1/import?name=tracks.csv", data=file.read_bytes()) as accepted:
                    assert accepted.status == 202
                await until(lambda: rows(database, DONE))
                yield running, session, config, database


async def refused(session: aiohttp.ClientSession) -> str:
    """Return why nothing is accepted."""
    async with session.post("/api/v1/import?name=more.csv", data=b"title,artist\nBlue Hour,The Lanterns\n") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"]
        return str((await answer.json())["detail"])


async def stopped(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    await running.hears("daemon_stopped")
    assert await running.ends() == 0
    assert not [said for said in running.said if "Traceback" in str(said)]


def count(database: Path) -> int:
    return int(rows(database, "SELECT count(*) AS n FROM tracks")[0]["n"])


async def command(*arguments: str | Path, config: Path) -> Ended:
    return await soulspot(*arguments, "--config", config)


async def test_a_database_that_is_deleted_under_the_daemon_is_saved_refused_and_restored(tmp_path: Path) -> None:
    async with working(tmp_path) as (running, session, config, database):
        for suffix in ("", "-wal", "-shm"):
            database.with_name(database.name + suffix).unlink()
        assert "removed or replaced while SoulSpot works on it" in await answered(
            session, "/readyz", lambda status, text: status == 503
        )
        assert "removed or replaced" in await refused(session)
        await answered(session, "/metrics", lambda status, text: 'soulspot_alarm{alarm="database"} 1.0' in text)
        [rescued] = await until(lambda: [*database.parent.glob("soulspot.db.rescued-*")])
        assert f"soulspot restore {rescued}" in await answered(
            session, "/readyz", lambda status, text: "restore" in text
        )
        assert not database.exists()
        assert (await command("restore", rescued, config=config)).code == 75  # the daemon still runs
        await stopped(running)
        again = await command("daemon", config=config)
        assert again.code == 78
        assert f"soulspot restore {rescued}" in again.err
        assert not database.exists()
        restored = await command("restore", rescued, "--json", config=config)
        assert (restored.code, restored.json["tracks"]) == (0, TRACKS), restored.err
    assert count(database) == TRACKS
    assert rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


async def test_a_log_that_is_overwritten_under_the_daemon_is_not_folded_into_the_database(tmp_path: Path) -> None:
    async with working(tmp_path) as (running, session, config, database):
        log = database.with_name(database.name + "-wal")
        log.write_bytes(bytes(log.stat().st_size))
        before = database.read_bytes()
        # unless a read has come upon it first
        await answered(session, "/readyz", lambda status, text: status == 503 and "soulspot recover" in text)
        assert "`soulspot recover` saves what can be read" in await refused(session)
        await stopped(running)
        assert database.read_bytes() == before
        again = await command("enrich", "--wait", "1", config=config)
        assert again.code == 78
        assert "changes are missing" in again.err


async def test_a_damaged_page_is_refused_at_the_start_and_the_rest_is_recovered(tmp_path: Path) -> None:
    async with working(tmp_path) as (running, _, config, database):
        await stopped(running)
        with closing(sqlite3.connect(database)) as connection:
            [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'facts'").fetchone()
        damaged = bytearray(database.read_bytes())
        damaged[(root - 1) * 4096 : root * 4096] = os.urandom(4096)
        database.write_bytes(damaged)
        for arguments in (("daemon",), ("enrich", "--wait", "1"), ("backup", tmp_path / "backup.db")):
            ended = await command(*arguments, config=config)
            assert ended.code == 78, ended.err
        assert "soulspot recover" in (await command("daemon", config=config)).err
        saved = tmp_path / "saved.db"
        ended = await command("recover", "--out", saved, "--json", config=config)
        assert (ended.code, ended.json["tables"]["tracks"]) == (1, {"saved": TRACKS, "lost": 0}), ended.err
        assert database.read_bytes() == bytes(damaged)
        assert (await command("recover", "--out", saved, config=config)).code == 2
        assert (await command("restore", saved, config=config)).code == 0
        ended = await command("enrich", "--wait", "5", "--json", config=config)
        assert ended.code == 0, ended.err
    assert count(database) == TRACKS
    [kept] = database.parent.glob("soulspot.db.replaced-*")
    assert kept.read_bytes() == bytes(damaged)


async def test_a_backup_beside_the_daemon_is_complete_and_brings_it_all_back(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    async with working(tmp_path) as (running, _, config, database):
        made = await command("backup", copy, "--json", config=config)
        assert (made.code, made.json["tracks"]) == (0, TRACKS), made.err
        assert (await command("backup", copy, config=config)).code == 2
        assert (await command("backup", copy, "--force", config=config)).code == 0
        assert (await command("backup", database, "--force", config=config)).code == 2
        assert (await command("restore", copy, config=config)).code == 75
        await stopped(running)
        shutil.rmtree(database.parent)
        restored = await command("restore", copy, "--json", config=config)
        assert (restored.code, restored.json["kept"]) == (0, None), restored.err
        async with daemon(config) as second:
            await second.hears("daemon_ready")
            await stopped(second)
    assert count(database) == count(copy) == TRACKS


async def test_no_command_restores_or_recovers_what_another_process_works_on(tmp_path: Path) -> None:
    database = tmp_path / "soulspot.db"
    async with Sandbox(invent_catalogue(3, 20), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, database))
        await command("enrich", "--wait", "0", config=config)
        shutil.copy(database, tmp_path / "copy.db")
        with Ownership(database):
            for arguments in (("restore", tmp_path / "copy.db"), ("recover",)):
                ended = await command(*arguments, config=config)
                assert ended.code == 75, ended.err
