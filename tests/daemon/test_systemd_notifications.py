"""What systemd hears, over a real notification socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from soulspot.daemon import systemd as notify


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The socket that a service manager listens on."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_systemd_hears_that_we_are_ready_with_a_status_line(systemd: socket.socket) -> None:
    notify.ready("listening on http://127.0.0.1:8753")
    assert systemd.recv(4096) == b"READY=1\nSTATUS=listening on http://127.0.0.1:8753"


def test_systemd_hears_of_a_reload_with_the_time_it_began(systemd: socket.socket) -> None:
    notify.reloading()
    first, second = systemd.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    assert second.removeprefix("MONOTONIC_USEC=").isdecimal()


def test_systemd_hears_that_we_stop(systemd: socket.socket) -> None:
    notify.stopping()
    assert systemd.recv(4096) == b"STOPPING=1"


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0soulspot-test-{os.getpid()}")
        listening.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@soulspot-test-{os.getpid()}")
        notify.notify("WATCHDOG=1")
        assert listening.recv(4096) == b"WATCHDOG=1"


def test_without_a_service_manager_nothing_is_sent_and_nothing_breaks(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify.ready("x")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody listens"))
    notify.ready("x")
    with pytest.raises(BlockingIOError):
        systemd.recv(4096)


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
    assert notify.watchdog_seconds() == expected
