"""Decide tracks inside the transaction that brings news of them, or when they have just come in."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from soulspot.deciding import Rules, decide_track
from soulspot.models import EnrichedTrack, Status, TrackOutcome, TrackState
from soulspot.pipeline.activity import Activity
from soulspot.store import review, tracks
from soulspot.store.database import Database
from soulspot.telemetry import MemoryLimit, Telemetry, get_logger

log = get_logger(__name__)

T = TypeVar("T")

DECIDED_AT_ONCE = 500  # tracks loaded together; a transaction decides as many such pieces as it needs


class Decider:
    """Works tracks out by the current rules and saves rows, candidates and the lookups still
    wanted."""

    def __init__(
        self,
        database: Database,
        activity: Activity,
        rules: Rules,
        *,
        telemetry: Telemetry,
        memory: MemoryLimit,
        now: Callable[[], float],
    ) -> None:
        self.rules = rules
        self._database = database
        self._activity = activity
        self._telemetry = telemetry
        self._memory = memory
        self._now = now
        self._rules_task: asyncio.Task[None] | None = None

    def decide(self, connection: sqlite3.Connection, track_ids: Sequence[int]) -> Counter[str]:
        """Decide these tracks in the caller's transaction, and then the tracks that this is news
        for.

        Return how many tracks came to their first result, by status. A later one, by new rules or
        answers, or by a person, is not the work on another track."""
        results: Counter[str] = Counter()
        while track_ids:
            concerned: set[int] = set()
            at_once = self._memory.piece_size(DECIDED_AT_ONCE)
            for start in range(0, len(track_ids), at_once):
                states = tracks.load_states(connection, track_ids[start : start + at_once], roots=self.rules.roots)
                outcomes = [self._outcome(state) for state in states]
                concerned |= tracks.save_outcomes(connection, outcomes, self._now())
                results.update(
                    str(outcome.row.status)
                    for state, outcome in zip(states, outcomes, strict=True)
                    if outcome.is_news and not state.has_result
                )
            track_ids = sorted(concerned)
        return results

    def _outcome(self, state: TrackState) -> TrackOutcome:
        # A track that cannot be worked out fails by itself: it must not keep the other tracks of
        # the transaction from being answered. Memory that runs out is not this track's fault.
        try:
            return decide_track(state, self.rules)
        except MemoryError:
            raise
        except Exception:
            log.exception("track_failed", track_id=state.track_id)
            waiting = tuple(one.query for one in state.lookups.values() if not one.is_settled)
            row = state.row or EnrichedTrack(state.track_id, state.path, state.source_key, Status.FAILED, 0.0)
            return TrackOutcome(row, wanted=waiting)  # the answer it waits for may be what it needs

    async def decide_new(self) -> None:
        """Decide all tracks that came in and are undecided, also those from before an
        interruption."""

        def decide_some(connection: sqlite3.Connection) -> tuple[int, Counter[str]]:
            undecided = tracks.list_undecided(connection, at_once)
            return len(undecided), self.decide(connection, undecided)

        while True:
            at_once = self._memory.piece_size(DECIDED_AT_ONCE)
            try:
                decided, results = await self._database.write(decide_some)
            except MemoryError:
                if at_once == 1:
                    raise
                self._memory.on_memory_error("decide")
                continue
            self._telemetry.on_results(results)
            if decided:
                self._activity.wake()
            if decided < at_once:
                return

    async def change(self, change: Callable[[sqlite3.Connection], T], track_id: int) -> T:
        """Change what is known of a track and decide it anew in one transaction; return what
        `change` does.

        The lookups that the track then waits for go first, because a person does too."""

        def change_and_decide(connection: sqlite3.Connection) -> tuple[T, Counter[str]]:
            returned = change(connection)
            results = self.decide(connection, [track_id])
            review.prioritize_lookups(connection, track_id)
            return returned, results

        returned, results = await self._database.write(change_and_decide)
        self._telemetry.on_results(results)
        self._activity.wake()
        return returned

    def use_rules(self, rules: Rules) -> None:
        """Decide by these rules from now on. If they have changed since the database was last used,
        decide every track again, in a task."""
        self.rules = rules
        before = self._rules_task

        async def decide_by_new_rules() -> None:
            if before is not None:
                await asyncio.wait([before])
            with self._activity.expecting():
                if await self._database.write(lambda c: tracks.record_rules(c, rules.fingerprint, self._now())):
                    self._telemetry.event("rules_changed", services=rules.services.names)
                await self.decide_new()

        self._rules_task = asyncio.create_task(decide_by_new_rules(), name="decide")

    async def wait_until_rules_hold(self) -> None:
        """Wait for the running decision of all tracks by new rules, if there is one."""
        if self._rules_task is not None:
            await asyncio.wait([self._rules_task])

    def stop(self) -> None:
        """Stop deciding by new rules; the database notes what is still undecided."""
        if self._rules_task is not None:
            self._rules_task.cancel()
