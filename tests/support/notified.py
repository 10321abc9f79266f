"""The socket on which a service manager hears of a daemon."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path


class Systemd:
    """A service manager that wants a sign of life within every `interval` seconds."""

    def __init__(self, path: Path, interval: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(interval * 1e6))}

    async def hears(self, wanted: bytes, times: int = 1) -> None:
        """Wait for as many messages that begin so."""
        async with asyncio.timeout(60):
            while times:
                said = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
                times -= said.startswith(wanted)

    def forget(self) -> list[bytes]:
        """Return what has been said and was not heard yet."""
        said = []
        with suppress(BlockingIOError):
            while True:
                said.append(self._socket.recv(4096))
        return said

    def close(self) -> None:
        self._socket.close()
