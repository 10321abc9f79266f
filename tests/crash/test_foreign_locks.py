"""Another program locks the database for long: the daemon says so, waits, and goes on by itself."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Faults, Sandbox, invent_catalogue
from tests.flow.test_daemon import Running, daemon
from tests.support.flow import rows, settings, soulspot, write_config, write_rows
from tests.support.until import answered, until

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@asynccontextmanager
async def locked(database: Path) -> AsyncIterator[int]:
    """Hold the write lock in a process of its own; yield its id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDER, str(database), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"locked\n"
    try:
        yield process.pid
    finally:
        await process.communicate(b"")


async def address_of(running: Running) -> str:
    return str((await running.hears("daemon_ready"))["address"])


async def is_refused(session: aiohttp.ClientSession, file: Path, holder: int) -> None:
    """Import while `holder` has the lock: both the upload and the readiness name it."""
    upload = asyncio.create_task(session.post("/api/v1/import?name=tracks.csv", data=file.read_bytes()))
    why = await answered(session, "/readyz", lambda status, text: status == 503)
    assert f"(process {holder}) has kept the lock" in why
    async with await upload as refused:
        assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        assert f"(process {holder}) has locked the database, and nothing was changed" in await refused.text()


@pytest.mark.long
@pytest.mark.process
@pytest.mark.timeout(180)
async def test_a_foreign_lock_of_many_seconds_is_named_and_everything_goes_on_after_it(tmp_path: Path) -> None:
    catalogue = invent_catalogue(3, 300)
    wanted = [one for one in catalogue.recordings if one.title and not one.video][:200]
    file = write_rows(tmp_path / "tracks.csv", [{"mb_recording_id": one.mbid} for one in wanted])
    database = tmp_path / "soulspot.db"
    slowly = Faults(latency=3.0)
    async with Sandbox(catalogue, Behaviour(limits=False, musicbrainz=slowly, listenbrainz=slowly)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, database, providers__spotify__enabled=False))
        async with daemon(config) as running, aiohttp.ClientSession(await address_of(running)) as session:
            async with locked(database) as holder:
                await is_refused(session, file, holder)
                await answered(session, "/metrics", lambda status, text: 'soulspot_alarm{alarm="database"} 1.0' in text)
                assert rows(database, "SELECT * FROM batch_operations") == []
            await answered(session, "/readyz", lambda status, text: status == 200)
            async with session.post("/api/v1/import?name=tracks.csv", data=file.read_bytes()) as accepted:
                assert accepted.status == 202
            # in the middle of the work: the answers arrive while nothing can be written
            await until(lambda: rows(database, "SELECT 1 FROM lookups"))
            async with locked(database) as holder:
                await is_refused(session, file, holder)
            accepted_rows = "SELECT count(*) AS n FROM enriched_tracks WHERE status = 'accepted'"
            await until(lambda: rows(database, accepted_rows) == [{"n": 200}])
            running.process.send_signal(signal.SIGTERM)
            await running.hears("daemon_stopped")
            assert await running.ends() == 0
    assert not [said for said in running.said if "exception" in said or "Traceback" in said.get("text", "")]
    assert rows(database, "SELECT status FROM batch_operations WHERE kind = 'import'") == [{"status": "completed"}]
    assert rows(
        database, "SELECT sum(attempts) AS n, count(*) - count(nullif(state, 'leased')) AS leased FROM lookups"
    ) == [{"n": 0, "leased": 0}]


@pytest.mark.process
async def test_sigterm_ends_a_daemon_that_another_program_locks_out(tmp_path: Path) -> None:
    database = tmp_path / "soulspot.db"
    async with Sandbox(invent_catalogue(3, 20), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, database))
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            async with locked(database), asyncio.timeout(20):  # systemd would kill it later
                running.process.send_signal(signal.SIGTERM)
                await running.hears("daemon_stopped")
                assert await running.ends() == 0
    assert not [said for said in running.said if "exception" in said]


@pytest.mark.long
@pytest.mark.process
async def test_a_command_that_is_locked_out_says_by_whom_and_exits_75(tmp_path: Path) -> None:
    database = tmp_path / "soulspot.db"
    file = write_rows(tmp_path / "tracks.csv", [{"title": "Blue Hour", "artist": "Some"}])
    async with Sandbox(invent_catalogue(3, 20), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, database))
        assert (await soulspot("import", file, "--config", config)).code == 0
        async with locked(database) as holder:
            ended = await soulspot("import", file, "--config", config)
    assert ended.code == 75
    assert f"(process {holder}) has locked the database" in ended.err
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM tracks").fetchone() == (1,)
