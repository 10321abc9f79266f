"""A library of more folders than the kernel watches: a real daemon in a user namespace of its own,
in which the limit of watches is low."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.library.audio import mp3
from tests.support.daemons import daemon
from tests.support.flow import rows, write_config
from tests.support.until import until

pytestmark = pytest.mark.process

FOLDERS, ALLOWED = 12, 5
LIMITED = f"""
import ctypes, os
user, group = os.geteuid(), os.getegid()
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
    raise SystemExit(f"no user namespace: {{os.strerror(ctypes.get_errno())}}")
for name, words in (("setgroups", "deny"), ("uid_map", f"0 {{user}} 1"), ("gid_map", f"0 {{group}} 1")):
    open(f"/proc/self/{{name}}", "w").write(words)
open("/proc/sys/user/max_inotify_watches", "w").write("{ALLOWED}")
"""
SOON = (
    "import soulspot.library.watch as watching; watching.watch.__kwdefaults__.update(rescan_every=0.2, check_ms=50)\n"
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    tried = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True, timeout=60, check=False)
    if tried.returncode:
        pytest.skip(f"this machine lets no user namespace limit its watches: {tried.stderr.strip()}")
    for number in range(FOLDERS - 1):
        (tmp_path / "music" / f"{number}").mkdir(parents=True)
    off = {f"providers.{name}.enabled": False for name in ("musicbrainz", "spotify", "listenbrainz")}
    places = {"database.path": str(tmp_path / "db"), "library.paths": [str(tmp_path / "music")]}
    return write_config(tmp_path / "config.toml", off | places | {"http.listen": "127.0.0.1:0"})


async def test_folders_that_the_kernel_does_not_watch_are_named_once_and_looked_through(
    config: Path, tmp_path: Path
) -> None:
    async with daemon(config, prepare=LIMITED + SOON) as running:
        said = await running.says("watch_blind")
        assert said["error"] == f"the kernel watches {ALLOWED} of {FOLDERS} folders"
        assert said["hint"] == "sysctl user.max_inotify_watches=1048576"
        for round_ in range(2):
            for number in range(FOLDERS - 1):
                mp3(tmp_path / "music" / f"{number}" / f"{round_}.mp3")
            wanted = (round_ + 1) * (FOLDERS - 1)
            await until(lambda wanted=wanted: len(rows(tmp_path / "db", "SELECT path FROM tracks")) == wanted)
        assert len(running.said("watch_blind")) == 1


async def test_a_new_folder_that_is_one_too_many_is_noticed(config: Path, tmp_path: Path) -> None:
    for number in range(ALLOWED - 1, FOLDERS - 1):
        (tmp_path / "music" / f"{number}").rmdir()
    async with daemon(config, prepare=LIMITED + SOON) as running:
        await running.says("daemon_ready")
        (tmp_path / "music" / "new").mkdir()
        said = await running.says("watch_blind")
        assert said["error"] == f"the kernel watches {ALLOWED} of {ALLOWED + 1} folders"


def test_check_compares_the_folders_with_the_watches_that_are_allowed(config: Path) -> None:
    command = f"{LIMITED}\nfrom soulspot.cli.main import main; main()"
    ended = subprocess.run(
        [sys.executable, "-c", command, "check", "--config", str(config)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    line = next(line for line in ended.stdout.splitlines() if "watch:" in line)
    assert line.startswith("note  watch: more folders than the 5 that user.max_inotify_watches lets SoulSpot watch")
    assert "sysctl user.max_inotify_watches=1048576" in line
