"""The daemon keeps watching the library, whatever happens to a watch or to a scan."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from soulspot.daemon.process import WATCH_RETRY_CAP, WATCH_RETRY_SECONDS, keep_watching
from soulspot.telemetry import configure_logging
from tests.support.virtual_time import run_virtual


@pytest.fixture(autouse=True)
def _warnings_are_logged_too(_only_errors_are_logged: None) -> None:
    configure_logging("console", "warning")


Stream = Callable[[], AsyncGenerator[set[bytes], None]]


def watched(streams: list[Stream], scans: list[Exception | None]) -> tuple[list[str], list[float]]:
    """Return the scans made and the time each watch was opened, until `streams` is used up.

    `scans` holds the error that each scan ends with, or None."""
    did: list[str] = []
    began: list[float] = []

    async def main() -> None:
        stop = asyncio.Event()

        def watching() -> AsyncGenerator[set[bytes], None]:
            began.append(asyncio.get_running_loop().time())
            return streams.pop(0)()

        async def scan(changed: set[bytes]) -> None:
            did.append(f"scan {sorted(changed)[0].decode()}")
            if scans and (error := scans.pop(0)):
                raise error

        async def rescan() -> None:
            did.append("rescan")

        await keep_watching(watching, scan, rescan, stop)

    run_virtual(main())
    return did, began


async def refused_watch() -> AsyncGenerator[set[bytes], None]:
    raise OSError(errno.ENOSPC, "OS file watch limit reached")
    yield set()


async def watch_of_one_change() -> AsyncGenerator[set[bytes], None]:
    yield {b"/music/a"}


def test_when_the_kernel_refuses_to_watch_the_library_is_rescanned_and_watched_again() -> None:
    with capture_logs() as said:
        did, began = watched([refused_watch, refused_watch, watch_of_one_change], [])
    assert did == ["rescan", "rescan", "scan /music/a"]
    assert [round(later - earlier) for earlier, later in pairwise(began)] == [
        WATCH_RETRY_SECONDS,
        2 * WATCH_RETRY_SECONDS,
    ]
    assert [line["event"] for line in said] == ["watch_failed"] * 2
    assert "sysctl fs.inotify.max_user_watches" in said[0]["hint"]


def test_a_scan_that_cannot_be_written_does_not_end_the_watch() -> None:
    with capture_logs() as said:
        did, _ = watched([watch_of_one_change] * 2, [sqlite3.OperationalError("database is locked")])
    assert did == ["scan /music/a", "rescan", "scan /music/a"]
    assert "sysctl" not in said[0]["hint"]


def test_the_pauses_between_two_tries_grow_to_an_hour_and_no_further() -> None:
    _, began = watched([*[refused_watch] * 15, watch_of_one_change], [])
    assert round(began[-1] - began[-2]) == WATCH_RETRY_CAP


def test_a_stop_ends_the_pause_between_two_tries() -> None:
    async def main() -> float:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_later(3, stop.set)

        async def nothing(*_: object) -> None:
            return None

        await keep_watching(refused_watch, nothing, nothing, stop)
        return loop.time()

    assert round(run_virtual(main())) == 3
