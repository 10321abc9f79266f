"""The work of each kind of operation: an entry of `KINDS`, driven by its stored request alone, so
that it can restart. Exports need a folder besides, and have a module of their own."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from soulspot.operations.progress import Progress, save_counts
from soulspot.operations.refetch import lift_pauses, queue_again, refetch
from soulspot.operations.reports import results
from soulspot.pipeline import EnrichmentService, ImportReport, wait_until_settled
from soulspot.store import library_counts, operations
from soulspot.tagging.request import OnTagProgress, TagReport, request_from_json

COUNT = 2.0  # seconds between two counts of an enrichment or a refresh

# (the report of the operation as JSON, notes for people)
Report = tuple[dict[str, Any], list[str]]
# work(service, request, progress). After a restart it is called again with the same request:
# what has been done before must then cost little and change nothing.
Work = Callable[[EnrichmentService, Mapping[str, Any], Progress], Awaitable[Report]]


def scan_request(places: Sequence[bytes], *, confirm_vanished: bool = False) -> dict[str, Any]:
    """Return the request stored with a scan: `{"places": [hex paths]}`; empty: all. With
    `confirm_vanished`, missing files that a person was asked about have been deleted."""
    # Paths need not be UTF-8, and JSON must be.
    request: dict[str, Any] = {"places": [place.hex() for place in places]}
    return request | ({"confirm_vanished": True} if confirm_vanished else {})


def import_request(path: Path, *, remove: bool = False, columns: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the request stored with an import: `{"path": hex path, "remove": bool}`. With `remove`
    the file is deleted when every row is in, or the import is cancelled. With `columns` it has the
    headings that are given, such as {"title": "Song"}."""
    request = {"path": os.fsencode(path.absolute()).hex(), "remove": remove}
    return request | ({"columns": dict(columns)} if columns else {})


def enrich_request(places: Sequence[bytes], wait: float, *, force_before: float | None) -> dict[str, Any]:
    """Return the request stored with an enrichment: `{"places": [hex paths], "wait": s,
    "force_before": s}`. Lookups answered before `force_before` (epoch seconds) are sent again."""
    return {**scan_request(places), "wait": wait, "force_before": force_before}


def retry_request(states: Sequence[str], provider: str | None, *, lift_pause: bool = False) -> dict[str, Any]:
    """Return the request stored with a retry: `{"states": ["failed"], "provider": null}`. With
    `lift_pause`, services are asked again that wanted to be left alone for longer."""
    request: dict[str, Any] = {"states": list(states), "provider": provider}
    return request | ({"lift_pause": True} if lift_pause else {})


def readable_paths(places: Sequence[bytes]) -> list[str]:
    """Return paths as people read them; bytes that are not UTF-8 are escaped as \\xNN."""
    return [place.decode("utf-8", "backslashreplace") for place in places]


def _places(request: Mapping[str, Any]) -> list[bytes]:
    return [bytes.fromhex(place) for place in request.get("places", ())]


class _Estimate:
    """Counts of work whose total is counted ahead, or guessed, until its end is known."""

    def __init__(self, progress: Progress, total: int = 0) -> None:
        self._progress = progress
        self._total = total
        self._done, self._failed = 0, 0

    def expect(self, total: int) -> None:
        self._total = total
        self.reach(self._done, self._failed)

    def reach(self, done: int, failed: int) -> None:
        self._done, self._failed = done, failed
        self._progress.advance(max(self._total, done), done, failed)

    def end(self, done: int, failed: int) -> None:
        self._progress.advance(done, done, failed)


