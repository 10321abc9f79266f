"""The daemon as a real process: it starts once, works, answers, reloads, and stops on SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from soulspot.store.ownership import read_owner
from tests.support.flow import rows, settings, soulspot, start, write_config, write_rows

pytestmark = pytest.mark.process


class Running:
    """A daemon process and the lines of its log."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[dict[str, Any]] = []

    async def hears(self, event: str, check: Callable[[dict[str, Any]], bool] = lambda said: True) -> dict[str, Any]:
        """Wait for the next line of the log with this event, and return it."""
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            try:
                said = json.loads(line)
            except ValueError:
                said = {"event": "not JSON", "text": line.decode()}
            self.said.append(said)
            if said.get("event") == event and check(said):
                return said
        raise AssertionError(f"the daemon ended before {event}: {self.said}")

    async def ends(self, number: signal.Signals | None = None) -> int:
        if number is not None:
            self.process.send_signal(number)
        await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def daemon(config: Path) -> AsyncIterator[Running]:
    running = Running(await start("daemon", "--config", config))
    try:
        yield running
    finally:
        if running.process.returncode is None:
            running.process.kill()
            await running.process.communicate()


async def test_the_daemon_enriches_the_library_and_answers_http(tmp_path: Path) -> None:
    catalogue = invent_catalogue(4, 1500)
    music, database = tmp_path / "music", tmp_path / "soulspot.db"
    sample = write_sample_library(catalogue, music, seed=4, tracks=20)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, database, library__paths=[str(music)], scheduler__summary=0.2)
        config = write_config(tmp_path / "config.toml", values)
        async with daemon(config) as running:
            ready = await running.hears("daemon_ready")
            await running.hears("operation_finished", lambda said: said["kind"] == "scan")
            async with aiohttp.ClientSession(ready["address"]) as client:
                async with client.get("/healthz") as answer:
                    assert answer.status == 200
                async with client.get("/readyz") as answer:
                    assert answer.status == 200
            ended = await soulspot("enrich", "--config", config, "--json")
            assert ended.code == 0, ended.err
            status = await soulspot("status", "--config", config, "--json")
            assert status.json["daemon"] == ready["address"]
            assert status.json["tracks"]["total"] == len(sample)
            assert status.json["tracks"].get("pending", 0) == 0
            assert await running.ends(signal.SIGTERM) == 0
    right = {file.recording_mbid for file in sample}
    found = [row["mb_recording_id"] for row in rows(database) if row["status"] == "accepted"]
    assert len(found) >= 0.8 * len(sample)
    assert set(found) <= right | {None}


async def test_scan_and_import_reach_the_running_daemon(tmp_path: Path) -> None:
    catalogue = invent_catalogue(4, 1500)
    music, database = tmp_path / "music", tmp_path / "soulspot.db"
    write_sample_library(catalogue, music, seed=4, tracks=20)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, database, library__paths=[str(music)], library__watch=False)
        config = write_config(tmp_path / "config.toml", values)
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            await running.hears("operation_finished", lambda said: said["kind"] == "scan")
            write_sample_library(catalogue, music / "more", seed=5, tracks=12)
            scanned = await soulspot("scan", "--config", config, "--json")
            assert scanned.code == 0, scanned.err
            assert scanned.json["found"] == 32
            assert scanned.json["read"] == 12
            outside = await soulspot("scan", tmp_path, "--config", config)
            assert outside.code == 2
            assert "outside the configured library" in outside.err
            file = write_rows(tmp_path / "ids.csv", [{"key": "a", "isrc": catalogue.recordings[0].isrcs[0]}])
            imported = await soulspot("import", file, "--config", config, "--json")
            assert imported.json == {"rows": 1, "queued": 1, "bad": 0}
            assert await running.ends(signal.SIGTERM) == 0
    assert len(rows(database)) == 33
    assert rows(database, "SELECT kind, status FROM batch_operations WHERE kind != 'scan'") == [
        {"kind": "import", "status": "completed"}
    ]


