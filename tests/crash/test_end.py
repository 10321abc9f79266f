"""The end of the daemon, as a real process: in time whatever hangs, and with nothing lost."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.support.daemons import daemon
from tests.support.flow import rows, settings, soulspot, write_config, write_rows

pytestmark = pytest.mark.process

SOON = "import soulspot.daemon.ending as ending; ending.ENDS_WITHIN = 2.0\n"
# what hangs: a thread of the loop, the loop itself, the writer of the database
STUCK_THREAD = """
import os, soulspot.daemon.systemd as systemd
from asyncio import get_running_loop
def spin():
    open(os.environ["HANGS"], "w").close()
    while True: pass
systemd.ready = lambda status: get_running_loop().run_in_executor(None, spin)
"""
BLOCKED_LOOP = """
import os, soulspot.daemon.systemd as systemd
from asyncio import get_running_loop
def spin():
    open(os.environ["HANGS"], "w").close()
    while True: pass
systemd.ready = lambda status: get_running_loop().call_later(0.2, spin)
"""
STUCK_WRITER = """
import os, threading, soulspot.daemon.systemd as systemd, soulspot.store.database as database
from asyncio import ensure_future
opened = []
first = database.Database.__init__
def init(self, path):
    first(self, path)
    opened.append(self)
database.Database.__init__ = init
def stand():
    open(os.environ["HANGS"], "w").close()
    threading.Event().wait()
systemd.ready = lambda status: opened[0]._writer.submit(stand)
"""
# a database that takes its time to be opened: a migration, a check of a large file
SLOW_START = """
import time, soulspot.store.database as database
first = database.Database.__init__
def init(self, path):
    (path.parent / "opening").touch()
    time.sleep(1.5)
    first(self, path)
database.Database.__init__ = init
"""


def config_of(tmp_path: Path, sandbox: Sandbox, **more: object) -> Path:
    return write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db", **more))


@pytest.mark.parametrize(
    ("hanging", "what"),
    [(STUCK_THREAD, "spin"), (BLOCKED_LOOP, "spin"), (STUCK_WRITER, "wait")],
    ids=["thread", "loop", "writer"],
)
async def test_the_daemon_ends_in_time_although_something_never_ends_and_says_what(
    tmp_path: Path, hanging: str, what: str
) -> None:
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        config = config_of(tmp_path, sandbox)
        hangs = tmp_path / "hangs"
        async with daemon(config, {"HANGS": str(hangs)}, prepare=SOON + hanging) as running:
            await running.says("daemon_ready")
            while not hangs.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert await running.ends(signal.SIGTERM, 15) == 1
            (told,) = running.said("daemon_cut_off")
    assert any(what in call for calls in told["still_running"].values() for call in calls)
    assert rows(tmp_path / "db", "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


async def test_the_log_says_that_the_daemon_stops_before_it_has_stopped(tmp_path: Path) -> None:
    async with (
        Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox,
        daemon(config_of(tmp_path, sandbox)) as running,
    ):
        await running.says("daemon_ready")
        assert await running.ends(signal.SIGTERM) == 0
        assert len(running.said("daemon_stopping")) == len(running.said("daemon_stopped")) == 1


async def test_a_sigterm_during_the_start_is_not_lost(tmp_path: Path) -> None:
    async with (
        Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox,
        daemon(config_of(tmp_path, sandbox), prepare=SLOW_START) as running,
    ):
        while not (tmp_path / "opening").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert await running.ends(signal.SIGTERM) == 0
        assert running.said("daemon_stopping")[0]["is_ready"] is False


async def test_a_second_sigterm_exits_at_once_and_loses_nothing(tmp_path: Path) -> None:
    catalogue = invent_catalogue(2, 400)
    behaviour = Behaviour(limits=False)
    behaviour.update({"listenbrainz": {"latency": 600.0}, "musicbrainz": {"latency": 600.0}})
    ids = [{"mb_recording_id": one.mbid} for one in catalogue.recordings[:50]]
    async with Sandbox(catalogue, behaviour) as sandbox:
        config = config_of(tmp_path, sandbox)
        await soulspot("import", write_rows(tmp_path / "ids.csv", ids), "--config", config)
        async with daemon(config) as running:
            await running.says("daemon_ready")
            while not rows(tmp_path / "db", "SELECT 1 FROM lookups WHERE state = 'leased'"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            running.process.send_signal(signal.SIGTERM)
            await running.says("daemon_stopping")
            assert await running.ends(signal.SIGTERM, 5) == 130
    assert len(rows(tmp_path / "db", "SELECT 1 FROM lookups")) >= 50
    assert rows(tmp_path / "db", "PRAGMA integrity_check") == [{"integrity_check": "ok"}]
