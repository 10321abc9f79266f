"""Show how far an enrichment is, in this process or in the daemon: tracks, lookups, and services that wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from soulspot.cli.console import Bars
from soulspot.cli.daemon_client import DaemonClient
from soulspot.cli.workplace import repeated
from soulspot.errors import SoulSpotError
from soulspot.operations.kinds import advance_by_track_counts
from soulspot.operations.progress import Progress
from soulspot.operations.reports.waits import Announcer, WaitWatch, current_waits
from soulspot.pipeline import EnrichmentService
from soulspot.store import library_counts

LOOK_SECONDS, DAEMON_LOOK_SECONDS = 0.5, 2.0  # between two looks at the counts


@asynccontextmanager
async def service_progress(
    service: EnrichmentService, watch: WaitWatch, bars: Bars, progress: Progress | None = None
) -> AsyncIterator[None]:
    """Show how far this process' service is while the `async with` lasts, and its state at the end.

    Announces every service that begins or ends to wait, as `watch` sees it. `progress` is the
    operation whose counts are to follow."""
    announcer, providers = Announcer(), [pump.name for pump in service.pumps]

    async def show_counts() -> dict[str, int]:
        tracks = await service.database.read(library_counts.count_tracks_by_status)
        lookups = await service.database.read(library_counts.count_lookups_by_state)
        _show(tracks, lookups, service.telemetry.requests, bars)
        return tracks

    async def show() -> None:
        tracks = await show_counts()
        if progress is not None:
            advance_by_track_counts(progress, tracks)
        for line in announcer.new_lines(watch.current(), providers):
            bars.note(line)

    async with repeated(show, LOOK_SECONDS):
        yield
    await show_counts()


def daemon_progress(client: DaemonClient, bars: Bars) -> AbstractAsyncContextManager[None]:
    """Show how far the daemon is, by its status, while the `async with` lasts."""
    announcer = Announcer()

    async def show() -> None:
        # the operation itself tells when the daemon is gone or answers nonsense; the bars only pause
        try:
            status = await client.status()
            requests: Counter[str] = Counter()
            for gate in status["gates"]:
                requests[gate["provider"]] += gate["requests"]
            _show(status["tracks"], status["lookups"], requests, bars)
            pumps = status.get("pumps") or {}
            for line in announcer.new_lines(current_waits(status["gates"], pumps, {}), list(pumps)):
                bars.note(line)
        except (SoulSpotError, KeyError, TypeError, ValueError):
            pass

    return repeated(show, DAEMON_LOOK_SECONDS)


def _show(
    tracks: Mapping[str, int],
    lookups: Mapping[str, Mapping[str, int]],
    requests: Mapping[str, int],
    bars: Bars,
) -> None:
    """Show one bar of the tracks that are decided, and one for each provider of the lookups that are answered."""
    decided = tracks["total"] - tracks.get("pending", 0)
    bars.show("tracks", decided, tracks["total"], f"{sum(requests.values())} requests")
    for provider, states in sorted(lookups.items()):
        total = sum(states.values())
        waiting = states.get("pending", 0) + states.get("leased", 0)
        bars.show(provider, total - waiting, total, f"{requests.get(provider, 0)} requests")
