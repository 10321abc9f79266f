"""What has been done lately: the counters of telemetry, looked at every ten seconds and remembered for an hour."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from aiohttp import web

from soulspot.operations.reports.errors import error_report
from soulspot.pipeline import EnrichmentService
from soulspot.store.times import iso
from soulspot.telemetry import Telemetry

SLICE = 10.0  # seconds between two looks
KEPT = 360  # looks: an hour
MINUTE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class _Look:
    at: float  # seconds since the epoch
    tracks: int
    requests: Counter[str]


class Activity:
    """Counts nothing itself: what happened in a stretch of time is the difference of two looks at the counters."""

    def __init__(self, service: EnrichmentService, wall: Callable[[], float] = time.time) -> None:
        self._database = service.database
        self._telemetry: Telemetry = service.telemetry
        self._wall = wall
        self._looks: deque[_Look] = deque([self._now()], maxlen=KEPT + 1)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/v1/activity", self.handle)]

    async def handle(self, _: web.Request) -> web.Response:
        """The last hour in slices of ten seconds, oldest first, and what has failed for good, in words."""
        slices = self.slices()
        return web.json_response(
            {"slice_seconds": SLICE, "slices": slices, "failures": await self._database.read(error_report)}
        )

    def slices(self) -> list[dict[str, Any]]:
        """Each has `at` (its end), `tracks` that came to a result in it, and `requests` by service."""
        looks = [*self._looks, self._now()]
        return [
            {
                "at": iso(later.at),
                "tracks": later.tracks - earlier.tracks,
                "requests": dict(later.requests - earlier.requests),
            }
            for earlier, later in pairwise(looks)
        ]

    def services(self) -> dict[str, dict[str, Any]]:
        """By service: `requests_last_minute`, and `batch_fill`, the share (0 to 1) of its batches' room that was used
        since the start (None before the first batch)."""
        now = self._now()
        before = self._minute_ago(now)
        room, items = self._telemetry.batch_room, self._telemetry.batch_items
        return {
            name: {
                "requests_last_minute": now.requests[name] - before.requests[name],
                "batch_fill": round(items[name] / room[name], 3) if room.get(name) else None,
            }
            for name in sorted({*now.requests, *room})
        }

    def pace(self, pending: int) -> dict[str, float | None]:
        """`tracks_per_second` over the last minute, and `eta_seconds` until `pending` tracks have come to a result at
        that rate; None where nothing moves."""
        now = self._now()
        before = self._minute_ago(now)
        done, passed = now.tracks - before.tracks, now.at - before.at
        rate = done / passed if done > 0 and passed > 0 else None
        return {
            "tracks_per_second": None if rate is None else round(rate, 2),
            "eta_seconds": round(pending / rate, 1) if rate and pending else None,
        }

    def _minute_ago(self, now: _Look) -> _Look:
        return next((one for one in reversed(self._looks) if one.at <= now.at - MINUTE), self._looks[0])

    def look(self) -> None:
        """Remember how the counters stand."""
        self._looks.append(self._now())

    async def looking(self, _: web.Application) -> AsyncIterator[None]:
        """Looks while the application runs."""

        async def forever() -> None:
            while True:
                await asyncio.sleep(SLICE)
                self.look()

        task = asyncio.create_task(forever(), name="activity")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _now(self) -> _Look:
        telemetry = self._telemetry
        return _Look(self._wall(), sum(telemetry.results.values()), Counter(telemetry.requests))
