"""The flow: tracks come in, ask, are answered, decided and written. The page to read first.

intake (scan, import) ──> tracks ── plan ──> lookups, the durable queue
                                                │ claimed by one pump a provider
                     BatchProcessor ── provider ┘
                          │ answers
                     settle: facts, acknowledgement, decision, row and what is wanted next, in one transaction
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from soulspot.deciding import Rules, work_out
from soulspot.limits import Gates
from soulspot.models import (
    EnrichedTrack,
    LookupState,
    PersonDecision,
    Settlement,
    Status,
    TrackOutcome,
    TrackState,
    Verdict,
)
from soulspot.pipeline.intake import ImportReport, Intake, LibraryRules, ScanReport, inside
from soulspot.pipeline.pump import Patience, Pump
from soulspot.providers.base import Provider
from soulspot.store import operations, queue, review, tracks
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.tagging.covers import CoverCache
from soulspot.tagging.rules import TagRules
from soulspot.tagging.writer import TagWriter
from soulspot.telemetry import Alarms, Memory, Telemetry, Thresholds

log = structlog.get_logger()

T = TypeVar("T")

DECIDED_AT_ONCE = 500  # tracks decided between two looks at the rest of the transaction


@dataclass(frozen=True, slots=True)
class Batching:
    """How one provider's lookups are gathered: `max_wait_time` in seconds."""

    batch_size: int
    max_wait_time: float


@dataclass(frozen=True, slots=True)
class Postponed:
    """Lookups that cannot be asked for now: `until` in epoch seconds, `why` in words."""

    provider: str
    lookups: int
    until: float
    why: str


