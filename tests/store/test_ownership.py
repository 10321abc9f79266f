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
