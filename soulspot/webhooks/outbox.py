"""Events from outside a transaction (limits, alarms), written to the outbox in order."""

import asyncio
import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from soulspot.errors import SoulSpotError
from soulspot.limits import LimitEvent
from soulspot.store import events
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.telemetry import get_logger

log = get_logger(__name__)

# Events that wait for the database; beyond that the oldest are dropped, while it cannot be written.
MOST = 1000
AGAIN = 30.0  # seconds until a failed write is tried again


class Outbox:
    """`record` returns at once; a task of the running loop writes the events."""

    def __init__(self, database: Database, *, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._waiting: deque[tuple[str, Mapping[str, Any], float]] = deque(maxlen=MOST)
        self._writing: asyncio.Task[None] | None = None

    def record(self, kind: str, **payload: Any) -> None:
        """Add an event of this kind, which has happened now."""
        self._waiting.append((kind, payload, self._now()))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="outbox")

    def on_limit(self, event: LimitEvent) -> None:
        """Record that a gate has closed ("provider.limited") or opened ("provider.recovered")."""
        payload: dict[str, Any] = {"provider": event.provider, "host": event.host}
        if event.kind == "limited":
            payload |= {"until": None if event.until is None else iso(event.until), "why": event.why}
        self.record(f"provider.{event.kind}", **payload)

    async def close(self, within: float = 1.0) -> None:
        """Wait until every event is written, `within` seconds at most."""
        if self._writing:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._writing, within)

    async def _write(self) -> None:
        while self._waiting:
            batch = list(self._waiting)

            def add(connection: sqlite3.Connection, batch: list[Any] = batch) -> None:
                for kind, payload, at in batch:
                    events.add(connection, kind, payload, at)

            try:
                await self._database.write(add)
            except (sqlite3.Error, SoulSpotError) as error:
                log.warning("outbox_failed", error=str(error), again_in_seconds=AGAIN)
                await asyncio.sleep(AGAIN)
                continue
            for event in batch:
                # A full deque may have dropped it during the write.
                if self._waiting and self._waiting[0] is event:
                    self._waiting.popleft()
