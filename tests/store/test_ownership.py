"""One process at a time works on a database; a dead one blocks nobody."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from soulspot.errors import DatabaseOwned
from soulspot.store.database import Database
from soulspot.store.ownership import Owner, Ownership, read_owner


def test_the_second_owner_is_refused_and_told_who_the_first_is(path: Path) -> None:
    with Ownership(path), pytest.raises(DatabaseOwned, match=f"process {os.getpid()} already works"):
        Ownership(path)


def test_a_database_is_free_again_after_its_owner_released_it(path: Path) -> None:
    with Ownership(path):
        pass
    assert read_owner(path) is None
    with Ownership(path):
        assert read_owner(path) == Owner(os.getpid(), None)


def test_the_owner_says_where_it_can_be_reached(path: Path) -> None:
    with Ownership(path) as owned:
        owned.announce("http://127.0.0.1:8753")
        assert read_owner(path) == Owner(os.getpid(), "http://127.0.0.1:8753")
        owned.announce(None)
        assert read_owner(path) == Owner(os.getpid(), None)


def test_nobody_owns_a_database_that_was_never_opened(path: Path) -> None:
    assert read_owner(path) is None
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff", b'{"pid": 1}'])
def test_an_owner_that_says_nothing_readable_is_an_owner_all_the_same(path: Path, content: bytes) -> None:
    with Ownership(path) as owned:
        owned.path.write_bytes(content)
        assert read_owner(path) == Owner(0, None)
        with pytest.raises(DatabaseOwned, match="another process already works"):
            Ownership(path)


def test_releasing_twice_harms_nobody(path: Path) -> None:
    first = Ownership(path)
    first.release()
    with Ownership(path):
        first.release()
        assert read_owner(path) == Owner(os.getpid(), None)


def test_whoever_only_asks_for_the_owner_does_not_keep_a_daemon_from_starting(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refusals = fcntl.flock, [BlockingIOError(), BlockingIOError()]

    def flock(handle: int, how: int) -> None:
        if refusals:
            raise refusals.pop()
        real(handle, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    with Ownership(path):
        assert refusals == []


def test_the_lock_is_not_inherited_by_programs_that_are_started(path: Path) -> None:
    with Ownership(path) as owned:
        assert not os.get_inheritable(owned._file)


@pytest.mark.parametrize("way", ["symbolic link", "hard link", "linked folder", "lock file deleted"])
def test_no_other_name_and_no_deleted_lock_file_leads_around_the_lock(path: Path, way: str) -> None:
    with Ownership(path) as owned, Database(path) as database:
        other = path.with_name("other.db")
        if way == "symbolic link":
            other.symlink_to(path)
        elif way == "hard link":
            other.hardlink_to(path)
        elif way == "linked folder":
            path.parent.joinpath("folder").symlink_to(path.parent)
            other = path.parent / "folder" / path.name
        else:
            owned.path.unlink()
            other = path
        with pytest.raises(DatabaseOwned, match=f"process {os.getpid()} already works"):
            Ownership(other)
        # SQLite's own locks have survived the attempt, which closing any handle of the file frees
        database.write_now(lambda c: c.execute("CREATE TABLE kept (x)"))
        assert _is_locked_by_sqlite(path)
    with Ownership(other):
        assert read_owner(path) == Owner(os.getpid(), None)


def _is_locked_by_sqlite(path: Path) -> bool:
    """Whether another process finds the lock that an open connection holds on the file."""
    script = "import fcntl, sys\nfcntl.lockf(open(sys.argv[1], 'r+b'), fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)"
    run = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=False)
    return "BlockingIOError" in run.stderr


def test_the_lock_is_on_a_database_that_does_not_exist_yet(path: Path) -> None:
    with Ownership(path) as owned:
        owned.path.unlink()
        with pytest.raises(DatabaseOwned):
            Ownership(path)
        with Database(path) as database:
            database.write_now(lambda c: c.execute("CREATE TABLE made (x)"))
    assert path.stat().st_mode & 0o077 == 0


def test_a_lock_that_was_of_no_use_leaves_no_empty_database(path: Path) -> None:
    with Ownership(path):
        assert path.exists()
    assert not path.exists()


@pytest.mark.parametrize("what", ["deleted", "replaced"])
def test_the_owner_can_tell_that_its_file_is_no_longer_at_its_place(path: Path, what: str) -> None:
    with Ownership(path) as owned:
        assert owned.holds_current_file()
        if what == "deleted":
            path.unlink()
        else:
            path.with_name("restored").write_bytes(b"another file")
            path.with_name("restored").replace(path)
        assert not owned.holds_current_file()
    assert path.exists() == (what == "replaced")


@pytest.mark.process
def test_a_database_is_free_again_after_its_owner_was_killed(path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from soulspot.store.ownership import Ownership\n"
        "owned = Ownership(pathlib.Path(sys.argv[1]))\n"
        "owned.announce('http://127.0.0.1:1')\n"
        "print('mine', flush=True)\n"
        "sys.stdin.read()\n"
    )
    arguments = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        assert read_owner(path) == Owner(process.pid, "http://127.0.0.1:1")
        with pytest.raises(DatabaseOwned, match=f"process {process.pid} already works"):
            Ownership(path)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert read_owner(path) is None
    with Ownership(path):
        assert read_owner(path) == Owner(os.getpid(), None)
