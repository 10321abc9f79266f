"""A daemon as a real process whose log is read as it comes, so that no full pipe ever stops it."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.flow import rows, start
from tests.support.forks import Process

LINES_KEPT = 40
WORK_LEFT = """SELECT (SELECT count(*) FROM lookups WHERE state IN ('pending', 'leased'))
                    + (SELECT count(*) FROM batch_operations WHERE status IN ('pending', 'processing'))
                    + (SELECT count(*) FROM tracks WHERE undecided AND vanished_at IS NULL) AS n"""


class Life:
    """One life of a daemon, from its start to its end or its kill.

    `address` is done when the daemon is ready. `events` counts the lines of its log by their
    event, and `last` has the newest lines, for whoever must say why it ended."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.events: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=LINES_KEPT)
        self._reading = asyncio.gather(self._read(), process.stdout.read())

    @classmethod
    async def begin(cls, config: Path) -> Life:
        """Start a daemon with this configuration; it is not ready yet."""
        return cls(await start("daemon", "--config", config))

    async def _read(self) -> None:
        while line := await self.process.stderr.readline():
            self.last.append(line.decode(errors="replace").rstrip())
            try:
                said: dict[str, Any] = json.loads(line)
            except ValueError:
                said = {"event": "not JSON"}
            self.events[str(said.get("event"))] += 1
            if said.get("event") == "daemon_ready" and not self.address.done():
                self.address.set_result(said["address"])
        if not self.address.done():
            self.address.set_exception(RuntimeError("the daemon ended before it was ready:\n" + "\n".join(self.last)))
            self.address.exception()  # nobody has to ask

    async def rest(self, database: Path, within: float) -> bool:
        """Wait until no operation runs and no lookup waits. False after `within` seconds."""
        await self.address
        quiet = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                # twice in a row: between a scan and its decisions there is a moment without either
                while quiet < 2:
                    await asyncio.sleep(0.5)
                    quiet = 0 if (await asyncio.to_thread(rows, database, WORK_LEFT))[0]["n"] else quiet + 1
        return quiet == 2

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        await self._reading
        await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode
