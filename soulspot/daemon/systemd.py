"""Notify systemd that the service is ready, reloads, stops or lives; silent without systemd."""

import os
import socket
import time


def notify(*lines: str) -> None:
    """Send these lines to $NOTIFY_SOCKET, if it is set; that nobody listens harms nothing."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    # systemd writes the leading NUL of an abstract address as @
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.sendall("\n".join(lines).encode())
    except OSError:
        return


def ready(status: str) -> None:
    """Say that the service is up (again), with a line that `systemctl status` shows."""
    # a line break would end the value
    notify("READY=1", f"STATUS={' '.join(status.split())}")


def extend_start(seconds: int) -> None:
    """Ask for this much time from now on for the start, which TimeoutStartSec= would end."""
    notify(f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000}")


def reloading() -> None:
    """Say that a reload begins now; `ready` ends it. Type=notify-reload needs the time, too."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping() -> None:
    """Say that the service is draining and will end."""
    notify("STOPPING=1")


def watchdog_seconds() -> float | None:
    """Return the seconds within which systemd wants a sign of life; None if it does not watch."""
    # children inherit these variables: they are meant for the process of this id alone
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return int(os.environ["WATCHDOG_USEC"]) / 1e6
    except (KeyError, ValueError):
        return None
