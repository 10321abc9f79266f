"""Fixtures of the HTTP tests: a server over a real service and a real database, on a free port."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from soulspot.assembly import open_service
from soulspot.config.loading import make_config
from soulspot.operations.runner import Operations
from soulspot.pipeline.service import EnrichmentService
from soulspot.web.app import make_application

NOBODY = "http://127.0.0.1:9"  # nothing listens there; and nothing is asked, because no pump runs


@dataclass
class Running:
    """A running server and its client; `state["ready"]` decides what /readyz answers."""

    http: TestClient[Any, Any]
    service: EnrichmentService
    operations: Operations
    music: Path
    state: dict[str, bool] = field(default_factory=lambda: {"ready": True})

    async def finished(self) -> None:
        """Wait until every operation that was started has ended."""
        await self.operations.idle()

    async def operation(self, number: int = 1) -> dict[str, Any]:
        async with self.http.get(f"/api/v1/operations/{number}") as answer:
            assert answer.status == 200
            return dict(await answer.json())


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Return a function that starts a server: `await start(token=..., library=False)`."""
    async with AsyncExitStack() as stack:

        async def run(token: str | None = None, allowed_hosts: tuple[str, ...] = (), library: bool = True) -> Running:
            music = tmp_path / "music"
            music.mkdir(exist_ok=True)
            config = make_config(
                {
                    "database.path": str(tmp_path / "soulspot.db"),
                    "library.paths": [os.fspath(music)] if library else [],
                    "providers.musicbrainz.contact": "tests@example.org",
                    "providers.musicbrainz.base_url": NOBODY,
                    "providers.listenbrainz.base_url": NOBODY,
                    "providers.listenbrainz.labs_url": NOBODY,
                }
            )
            service = await stack.enter_async_context(open_service(config, work=False))
            operations = Operations(service)
            stack.push_async_callback(operations.stop)
            state = {"ready": True}
            application = make_application(
                service, operations, ready=lambda: state["ready"], version="1.2.3",
                token=token, allowed_hosts=allowed_hosts,
            )  # fmt: skip
            server = TestServer(application)
            client = await stack.enter_async_context(TestClient(server))
            return Running(client, service, operations, music, state)

        yield run


@pytest.fixture
async def running(start: Start) -> Running:
    """Return a server without a token, over an empty library."""
    return await start()
