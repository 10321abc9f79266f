"""Daemons of their own Python, in which a test can make something hang or set the clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.flow import AS_ROOT

MAIN = "from soulspot.cli.main import main; main()"


class Daemon:
    """A daemon process; its log is a file beside its configuration."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process, self.log = process, log

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the log with this event, so far."""
        found = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict) and line.get("event") == event]

    async def says(self, event: str) -> dict[str, Any]:
        """Wait for a line with this event, and return the first."""
        async with asyncio.timeout(60):
            while not (found := self.said(event)):
                assert self.process.returncode is None, f"ended before {event}: {self.log.read_text()}"
                await asyncio.sleep(0.02)
        return found[0]

    async def ends(self, number: int, within: float = 20.0) -> int:
        """Send a signal and wait for the end; return the exit code."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), within)


@asynccontextmanager
async def daemon(
    config: Path, environment: Mapping[str, str] | None = None, *, prepare: str = ""
) -> AsyncIterator[Daemon]:
    """Run a daemon in which the code `prepare` runs first; kill it at the end if it still runs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SOULSPOT_", "INVOCATION"))}
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    log = config.with_suffix(".log")
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", f"{prepare}\n{MAIN}", "daemon", "--config", config,
            env=kept | paths | AS_ROOT | dict(environment or {}), stderr=file,
        )  # fmt: skip
    try:
        yield Daemon(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
