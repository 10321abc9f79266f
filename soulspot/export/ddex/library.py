"""Release messages of the library: from its database to a folder, one file a release."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soulspot.export.columns import COLUMNS
from soulspot.export.ddex.ern import BATCH_SIZE, Run, outcomes
from soulspot.export.ddex.grouping import RELEASE_COLUMNS, key_of, sorted_groups
from soulspot.export.ddex.job import Job
from soulspot.export.ddex.outcome import ErnError, ErnMessage
from soulspot.export.ddex.release import COLUMNS as MESSAGE_COLUMNS
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.tables import opened
from soulspot.store.export_rows import RowFilter
from soulspot.store.releases import RELEASE_KEY, ReleaseOrder

SHOWN = 100  # errors and remarks that a report names one by one
FEW = 200  # releases that one process has done before others have started
MOST_PROCESSES = 4

ADVICE = {
    "isrc": "give each recording its own ISRC (in its tags, or by `soulspot import`), or leave the release out",
    "duration_ms": "the length comes from the file or from MusicBrainz; an import needs a column duration_ms",
    "title": "give the tracks a title", "artist": "give the tracks an artist", "album": "give the tracks an album",
    "label": "set export.ddex.label, which stands in for a missing label",
    "genres": "set export.ddex.genre, which stands in for a missing genre",
    "barcode": "mend or remove the barcode; without one the catalogue number names the release",
    "release_date": "mend the date, or give export.ddex.deals a start_date",
    "release_type": "mend it, or set export.ddex.release_type",
    "track_number": "two recordings cannot be in one place: mend disc or track number, or --group-by another column",
    "group_by": "give the tracks an album, or --group-by another column",
    "file": "look at the folder's disk and rights, then run it again",
    "worker": "give it more memory or fewer --processes, then run it again",
}  # fmt: skip
_OTHERS = "the schema refuses the message there: mend the value it names"

OnProgress = Callable[[int, int, int], None]
"""on_progress(releases done, releases there are, releases failed). What it raises ends the export."""


@dataclass(slots=True)
class DdexReport:
    """What became of the releases; `failed` of them have `errors`. Kept up to date while it runs."""

    out: str
    releases: int = 0
    written: int = 0
    failed: int = 0
    tracks: int = 0
    stopped: bool = False
    validated: bool = False
    seconds: float = 0.0
    errors: list[ErnError] = field(default_factory=list)
    errors_by_field: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    remarked: int = 0

    def take(self, outcome: ErnMessage | Sequence[ErnError]) -> None:
        if isinstance(outcome, ErnMessage):
            self.written += 1
            self.tracks += outcome.tracks
            self.remarked += len(outcome.remarks)
            room = SHOWN - len(self.remarks)
            self.remarks += [f"{outcome.title}: {remark}" for remark in outcome.remarks[:room]]
        else:
            self.failed += 1
            self.errors += outcome[: SHOWN - len(self.errors)]
            self.errors_by_field.update(error.field for error in outcome)

    def as_json(self) -> dict[str, Any]:
        return {
            "format": "ddex", "out": self.out, "releases": self.releases, "written": self.written,
            "failed": self.failed, "tracks": self.tracks, "stopped": self.stopped, "validated": self.validated,
            "seconds": self.seconds,
            "errors_by_field": {name: {"count": count, "what_to_do": ADVICE.get(name, _OTHERS)}
                                for name, count in self.errors_by_field.most_common()},
            "errors": [{"release_key": one.release_key, "title": one.title, "field": one.field, "words": one.words,
                        "retryable": one.retryable} for one in self.errors],
            "remarks": self.remarks, "remarked": self.remarked,
        }  # fmt: skip

    def advice(self) -> list[str]:
        """A line a field: how often it kept a release back, and what to do."""
        return [
            f"{count} × {name}: {ADVICE.get(name, _OTHERS)}"
            for name, count in self.errors_by_field.most_common()
        ]


async def export_releases(
    database: Path | str,
    out: Path | str,
    settings: ErnSettings,
    *,
    schema: Path | None = None,
    group_by: Sequence[str] = (),
    wanted: RowFilter | None = None,
    processes: int | None = None,
    max_failures: int | None = None,
    created_at: datetime | None = None,
    report: DdexReport | None = None,
    on_progress: OnProgress | None = None,
) -> DdexReport:
    """Write every release of accepted tracks into the folder `out`, which is made; a file there is replaced whole.

    `wanted` chooses tracks: a release goes out whole when one of its tracks is chosen. `group_by`: columns.
    `report` is the one to keep up to date, for whoever may be interrupted. Raises ConfigError, SchemaError,
    ExportError, DatabaseError, OSError or ValueError for what keeps everything from being written."""
    began = time.monotonic()
    folder = Path(out)
    report = DdexReport(str(folder)) if report is None else report
    columns = columns_of(group_by)
    key = key_of(tuple(group_by) or None)
    job = Job(settings, created_at or datetime.now(UTC).replace(microsecond=0), schema, folder)
    report.validated = schema is not None
    with closing(opened(Path(database))) as connection:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        with ReleaseOrder(connection, wanted or RowFilter(), columns, key) as order:
            report.releases = order.count()
            many = processes or (1 if report.releases <= FEW else min(MOST_PROCESSES, os.cpu_count() or 1))
            groups = sorted_groups(order.rows(MESSAGE_COLUMNS), lambda row: str(row[RELEASE_KEY]))
            run = Run(job, BATCH_SIZE, many, max_failures)
            async with aclosing(outcomes(groups, run)) as found:
                async for outcome in found:
                    report.take(outcome if isinstance(outcome, ErnMessage) else outcome.errors)
                    report.seconds = round(time.monotonic() - began, 3)
                    if on_progress:
                        on_progress(report.written + report.failed, report.releases, report.failed)
    report.stopped = report.written + report.failed < report.releases
    return report


def columns_of(group_by: Sequence[str]) -> tuple[str, ...]:
    """The columns that a release is told by. ValueError names one that there is not."""
    for name in group_by:
        if name not in COLUMNS or COLUMNS[name].stored != name:
            raise ValueError(f"there is no column {name!r} to group by; there are {', '.join(COLUMNS)}")
    return tuple(group_by) or RELEASE_COLUMNS


def _sweep(folder: Path) -> None:
    """Take away what a killed export left half written; one that runs just now keeps its own."""
    for part in folder.glob(".*.xml.*.part"):
        number = part.name.rsplit(".", 2)[1]
        with suppress(OSError):
            if number.isdecimal() and not Path(f"/proc/{number}").exists():
                part.unlink()
