"""Status and health over HTTP: what `soulspot status` shows, whether the process lives, and whether it can work."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import status_of
from soulspot.web.activity import Activity
from soulspot.web.guards import problem

ANSWERS_WITHIN = 5.0  # seconds that the database may take
ROOM = 1 << 20  # bytes that must be free beside the database: SQLite fails before the last one is gone


class Status:
    """The handlers over one service. `ready` says whether the process has started and does not stop."""

    def __init__(
        self,
        service: EnrichmentService,
        operations: Operations,
        activity: Activity,
        *,
        ready: Callable[[], bool],
        version: str,
    ) -> None:
        self._service = service
        self._operations = operations
        self._activity = activity
        self._ready = ready
        self._version = version
        self._file = _identity(service.database.path)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", self.healthz),
            web.get("/readyz", self.readyz),
            web.get("/api/v1/status", self.status),
        ]

    async def healthz(self, request: web.Request) -> web.Response:
        """The event loop lives; nothing else is asked."""
        return web.json_response({"status": "ok"})

    async def readyz(self, request: web.Request) -> web.Response:
        """Whether work can be done here. What services upstream do does not count."""
        if why := await self.why_not_ready():
            return problem(503, "Service Unavailable", why, {"Retry-After": "10"})
        return web.json_response({"status": "ready"})

    async def status(self, request: web.Request) -> web.Response:
        """Counts, queue, services, operations."""
        return web.json_response(await self.document())

    async def document(self) -> dict[str, Any]:
        """What `status` answers."""
        found = await status_of(self._service)
        found["operations"] = [self._operations.live(one) for one in found["operations"]]
        return {
            "version": self._version,
            "pid": os.getpid(),
            **found,
            **self._activity.pace(found["tracks"].get("pending", 0)),
            "services": self._activity.services(),
        }

    async def why_not_ready(self) -> str | None:
        """What keeps us from working, in words; None when nothing does."""
        if not self._ready():
            return "starting or stopping"
        database = self._service.database
        if self._file != await asyncio.to_thread(_identity, database.path):
            return f"{database.path} is gone: what is written now would be lost; restart SoulSpot"
        if database.full or await asyncio.to_thread(_free, database.path.parent) < ROOM:
            return "the disk is full"
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await database.read(lambda c: c.execute("SELECT count(*) FROM counters").fetchone())
        except TimeoutError:
            return f"the database has not answered for {ANSWERS_WITHIN:.0f} seconds"
        except sqlite3.Error as error:
            return f"the database cannot be read: {error}"
        return None


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells this file from another one of its name; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
