"""Release messages of the library: from its database into a folder, a file for each release."""

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing, closing, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soulspot.export.columns import COLUMNS
from soulspot.export.ddex.ern import BATCH_SIZE, Run, build_releases
from soulspot.export.ddex.grouping import RELEASE_COLUMNS, group_sorted_records, grouping_key
from soulspot.export.ddex.job import Job
from soulspot.export.ddex.outcome import ErnError, ErnMessage, Outcome
from soulspot.export.ddex.release import COLUMNS as MESSAGE_COLUMNS
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.tables import open_database
from soulspot.store.export_rows import RowFilter
from soulspot.store.releases import RELEASE_KEY, ReleaseOrder

SHOWN = 100  # errors and remarks that a report names one by one
FEW = 200  # so many releases take one process less time than others need to start
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
"""on_progress(releases done, releases in all, releases failed). Its exception ends the export."""


@dataclass(slots=True)
class DdexReport:
    """The progress and the result of an export, kept up to date while it runs."""

    out: str
    releases: int = 0
    written: int = 0
    failed: int = 0  # releases, each of which has at least one of the `errors`
    tracks: int = 0
    stopped: bool = False
    validated: bool = False
    seconds: float = 0.0
    errors: list[ErnError] = field(default_factory=list)
    errors_by_field: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)
    remarked: int = 0

    def record(self, outcome: Outcome) -> None:
        """Count the outcome of a release."""
        if isinstance(outcome, ErnMessage):
            self.written += 1
            self.tracks += outcome.tracks
            self.remarked += len(outcome.remarks)
            room = SHOWN - len(self.remarks)
            self.remarks += [f"{outcome.title}: {remark}" for remark in outcome.remarks[:room]]
        else:
            self.failed += 1
            self.errors += outcome.errors[: SHOWN - len(self.errors)]
            self.errors_by_field.update(error.field for error in outcome.errors)

    def as_json(self) -> dict[str, Any]:
        """Return the report JSON-ready: {"format": "ddex", "out": ..., "releases": 3, ...}."""
        by_field = {
            name: {"count": count, "what_to_do": ADVICE.get(name, _OTHERS)}
            for name, count in self.errors_by_field.most_common()
        }
        counts = {one.name: getattr(self, one.name) for one in fields(self)}
        errors = [asdict(error) for error in self.errors]
        return {"format": "ddex", **counts, "errors_by_field": by_field, "errors": errors}

    def advice(self) -> list[str]:
        """Return a line for each field at fault: the number of errors, and the remedy."""
        return [f"{count} × {name}: {ADVICE.get(name, _OTHERS)}" for name, count in self.errors_by_field.most_common()]


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
    """Write every release of accepted tracks into the folder `out`, each file whole or not at all.

    `wanted` chooses tracks: a release is written whole when one of its tracks is chosen. `group_by`
    names columns. `report` is updated on the way, for a caller that may be interrupted. Raises
    ConfigError, SchemaError, ExportError, DatabaseError, OSError or ValueError when nothing can be
    written."""
    began = time.monotonic()
    folder = Path(out)
    report = DdexReport(str(folder)) if report is None else report
    columns = grouping_columns(group_by)
    key = grouping_key(tuple(group_by) or None)
    job = Job(settings, created_at or datetime.now(UTC).replace(microsecond=0), schema, folder)
    report.validated = schema is not None
    with closing(open_database(Path(database))) as connection:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_parts(folder)
        with ReleaseOrder(connection, wanted or RowFilter(), columns, key) as order:
            report.releases = order.count()
            usual = 1 if report.releases <= FEW else min(MOST_PROCESSES, os.cpu_count() or 1)
            # The rows come sorted by release, so that one release is in memory at a time.
            groups = group_sorted_records(order.rows(MESSAGE_COLUMNS), lambda row: str(row[RELEASE_KEY]))
            run = Run(job, BATCH_SIZE, processes or usual, max_failures)
            async with aclosing(build_releases(groups, run)) as outcomes:
                async for outcome in outcomes:
                    report.record(outcome)
                    report.seconds = round(time.monotonic() - began, 3)
                    if on_progress:
                        on_progress(report.written + report.failed, report.releases, report.failed)
    report.stopped = report.written + report.failed < report.releases
    return report


def grouping_columns(group_by: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that make tracks one release, the usual ones when none is named.

    Raises ValueError for an unknown column."""
    for name in group_by:
        if name not in COLUMNS or COLUMNS[name].stored != name:
            raise ValueError(f"there is no column {name!r} to group by; there are {', '.join(COLUMNS)}")
    return tuple(group_by) or RELEASE_COLUMNS


def _remove_parts(folder: Path) -> None:
    """Remove the temporary files of killed exports. Those of a running process stay."""
    # The name has the process id of its writer: ".<file>.xml.<pid>.part".
    for part in folder.glob(".*.xml.*.part"):
        pid = part.name.rsplit(".", 2)[1]
        with suppress(OSError):
            if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
                part.unlink()
