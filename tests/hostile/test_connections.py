"""Connections that do nothing, or next to nothing, to a real daemon: they shut nobody out."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from soulspot.web.server import CONNECTIONS
from tests.hostile.attacked import attacked

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: 127",
        b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n{",
    ],
    ids=["silent", "half a header", "half a body"],
)
async def test_connections_that_never_send_all_they_announced_shut_nobody_out(tmp_path: Path, begun: bytes) -> None:
    async with attacked(tmp_path) as (running, client):
        host, port = client._base_url.host, client._base_url.port  # type: ignore[union-attr]
        held = []
        for _ in range(3 * CONNECTIONS):
            _, writer = await asyncio.open_connection(host, port)
            writer.write(begun)
            held.append(writer)
        for path in ("/healthz", "/readyz", "/api/v1/status"):
            async with client.get(path) as answer:
                assert answer.status == 200
        assert await running.ends(signal.SIGTERM) == 0
        for writer in held:
            writer.close()
