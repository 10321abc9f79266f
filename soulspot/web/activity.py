"""Recent activity: the counters of telemetry, sampled every ten seconds and kept for an hour."""

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
from soulspot.web import responses
from soulspot.web.routing import API, Handlers, route

SLICE = 10.0  # seconds between two samples
KEPT = 360  # samples: an hour
MINUTE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class _Sample:
    at: float  # seconds of the monotonic clock
    tracks: int  # tracks finished since the process started
    requests: Counter[str]  # requests since then, by provider


class Activity(Handlers):
    """Samples of the counters; the activity of a span of time is the difference of two."""

    def __init__(self, service: EnrichmentService, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = service.database
        self._telemetry = service.telemetry
        self._clock = clock
        self._samples: deque[_Sample] = deque([self._now()], maxlen=KEPT + 1)

    @route("GET", f"{API}/activity", {200: responses.Activity})
    async def show(self) -> dict[str, Any]:
        """Show the last hour in slices of ten seconds, and everything that has failed for good."""
        failures = await self._database.read(error_report)
        return {"slice_seconds": SLICE, "slices": self.slices(), "failures": failures}

    def slices(self) -> list[dict[str, Any]]:
        """Return the last hour as slices: `at` (end), finished `tracks`, `requests` by provider."""
        epoch = time.time() - self._clock()
        return [
            {
                "at": iso(epoch + later.at),
                "tracks": later.tracks - earlier.tracks,
                "requests": dict(later.requests - earlier.requests),
            }
            for earlier, later in pairwise([*self._samples, self._now()])
        ]

    def services(self) -> dict[str, dict[str, Any]]:
        """Return `requests_last_minute` and `batch_fill` by provider: the share (0 to 1) of the
        batches' capacity used since the process started; None before the first batch."""
        now = self._now()
        before = self._minute_before(now)
        room, items = self._telemetry.batch_room, self._telemetry.batch_items
        return {
            name: {
                "requests_last_minute": now.requests[name] - before.requests[name],
                "batch_fill": round(items[name] / room[name], 3) if room.get(name) else None,
            }
            for name in sorted({*now.requests, *room})
        }

    def pace(self, pending: int) -> dict[str, float | None]:
        """Return `tracks_per_second` over the last minute, and `eta_seconds` until `pending` tracks
        are finished; None while no track is finished."""
        now = self._now()
        before = self._minute_before(now)
        done, passed = now.tracks - before.tracks, now.at - before.at
        rate = done / passed if done > 0 and passed > 0 else None
        return {
            "tracks_per_second": None if rate is None else round(rate, 2),
            "eta_seconds": round(pending / rate, 1) if rate and pending else None,
        }

    def _minute_before(self, now: _Sample) -> _Sample:
        older = (sample for sample in reversed(self._samples) if sample.at <= now.at - MINUTE)
        return next(older, self._samples[0])

    def sample(self) -> None:
        """Keep the counters as they stand now."""
        self._samples.append(self._now())

    async def sampling(self, _: web.Application) -> AsyncIterator[None]:
        """Take samples while the application runs; a cleanup context of aiohttp."""

        async def forever() -> None:
            while True:
                await asyncio.sleep(SLICE)
                self.sample()

        task = asyncio.create_task(forever(), name="activity")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    def _now(self) -> _Sample:
        telemetry = self._telemetry
        return _Sample(self._clock(), sum(telemetry.results.values()), Counter(telemetry.requests))
