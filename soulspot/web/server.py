"""The socket that the application is served on, and the limits of its connections."""

import asyncio
import errno
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from aiohttp import web

from soulspot.errors import ConfigError
from soulspot.web.guards import CROWD, STREAMS

CONNECTIONS = 100
# Connections that the system completes before they are accepted: it drops what does not fit, and a
# newcomer then tries again after a second.
BACKLOG = 1024
RESERVED = 20  # connections beyond, whose requests are refused, except for health
SILENCE = 30.0  # seconds that a connection may take to send the headers of its next request
YOUNG = 1.0  # seconds that a new connection may take before it counts as one that does nothing
STALLED = 10.0  # seconds in which a client took nothing of an answer or sent nothing of a body
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


class Crowd:
    """The open connections. Where there are `most`, a newcomer takes the place of a connection that
    does nothing: of the client with the most of them, the one that is open for longest.

    `streams` returns how many connections are event streams, which have a limit of their own."""

    def __init__(self, server: web.Server, most: int, streams: Callable[[], int]) -> None:
        self._server = server
        self._most = most
        self._streams = streams
        self._began: dict[Any, float] = {}  # the loop time at which each connection was accepted
        self._leaving: set[Any] = set()  # connections that are being closed
        # (bytes that a client has not taken, bytes of an unfinished body that it sent), and the
        # loop time at which they became this many
        self._stalled: dict[Any, tuple[tuple[int, int | None], float]] = {}

    @property
    def is_full(self) -> bool:
        """Whether so many requests are being answered that others are refused."""
        return sum(map(_is_busy, self._server.connections)) - self._streams() > self._most

    def accept(self) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection."""
        now = asyncio.get_running_loop().time()
        connections = self._server.connections
        self._leaving.intersection_update(connections)
        present = [one for one in connections if one not in self._leaving]
        self._stalled = {one: seen for one, seen in self._stalled.items() if one in present}
        self._began = {one: self._began.get(one, now) for one in present}
        count = len(present) - self._streams()
        if count >= self._most:
            idle = [one for one in present if not _is_busy(one) or self._is_stalled(one)]
            # The request of one that has just been accepted may be on its way.
            is_pressing = count >= self._most + RESERVED
            if victim := self._idlest([one for one in idle if is_pressing or now - self._began[one] > YOUNG]):
                self._leaving.add(victim)
                if _is_busy(victim) and victim.transport is not None:
                    victim.transport.abort()  # closing politely would wait for it
                victim.force_close()
            elif is_pressing:
                return _Refusal()
        self._began[accepted := self._server()] = now
        return accepted

    def _idlest(self, idle: list[Any]) -> Any:
        counts = Counter(_client(one) for one in idle)
        return max(idle, key=lambda one: counts[_client(one)], default=None)  # the first of equals is the oldest

    def _is_stalled(self, one: Any) -> bool:
        request, now = one._current_request, asyncio.get_running_loop().time()
        unsent = one.transport.get_write_buffer_size() if one.transport is not None else 0
        body = None if request is None or request.content.is_eof() else request.content.total_bytes
        if not unsent and body is None:
            return False  # it is we who let the client wait
        seen, since = self._stalled.setdefault(one, ((unsent, body), now))
        if seen != (unsent, body):
            self._stalled[one] = ((unsent, body), now)
            return False
        return now - since > STALLED


def _is_busy(connection: Any) -> bool:
    # aiohttp has no public name for it; a request counts until its answer has been written.
    return bool(connection._request_in_progress)


def _client(connection: Any) -> str:
    peer = connection.peername
    return str(peer[0]) if isinstance(peer, tuple) else ""


@asynccontextmanager
async def serve(
    application: web.Application, host: str, port: int, *, most: int = CONNECTIONS, silence: float = SILENCE
) -> AsyncIterator[str]:
    """Serve the application within the `async with`; yield its address, "http://127.0.0.1:8753".
    Port 0 lets the system choose. At most `most` connections are open at once, event streams and a
    few for health aside; one that sends no complete headers is closed after `silence` seconds.
    ConfigError if it cannot be bound."""
    # aiohttp 3.14 counts its keep-alive timeout from the start of the connection too.
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN, keepalive_timeout=silence)
    crowds: list[Crowd] = []
    # before the setup, which freezes the application, and makes the server that the crowd is of
    application[CROWD] = lambda: crowds[0].is_full
    await runner.setup()
    try:
        assert runner.server is not None  # after setup
        crowds.append(Crowd(runner.server, most, application.get(STREAMS, lambda: 0)))
        try:
            server = await asyncio.get_running_loop().create_server(crowds[0].accept, host, port, backlog=BACKLOG)
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
