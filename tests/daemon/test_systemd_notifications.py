"""Notifications to systemd, received on a real socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from soulspot.daemon import systemd


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return the socket on which a service manager listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_systemd_hears_that_we_are_ready_with_a_status_line(manager: socket.socket) -> None:
    systemd.ready("listening on http://127.0.0.1:8753")
    assert manager.recv(4096) == b"READY=1\nSTATUS=listening on http://127.0.0.1:8753"


def test_systemd_hears_of_a_reload_with_the_time_it_began(manager: socket.socket) -> None:
    systemd.reloading()
    first, second = manager.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    assert second.removeprefix("MONOTONIC_USEC=").isdecimal()


def test_systemd_hears_that_the_start_takes_longer(manager: socket.socket) -> None:
    systemd.extend_start(60)
    assert manager.recv(4096) == b"EXTEND_TIMEOUT_USEC=60000000"


def test_systemd_hears_that_we_stop(manager: socket.socket) -> None:
    systemd.stopping()
    assert manager.recv(4096) == b"STOPPING=1"


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0soulspot-test-{os.getpid()}")
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@soulspot-test-{os.getpid()}")
        systemd.notify("WATCHDOG=1")
        assert listening.recv(4096) == b"WATCHDOG=1"


def test_without_a_service_manager_nothing_is_sent_and_nothing_breaks(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET")
    systemd.ready("x")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody listens"))
    systemd.ready("x")
    with pytest.raises(BlockingIOError):
        manager.recv(4096)


@pytest.mark.parametrize(
    ("microseconds", "whose", "expected"),
    [
        ("30000000", "mine", 30.0),
        ("30000000", None, 30.0),
        ("30000000", "1", None),
        (None, None, None),
        ("x", None, None),
    ],
)
def test_the_watchdogs_interval_is_ours_only_when_it_is_meant_for_us(
    monkeypatch: pytest.MonkeyPatch, microseconds: str | None, whose: str | None, expected: float | None
) -> None:
    pid = str(os.getpid()) if whose == "mine" else whose
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert systemd.watchdog_seconds() == expected
