"""What a command reports when it has ended: one shape, whether the daemon did the work or this process."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from soulspot.library.scan import Problem
from soulspot.operations.reports.errors import error_report
from soulspot.operations.reports.performance import Measure
from soulspot.operations.reports.waits import WaitWatch
from soulspot.pipeline import EnrichmentService, ImportReport, Postponed, ScanReport
from soulspot.store import library_counts

MAX_NOTES = 20  # lines about single files or rows; the log has them all

Note = Callable[[str], None]


@dataclass(slots=True)
class EnrichReport:
    """What an enrichment came to. `lost` are lookups that failed for good, of tracks that are not accepted.

    `requests` and `answered` (lookups) are by provider, `bad_places` are of the places that were asked for, `found`
    are the files that a scan came across (None without one). `performance` and `errors` are as `Measure.report` and
    `reports_errors.errors` make them."""

    tracks: dict[str, int]
    requests: dict[str, int] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    postponed: list[Postponed] = field(default_factory=list)
    lost: int = 0
    bad_places: list[str] = field(default_factory=list)
    found: int | None = None
    performance: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.postponed and not self.lost

    @property
    def served(self) -> dict[str, int]:
        """The tracks that each service answered for."""
        return {name: one["tracks"] for name, one in self.performance.get("services", {}).items()}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The report that `as_json` made. KeyError or TypeError when it is another one's."""
        made = cls(**said)
        made.postponed = [Postponed(**one) for one in said["postponed"]]
        return made


def scanned(report: ScanReport) -> dict[str, int]:
    """The counts of a scan."""
    return {"found": report.found, "unchanged": report.unchanged, "read": report.read,
            "unreadable": report.unreadable, "vanished": report.vanished,
            "problems": len(report.problems)}  # fmt: skip


def imported(report: ImportReport) -> dict[str, Any]:
    """The counts of an import, and the first of the rows that were not taken or not wholly."""
    counts = {"rows": report.rows, "queued": report.queued, "bad": report.bad}
    if report.remarked:
        counts["remarked"] = report.remarked
    named = {"bad_rows": report.bad_rows, "remarks": report.remarks}
    return counts | {
        name: [{"line": line, "words": words} for line, words in rows] for name, rows in named.items() if rows
    }


def skipped(problem: Problem) -> str:
    """A file or folder that was passed over, and why. Names that are not UTF-8 are escaped."""
    words = f"{os.fsdecode(problem.path)}: {problem.reason}"
    return words.encode("utf-8", "backslashreplace").decode()


def scan_notes(report: ScanReport) -> list[str]:
    """What a person should hear of a scan, at most `MAX_NOTES` lines and one that counts the rest."""
    return _first([f"skipped {skipped(one)}" for one in report.problems], "files or folders skipped")


def import_notes(report: ImportReport) -> list[str]:
    """What a person should hear of an import, in the file's order."""
    said = sorted((*report.bad_rows, *report.remarks), key=lambda one: one[0])
    notes = [f"line {line}: {words}" for line, words in said[:MAX_NOTES]]
    if (rest := report.bad + report.remarked - len(notes)) > 0:
        notes.append(f"... and {rest} more rows or values that cannot be used")
    if report.unknown_columns:
        notes.append(f"columns that are not used: {', '.join(report.unknown_columns)}")
    return notes


def _first(lines: list[str], rest: str) -> list[str]:
    return lines[:MAX_NOTES] + (
        [f"... and {len(lines) - MAX_NOTES} more {rest}"] if len(lines) > MAX_NOTES else []
    )


class EnrichmentRun:
    """One enrichment by a service that may do other work too: what it cost is counted from here on."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._before = self._spent()
        self._bad_places: list[str] = []
        self._found: int | None = None
        self.watch = WaitWatch(service)
        self._measure = Measure(service.telemetry)

    async def scan(self, places: Sequence[bytes], progress: Callable[[ScanReport], None], note: Note) -> None:
        """Scan what there is to scan."""
        if not places and not self._service.has_library:
            return
        report = await self._service.scan(places, progress)
        self._found = report.found
        for line in scan_notes(report):
            note(line)
        self._bad_places = [skipped(one) for one in report.problems if one.path in places]

    async def report(self, postponed: Sequence[Postponed]) -> EnrichReport:
        """What it came to, when the rest is postponed."""
        read = self._service.database.read
        reasons = {wait.provider: wait.reason for wait in self.watch.current()}
        explained = [replace(one, why=reasons.get(one.provider, one.why)) for one in postponed]
        requests, answered = (now - then for now, then in zip(self._spent(), self._before, strict=True))
        return EnrichReport(
            await read(library_counts.count_tracks_by_status), dict(requests), dict(answered), explained,
            await read(library_counts.count_lost_lookups), self._bad_places, self._found,
            self._measure.report(), await read(error_report),
        )  # fmt: skip

    def _spent(self) -> tuple[Counter[str], Counter[str]]:
        telemetry = self._service.telemetry
        answered: Counter[str] = Counter()
        for (provider, outcome), count in telemetry.answers.items():
            if outcome in ("ok", "missing"):
                answered[provider] += count
        return Counter(telemetry.requests), answered


class OperationReport:
    """The performance and error reports of any operation, begun with it."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._measure = Measure(service.telemetry)

    async def end(self, report: dict[str, Any]) -> dict[str, Any]:
        """Both, as they go into the operation's metadata; an enrichment's own `report` hands its over."""
        performance = report.pop("performance", None) or self._measure.report()
        found = report.pop("errors", None) or await self._service.database.read(error_report)
        return {"performance": performance, "errors": found}


def retry_refusal(service: EnrichmentService, provider: str | None) -> str | None:
    """Why a retry of this provider's lookups is refused, in words; None when it is not."""
    on = [pump.name for pump in service.pumps]
    if provider is None or provider in on:
        return None
    return f"{provider!r} is not one of the services that are on ({', '.join(on)})"
