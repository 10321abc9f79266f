"""The way of one track, from a file or row to its enriched row. The page to read first.

    add      a scan, an import or a program brings tracks in           intake
    decide   the plan of each undecided track queues its lookups       decider, deciding/
    ask      one pump a provider claims lookups and sends batches      pump, batch/, providers/
    settle   answers, acknowledgements, decisions, rows, events and
             the lookups wanted next commit in one transaction         decider, store/

A track is finished when its plan wants nothing more. Status, waiting and the end of the service are
beside the flow: `status.py`, `waiting.py`, `shutdown.py`."""

import asyncio
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from soulspot.deciding import Rules
from soulspot.library.scan import is_inside
from soulspot.models import LookupState, Settlement
from soulspot.pipeline.activity import Activity
from soulspot.pipeline.decider import Decider
from soulspot.pipeline.intake import ImportReport, Intake, LibraryRules, ScanReport
from soulspot.pipeline.parts import Parts
from soulspot.pipeline.pump import Pump, PumpSettings
from soulspot.providers.base import Provider
from soulspot.store import queue
from soulspot.store.database import Database
from soulspot.store.tracks import ImportedTrack

ANSWERED = (LookupState.DONE, LookupState.MISSING)


class EnrichmentService:
    """The whole job over one database. Built by `soulspot.assembly`."""

    def __init__(
        self,
        database: Database,
        providers: Mapping[Provider, PumpSettings],
        parts: Parts,
        *,
        rules: Rules,
        library: LibraryRules,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.database = database
        self.parts = parts
        self.telemetry = parts.telemetry
        self.now = now
        self.activity = Activity()
        self.decider = Decider(database, self.activity, rules, telemetry=parts.telemetry, memory=parts.memory, now=now)
        self.pumps = [
            Pump(provider, database, self, settings, parts.telemetry, parts.memory, now)
            for provider, settings in providers.items()
        ]
        self.pump_tasks: list[asyncio.Task[None]] = []
        self.activity.producers.extend(self.pumps)
        parts.memory.on_relief = self.activity.wake
        self._library = library
        self._intake = Intake(
            database, library, self.decide_new, reader=parts.reader, memory=parts.memory, now=now
        )  # fmt: skip

    @property
    def has_library(self) -> bool:
        """Whether any folder is configured to be scanned."""
        return bool(self._library.roots)

    def paths_outside(self, paths: Sequence[bytes]) -> list[bytes]:
        """Return those of these paths that lie in no configured folder, all links resolved."""
        roots = [os.path.realpath(root) for root in self._library.roots]
        real = ((path, os.path.realpath(path)) for path in paths)
        return [path for path, resolved in real if not any(is_inside(resolved, root) for root in roots)]

    # --- add --------------------------------------------------------------------------------------

    async def scan(
        self, paths: Sequence[bytes] = (), progress: Callable[[ScanReport], None] = lambda report: None, *,
        confirm_vanished: bool = False,
    ) -> ScanReport:  # fmt: skip
        """Look through the library, or through these files and folders, and decide what is new or
        changed. With `confirm_vanished`, missing files that were asked about have been deleted."""
        await self.decider.wait_until_rules_hold()
        with self.activity.expecting():
            report = await self._intake.scan(paths, progress, confirm_vanished=confirm_vanished)
        self.telemetry.event(
            "scan_finished", found=report.found, unchanged=report.unchanged, read=report.read,
            unreadable=report.unreadable, vanished=report.vanished, unconfirmed=report.unconfirmed,
            problems=len(report.problems), links_passed=report.links_passed,
        )  # fmt: skip
        for problem in report.problems:
            self.telemetry.warning("scan_problem", path=problem.path, reason=problem.reason)
        for question in (one for losses in report.losses for one in losses.news):
            self.telemetry.warning("files_missing", place=question.place, question=str(question))
        return report

    async def import_file(
        self,
        path: Path,
        progress: Callable[[ImportReport], None] = lambda report: None,
        done: ImportReport | None = None,
        keep: Callable[[sqlite3.Connection, ImportReport], None] = lambda connection, report: None,
        columns: Mapping[str, str] | None = None,
    ) -> ImportReport:
        """Add the rows of a CSV, JSON or NDJSON file, or of a release message, as tracks without
        files, and decide them. `columns` has headings that are not known by themselves, such as
        {"title": "Song"}. Raises OSError or ValueError when the file cannot be read at all.

        `keep` runs in the transaction of each piece of rows, with the report up to there. A later
        call with such a report as `done` goes on behind these rows."""
        await self.decider.wait_until_rules_hold()
        with self.activity.expecting():
            return await self._intake.import_file(path, progress, done or ImportReport(), keep, columns)

    async def count_files(self, paths: Sequence[bytes], on_count: Callable[[int], None]) -> None:
        """Count the files that a scan of these paths will find; call `on_count` with the number so
        far."""
        await self._intake.count_files(paths, on_count)

    async def count_rows(
        self, path: Path, on_count: Callable[[int], None], columns: Mapping[str, str] | None = None
    ) -> None:
        """Count the rows of an import file; call `on_count` with the number so far."""
        await self._intake.count_rows(path, on_count, columns)

    async def add_files(self, paths: Sequence[bytes]) -> dict[bytes, int | Exception]:
        """Add these files without deciding them. Return the track_id of each path, or why it is no
        track."""
        await self.decider.wait_until_rules_hold()
        return await self._intake.add_files(paths)

    async def add_rows(self, rows: Sequence[ImportedTrack]) -> tuple[list[int], int]:
        """Add these rows without deciding them. Return the track_id of each, in order, and how many
        tracks with something to look up are new or have changed."""
        await self.decider.wait_until_rules_hold()
        return await self._intake.add_rows(rows)

    async def group_albums(self, track_ids: Mapping[str, Sequence[int]]) -> None:
        """Note, before they are decided, that the tracks of each of these groups are one album."""
        await self._intake.group_albums(track_ids)

    # --- decide -----------------------------------------------------------------------------------

    async def decide_new(self) -> None:
        """Decide all tracks that came in and are undecided; their lookups are queued and the pumps
        woken."""
        await self.decider.decide_new()

    # --- ask --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let the pumps work in the running loop, and decide by the current rules what the database
        has."""
        self.pump_tasks = [asyncio.create_task(pump.run(), name=f"pump-{pump.name}") for pump in self.pumps]
        self.decider.use_rules(self.decider.rules)

    async def flush_if_needed(self) -> None:
        """Send batches whose lookups have waited long enough; the scheduler calls this."""
        for pump in self.pumps:
            pump.flush_if_needed()

    async def queue_due_lookups(self) -> None:
        """Queue misses and aged answers whose time has come; the scheduler calls this."""

        def requeue(connection: sqlite3.Connection) -> int:
            now, retries = self.now(), [pump.settings.retry for pump in self.pumps]
            wait = max((retry.longest_wait for retry in retries), default=0.0)
            rest = max((retry.longest_rest for retry in retries), default=0.0)
            clamped = queue.clamp_due_times(connection, now, wait, rest) if retries else 0
            return queue.requeue_due(connection, now) + clamped

        if await self.database.write(requeue):
            self.wake()

    # --- settle: what a pump needs of the service (`pump.Flow`) -----------------------------------

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Commit facts, acknowledgements, decisions, rows, events and new lookups: all of it, or
        nothing."""

        def commit(connection: sqlite3.Connection) -> tuple[list[int], Counter[str]]:
            queue.settle(connection, settlements, self.now())
            # tracks of a failed lookup are decided too, but only an answer counts as work done for
            # a track
            concerned = _tracks_of(connection, settlements)
            answered = [one for one in settlements if one.state in ANSWERED]
            served = concerned if len(answered) == len(settlements) else _tracks_of(connection, answered)
            return served, self.decider.decide(connection, concerned)

        served, results = await self.database.write(commit)
        if settlements:
            self.telemetry.on_tracks(settlements[0].lookup.query.provider, served)
        self.telemetry.on_results(results)
        self.wake()

    def decide_again(self, connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> Counter[str]:
        """Decide the tracks of lookups that are about to cost a request: an answer that has come
        since they were queued may have made them needless. Return how many came to their first
        result, by status."""
        return self.decider.decide(connection, queue.tracks_served(connection, lookup_ids))

    def more_may_come(self, pump: Pump) -> bool:
        """Whether more lookups may still come to this pump: a scan or another pump is producing
        them."""
        return self.activity.more_may_come(pump)

    def wake(self) -> None:
        """Let every pump look at the queue again."""
        self.activity.wake()


def _tracks_of(connection: sqlite3.Connection, settlements: Sequence[Settlement]) -> list[int]:
    return queue.tracks_served(connection, (one.lookup.lookup_id for one in settlements))
