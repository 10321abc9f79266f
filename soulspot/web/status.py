"""Status over HTTP, as `soulspot status` shows it, and health: does the process live and work?"""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web

from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import status_of, why_not_alive
from soulspot.store.ownership import describe_file
from soulspot.web import responses
from soulspot.web.activity import Activity
from soulspot.web.guards import is_from_this_machine, problem
from soulspot.web.routing import API, Handlers, route

ANSWERS_WITHIN = 5.0  # seconds that the database may take
ROOM = 1 << 20  # bytes that must be free: SQLite fails before the last byte is used


class StatusRoutes(Handlers):
    """The handlers of status and health. `ready` is false before the start and while stopping."""

    def __init__(
        self, service: EnrichmentService, operations: Operations, activity: Activity, *,
        ready: Callable[[], bool], version: str, is_daemon: bool,
    ) -> None:  # fmt: skip
        self._service = service
        self._operations = operations
        self._activity = activity
        self._ready = ready
        self._version = version
        self._database = describe_file(service.database.path)
        self._is_daemon = is_daemon

    @route("GET", "/healthz", {200: responses.Life, 503: responses.Problem}, is_open=True)
    async def healthz(self, request: web.Request) -> Any:
        """Answer whether this process lives: its loop and pumps run, its database moves."""
        if why := why_not_alive(self._service):
            return problem(503, "Service Unavailable", why, {"Retry-After": "10"})
        found: dict[str, Any] = {"status": "ok", "service": "soulspot"}
        if is_from_this_machine(request):
            found["database"] = self._database if self._is_daemon else None
        return found

    @route("GET", "/readyz", {200: responses.Health, 503: responses.Problem}, is_open=True)
    async def readyz(self) -> Any:
        """Answer whether this process can work; services that are down do not count."""
        if why := await self.why_not_ready():
            return problem(503, "Service Unavailable", why, {"Retry-After": "10"})
        return {"status": "ready"}

    @route("GET", f"{API}/status", {200: responses.StatusDocument})
    async def document(self) -> dict[str, Any]:
        """Show counts, queue, services and operations."""
        status = await status_of(self._service)
        status["operations"] = [self._operations.live(operation) for operation in status["operations"]]
        pace, services = self._activity.pace(status["tracks"].get("pending", 0)), self._activity.services()
        return {
            "version": self._version,
            "pid": os.getpid(),
            "database": self._database,
            **status,
            **pace,
            "services": services,
        }

    async def why_not_ready(self) -> str | None:
        """Return why this process cannot work, for people; None when it can."""
        if not self._ready():
            return "starting or stopping"
        if why := why_not_alive(self._service):
            return why
        database = self._service.database
        if why := database.trouble():
            return why
        if await asyncio.to_thread(_free_bytes, database.path.parent) < ROOM:
            return "the disk is full"
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await database.read(lambda c: c.execute("SELECT count(*) FROM counters").fetchone())
        except TimeoutError:
            return f"the database has not answered for {ANSWERS_WITHIN:.0f} seconds"
        except sqlite3.Error as error:
            return f"the database cannot be read: {error}"
        return None


def _free_bytes(folder: Path) -> int:
    with suppress(OSError):
        return shutil.disk_usage(folder).free
    return 0
