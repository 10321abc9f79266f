"""What commands do in this process, when no daemon runs: operations with their rows, their progress shown."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from soulspot.cli.console import Bars
from soulspot.cli.daemon_client import OperationFailed
from soulspot.operations.kinds import KINDS, advance_by_track_counts, enrich_request, readable_paths
from soulspot.operations.local import record_operation
from soulspot.operations.progress import Progress
from soulspot.operations.refetch import refetch, refetch_cost
from soulspot.operations.reports.results import EnrichmentRun, EnrichReport
from soulspot.operations.reports.waits import Announcer, WaitWatch
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService, ScanReport, wait_until_settled
from soulspot.store import library_counts, operations


async def done_here(
    service: EnrichmentService, kind: str, request: Mapping[str, Any], metadata: Mapping[str, Any], bars: Bars
) -> dict[str, Any]:
    """Do it in this process, as an operation like the daemon's. Returns its report."""

    async def show() -> None:
        while True:
            _show_operation(work.progress, kind, bars)
            await asyncio.sleep(0.2)

    async with record_operation(service, kind, request, metadata) as work:
        showing = asyncio.create_task(show())
        try:
            report, notes = await KINDS[kind](service, request, work.progress)
        finally:
            showing.cancel()
            await asyncio.gather(showing, return_exceptions=True)
        _show_operation(work.progress, kind, bars)
        work.set_result(report, notes)
    return told(report, notes, bars)


def _show_operation(progress: Progress, kind: str, bars: Bars) -> None:
    total, done, failed = progress.counts
    if done or total:
        bars.show(kind, done, total or None, f"{failed} failed" if failed else "")


async def enrich_with(
    service: EnrichmentService, places: Sequence[bytes], wait: float, bars: Bars, *, force: bool = False
) -> EnrichReport:
    """`enrich` over a service that is open."""
    notes: list[str] = []

    def note(line: str) -> None:
        notes.append(line)
        bars.note(line)

    if force:
        bars.note(str(await refetch_cost(service, places)))
    request = enrich_request(places, wait, force_before=time.time() if force else None)
    metadata = {"places": readable_paths(places), "wait": wait, "force": force}
    async with record_operation(service, "enrich", request, metadata) as work:
        enrichment = EnrichmentRun(service)
        await enrichment.scan(places, _scan_progress(bars), note)
        if force:
            await refetch(service, places)
        async with _shown(service, enrichment.watch, bars, work.progress):
            postponed = await wait_until_settled(service, wait)
        report = await enrichment.report(postponed)
        advance_by_track_counts(work.progress, report.tracks)
        work.set_result(report.as_json(), notes)
    return report


@asynccontextmanager
async def _shown(
    service: EnrichmentService, watch: WaitWatch, bars: Bars, progress: Progress | None = None
) -> AsyncIterator[None]:
    """Bars and announcements while this lasts, and how it stands at its end."""
    ticker = asyncio.create_task(_show_progress(service, watch, bars, progress))
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.gather(ticker, return_exceptions=True)
    await _show_once(service, bars)


async def enrich_as_operation(
    service: EnrichmentService, operations_: Operations, wait: float, bars: Bars
) -> EnrichReport:
    """Enrich the library as an operation that others can watch and cancel. OperationFailed when it is not completed."""
    number = await operations_.enrich(wait=wait)
    async with _shown(service, WaitWatch(service), bars):
        await operations_.idle()
    found = await service.database.read(lambda c: operations.find(c, number))
    assert found is not None
    if found["status"] != "completed":
        raise OperationFailed(f"the enrichment has not come to its end: {found['error_message']}")
    metadata = found["metadata"]
    return EnrichReport.from_json(
        metadata["report"] | {name: metadata[name] for name in ("performance", "errors")}
    )


def _scan_progress(bars: Bars) -> Callable[[ScanReport], None]:
    def progress(report: ScanReport) -> None:
        bars.show("scan", report.found, None, f"{report.read} new or changed")

    return progress


async def _show_progress(
    service: EnrichmentService, watch: WaitWatch, bars: Bars, progress: Progress | None
) -> None:
    announcer, providers = Announcer(), [pump.name for pump in service.pumps]
    while True:
        counts = await _show_once(service, bars)
        if progress is not None:
            advance_by_track_counts(progress, counts)
        for line in announcer.new_lines(watch.current(), providers):
            bars.note(line)
        await asyncio.sleep(0.5)


async def _show_once(service: EnrichmentService, bars: Bars) -> dict[str, int]:
    counts = await service.database.read(library_counts.count_tracks_by_status)
    lookups = await service.database.read(library_counts.count_lookups_by_state)
    show_counts(counts, lookups, service.telemetry.requests, bars)
    return counts


def show_counts(
    tracks: Mapping[str, int],
    lookups: Mapping[str, Mapping[str, int]],
    requests: Mapping[str, int],
    bars: Bars,
) -> None:
    bars.show(
        "tracks",
        tracks["total"] - tracks.get("pending", 0),
        tracks["total"],
        f"{sum(requests.values())} requests",
    )
    for provider, states in sorted(lookups.items()):
        total = sum(states.values())
        waiting = states.get("pending", 0) + states.get("leased", 0)
        bars.show(provider, total - waiting, total, f"{requests.get(provider, 0)} requests")


def told(report: dict[str, Any], notes: Sequence[str], bars: Bars) -> dict[str, Any]:
    for note in notes:
        bars.note(note)
    return report
