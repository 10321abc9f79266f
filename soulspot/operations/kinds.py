"""What operations do: one entry of `KINDS` a kind, made of what was asked for alone, so that it can begin again.

Exports need a folder besides, and have a module of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from soulspot.operations.progress import Progress
from soulspot.operations.refetch import queue_again, refetch
from soulspot.operations.reports.results import (
    MAX_NOTES,
    EnrichmentRun,
    import_notes,
    imported,
    scan_notes,
    scanned,
)
from soulspot.pipeline import EnrichmentService, wait_until_settled
from soulspot.store import library_counts
from soulspot.tagging.request import OnTagProgress, TagReport, request_from_json

COUNT = 2.0  # seconds between two looks at how far an enrichment or a refresh is

Work = Callable[[EnrichmentService, Mapping[str, Any], Progress], Awaitable[tuple[dict[str, Any], list[str]]]]
"""work(service, request, progress) -> (report, what a person should hear of it). It may be begun again after a
restart with the same request: what was done before must then cost little and change nothing."""


def scan_request(places: Sequence[bytes]) -> dict[str, Any]:
    """What a scan works by."""
    return {"places": _kept(places)}


def import_request(path: Path, *, remove: bool = False) -> dict[str, Any]:
    """What an import works by; with `remove` the file goes when it has been read."""
    return {"path": os.fsencode(path.absolute()).hex(), "remove": remove}


def enrich_request(places: Sequence[bytes], wait: float, *, force_before: float | None) -> dict[str, Any]:
    """What an enrichment works by; what was known at `force_before` (epoch seconds) is asked again."""
    return {"places": _kept(places), "wait": wait, "force_before": force_before}


def retry_request(states: Sequence[str], provider: str | None) -> dict[str, Any]:
    """What a retry works by."""
    return {"states": list(states), "provider": provider}


def _kept(places: Sequence[bytes]) -> list[str]:
    """Paths as JSON can keep them, whatever their bytes; `_places` is the way back."""
    return [place.hex() for place in places]


def readable_paths(places: Sequence[bytes]) -> list[str]:
    """Paths as a person reads them."""
    return [place.decode("utf-8", "backslashreplace") for place in places]


def _places(request: Mapping[str, Any]) -> list[bytes]:
    return [bytes.fromhex(place) for place in request.get("places", ())]


class _Foreseen:
    """Counts of something whose end is not known: how much there will be is counted ahead, or a fair guess."""

    def __init__(self, progress: Progress, expected: int = 0) -> None:
        self._progress = progress
        self._expected = expected
        self._done, self._failed = 0, 0

    def expect(self, total: int) -> None:
        self._expected = total
        self.reach(self._done, self._failed)

    def reach(self, done: int, failed: int) -> None:
        self._done, self._failed = done, failed
        self._progress.advance(max(self._expected, done), done, failed)

    def end(self, done: int, failed: int) -> None:
        self._progress.advance(done, done, failed)


@contextlib.asynccontextmanager
async def _meanwhile(counting: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Count ahead while something slower goes on; that it cannot be counted is no failure."""
    task = asyncio.create_task(counting)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _scan(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    places = _places(request)
    known = await service.database.read(lambda c: library_counts.count_files(c, places))
    counts = _Foreseen(progress, known)  # those of the last time are a fair guess

    def tell(report: Any) -> None:
        counts.reach(report.found, report.unreadable)

    # walking is quick beside reading: where nothing is known yet, it runs ahead
    ahead = contextlib.nullcontext() if known else _meanwhile(service.count_files(places, counts.expect))
    async with ahead:
        report = await service.scan(places, tell)
    counts.end(report.found, report.unreadable)
    return scanned(report), scan_notes(report)


async def _import(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    path = Path(os.fsdecode(bytes.fromhex(request["path"])))
    counts = _Foreseen(progress)

    def tell(report: Any) -> None:
        counts.reach(report.rows, report.bad)

    async with _meanwhile(service.count_rows(path, counts.expect)):
        report = await service.import_file(path, tell)
    counts.end(report.rows, report.bad)
    return imported(report), import_notes(report)


async def _enrich(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    notes: list[str] = []
    enrichment = EnrichmentRun(service)
    async with _meanwhile(
        _count_tracks(service, progress)
    ):  # the scan too takes long, and tracks come in with it
        await enrichment.scan(_places(request), lambda report: None, notes.append)
        if request.get(
            "force_before"
        ):  # begun again after a restart, it leaves alone what was answered since
            await refetch(service, _places(request), before=request["force_before"])
        postponed = await wait_until_settled(service, float(request["wait"]))
    report = await enrichment.report(postponed)
    advance_by_track_counts(progress, report.tracks)
    return report.as_json(), notes


async def _retry(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    count = await queue_again(service, request["states"], request["provider"])
    progress.advance(count, count, 0)
    return {"queued": count}, []


async def _refresh(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    """Aged answers are asked for again by the queue itself; this follows them until none is left."""
    total = progress.counts[0]
    while left := await service.database.read(library_counts.count_refreshing_lookups):
        total = max(total, left)
        progress.advance(total, total - left, 0)
        await asyncio.sleep(COUNT)
    progress.advance(total, total, 0)
    return {"refreshed": total}, []


async def _write_tags(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    told = _tags_told(progress)
    report = await service.parts.tagging.write(request_from_json(request), progress.operation_id, told)
    told(report, report.looked)
    return report.as_json(), _tag_notes(report)


async def _undo_tags(
    service: EnrichmentService, request: Mapping[str, Any], progress: Progress
) -> tuple[dict[str, Any], list[str]]:
    told = _tags_told(progress)
    report = await service.parts.tagging.undo(request["operation"], force=request["force"], tell=told)
    told(report, report.looked)
    return report.as_json(), _tag_notes(report)


def _tags_told(progress: Progress) -> OnTagProgress:
    return lambda report, total: progress.advance(max(total, report.looked), report.looked, report.failed)


def _tag_notes(report: TagReport) -> list[str]:
    notes = [f"{one['path']}: {one['reason']}" for one in report.problems[:MAX_NOTES]]
    more = report.skipped + report.failed + report.covers_postponed - len(notes)
    return [*notes, f"... and {more} more"] if more > 0 else notes


async def _count_tracks(service: EnrichmentService, progress: Progress) -> None:
    """Tell how far the tracks are while an enrichment runs."""
    while True:
        with contextlib.suppress(sqlite3.Error):
            advance_by_track_counts(
                progress, await service.database.read(library_counts.count_tracks_by_status)
            )
        await asyncio.sleep(COUNT)


def advance_by_track_counts(progress: Progress, counts: Mapping[str, int]) -> None:
    """How far an enrichment is, by the counts of the tracks."""
    progress.advance(counts["total"], counts["total"] - counts.get("pending", 0), counts.get("failed", 0))


KINDS: Mapping[str, Work] = {
    "scan": _scan,
    "import": _import,
    "enrich": _enrich,
    "retry": _retry,
    "refresh": _refresh,
    "write_tags": _write_tags,
    "undo_tags": _undo_tags,
}