async def test_a_second_daemon_exits_75_and_a_killed_one_frees_the_database(tmp_path: Path) -> None:
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        async with daemon(config) as first:
            await first.hears("daemon_ready")
            async with daemon(config) as second:
                assert await second.ends() == 75
            await first.ends(signal.SIGKILL)
        assert read_owner(tmp_path / "db") is None
        async with daemon(config) as third:
            await third.hears("daemon_ready")
            assert await third.ends(signal.SIGTERM) == 0


@pytest.mark.parametrize("way", ["symbolic link", "hard link", "lock file deleted"])
async def test_a_second_daemon_exits_75_and_names_the_first_by_whichever_name_it_opens_the_database(
    tmp_path: Path, way: str
) -> None:
    database, other = tmp_path / "db", tmp_path / "elsewhere" / "other"
    other.parent.mkdir()
    values = {"database.path": str(database), "http.listen": "127.0.0.1:0", "providers.musicbrainz.enabled": False}
    async with daemon(write_config(tmp_path / "one.toml", values)) as first:
        await first.hears("daemon_ready")
        if way == "symbolic link":
            other.symlink_to(database)
        elif way == "hard link":
            other.hardlink_to(database)
        else:
            (tmp_path / "db.lock").unlink()
            other = database
        config = write_config(tmp_path / "two.toml", {**values, "database.path": str(other)})
        ended = await soulspot("daemon", "--config", config)
        assert (ended.code, ended.out) == (75, "")
        assert f"(process {first.process.pid}) is running on this database" in ended.err
        assert await first.ends(signal.SIGTERM) == 0
    assert rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


async def test_sighup_applies_reloadable_keys_and_names_those_that_need_a_restart(tmp_path: Path) -> None:
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "db")
        config = write_config(tmp_path / "config.toml", values)
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            changed = {
                "providers.musicbrainz.rate": 7.0,
                "matching.accept": 0.95,
                "http.listen": "127.0.0.1:1",
            }
            write_config(config, values | changed)
            running.process.send_signal(signal.SIGHUP)
            said = await running.hears("reloaded")
            assert set(said["applied"]) == {"providers.musicbrainz.rate", "matching.accept"}
            assert said["needs_restart"] == ["http.listen"]
            write_config(config, values | changed | {"limits.memory_mb": 1, "alarms.low_rate": 0.5})
            running.process.send_signal(signal.SIGHUP)
            alarm = await running.hears("alarm")
            assert (alarm["alarm"], "allows 1" in alarm["why"]) == ("memory_high", True)
            said = await running.hears("reloaded")
            assert set(said["applied"]) == {"limits.memory_mb", "alarms.low_rate"}
            assert said["needs_restart"] == ["http.listen"]  # still
            write_config(config, values | {"matching.accept": "high"})
            running.process.send_signal(signal.SIGHUP)
            said = await running.hears("reload_failed")
            assert any("matching.accept" in problem for problem in said["problems"])
            assert await running.ends(signal.SIGTERM) == 0


async def test_a_log_file_that_cannot_be_opened_keeps_the_old_settings_and_the_next_sighup_is_heard(
    tmp_path: Path,
) -> None:
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "db")
        config = write_config(tmp_path / "config.toml", values)
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            absent = {"log.file": str(tmp_path / "no" / "such" / "x.log"), "matching.accept": 0.95}
            write_config(config, values | absent)
            running.process.send_signal(signal.SIGHUP)
            said = await running.hears("reload_failed")
            assert "log.file" in said["problems"][0]
            write_config(config, values | {"matching.accept": 0.95})
            running.process.send_signal(signal.SIGHUP)
            assert (await running.hears("reloaded"))["applied"] == ["matching.accept"]
            assert await running.ends(signal.SIGTERM) == 0


