"""Files and disks that are damaged, hostile or not there, against real soulspot processes."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

from tests.library.audio import flac, many_genres
from tests.support.flow import rows, soulspot, start, write_config


def configured(folder: Path, **more: object) -> Path:
    """Write the configuration of a library that asks no service."""
    values = {
        "database.path": str(folder / "soulspot.db"), "library.paths": [str(folder / "music")],
        "http.listen": "127.0.0.1:0", "providers.musicbrainz.enabled": False,
        "providers.listenbrainz.enabled": False, "providers.spotify.enabled": False,
    }  # fmt: skip
    return write_config(folder / "config.toml", values | {name.replace("__", "."): one for name, one in more.items()})


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    return folder


async def until(is_so: Callable[[], bool]) -> None:
    end = monotonic() + 100
    while not is_so():
        assert monotonic() < end
        await asyncio.sleep(0.02)


def readers_of(pid: int) -> set[int]:
    """Return the processes that a soulspot process reads files with."""
    found: set[int] = set()
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found |= {int(child) for child in tasks.read_text().split()}
    return found


def has_used(pid: int, seconds: float) -> bool:
    """Whether a process has used so much processor time."""
    with suppress(OSError):
        user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") > seconds
    return False


def is_gone(pid: int) -> bool:
    with suppress(OSError):
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_daemon_ends_at_once_in_the_middle_of_a_file_that_never_ends(
    number: signal.Signals, tmp_path: Path, music: Path
) -> None:
    many_genres(music / "a.mp3", 800_000)
    daemon = await start("daemon", "--config", configured(tmp_path), cwd=tmp_path)
    await until(lambda: any(has_used(pid, 2) for pid in readers_of(daemon.pid)))
    readers = readers_of(daemon.pid)
    daemon.send_signal(number)
    async with asyncio.timeout(15):
        await daemon.communicate()
    assert daemon.returncode == (0 if number == signal.SIGTERM else -signal.SIGKILL)
    await until(lambda: all(map(is_gone, readers)))


@pytest.mark.long
async def test_one_file_that_takes_too_long_is_one_unreadable_track_and_is_not_tried_again(
    tmp_path: Path, music: Path
) -> None:
    many_genres(music / "a.mp3", 800_000)
    for number in range(3):
        flac(music / f"b{number}.flac")
    config = configured(tmp_path)
    ended = await soulspot("scan", "--json", "--config", config, cwd=tmp_path)
    assert (ended.code, ended.json["found"], ended.json["unreadable"]) == (0, 4, 1), ended.err
    [bad] = rows(tmp_path / "soulspot.db", "SELECT unreadable FROM tracks WHERE unreadable IS NOT NULL")
    assert bad["unreadable"] == "damaged: reading it took longer than 20 s"
    again = await soulspot("scan", "--json", "--config", config, cwd=tmp_path)
    assert (again.json["unchanged"], again.json["read"]) == (4, 0)


async def test_an_unmounted_disk_marks_no_track_as_vanished_until_a_person_confirms(
    tmp_path: Path, music: Path
) -> None:
    for number in range(60):
        flac(music / f"{number}.flac", seconds=number + 1)
    config = configured(tmp_path)
    assert (await soulspot("scan", "--config", config, cwd=tmp_path)).code == 0
    music.rename(tmp_path / "unmounted")
    music.mkdir()
    flac(music / "stray.flac", seconds=99)

    ended = await soulspot("scan", "--json", "--config", config, cwd=tmp_path)
    assert (ended.code, ended.json["vanished"], ended.json["unconfirmed"]) == (0, 0, 60), ended.err
    shown = await soulspot("status", "--config", config, cwd=tmp_path)
    assert "60 of 61 files" in shown.out
    assert "soulspot scan --confirm-vanished" in shown.out

    daemon = await start("daemon", "--config", config, cwd=tmp_path)
    try:
        async for line in daemon.stderr:
            if b"scan_finished" in line:
                break
        status = (await soulspot("status", "--json", "--config", config, cwd=tmp_path)).json
        assert status["daemon"]
        assert [(one["place"], one["tracks"]) for one in status["questions"]] == [(str(music), 60)]
        ended = await soulspot("scan", "--json", "--confirm-vanished", "--config", config, cwd=tmp_path)
        assert (ended.code, ended.json["vanished"], ended.json["unconfirmed"]) == (0, 60, 0), ended.err
        status = (await soulspot("status", "--json", "--config", config, cwd=tmp_path)).json
        assert (status["questions"], status["tracks"]["vanished"]) == ([], 60)
    finally:
        daemon.send_signal(signal.SIGTERM)
        await daemon.communicate()
    assert daemon.returncode == 0
