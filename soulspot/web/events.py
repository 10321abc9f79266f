"""The outbox and the status as server-sent events, to at most `MAX_CLIENTS` clients at once. No
client has a queue of its own: each is a position in the outbox, so that a slow client costs no
memory and misses nothing. Recent events are in memory, encoded once for all clients."""

import asyncio
import contextlib
import json
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from soulspot.pipeline import EnrichmentService
from soulspot.store import events
from soulspot.telemetry import get_logger
from soulspot.web.requests import MAX_INTEGER, EventQuery
from soulspot.web.routing import API, Handlers, route

MAX_CLIENTS = 64
POLL = 0.5  # seconds between two reads of the outbox
STATUS_EVERY = 4  # polls between two statuses
HEARTBEAT = 15.0  # seconds of silence after which a comment shows that the connection lives
WRITE_SECONDS = 30.0  # a client that takes no data for this long is disconnected
WRITE_EVENTS = 500  # events of one write
RECENT = 2_000  # events kept in memory
RECONNECT_MS = 2_000  # after which a browser reconnects

LAST_EVENT = {
    "name": "Last-Event-ID", "in": "header", "required": False,
    "description": "continue after this event; takes precedence over the query",
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER},
}  # fmt: skip

log = get_logger(__name__)

Document = Callable[[], Awaitable[Mapping[str, Any]]]


class Feed:
    """One reader of the outbox for all clients; `status` returns the status document."""

    def __init__(self, service: EnrichmentService, status: Document) -> None:
        self.database = service.database
        self._status = status
        # (event id, encoded event), the newest last
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        # The last (position, next position, text) of `after`: most clients ask for the same.
        self._last_answer: tuple[int, int, bytes] = (0, 0, b"")
        self._newest = 0
        # Set, and replaced by a new one, as soon as there is something new.
        self.news = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self.clients = 0
        self.status_number, self.status_text = 0, b""
        self.closed = False

    async def join(self) -> int:
        """Add a client, which must `leave` at its end. Return the id of the newest event."""
        self.clients += 1
        if self._polling is None:
            try:
                _, self._newest = await self.database.read(events.kept_range)
            except BaseException:
                self.clients -= 1
                raise
            self._recent.clear()
        # Another client may have started the reader during the read above.
        if self._polling is None:
            # The status of the time when the last client left is outdated.
            self.status_text = b""
            self._polling = asyncio.create_task(self._poll(), name="events")
        return self._newest

    def leave(self) -> None:
        """Remove a client; the last one stops the reader."""
        self.clients -= 1
        if not self.clients and self._polling:
            self._polling.cancel()
            self._polling = None

    async def after(self, position: int) -> tuple[int, bytes]:
        """Return the position behind the next events, and their text; b"" without any."""
        if self._last_answer[0] == position and self._last_answer[1] > position:
            return self._last_answer[1:]
        if position >= self._newest:
            return position, b""
        if self._recent and self._recent[0][0] <= position + 1:
            found = [(number, text) for number, text in self._recent if number > position][:WRITE_EVENTS]
        else:
            read = await self.database.read(lambda c: events.list_after(c, position, WRITE_EVENTS))
            found = [(event.event_id, _encode(event)) for event in read]
        if not found:
            return self._newest, b""
        self._last_answer = (position, found[-1][0], b"".join(text for _, text in found))
        return self._last_answer[1:]

    def close(self) -> None:
        """Disconnect every client."""
        self.closed = True
        if self._polling:
            self._polling.cancel()
        self._wake()

    async def _poll(self) -> None:
        polls = 0
        while True:
            is_new = False
            try:
                if polls % STATUS_EVERY == 0:
                    text = f"event: status\ndata: {json.dumps(await self._status())}\n\n".encode()
                    is_new = text != self.status_text
                    if is_new:
                        self.status_number, self.status_text = self.status_number + 1, text
                for event in await self.database.read(lambda c: events.list_after(c, self._newest, RECENT)):
                    self._recent.append((event.event_id, _encode(event)))
                    self._newest, is_new = event.event_id, True
            except sqlite3.Error:
                # The disk is busy or full; the next poll reads what this one could not.
                pass
            except Exception:
                # Without its reader every client would wait for ever: it survives our faults too.
                log.exception("request_failed", method="GET", path="/api/v1/events")
            polls += 1
            if is_new:
                self._wake()
            await asyncio.sleep(POLL)

    def _wake(self) -> None:
        self.news.set()
        self.news = asyncio.Event()


class EventRoutes(Handlers):
    """The handler of the event stream over one feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    @route(
        "GET", f"{API}/events", {200: "text/event-stream"}, query=EventQuery, headers=(LAST_EVENT,),
        problems=(503,), allows_head=False,
    )  # fmt: skip
    async def stream(self, request: web.Request, query: EventQuery) -> web.StreamResponse:
        """Stream events as they happen, and the status when it changes (server-sent events)."""
        last = _last_event_id(request, query)
        feed = self._feed
        if feed.closed or feed.clients >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(
                text="stopping" if feed.closed else f"{MAX_CLIENTS} clients are connected already",
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
            # The client hung up or takes no data: closing politely would wait for it.
            if request.transport and not feed.closed:
                request.transport.abort()
            return response
        finally:
            feed.leave()

    async def _begin(self, last: int | None, newest: int) -> tuple[int, bytes]:
        """Return the position to start from, and a "reset" event where events were missed."""
        if last is None:
            return newest, b""
        oldest, newest = await self._feed.database.read(events.kept_range)
        if last > newest:
            return newest, _reset("these events are of another database")
        if last + 1 < oldest:
            return oldest - 1, _reset("what happened in between is no longer kept")
        return last, b""

    async def _follow(self, response: web.StreamResponse, position: int) -> None:
        feed, shown = self._feed, 0
        while not feed.closed:
            # Taken before the events are read, so that nothing falls in between.
            news = feed.news
            position, text = await feed.after(position)
            if feed.status_number != shown:
                shown = feed.status_number
                text += feed.status_text
            if text:
                await self._send(response, text)
                continue
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await news.wait()
            except TimeoutError:
                await self._send(response, b": still here\n\n")

    async def _send(self, response: web.StreamResponse, text: bytes) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(text)


def _last_event_id(request: web.Request, query: EventQuery) -> int | None:
    given = request.headers.get("Last-Event-ID", "").strip()
    if not given:
        return query.last_event_id
    if not (given.isascii() and given.isdecimal()) or len(given) > 19 or int(given) > MAX_INTEGER:
        raise web.HTTPUnprocessableEntity(text="Last-Event-ID: must be the id of an event")
    return int(given)


def _encode(event: events.Event) -> bytes:
    data = json.dumps({"at": event.at, **event.payload})
    return f"id: {event.event_id}\nevent: {event.kind}\ndata: {data}\n\n".encode()


def _reset(why: str) -> bytes:
    return f"event: reset\ndata: {json.dumps({'why': why})}\n\n".encode()
