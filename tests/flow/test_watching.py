"""The watch over the library goes on whatever happens to it."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from collections.abc import AsyncGenerator, Callable
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from soulspot.daemon.process import WATCH_AGAIN, WATCH_AGAIN_CAP, keep_watching
from soulspot.telemetry import configure_logging
from tests.support.virtual_time import run_virtual


@pytest.fixture(autouse=True)
def _warnings_are_logged_too(_only_errors_are_logged: None) -> None:
    configure_logging("console", "warning")


Stream = Callable[[], AsyncGenerator[set[bytes], None]]


def watched(streams: list[Stream], scans: list[Exception | None]) -> tuple[list[str], list[float]]:
    """What was done, and when each watch began, until the streams are used up. `scans`: how each scan ends."""
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


async def refused() -> AsyncGenerator[set[bytes], None]:
    raise OSError(errno.ENOSPC, "OS file watch limit reached")
    yield set()


async def one() -> AsyncGenerator[set[bytes], None]:
    yield {b"/music/a"}


def test_when_the_kernel_refuses_to_watch_everything_is_looked_through_and_watched_again() -> None:
    with capture_logs() as said:
        did, began = watched([refused, refused, one], [])
    assert did == ["rescan", "rescan", "scan /music/a"]
    assert [round(later - earlier) for earlier, later in pairwise(began)] == [
        WATCH_AGAIN,
        2 * WATCH_AGAIN,
    ]
    assert [line["event"] for line in said] == ["watch_failed"] * 2
    assert "sysctl fs.inotify.max_user_watches" in said[0]["hint"]


def test_a_scan_that_cannot_be_written_does_not_end_the_watch() -> None:
    with capture_logs() as said:
        did, _ = watched([one, one], [sqlite3.OperationalError("database is locked")])
    assert did == ["scan /music/a", "rescan", "scan /music/a"]
    assert "sysctl" not in said[0]["hint"]


def test_the_pauses_between_two_tries_grow_to_an_hour_and_no_further() -> None:
    _, began = watched([*[refused] * 15, one], [])
    assert round(began[-1] - began[-2]) == WATCH_AGAIN_CAP


def test_a_stop_ends_the_pause_too() -> None:
    async def main() -> float:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.call_later(3, stop.set)

        async def nothing(*_: object) -> None:
            return None

        await keep_watching(refused, nothing, nothing, stop)
        return loop.time()

    assert round(run_virtual(main())) == 3
