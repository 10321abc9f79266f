"""One configuration names one database: commands find its daemon before they open anything, and
refuse beside a daemon of another database."""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from tests.flow.test_daemon import Running, daemon
from tests.support.flow import Ended, rows, settings, soulspot, write_config

pytestmark = pytest.mark.process

# every command that works on a database, with arguments that get it as far as the database
COMMANDS = (
    ("status",), ("status", "--unreadable"), ("check",), ("check", "--plan"), ("scan",), ("retry",), ("report",),
    ("enrich", "--wait", "0"), ("enrich", "--dry-run"), ("import", "songs.csv"), ("review", "list"),
    ("review", "accept", "1"), ("export",), ("write-tags",), ("write-tags", "--apply"), ("write-tags", "--list"),
    ("webhooks", "status"), ("backup", "copy.db"),
)  # fmt: skip


@dataclass
class Place:
    """A running daemon at a fixed address, and a folder for configurations beside its own."""

    folder: Path
    sandbox: Sandbox
    running: Running
    address: str

    def config(self, name: str, database: Path, **more: object) -> Path:
        values = settings(
            self.sandbox, database, http__listen=self.address, library__paths=[str(self.folder / "music")],
            webhooks__url="https://example.org/", webhooks__secret="whsec_" + "A" * 32, **more,
        )  # fmt: skip
        return write_config(self.folder / name, values)

    async def run(self, *arguments: str | Path, config: Path) -> Ended:
        return await soulspot(*arguments, "--config", config, cwd=self.folder)


@asynccontextmanager
async def place(tmp_path: Path, **more: object) -> AsyncIterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    catalogue = invent_catalogue(3, 300)
    write_sample_library(catalogue, tmp_path / "music", seed=3, tracks=20)
    (tmp_path / "songs.csv").write_text("title,artist\nPopcorn,Nobody\n")
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        made = Place(tmp_path, sandbox, None, address)  # type: ignore[arg-type]
        async with daemon(made.config("daemon.toml", tmp_path / "daemon.db", **more)) as made.running:
            await made.running.hears("daemon_ready")
            await made.running.hears("operation_finished", lambda said: said["kind"] == "scan")
            yield made


@pytest.mark.timeout(120)
async def test_no_command_opens_a_second_queue_beside_the_daemon_at_its_address(tmp_path: Path) -> None:
    async with place(tmp_path, providers__musicbrainz__enabled=False) as there:
        other = there.folder / "data" / "other.db"
        config = there.config("other.toml", other)
        for command in COMMANDS:
            ended = await there.run(*command, config=config)
            assert ended.code == 78, (command, ended.out, ended.err)
            said = ended.err + ended.out
            assert str(there.folder / "daemon.db") in said, (command, said)
            assert str(other) in said, (command, said)
            assert "set another http.listen" in said, (command, said)
            assert "Traceback" not in said, (command, said)
        assert not other.parent.exists()
        assert not [one for one in there.sandbox.requests if one.service == "musicbrainz"]
        assert await there.running.ends(signal.SIGTERM) == 0


@pytest.mark.timeout(120)
async def test_commands_find_their_daemon_by_its_address_when_its_lock_file_is_lost(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        config, link = there.folder / "daemon.toml", there.folder / "by-another-name.db"
        (there.folder / "daemon.db.lock").unlink()
        link.symlink_to(there.folder / "daemon.db")
        for one in (config, there.config("link.toml", link)):
            status = await there.run("status", "--json", config=one)
            assert (status.code, status.json["daemon"]) == (0, f"http://{there.address}"), status.err
            assert status.json["database"]["path"] == str(there.folder / "daemon.db")
        enriched = await there.run("enrich", "--json", config=config)
        assert enriched.code == 0, enriched.err
        assert (await there.run("import", "songs.csv", config=config)).code == 0
        assert (await there.run("scan", "--json", config=config)).json["found"] == 20
        assert (await there.run("check", config=config)).out.count(str(there.running.process.pid)) == 1
        unreadable = await there.run("status", "--unreadable", "--json", config=config)
        assert unreadable.json == [
            {"path": row["path"].decode(), "reason": row["unreadable"]}
            for row in rows(there.folder / "daemon.db", "SELECT path, unreadable FROM tracks WHERE unreadable > ''")
        ]
        assert await there.running.ends(signal.SIGTERM) == 0


@pytest.mark.timeout(120)
async def test_another_address_is_another_daemon_s_and_both_work(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        config = there.config("other.toml", there.folder / "other.db", providers__musicbrainz__enabled=False)
        config.write_text(config.read_text().replace(there.address, "127.0.0.1:0"))
        ended = await there.run("enrich", "--json", "--wait", "0", config=config)
        assert ended.json["database"] == str(there.folder / "other.db")
        assert await there.running.ends(signal.SIGTERM) == 0
