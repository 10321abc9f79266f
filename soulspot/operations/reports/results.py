"""Results of operations: one shape, whether the daemon did the work or a command did."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from soulspot.library.scan import PassedLinks, Problem
from soulspot.operations.reports.errors import error_report
from soulspot.operations.reports.performance import Measurement
from soulspot.operations.reports.waits import WaitWatch
from soulspot.pipeline import EnrichmentService, ImportReport, Postponed, ScanReport
from soulspot.store import library_counts

MAX_NOTES = 20  # lines about single files or rows; the log has all of them


@dataclass(slots=True)
class EnrichReport:
    """The result of an enrichment."""

    tracks: dict[str, int]  # by status, and their "total"
    # HTTP requests and answered lookups, by provider.
    requests: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    postponed: list[Postponed] = field(default_factory=list)
    lost: int = 0  # lookups that failed for good, of tracks that are not accepted
    # The given places that could not be scanned, with the reason.
    bad_places: list[str] = field(default_factory=list)
    found: int | None = None  # files that the scan found; None without a scan
    # As `Measurement.report` and `error_report` return them.
    performance: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether no lookup is left, postponed or lost."""
        return not self.postponed and not self.lost

    @property
    def served(self) -> dict[str, int]:
        """Tracks that each provider answered for, by provider."""
        return {name: service["tracks"] for name, service in self.performance.get("services", {}).items()}

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is stored with the operation and printed by `--json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the report that `as_json` wrote. KeyError or TypeError for other values."""
        return cls(**{**values, "postponed": [Postponed(**wait) for wait in values["postponed"]]})


def scan_counts(report: ScanReport) -> dict[str, int]:
    """Return the counts of a scan as JSON."""
    names = ("found", "unchanged", "read", "unreadable", "vanished", "unconfirmed")
    counts = {name: getattr(report, name) for name in names}
    return counts | {"problems": len(report.problems), "links_passed": report.links_passed}


def import_counts(report: ImportReport) -> dict[str, Any]:
    """Return the counts of an import as JSON, and its first faulty rows, `{"line", "words"}`."""
    counts: dict[str, Any] = {"rows": report.rows, "queued": report.queued, "bad": report.bad}
    if report.remarked:
        counts["remarked"] = report.remarked
    for name, rows in (("bad_rows", report.bad_rows), ("remarks", report.remarks)):
        if rows:
            counts[name] = [{"line": line, "words": words} for line, words in rows]
    return counts


def describe_problem(problem: Problem) -> str:
    """Return a skipped file or folder and the reason, with bytes that are not UTF-8 escaped."""
    text = f"{os.fsdecode(problem.path)}: {problem.reason}"
    return text.encode("utf-8", "backslashreplace").decode()


def describe_links(links: PassedLinks, reason: str) -> str:
    """Return how many symbolic links were passed over, and why."""
    first = os.fsdecode(links.first).encode("utf-8", "backslashreplace").decode()
    counted = "1 symbolic link" if links.count == 1 else f"{links.count} symbolic links"
    return f"{counted} {reason} ({first}{' and others' if links.count > 1 else ''})"


def scan_notes(report: ScanReport) -> list[str]:
    """Return notes for people about a scan: `MAX_NOTES` lines, and a line that counts the rest."""
    questions = [str(question) for losses in report.losses for question in losses.asked][:MAX_NOTES]
    notes = [f"skipped {describe_problem(problem)}" for problem in report.problems[:MAX_NOTES]]
    if (rest := len(report.problems) - len(notes)) > 0:
        notes.append(f"... and {rest} more files or folders skipped")
    return [*questions, *notes, *(describe_links(links, reason) for reason, links in report.links)]


def import_notes(report: ImportReport) -> list[str]:
    """Return notes for people about an import: at most `MAX_NOTES` lines on its rows."""
    rows = sorted((*report.bad_rows, *report.remarks), key=lambda row: row[0])
    notes = [f"line {line}: {words}" for line, words in rows[:MAX_NOTES]]
    if (rest := report.bad + report.remarked - len(notes)) > 0:
        notes.append(f"... and {rest} more rows or values that cannot be used")
    if report.unknown_columns:
        notes.append(f"columns that are not used: {', '.join(report.unknown_columns)}")
    return notes


class EnrichmentRun:
    """One enrichment by a service that may do other work too: its cost is counted from here on."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._before = self._spent()
        self._bad_places: list[str] = []
        self._found: int | None = None
        self.track_ids: list[int] | None = None  # the tracks of the given places; None for all
        self.watch = WaitWatch(service)
        self._measurement = Measurement(service.telemetry)

    async def scan(
        self, places: Sequence[bytes], on_progress: Callable[[ScanReport], None], note: Callable[[str], None]
    ) -> None:
        """Scan these places, or the library if there is one. `note` gets each line for people."""
        if not places and not self._service.has_library:
            return
        report = await self._service.scan(places, on_progress)
        if places:
            self.track_ids = await self._service.database.read(lambda c: library_counts.find_tracks(c, places))
        self._found = report.found
        for line in scan_notes(report):
            note(line)
        self._bad_places = [describe_problem(problem) for problem in report.problems if problem.path in places]

    async def report(self, postponed: Sequence[Postponed]) -> EnrichReport:
        """Return the result, with the lookups that are `postponed` now."""
        read = self._service.database.read
        reasons = {wait.provider: wait.reason for wait in self.watch.current()}
        explained = [replace(wait, why=reasons.get(wait.provider, wait.why)) for wait in postponed]
        requests, answered = (now - then for now, then in zip(self._spent(), self._before, strict=True))
        tracks = await read(lambda c: library_counts.count_tracks_by_status(c, self.track_ids))
        return EnrichReport(
            tracks, dict(requests), dict(answered), explained,
            await read(lambda c: library_counts.count_lost_lookups(c, self.track_ids)), self._bad_places, self._found,
            self._measurement.report(), await read(lambda c: error_report(c, self.track_ids)),
        )  # fmt: skip

    def count_answered(self) -> int:
        """Return the lookups that were answered since this began."""
        return self._spent()[1].total() - self._before[1].total()

    def _spent(self) -> tuple[Counter[str], Counter[str]]:
        """Return the requests and the answered lookups of this process so far, by provider."""
        telemetry = self._service.telemetry
        answered: Counter[str] = Counter()
        for (provider, outcome), count in telemetry.answers.items():
            if outcome in ("ok", "missing"):
                answered[provider] += count
        return Counter(telemetry.requests), answered


class OperationReport:
    """The performance and error reports of an operation; it is made when the operation starts."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._measurement = Measurement(service.telemetry)

    async def end(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return {"performance": ..., "errors": ...} for the metadata: taken out of `report` where
        it has them (an enrichment), else measured since the start."""
        performance = report.pop("performance", None) or self._measurement.report()
        errors = report.pop("errors", None) or await self._service.database.read(error_report)
        return {"performance": performance, "errors": errors}


def retry_refusal(service: EnrichmentService, provider: str | None) -> str | None:
    """Return why the lookups of this provider cannot be retried, for people; None when they can."""
    on = [pump.name for pump in service.pumps]
    if provider is None or provider in on:
        return None
    return f"{provider!r} is not one of the services that are on ({', '.join(on)})"
