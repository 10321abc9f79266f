"""What happens, as it happens: the outbox and the status as server-sent events, to as many as `MOST` clients at once.

No client has a queue of its own: each is a position in the outbox, so that a slow one costs no memory and loses
nothing. The last events are kept in memory, encoded once for all; whoever is further behind reads from the database."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from aiohttp import web

from soulspot.pipeline import EnrichmentService
from soulspot.store import events as rows
from soulspot.web.requests import HIGHEST, EventQuery, query_of

MOST = 64  # clients at once
LOOK_EVERY = 0.5  # seconds between two looks into the outbox
STATUS_EVERY = 4  # looks between two statuses
HEARTBEAT = 15.0  # seconds without anything to say after which a comment says that we are there
WRITE_SECONDS = 30.0  # a client that takes nothing for this long is let go
AT_ONCE = 500  # events of one write
RECENT = 2_000  # events kept in memory
RECONNECT_MS = 2_000  # when clients come back after we have gone

log = structlog.get_logger()

Document = Callable[[], Awaitable[Mapping[str, Any]]]


class Feed:
    """One look into the outbox for everybody, while there is anybody. `status` makes the status document."""

    def __init__(self, service: EnrichmentService, status: Document) -> None:
        self._database = service.database
        self._status = status
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        self._joined: tuple[int, int, bytes] = (0, 0, b"")
        self._newest = 0
        self._moved = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self.clients = 0
        self.status_number, self.status_text = 0, b""
        self.closed = False

    async def join(self) -> int:
        """A client has come. Returns the id of the newest event; `leave` must follow."""
        self.clients += 1
        if self._looking is None:
            try:
                _, self._newest = await self._database.read(rows.kept)
            except BaseException:
                self.clients -= 1
                raise
            self._recent.clear()
        if self._looking is None:
            self.status_text = b""  # what it was when the last one left tells nothing of now
            self._looking = asyncio.create_task(self._look(), name="events")
        return self._newest

    def leave(self) -> None:
        """A client has gone; after the last one nobody looks."""
        self.clients -= 1
        if not self.clients and self._looking:
            self._looking.cancel()
            self._looking = None

    async def after(self, position: int) -> tuple[int, bytes]:
        """The next events behind `position`, encoded, and the position behind them; b"" when there are none yet."""
        if self._joined[0] == position and self._joined[1] > position:
            return self._joined[1], self._joined[2]
        if position >= self._newest:
            return position, b""
        if self._recent and self._recent[0][0] <= position + 1:
            found = [(number, text) for number, text in self._recent if number > position][:AT_ONCE]
        else:
            read = await self._database.read(lambda c: rows.since(c, position, AT_ONCE))
            found = [(one.event_id, _encoded(one)) for one in read]
        if not found:
            return self._newest, b""
        self._joined = (position, found[-1][0], b"".join(text for _, text in found))
        return self._joined[1], self._joined[2]

    async def kept(self) -> tuple[int, int]:
        """The ids of the oldest and the newest event that there are."""
        return await self._database.read(rows.kept)

    def signal(self) -> asyncio.Event:
        """Set when there is something that was not there when this was asked for."""
        return self._moved

    def close(self) -> None:
        """Let every client go."""
        self.closed = True
        if self._looking:
            self._looking.cancel()
        self._wake()

    async def _look(self) -> None:
        looks = 0
        while True:
            fresh = False
            try:
                if looks % STATUS_EVERY == 0:
                    text = f"event: status\ndata: {json.dumps(await self._status())}\n\n".encode()
                    fresh = text != self.status_text
                    if fresh:
                        self.status_number, self.status_text = self.status_number + 1, text
                for one in await self._database.read(lambda c: rows.since(c, self._newest, RECENT)):
                    self._recent.append((one.event_id, _encoded(one)))
                    self._newest, fresh = one.event_id, True
            except sqlite3.Error:
                pass  # a busy or full disk; the next look sees it all
            except Exception:  # whatever it was, those who listen must not wait for ever
                log.exception("request_failed", method="GET", path="/api/v1/events")
            looks += 1
            if fresh:
                self._wake()
            await asyncio.sleep(LOOK_EVERY)

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()


class Events:
    """The handler over one feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/v1/events", self.stream, allow_head=False)]

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Everything behind Last-Event-ID (or from now on), and the status whenever it changes."""
        last = _last_seen(request)
        feed = self._feed
        if feed.closed or feed.clients >= MOST:
            raise web.HTTPServiceUnavailable(
                text="stopping" if feed.closed else f"{MOST} clients listen already",
                headers={"Retry-After": "10"},
            )
        newest = await feed.join()
        try:
            position, first = await self._begin(last, newest)
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            )  # fmt: skip
            await response.prepare(request)
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._send(response, f"retry: {RECONNECT_MS}\n\n".encode() + first)
                await self._follow(response, position)
            if request.transport and not feed.closed:
                request.transport.abort()  # it has gone, or takes nothing any more
            return response
        finally:
            feed.leave()

    async def _begin(self, last: int | None, newest: int) -> tuple[int, bytes]:
        """The position to go on from, and what to say about it: "reset" where events have been missed for good."""
        if last is None:
            return newest, b""
        oldest, newest = await self._feed.kept()
        if last > newest:
            return newest, _reset("these events are of another database")
        if last + 1 < oldest:
            return oldest - 1, _reset("what happened in between is no longer kept")
        return last, b""

    async def _follow(self, response: web.StreamResponse, position: int) -> None:
        feed, shown = self._feed, 0
        while not feed.closed:
            signal = feed.signal()  # before looking, so that nothing falls in between
            position, text = await feed.after(position)
            if feed.status_number != shown:
                shown = feed.status_number
                text += feed.status_text
            if text:
                await self._send(response, text)
                continue
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await signal.wait()
            except TimeoutError:
                await self._send(response, b": still here\n\n")

    async def _send(self, response: web.StreamResponse, text: bytes) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(text)


def _last_seen(request: web.Request) -> int | None:
    asked = query_of(request, EventQuery).last_event_id
    said = request.headers.get("Last-Event-ID", "").strip()
    if not said:
        return asked
    if not (said.isascii() and said.isdecimal()) or len(said) > 19 or int(said) > HIGHEST:
        raise web.HTTPUnprocessableEntity(text="Last-Event-ID: the id of an event")
    return int(said)


def _encoded(event: rows.Event) -> bytes:
    data = json.dumps({"at": event.at, **event.payload})
    return f"id: {event.event_id}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _reset(why: str) -> bytes:
    return f"event: reset\ndata: {json.dumps({'why': why})}\n\n".encode()