class EnrichmentService:
    """The whole job over one database. Built by `soulspot.daemon`; `open` is the way in from Python."""

    def __init__(
        self,
        database: Database,
        gates: Gates,
        providers: Mapping[Provider, Batching],
        telemetry: Telemetry,
        *,
        rules: Rules,
        patience: Patience,
        library: LibraryRules,
        now: Callable[[], float] = time.time,
        memory: Memory | None = None,
        alarms: Alarms | None = None,
        tags: TagRules | None = None,
        covers: CoverCache | None = None,
    ) -> None:
        self.covers = covers
        self.tagging = TagWriter(
            database, telemetry, tags, covers=covers, max_file_size=library.max_file_size, now=now
        )
        self.memory = memory or Memory(telemetry)
        self.alarms = alarms or Alarms(telemetry, Thresholds())
        self.memory.on_relief = self._wake
        self.database = database
        self.gates = gates
        self.telemetry = telemetry
        self.rules = rules
        self._now = now
        self._incoming = 0  # scans and imports under way: more lookups are about to come
        self._was_busy = False  # when the last summary was due
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._deciding: asyncio.Task[None] | None = None
        self._library = library
        self._intake = Intake(database, library, self.decide_new, now=now, memory=self.memory)
        self.pumps = [
            Pump(
                provider, database, self._settle, self._company, self._wake, telemetry, look_again=self._look_again,
                batch_size=how.batch_size, max_wait_time=how.max_wait_time, patience=patience, now=now,
                memory=self.memory,
            )
            for provider, how in providers.items()
        ]  # fmt: skip

    @property
    def has_library(self) -> bool:
        """Whether any folder is configured to be scanned."""
        return bool(self._library.roots)

    def in_library(self, place: bytes) -> bool:
        """Whether this (resolved) path lies in a configured folder."""
        return any(inside(place, os.path.realpath(root)) for root in self._library.roots)

    # --- tracks come in -------------------------------------------------------------------------------------------

    async def scan(
        self, places: Sequence[bytes] = (), progress: Callable[[ScanReport], None] = lambda report: None
    ) -> ScanReport:
        """Look through the library, or only these files and folders, and queue what is new or has changed."""
        await self._all_decided()
        with self.expecting():
            report = await self._intake.scan(places, progress)
        self.telemetry.event(
            "scan_finished", found=report.found, unchanged=report.unchanged, read=report.read,
            unreadable=report.unreadable, vanished=report.vanished, problems=len(report.problems),
        )  # fmt: skip
        for problem in report.problems:
            self.telemetry.warning("scan_problem", path=problem.path, reason=problem.reason)
        return report

    async def count_files(self, places: Sequence[bytes], tell: Callable[[int], None]) -> None:
        """Tell how many files a scan of these places will find, more and more of them until it is the whole number."""
        await self._intake.count(places, tell)

    async def count_rows(self, path: Path, tell: Callable[[int], None]) -> None:
        """The same for the rows of an import file. OSError or ValueError when it cannot be read at all."""
        await self._intake.count_rows(path, tell)

    async def import_file(
        self, path: Path, progress: Callable[[ImportReport], None] = lambda report: None
    ) -> ImportReport:
        """Queue the rows of a CSV, JSON or NDJSON file as tracks without files."""
        await self._all_decided()
        with self.expecting():
            return await self._intake.rows(path, progress)

    async def bring_in(self, places: Sequence[bytes]) -> dict[bytes, int | Exception]:
        """Read these files into tracks, without deciding them yet: track_id by path, or what kept it from that."""
        await self._all_decided()
        return await self._intake.files(places)

    async def bring_in_rows(self, rows: Sequence[tracks.ImportedTrack]) -> tuple[list[int], int]:
        """The same for rows without files: the track of each, in order, and how many are new or have changed."""
        await self._all_decided()
        return await self._intake.records(rows)

    async def group(self, members: Mapping[str, Sequence[int]]) -> None:
        """Note, before they are decided, that the tracks of each of these groups are one album."""
        await self._intake.group(members)

    async def _all_decided(self) -> None:
        """What was there before is decided before more comes in, so that no album is decided while it is being read."""
        if self._deciding is not None:
            await asyncio.wait([self._deciding])

    # --- answers --------------------------------------------------------------------------------------------------

    async def _settle(self, settlements: Sequence[Settlement]) -> None:
        """Facts, acknowledgements, decisions, rows, events and new lookups: all of it commits, or nothing."""

        def commit(connection: sqlite3.Connection) -> tuple[list[int], Counter[str]]:
            queue.settle(connection, settlements, self._now())
            answered = [one for one in settlements if one.state in (LookupState.DONE, LookupState.MISSING)]
            told = queue.tracks_served(connection, (one.lookup.lookup_id for one in settlements))
            served = told if len(answered) == len(settlements) else queue.tracks_served(
                connection, (one.lookup.lookup_id for one in answered)
            )  # fmt: skip
            return served, self._decide(connection, told)

        served, results = await self.database.write(commit)
        if settlements:
            self.telemetry.on_tracks(settlements[0].lookup.query.provider, served)
        self.telemetry.on_results(results)
        self._wake()

    def _look_again(self, connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> Counter[str]:
        """Before a question that costs a request: what has come since it was queued may have answered it."""
        return self._decide(connection, queue.tracks_served(connection, lookup_ids))

    async def decide_new(self) -> None:
        """Decide what has come in and was not decided yet, also before an interruption."""

        def some(connection: sqlite3.Connection) -> tuple[int, Counter[str]]:
            found = tracks.undecided(connection, at_once)
            return len(found), self._decide(connection, found)

        while True:
            at_once = self.memory.size(DECIDED_AT_ONCE)
            try:
                decided, results = await self.database.write(some)
            except MemoryError:
                if at_once == 1:
                    raise
                self.memory.short("decide")
                continue
            self.telemetry.on_results(results)
            if decided:
                self._wake()
            if decided < at_once:
                return

    def _decide(self, connection: sqlite3.Connection, track_ids: Sequence[int]) -> Counter[str]:
        """Work out these tracks anew, again where a lookup they now share was answered before.

        Returns how many came to a result they did not have before, by status."""
        results: Counter[str] = Counter()
        while track_ids:
            again: set[int] = set()
            at_once = self.memory.size(DECIDED_AT_ONCE)
            for start in range(0, len(track_ids), at_once):
                states = tracks.load_states(connection, track_ids[start : start + at_once])
                outcomes = [self._outcome_of(state) for state in states]
                again |= tracks.save_outcomes(connection, outcomes, self._now())
                results.update(str(one.row.status) for one in outcomes if one.is_news)
            track_ids = sorted(again)
        return results

    def _outcome_of(self, state: TrackState) -> TrackOutcome:
        """A track that cannot be worked out fails by itself: it must not keep the others from being answered."""
        try:
            return work_out(state, self.rules)
        except MemoryError:
            raise  # that is not this track's fault
        except Exception:
            log.exception("track_failed", track_id=state.track_id)
            waiting = tuple(asked.query for asked in state.asked.values() if not asked.settled)
            row = state.row or EnrichedTrack(state.track_id, state.path, state.source_key, Status.FAILED, 0.0)
            return TrackOutcome(row, wanted=waiting)  # what it waits for may be what it needs

    async def decide_by_person(
        self,
        track_id: int,
        provider: str,
        entity_id: str,
        verdict: Verdict,
        *,
        by: str,
        reason: str | None = None,
    ) -> None:
        """A person accepts or rejects a candidate; no refresh undoes it."""
        decision = PersonDecision(provider, entity_id, verdict, by, iso(self._now()), reason)
        await self.change(lambda c: tracks.decide_by_person(c, track_id, decision), track_id)

    async def change(self, change: Callable[[sqlite3.Connection], T], track_id: int) -> T:
        """Change what is known of a track and decide it anew, in one transaction; what it then waits for goes first,
        because a person does too."""

        def both(connection: sqlite3.Connection) -> tuple[T, Counter[str]]:
            done = change(connection)
            results = self._decide(connection, [track_id])
            review.hurry(connection, track_id)
            return done, results

        done, results = await self.database.write(both)
        self.telemetry.on_results(results)
        self._wake()
        return done

    async def retry(self, states: Sequence[str] = ("failed",), provider: str | None = None) -> int:
        """Queue lookups again that were given up ("failed") or not known ("missing"). Returns how many."""

        def again(connection: sqlite3.Connection) -> int:
            reopened = queue.reopen(connection, states, provider, self._now())
            tracks.to_be_decided(connection, queue.tracks_served(connection, reopened))
            return len(reopened)

        count = await self.database.write(again)
        await self.decide_new()
        self._wake()
        return count

    # --- rounds ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Let the pumps work, in the running loop."""
        self._tasks = [asyncio.create_task(pump.run(), name=f"pump-{pump.name}") for pump in self.pumps]
        self.take_over(self.rules)

    def take_over(self, rules: Rules) -> None:
        """Decide by these rules from now on; where they differ from the last ones, everything is decided anew."""
        self.rules = rules
        before = self._deciding

        async def decide() -> None:
            if before is not None:
                await asyncio.wait([before])
            with self.expecting():
                if await self.database.write(lambda c: tracks.note_rules(c, rules.fingerprint, self._now())):
                    self.telemetry.event("rules_changed", services=rules.services.names)
                await self.decide_new()

        self._deciding = asyncio.create_task(decide(), name="decide")

    async def flush_if_needed(self) -> None:
        """Send what has waited long enough for company; the scheduler calls it."""
        for pump in self.pumps:
            pump.flush_if_needed()

    async def sweep(self) -> None:
        """Queue misses and aged answers whose time has come; the scheduler calls it."""
        if await self.database.write(lambda c: queue.wake_due(c, self._now())):
            self._wake()

    async def settled(
        self,
        wait: float = 60.0,
        track_ids: Sequence[int] | None = None,
        progress: Callable[[], None] = lambda: None,
    ) -> list[Postponed]:
        """Return when nothing (of these tracks) is in flight or can be asked within `wait` seconds.

        What remains is postponed: each provider's rest, until when, and why."""
        while True:
            self._moved.clear()
            # of tracks that are named everything has come in, whatever else may be about to
            waits = self._incoming and track_ids is None
            if not waits and (postponed := await self._postponed(wait, track_ids)) is not None:
                return postponed
            progress()
            # not wait_for: before Python 3.12 it may forget that it was cancelled, and an operation would go on
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._moved.wait()

    async def _postponed(self, wait: float, track_ids: Sequence[int] | None) -> list[Postponed] | None:
        """What remains, or None while there is something to wait for."""
        if track_ids is None and any(pump.active for pump in self.pumps):
            return None
        found = []
        for pump in self.pumps:
            waiting = await self.database.read(lambda c: queue.waiting(c, pump.name, track_ids))  # noqa: B023
            soonest = min((max(w.due_at, pump.opens_at(w.kind) or 0.0) for w in waiting), default=None)
            if soonest is None:
                continue
            if soonest <= self._now() + wait or any(w.leased for w in waiting):
                return None
            count = sum(w.lookups for w in waiting)
            found.append(Postponed(pump.name, count, soonest, self._why(pump)))
        return found

    def _why(self, pump: Pump) -> str:
        if held := pump.held():
            return held[1]
        closed = [gate for gate in self.gates.snapshot() if gate.provider == pump.name and gate.opens_at]
        return closed[0].why if closed else "to be asked again later"

    def _company(self, pump: Pump) -> bool:
        """Whether more lookups may still come to this pump: somebody else is producing them."""
        return self._incoming > 0 or any(other.producing for other in self.pumps if other is not pump)

    def _wake(self) -> None:
        self._moved.set()
        for pump in self.pumps:
            pump.wake()

    @contextlib.contextmanager
    def expecting(self) -> Iterator[None]:
        """While this lasts, more lookups are about to come: nobody is in a hurry to send a batch that is not full."""
        self._incoming += 1
        self._wake()
        try:
            yield
        finally:
            self._incoming -= 1
            self._wake()

    # --- the end --------------------------------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Claim no more, let what is in flight finish within `seconds`, and give the rest back."""
        for pump in self.pumps:
            pump.stop()
        if self._deciding:
            self._deciding.cancel()  # what is not decided yet is noted in the database
        ends = [*self._tasks, *(asyncio.create_task(pump.finish()) for pump in self.pumps)]
        if ends:
            _, unfinished = await asyncio.wait(ends, timeout=seconds)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*ends, return_exceptions=True)
        for pump in self.pumps:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(pump.close(), timeout=2.0)
        if self.covers is not None:
            await self.covers.close()
        await self.database.write(queue.release)

    async def is_alive(self) -> bool:
        """Whether work can go on: both database threads answer and every pump still runs."""
        try:
            async with asyncio.timeout(5.0):
                await self.database.read(lambda c: c.execute("SELECT 1").fetchone())
        except TimeoutError:
            return False
        return not any(task.done() for task in self._tasks)

    async def has_work(self) -> bool:
        """Whether something is being asked, or could be asked now."""
        if any(pump.producing for pump in self.pumps):
            return True
        ready = [await pump.ready_at() for pump in self.pumps]
        return any(moment is not None and moment <= self._now() for moment in ready)

    async def summarise(self) -> None:
        """Log the counts once, while there is work and when it has ended; the scheduler calls it."""
        busy = self._incoming > 0 or any(pump.active for pump in self.pumps)
        if not busy and not self._was_busy:
            return
        self._was_busy = busy
        counts = await self.database.read(operations.track_counts)
        lookups = await self.database.read(operations.lookup_counts)
        self.telemetry.summary(counts, lookups, await self.database.read(operations.oldest_waiting))

    async def status(self) -> dict[str, Any]:
        """The facts that `soulspot status` and the HTTP API show."""
        counts = await self.database.read(operations.track_counts)
        lookups = await self.database.read(operations.lookup_counts)
        gates = [
            {"provider": gate.provider, "host": gate.host, "requests": gate.requests, "breaker": gate.breaker,
             "spent": gate.spent, "daily_budget": gate.daily_budget, "why": gate.why,
             "limited_until": iso(gate.opens_at) if gate.opens_at else None}
            for gate in self.gates.snapshot()
        ]  # fmt: skip
        return {
            "tracks": counts,
            "lookups": lookups,
            "oldest_waiting": await self.database.read(operations.oldest_waiting),
            "gates": gates,
            "pumps": {
                pump.name: {
                    "in_flight": pump.processor.in_flight_count(),
                    "gathering": pump.processor.get_pending_count(),
                    "batch_size": pump.batch_size,
                    "held": pump.held() and {"until": iso(pump.held()[0]), "why": pump.held()[1]},  # type: ignore[index]
                }
                for pump in self.pumps
            },
            "operations": await self.database.read(lambda c: operations.newest(c, 10)),
            **self.telemetry.numbers(),
        }
