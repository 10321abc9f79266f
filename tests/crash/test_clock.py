"""A daemon whose wall clock is set, as a real process: it works on, and keeps no time of the
future."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.store.ownership import read_owner
from tests.support.daemons import daemon
from tests.support.flow import rows, settings, write_config
from tests.support.notified import Systemd

HOUR, CENTURY = 3600, 73 * 365 * 86_400

# Loaded by Python before the program: the wall clock is as far off as the file says. The monotonic
# clock stays, as it does when an administrator or NTP sets the time. (Compiled libraries crash when
# the class datetime is replaced for everybody.)
SITE = """
import datetime, os, time
import apscheduler.schedulers.base, apscheduler.triggers.interval
true_time, file = time.time, os.environ["CLOCK_FILE"]
def set_time():
    with open(file) as read:
        return true_time() + float(read.read() or 0)
class SetClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(set_time(), tz)
time.time = set_time
apscheduler.schedulers.base.datetime = apscheduler.triggers.interval.datetime = SetClock
"""


class Clock:
    """The wall clock of the processes started with `environment`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        self._file = folder / "offset"
        self.set(0)
        self.environment = {
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), "CLOCK_FILE": str(self._file),
        }  # fmt: skip

    def set(self, seconds: float) -> None:
        """Let the wall clock be off by this many seconds."""
        new = self._file.with_suffix(".new")
        new.write_text(str(seconds), encoding="utf-8")
        new.replace(self._file)


async def accepted(database: Path, count: int) -> None:
    async with asyncio.timeout(30):
        while len(rows(database, "SELECT 1 FROM enriched_tracks WHERE status = 'accepted'")) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def clamped(database: Path) -> None:
    latest = "SELECT max(max(due_at), max(coalesce(answered_at, ''))) AS at FROM lookups"
    soon = time.strftime("%Y", time.gmtime(time.time() + 400 * 86_400))
    async with asyncio.timeout(30):
        while rows(database, latest)[0]["at"] > soon:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.process
async def test_a_daemon_lives_and_works_on_when_the_clock_is_set_back_ahead_and_right_again(tmp_path: Path) -> None:
    catalogue = invent_catalogue(2, 300)
    ids = [one.mbid for one in catalogue.recordings if one.title and not one.video]
    database, clock, systemd = tmp_path / "db", Clock(tmp_path / "site"), Systemd(tmp_path / "notify", 0.6)
    done = 0
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        more: dict[str, Any] = {"providers__spotify__enabled": False, "scheduler__flush_interval": 0.1}
        config = write_config(tmp_path / "config.toml", settings(sandbox, database, **more))
        with closing(systemd):
            async with daemon(config, clock.environment | systemd.environment) as running:
                await systemd.hears(b"READY=1")
                owner = read_owner(database)
                assert owner is not None
                async with aiohttp.ClientSession(owner.address) as client:
                    for offset in (0, -HOUR, 0, 4 * HOUR, CENTURY, 0):
                        clock.set(offset)
                        systemd.forget()
                        await systemd.hears(b"WATCHDOG=1", 3)
                        row = f"key,mb_recording_id\n{done},{ids[done]}\n".encode()
                        async with client.post("/api/v1/import?name=one.csv", data=row) as answer:
                            assert answer.status == 202
                        done += 1
                        await accepted(database, done)
                        async with client.get("/healthz", timeout=aiohttp.ClientTimeout(10)) as answer:
                            assert answer.status == 200
                    assert rows(database, "SELECT min(event_id) AS first FROM events") == [{"first": 1}]
                    await clamped(database)
                assert await running.ends(signal.SIGTERM) == 0
