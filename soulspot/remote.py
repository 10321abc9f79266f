"""The daemon as other processes of ours reach it: over its HTTP address, so that it stays the only writer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.store.ownership import read_owner

POLL_SECONDS = 0.5


class DaemonRefused(SoulSpotError):
    """The daemon answered that it will not do this; the message is its own."""


class Remote:
    """A client of the running daemon. Raises DaemonRefused, or aiohttp.ClientError when it does not answer."""

    def __init__(self, address: str, token: str | None) -> None:
        self.address = address
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(
            address, headers=headers, timeout=aiohttp.ClientTimeout(total=None, connect=5, sock_read=60)
        )

    async def status(self) -> dict[str, Any]:
        return await self._ask("GET", "/api/v1/status")

    async def scan(self, paths: Sequence[bytes]) -> int:
        return await self._start("/api/v1/scan", {"paths": [os.fsdecode(path) for path in paths]})

    async def enrich(self, paths: Sequence[bytes]) -> int:
        return await self._start("/api/v1/enrich", {"paths": [os.fsdecode(path) for path in paths]})

    async def retry(self, states: Sequence[str], provider: str | None) -> int:
        return await self._start("/api/v1/retry", {"states": list(states), "provider": provider})

    async def import_file(self, path: Path) -> int:
        with path.open("rb") as file:
            answer = await self._ask("POST", "/api/v1/import", params={"name": path.name}, data=file)
        return int(answer["operation_id"])

    async def finished(
        self, operation_id: int, progress: Callable[[dict[str, Any]], None] = lambda operation: None
    ) -> dict[str, Any]:
        """Wait until the operation is complete; `progress` hears how it stands twice a second."""
        while True:
            operation = await self._ask("GET", f"/api/v1/operations/{operation_id}")
            progress(operation)
            if operation["is_complete"]:
                return operation
            await asyncio.sleep(POLL_SECONDS)

    async def _start(self, path: str, body: dict[str, Any]) -> int:
        return int((await self._ask("POST", path, json=body))["operation_id"])

    async def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        async with self._session.request(method, path, **more) as response:
            body = await response.json(content_type=None)
            if response.status >= 400:
                raise DaemonRefused(str(body.get("detail", body)) if isinstance(body, dict) else str(body))
            return dict(body)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._session.close()


def running_daemon(config: Config) -> Remote | None:
    """A client of the daemon that works on this configuration's database; None when there is none.

    To be called in a running loop."""
    token = config.http.token.reveal() if config.http.token else None
    try:
        owner = read_owner(config.database.path)
    except PermissionError:  # the daemon runs as another user: what is configured is all that we can know
        return Remote(f"http://{config.http.listen}", token)
    if owner is None or owner.address is None:
        return None
    return Remote(owner.address, token)
