"""The watchdog is honest: it hears of a daemon that lives, and of no other. Real processes."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.store.ownership import read_owner
from tests.support.daemons import Daemon, daemon
from tests.support.flow import settings, write_config
from tests.support.notified import Systemd

pytestmark = pytest.mark.process

INTERVAL = 1.0
ROW = b"key,isrc\n1,GBAYE0000001\n"

# Each runs in the loop as soon as the daemon is ready, when the file "now" appears.
WHEN_TOLD = (
    f"import soulspot.pipeline.status as status; status.STUCK_AFTER = {INTERVAL}"
    + """
import asyncio, os, threading, soulspot.daemon.systemd as systemd, soulspot.store.database as database
opened, first, ready = [], database.Database.__init__, systemd.ready
def init(self, path):
    first(self, path)
    opened.append(self)
database.Database.__init__ = init
async def wait():
    while not os.path.exists(os.environ["NOW"]):
        await asyncio.sleep(0.01)
    act()
def on_ready(status):
    ready(status)
    systemd.task = asyncio.ensure_future(wait())
systemd.ready = on_ready
"""
)
BLOCK_THE_LOOP = WHEN_TOLD + "import time\ndef act(): time.sleep(3600)\n"
FILL_THE_DISK = WHEN_TOLD + "def act(): opened[0]._connection.execute('PRAGMA max_page_count = 1')\n"
HANG_THE_DISK = WHEN_TOLD + "def act(): opened[0]._writer.submit(threading.Event().wait)\n"
END_A_PUMP = WHEN_TOLD + (
    "def act(): [task.cancel() for task in asyncio.all_tasks() if task.get_name() == 'pump-musicbrainz']\n"
)


class Watched:
    """A daemon under the eyes of a service manager."""

    def __init__(self, running: Daemon, systemd: Systemd, tmp_path: Path, client: aiohttp.ClientSession) -> None:
        self.running, self.systemd, self.client = running, systemd, client
        self.database, self._now = tmp_path / "db", tmp_path / "now"

    def act(self) -> None:
        self._now.touch()

    async def post(self) -> None:
        with suppress(aiohttp.ClientError, TimeoutError):
            timeout = aiohttp.ClientTimeout(60)
            async with self.client.post("/api/v1/import?name=one.csv", data=ROW, timeout=timeout) as answer:
                await answer.read()

    async def health(self, path: str = "/healthz") -> tuple[int, str]:
        async with self.client.get(path, timeout=aiohttp.ClientTimeout(10)) as answer:
            body = await answer.json()
            return answer.status, body.get("detail", "")

    async def falls_silent(self) -> str:
        """Wait until health says why the daemon does not live; check that systemd hears nothing."""
        async with asyncio.timeout(60):
            while (told := await self.health())[0] == 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await self.running.says("watchdog_not_pinged")
        self.systemd.forget()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.systemd.hears(b"WATCHDOG=1"), 2 * INTERVAL)
        assert (await self.health("/readyz"))[0] == 503
        return told[1]


@asynccontextmanager
async def watched(tmp_path: Path, prepare: str = WHEN_TOLD) -> AsyncIterator[Watched]:
    systemd = Systemd(tmp_path / "notify", INTERVAL)
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        environment = systemd.environment | {"NOW": str(tmp_path / "now")}
        with closing(systemd):
            async with daemon(config, environment, prepare=prepare) as running:
                await systemd.hears(b"READY=1")
                owner = read_owner(tmp_path / "db")
                assert owner is not None
                async with aiohttp.ClientSession(owner.address) as client:
                    await systemd.hears(b"WATCHDOG=1", 2)
                    yield Watched(running, systemd, tmp_path, client)


@pytest.mark.long
async def test_a_foreign_lock_that_outlasts_the_interval_silences_the_watchdog_until_it_is_gone(
    tmp_path: Path,
) -> None:
    async with watched(tmp_path) as one:
        with closing(sqlite3.connect(one.database, isolation_level=None)) as foreign:
            foreign.execute("BEGIN IMMEDIATE")
            posting = asyncio.create_task(one.post())
            assert "neither read nor written" in await one.falls_silent()
            foreign.execute("ROLLBACK")
        await one.systemd.hears(b"WATCHDOG=1", 2)
        await posting
        assert await one.health() == (200, "")
        assert await one.running.ends(signal.SIGTERM) == 0


async def test_a_disk_that_hangs_silences_the_watchdog(tmp_path: Path) -> None:
    async with watched(tmp_path, HANG_THE_DISK) as one:
        one.act()
        posting = asyncio.create_task(one.post())
        assert str(one.database) in await one.falls_silent()
        posting.cancel()


async def test_a_pump_that_has_ended_silences_the_watchdog(tmp_path: Path) -> None:
    async with watched(tmp_path, END_A_PUMP) as one:
        one.act()
        assert "pump-musicbrainz" in await one.falls_silent()


async def test_a_blocked_loop_silences_the_watchdog(tmp_path: Path) -> None:
    async with watched(tmp_path, BLOCK_THE_LOOP) as one:
        one.act()
        with suppress(aiohttp.ClientError, TimeoutError):
            while True:  # until the loop is blocked and answers no more
                async with asyncio.timeout(3 * INTERVAL):
                    await one.health()
        one.systemd.forget()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.systemd.hears(b"WATCHDOG=1"), 2 * INTERVAL)


async def test_a_full_disk_is_a_pause_that_the_watchdog_lets_pass(tmp_path: Path) -> None:
    async with watched(tmp_path, FILL_THE_DISK) as one:
        one.act()
        async with asyncio.timeout(60):
            while (await one.health("/readyz"))[0] == 200:
                await one.post()
        assert await one.health("/readyz") == (503, "the disk is full")
        one.systemd.forget()
        await one.systemd.hears(b"WATCHDOG=1", 6)
        assert await one.health() == (200, "")
