"""Enrichment that nobody asked for as an operation: files that were scanned, watched or imported.

It is an operation too, of kind `enrich` with `own` in its metadata, so that it has a report."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

from soulspot.operations.kinds import Report, Work, advance_by_track_counts, alongside, count_tracks
from soulspot.operations.progress import Progress
from soulspot.operations.reports.results import EnrichmentRun
from soulspot.pipeline import EnrichmentService, wait_until_settled
from soulspot.pipeline.status import has_work

OWN: Mapping[str, Any] = {"own": True}  # the request, and what people see of it
QUIET = 15.0  # seconds without an answer after which own work has come to its end
WAIT = 60.0  # seconds; a lookup that is due later is postponed
COUNT = 10.0  # seconds between two counts of work that may last for weeks

# These count the same work in a report of their own.
REPORTED = frozenset({"enrich", "refresh"})


class OwnWork:
    """Notices own work, and does the operations about it: they only watch, the pumps work anyway.

    Counts since the service was last idle, so that the work before an operation began is in it."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._run = EnrichmentRun(service)

    async def is_unreported(self, running: Collection[str]) -> bool:
        """Whether there is work, or was since the last look, that none of the `running` kinds of
        operations reports."""
        if not REPORTED.isdisjoint(running):
            self._run = EnrichmentRun(self._service)
            return False
        if self._run.count_answered() or await has_work(self._service):
            return True
        # idle until now: what comes is measured from here
        self._run = EnrichmentRun(self._service)
        return False

    def instead_of(self, asked: Work) -> Work:
        """Return the work of `enrich`: own work where the request says so, else `asked`."""

        async def work(service: EnrichmentService, request: Mapping[str, Any], progress: Progress) -> Report:
            return await (self._watch(progress) if request.get("own") else asked(service, request, progress))

        return work

    async def _watch(self, progress: Progress) -> Report:
        service, run = self._service, self._run
        async with alongside(count_tracks(service, progress, COUNT)):
            while True:
                postponed = await wait_until_settled(service, WAIT)
                # made before the quiet: that is no part of the work
                report, answered = await run.report(postponed), run.count_answered()
                await asyncio.sleep(QUIET)
                if run.count_answered() == answered and not await has_work(service):
                    break
        advance_by_track_counts(progress, report.tracks)
        return report.as_json(), []