@contextlib.asynccontextmanager
async def alongside(counting: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let a count run during the `async with`."""
    # The failure of a count harms nothing.
    task = asyncio.create_task(counting)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _scan(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    places = _places(request)
    # The number of files of the last scan is a fair guess.
    known = await service.database.read(lambda c: library_counts.count_files(c, places))
    counts = _Estimate(progress, known)
    # Walking is quick beside reading: where nothing is known yet, a walk runs ahead and counts.
    ahead = contextlib.nullcontext() if known else alongside(service.count_files(places, counts.expect))
    async with ahead:
        report = await service.scan(
            places, lambda report: counts.reach(report.found, report.unreadable),
            confirm_vanished=bool(request.get("confirm_vanished")),
        )  # fmt: skip
    counts.end(report.found, report.unreadable)
    return results.scan_counts(report), results.scan_notes(report)


async def _import(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    path, number = Path(os.fsdecode(bytes.fromhex(request["path"]))), progress.operation_id
    status = await asyncio.to_thread(path.stat)
    # A place counts rows of this very file: one that was written anew is read from its beginning.
    file = [status.st_size, status.st_mtime_ns]
    place = await service.database.read(lambda c: operations.load_place(c, number))
    done = ImportReport(**place["report"]) if place and place["file"] == file else ImportReport()
    counts = _Estimate(progress, progress.counts[0])
    counts.reach(done.rows, done.bad)

    def keep(connection: sqlite3.Connection, report: ImportReport) -> None:
        operations.save_place(connection, number, {"file": file, "report": asdict(report)})
        total = max(progress.counts[0], report.rows)
        save_counts(connection, number, (total, report.rows, report.bad), service.now())

    columns = request.get("columns")
    async with alongside(service.count_rows(path, counts.expect, columns)):
        report = await service.import_file(
            path, lambda report: counts.reach(report.rows, report.bad), done, keep, columns
        )
    counts.end(report.rows, report.bad)
    return results.import_counts(report), results.import_notes(report)


async def _enrich(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    notes: list[str] = []
    run = results.EnrichmentRun(service)
    # The scan may take long too, and adds tracks while it runs.
    async with alongside(count_tracks(service, progress)):
        await run.scan(_places(request), lambda report: None, notes.append)
        # The time of the request, not of this start: a restart leaves answers since then alone.
        if request.get("force_before"):
            await refetch(service, _places(request), before=request["force_before"])
        postponed = await wait_until_settled(service, float(request["wait"]), run.track_ids)
    report = await run.report(postponed)
    advance_by_track_counts(progress, report.tracks)
    return report.as_json(), notes


async def _retry(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    lifted = {"lifted": await lift_pauses(service, request["provider"])} if request.get("lift_pause") else {}
    count = await queue_again(service, request["states"], request["provider"])
    progress.advance(count, count, 0)
    return {"queued": count, **lifted}, []


async def _refresh(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    # The queue itself sends aged lookups again; this operation counts them until none is left.
    total = progress.counts[0]
    while left := await service.database.read(library_counts.count_refreshing_lookups):
        total = max(total, left)
        progress.advance(total, total - left, 0)
        await asyncio.sleep(COUNT)
    progress.advance(total, total, 0)
    return {"refreshed": total}, []


async def _write_tags(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    wanted, on_progress = request_from_json(request), _tag_progress(progress)
    report = await service.parts.tagging.write(wanted, progress.operation_id, on_progress)
    return _tag_result(report, on_progress)


async def _undo_tags(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
    number, on_progress = request["operation"], _tag_progress(progress)
    report = await service.parts.tagging.undo(number, force=request["force"], on_progress=on_progress)
    return _tag_result(report, on_progress)


def _tag_progress(progress: Progress) -> OnTagProgress:
    return lambda report, total: progress.advance(max(total, report.looked), report.looked, report.failed)


def _tag_result(report: TagReport, on_progress: OnTagProgress) -> Report:
    on_progress(report, report.looked)
    notes = [f"{problem['path']}: {problem['reason']}" for problem in report.problems[: results.MAX_NOTES]]
    more = report.skipped + report.failed + report.covers_postponed - len(notes)
    return report.as_json(), [*notes, f"... and {more} more"] if more > 0 else notes


async def count_tracks(service: EnrichmentService, progress: Progress, every: float = COUNT) -> None:
    """Advance the progress of an enrichment by the tracks of the library, until cancelled."""
    while True:
        with contextlib.suppress(sqlite3.Error):
            advance_by_track_counts(progress, await service.database.read(library_counts.count_tracks_by_status))
        await asyncio.sleep(every)


def advance_by_track_counts(progress: Progress, counts: Mapping[str, int]) -> None:
    """Set the progress of an enrichment from the counts of tracks by status, with their "total"."""
    progress.advance(counts["total"], counts["total"] - counts.get("pending", 0), counts.get("failed", 0))


KINDS: Mapping[str, Work] = {
    "scan": _scan, "import": _import, "enrich": _enrich, "retry": _retry, "refresh": _refresh,
    "write_tags": _write_tags, "undo_tags": _undo_tags,
}  # fmt: skip