async def test_sigterm_ends_the_daemon_in_time_although_a_service_hangs_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    catalogue = invent_catalogue(2, 400)
    behaviour = Behaviour(limits=False)
    behaviour.update({"listenbrainz": {"latency": 600.0}, "musicbrainz": {"latency": 600.0}})
    ids = [{"mb_recording_id": one.mbid} for one in catalogue.recordings[:50]]
    database = tmp_path / "db"
    async with Sandbox(catalogue, behaviour) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, database))
        await soulspot("import", write_rows(tmp_path / "ids.csv", ids), "--config", config)
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            while not rows(database, "SELECT 1 FROM lookups WHERE state = 'leased'"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            loop = asyncio.get_running_loop()
            told = loop.time()
            assert await running.ends(signal.SIGTERM) == 0
            assert loop.time() - told < 20
    assert {row["state"] for row in rows(database, "SELECT state FROM lookups")} == {"pending"}
    assert {row["attempts"] for row in rows(database, "SELECT attempts FROM lookups")} == {0}


async def test_systemd_hears_that_the_daemon_is_ready_alive_and_stopping(tmp_path: Path) -> None:
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.bind(str(tmp_path / "notify"))
    channel.settimeout(30)
    os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"] = str(tmp_path / "notify"), "300000"
    try:
        async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
            config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
            async with daemon(config) as running:
                heard = [await asyncio.to_thread(channel.recv, 4096) for _ in range(4)]
                # the check of the database may take longer than the unit allows for the start
                assert heard.pop(0).startswith(b"EXTEND_TIMEOUT_USEC=")
                assert heard[0].startswith(b"READY=1\nSTATUS=listening on http://127.0.0.1:")
                assert heard[1:] == [b"WATCHDOG=1", b"WATCHDOG=1"]
                assert await running.ends(signal.SIGTERM) == 0
                while (last := await asyncio.to_thread(channel.recv, 4096)) == b"WATCHDOG=1":
                    continue
                assert last == b"STOPPING=1"
    finally:
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
        channel.close()


async def test_a_wrong_configuration_names_every_problem_and_exits_78(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[library]\npaths = ["/no/such/folder"]\nwatchh = true\n[providers.musicbrainz]\nrate = "fast"\n',
        encoding="utf-8",
    )
    ended = await soulspot("daemon", "--config", config)
    assert ended.code == 78
    for key in (
        "library.paths",
        "library.watchh",
        "providers.musicbrainz.rate",
        "providers.musicbrainz.contact",
    ):
        assert key in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can show what root is told")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a daemon as root")
async def test_the_daemon_refuses_to_run_as_root_unless_it_is_told_and_no_other_command_does(tmp_path: Path) -> None:
    values = {
        "database.path": str(tmp_path / "db"),
        "http.listen": "127.0.0.1:0",
        "providers.musicbrainz.enabled": False,
    }
    config, no = write_config(tmp_path / "config.toml", values), {"SOULSPOT_DAEMON__ALLOW_ROOT": ""}
    ended = await soulspot("daemon", "--config", config, **no)
    assert (ended.code, ended.out) == (78, "")
    assert "daemon.allow_root" in ended.err
    assert not (tmp_path / "db").exists()
    assert (await soulspot("enrich", "--config", config, "--wait", "0", **no)).code == 0
    write_config(config, {**values, "daemon.allow_root": True})
    running = Running(await start("daemon", "--config", config, **no))
    await running.hears("daemon_ready")
    assert await running.ends(signal.SIGTERM) == 0


async def test_an_address_in_use_is_a_configuration_problem(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
            values = settings(sandbox, tmp_path / "db", http__listen=address)
            config = write_config(tmp_path / "config.toml", values)
            ended = await soulspot("daemon", "--config", config)
    assert ended.code == 78
    assert f"http.listen: cannot listen on {address}" in ended.err
    assert "another program" in ended.err
