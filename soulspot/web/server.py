"""The socket that the application is served on, and the limit of its connections."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from soulspot.errors import ConfigError

CONNECTIONS = 100
SILENCE = 30.0  # seconds that a connection may take to send the headers of its next request
SHUTDOWN = 2.0  # seconds that running requests get at the end

# A connection beyond the limit gets no request handler, so this answer is written by hand.
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nConnection: close\r\n"
    b'Retry-After: 10\r\n\r\n{"title": "Service Unavailable", "status": 503, "detail": "too many connections"}'
)


class _Refusal(asyncio.Protocol):
    """Answers 503 and closes the connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        sender = cast(asyncio.Transport, transport)
        sender.write(_FULL)
        sender.close()


@asynccontextmanager
async def serve(
    application: web.Application, host: str, port: int, *, most: int = CONNECTIONS, silence: float = SILENCE
) -> AsyncIterator[str]:
    """Serve the application within the `async with`; yield its address, "http://127.0.0.1:8753".
    Port 0 lets the system choose. At most `most` connections are open at once; one that sends no
    complete headers is closed after `silence` seconds. ConfigError if it cannot be bound."""
    # aiohttp 3.14 counts its keep-alive timeout from the start of the connection too.
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN, keepalive_timeout=silence)
    await runner.setup()
    try:
        serving = runner.server
        assert serving is not None  # after setup

        def accept() -> asyncio.BaseProtocol:
            return _Refusal() if len(serving.connections) >= most else serving()

        try:
            server = await asyncio.get_running_loop().create_server(accept, host, port)
        except OSError as error:
            raise ConfigError([f"http.listen: cannot listen on {host}:{port}: {_why(error)}"]) from error
        try:
            bound = server.sockets[0].getsockname()[1]
            yield f"http://[{host}]:{bound}" if ":" in host else f"http://{host}:{bound}"
        finally:
            server.close()
    finally:
        await runner.cleanup()


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program uses this address; set another http.listen"
    return os.strerror(error.errno) if error.errno else str(error)
