"""Every command ends with the code that the documents give for the fault, and with a sentence."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import typer.main

from soulspot.cli.main import app
from tests.support.flow import Ended, soulspot, write_config

DONE, INCOMPLETE, USAGE, OWNED, BAD_CONFIG = 0, 1, 2, 75, 78
# The fewest arguments that a command goes with.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "daemon": (), "scan": (), "import": ("songs.csv",), "enrich": (), "status": (), "retry": (), "check": (),
    "init": (), "demo": (), "stats": (), "export": ("--out", "out.csv"), "report": (), "write-tags": (),
    "review list": (), "review show": ("1",), "review accept": ("1", "8f3471b5-7e6a-48da-86a9-c1c07a0f47ae"),
    "review reject": ("1",), "review undo": ("1",),
    "review search": ("1", "Popcorn"),
    "backup": ("copy.db",), "restore": ("old.db",), "recover": (), "catalogue build": ("dump.tar",),
    "catalogue status": (), "catalogue verify": (), "catalogue remove": (), "webhooks test": (), "webhooks status": (),
}  # fmt: skip
WITHOUT_CONFIG = {"init", "demo"}
# Without a configuration there are defaults for all but the contact, which services ask for.
ASKING = {"daemon", "scan", "import", "enrich", "retry", "check"}
# Without a candidate there is nothing to reject, and `write-tags` alone only compares.
WRITING = {"daemon", "scan", "import", "enrich", "retry", "review accept", "review undo", "review search", "restore",
           "recover"}  # fmt: skip


def leaves(group: Any, *above: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, *above, name)
        else:
            yield " ".join((*above, name))


def test_every_command_is_walked() -> None:
    assert set(COMMANDS) == set(leaves(typer.main.get_command(app)))


async def ended(command: str, *more: str | Path, cwd: Path, bare: bool = False) -> Ended:
    """Run a command in a home of its own, `bare` without its arguments. It says what happened, and
    shows nobody its inside."""
    home = {"HOME": str(cwd), "XDG_CONFIG_HOME": str(cwd / "config"), "XDG_DATA_HOME": str(cwd / "data")}
    arguments = () if bare else COMMANDS[command]
    async with asyncio.timeout(60):
        found = await soulspot(*command.split(), *arguments, *more, cwd=cwd, **home)
    assert "Traceback" not in found.out + found.err, found
    if found.code:
        first = found.err.strip().partition("\n")[0]
        assert re.match(r"soulspot: \S+ \S+|soulspot: .+: .+|Usage: soulspot |Error: Option ", first), found
    return found


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "songs.csv").write_text("title\nA\n")
    (tmp_path / "dump.tar").write_bytes(b"")
    (tmp_path / "music").mkdir()
    return tmp_path


@pytest.mark.long
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in WITHOUT_CONFIG])
async def test_a_configuration_that_cannot_be_read_ends_every_command_with_78(home: Path, command: str) -> None:
    (home / "syntax.toml").write_text("x = = 3")
    (home / "folder.toml").mkdir()
    (home / "unknown.toml").write_text("[librari]\npaths = []\n")
    for name in ("syntax", "folder", "unknown", "absent"):
        place = home / f"{name}.toml"
        found = await ended(command, "--config", place, cwd=home)
        assert found.code == BAD_CONFIG, (name, found)
        assert str(place) in found.err


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_wrong_argument_ends_every_command_with_2(home: Path, command: str) -> None:
    for more in (("--no-such-option",), ("--config",)):
        if more == ("--config",) and command in WITHOUT_CONFIG:
            continue
        found = await ended(command, *more, cwd=home)
        assert found.code == USAGE, (more, found)
    if COMMANDS[command] and command not in ("export", "import"):
        assert (await ended(command, cwd=home, bare=True)).code == USAGE, "its argument is missing"


@pytest.mark.long
@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in WITHOUT_CONFIG])
async def test_without_a_configuration_a_command_says_what_is_missing(home: Path, command: str) -> None:
    found = await ended(command, cwd=home)
    if command in ASKING:
        assert found.code == BAD_CONFIG
        assert "soulspot init" in found.err, "where a configuration comes from"
    else:
        assert found.code in (DONE, INCOMPLETE, USAGE, BAD_CONFIG)
    assert not (home / "data" / "soulspot" / "soulspot.db").exists(), "nothing was begun"


HOLD = "import sys, pathlib; from soulspot.store.ownership import Ownership; \
held = Ownership(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"


@asynccontextmanager
async def held(database: Path) -> AsyncIterator[None]:
    """Let another process work on the database."""
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLD, database, stdin=pipe, stdout=pipe)
    assert other.stdout is not None
    assert other.stdin is not None
    try:
        assert await other.stdout.readline() == b"held\n"
        yield
    finally:
        other.stdin.close()
        await other.wait()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in WITHOUT_CONFIG])
async def test_a_database_of_another_process_ends_every_writing_command_with_75(home: Path, command: str) -> None:
    database = home / "soulspot.db"
    values = {
        "database.path": str(database),
        "providers.musicbrainz.contact": "me@example.org",
        "http.listen": "127.0.0.1:0",
    }
    config = write_config(
        home / "c.toml", {**values, "http.listen": "127.0.0.1:0", "library.paths": [str(home / "music")]}
    )
    assert (await ended("import", "--config", config, cwd=home)).code == DONE
    assert (await soulspot("backup", home / "old.db", "--config", config)).code == DONE
    before = database.read_bytes()
    async with held(database):
        found = await ended(command, "--config", config, cwd=home)
    if command in WRITING:
        assert found.code == OWNED, found
        assert database.read_bytes() == before, "the other process has it for itself"
    else:
        assert found.code in (DONE, INCOMPLETE, USAGE, BAD_CONFIG), found
