"""One provider's pump: claims lookups from the durable queue, batches them, and settles the
answers."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from soulspot.batch import BatchProcessor, BatchResult
from soulspot.errors import (
    BadAnswer,
    BatchRejected,
    DatabaseError,
    Limited,
    LookupFailed,
    LookupPostponed,
    ProviderError,
    Refused,
    Unavailable,
)
from soulspot.models import Answer, Failed, Found, Lookup, LookupState, Missing, Postponed, Settlement
from soulspot.pipeline.retry_policy import SET_ASIDE, RetryPolicy
from soulspot.pipeline.troubles import Troubles, failure_hold
from soulspot.providers.base import Provider
from soulspot.store import queue
from soulspot.store.database import Database, lock_patience
from soulspot.store.times import iso
from soulspot.telemetry import MemoryLimit, Telemetry, get_logger

log = get_logger(__name__)

# Lookups of a kind that takes a request each are claimed in tens: a crash loses that many answers
# at most.
SINGLES_AT_ONCE = 10
STORE_HOLD = 30.0  # seconds without a claim after answers could not be written
REFUSED_HOLD = 900.0  # seconds until a refused account is tried again
POLL_INTERVAL = 1.0  # seconds between two looks at lookups that are due and wait for other pumps
EXPENSIVE_WAIT = 600.0  # seconds for which an expensive lookup waits, at most, to become needless
LONGEST_REST = 3600.0  # seconds; a clock that was set back must not make a pump sleep for longer

_OUTCOMES = {Found: "ok", Missing: "missing", Failed: "failed", Postponed: "postponed"}


@dataclass(frozen=True, slots=True)
class PumpSettings:
    """Settings of a pump: how it gathers lookups, and when it repeats them."""

    batch_size: int
    max_wait_time: float  # seconds that a batch waits to be filled, while more lookups may come
    retry: RetryPolicy
    rng: random.Random = field(default_factory=random.Random)


class Flow(Protocol):
    """The service around a pump, as far as the pump needs it."""

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        """Commit these answers with everything that follows from them."""

    def decide_again(self, connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> Counter[str]:
        """Decide the tracks of these lookups in this transaction: a lookup may have become
        needless. Return how many tracks came to their first result, by status."""

    def more_may_come(self, pump: Pump) -> bool:
        """Whether somebody else is producing lookups, perhaps for this pump."""

    def wake(self) -> None:
        """Let everybody look at the queue again."""


class Pump:
    """Moves the lookups of one provider from the queue through requests to their settlement."""

    def __init__(
        self,
        provider: Provider,
        database: Database,
        flow: Flow,
        settings: PumpSettings,
        telemetry: Telemetry,
        memory: MemoryLimit,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.provider = provider
        self.settings = settings
        self.troubles = Troubles()
        self._database = database
        self._flow = flow
        self._telemetry = telemetry
        self._memory = memory
        self._now = now
        self._woken = asyncio.Event()
        self._is_stopping = False
        self._is_resting = False
        self._has_claim = False
        self._queue_wait = 0.0  # seconds that the last claim had waited in the queue
        self._unsettled: set[int] = set()  # ids of lookups that were asked and are not settled yet
        self._flushing: asyncio.Task[object] | None = None
        self._closing: asyncio.Task[object] | None = None  # closes a processor that `retune` replaced
        self.processor = self._new_processor()

    @property
    def name(self) -> str:
        """The provider's name."""
        return self.provider.name

    @property
    def is_producing(self) -> bool:
        """Whether answers are about to come, and with them perhaps lookups for other pumps."""
        return self._has_claim or self.processor.in_flight_count() > 0

    @property
    def is_active(self) -> bool:
        """Whether the pump looks at the queue or is about to, gathers a batch, or waits for an
        answer."""
        is_busy = self.processor.get_pending_count() > 0 or self.is_producing
        return not self._is_resting or self._woken.is_set() or is_busy

    @property
    def _is_asking(self) -> bool:
        # a call may be ours, a timer's, or one of a processor that was replaced
        is_replaced_one_busy = self._closing is not None and not self._closing.done()
        return is_replaced_one_busy or self.processor.in_flight_count() > 0

    def wake(self) -> None:
        """Let `run` look at the queue at once instead of at the end of its rest."""
        self._woken.set()

    def held(self) -> tuple[float, str] | None:
        """Return (epoch seconds, why) while the pump keeps from asking of its own accord, else
        None."""
        holds = (self.troubles.current_hold(), self._memory.current_hold())
        longest = max((hold for hold in holds if hold), default=None)
        return longest and (self._now() + longest[0], longest[1])

    def opens_at(self, kind: str) -> float | None:
        """Return when lookups of this kind may be asked, in epoch seconds; None when they may
        now."""
        held = self.held()
        times = (held and held[0], self.provider.opens_at(kind))
        return max((at for at in times if at), default=None)

    async def ready_at(self) -> float | None:
        """Return when the first waiting lookup can be asked, in epoch seconds; None when none
        waits."""
        kinds = list(self.provider.capacity)
        due = await self._database.read(lambda c: queue.next_due_by_kind(c, self.name, kinds))
        return min((max(at, self.opens_at(kind) or 0.0) for kind, at in due.items()), default=None)

    # --- claim, ask, settle -----------------------------------------------------------------------

    async def run(self) -> None:
        """Work until stopped. Log an error that no lookup is to blame for, and go on after a
        while."""
        lock_patience.set(math.inf)  # answers cost requests: they wait for as long as it takes
        while not self._is_stopping:
            self._woken.clear()
            try:
                pause = await self._step()
            except DatabaseError as error:
                self._hold(STORE_HOLD, str(error))
                pause = STORE_HOLD
            except Exception:
                log.exception("pump_failed", provider=self.name)
                pause = STORE_HOLD
            if pause is None or pause > 0:
                await self._rest(pause)

    async def _rest(self, seconds: float | None) -> None:
        self._is_resting = True
        try:
            async with asyncio.timeout(min(seconds, LONGEST_REST) if seconds is not None else None):
                await self._woken.wait()
        except TimeoutError:
            return
        finally:
            self._is_resting = False

    async def _step(self) -> float | None:
        """Claim and run one batch. Return the seconds until there can be more to do: 0 for at once,
        None for unknown."""
        # A call that was cut off, or whose answers could not be written, leaves its lookups leased.
        if self._unsettled and not self._is_asking:
            orphans = list(self._unsettled)
            await self._database.write(lambda c: queue.release_leases(c, orphans))
            self._unsettled.difference_update(orphans)
        limits = {kind: self._claim_size(kind) for kind in self.provider.capacity if self.opens_at(kind) is None}
        claim, results = await self._database.write(lambda c: self._claim(c, limits))
        if results is not None:
            self._telemetry.on_results(results)
            self._flow.wake()
        if self._is_stopping:
            return 0.0  # the processor may be closed by now; the drain frees the leases of this claim
        had_claim, self._has_claim = self._has_claim, bool(claim.lookups)
        if had_claim and not self._has_claim:
            self._flow.wake()  # pumps that linger for our answers need not linger any longer
        if claim.lookups:
            self._queue_wait = claim.waited
            await self.processor.add_batch(list(claim.lookups))
        if self.processor.get_pending_count():
            await self.processor.flush()
        if claim.lookups:
            return 0.0
        ready_at = await self.ready_at()
        if ready_at is None:
            return None
        # a lookup that is due and was not claimed waits for another pump, which wakes this one
        return ready_at - self._now() if ready_at > self._now() else POLL_INTERVAL

    def _claim(
        self, connection: sqlite3.Connection, limits: Mapping[str, int]
    ) -> tuple[queue.Claim, Counter[str] | None]:
        """Claim cheap lookups first, then expensive ones, of one kind in all.

        Return the claim, and the results of tracks that were decided again before it (None if
        none)."""
        # Answers to cheap lookups may make an expensive one needless. It therefore waits until
        # nobody else is producing, though not for ever. A batch that is not full lingers while it
        # may fill.
        expensive = self.provider.expensive_kinds
        now, may_fill = self._now(), self._flow.more_may_come(self)
        linger = self.settings.max_wait_time if may_fill else 0.0
        cheap_limits = {kind: most for kind, most in limits.items() if kind not in expensive}
        claim = queue.claim(connection, self.name, cheap_limits, now, linger=linger)
        if claim.lookups:
            return claim, None
        results: list[Counter[str]] = []

        def decide_again(kind: str, lookup_ids: Sequence[int]) -> None:
            if kind in self.provider.incidental_kinds:
                results.append(self._flow.decide_again(connection, lookup_ids))

        claim = queue.claim(
            connection,
            self.name,
            {kind: most for kind, most in limits.items() if kind in expensive},
            now - (EXPENSIVE_WAIT if may_fill else 0.0),
            before_lease=decide_again,
        )
        return claim, sum(results, Counter()) if results else None

    def _claim_size(self, kind: str) -> int:
        capacity = self.provider.capacity[kind]
        usual = self._memory.piece_size(self.settings.batch_size)
        return min(usual, self.troubles.claim_limit or usual, capacity if capacity > 1 else SINGLES_AT_ONCE)

    async def _answer(self, lookups: list[Lookup]) -> list[Answer | Exception]:
        """Ask, then commit every answer before anybody hears of it: the processor's function."""
        ids = [lookup.lookup_id for lookup in lookups]
        self._unsettled.update(ids)
        answers = await self._ask(lookups)
        settlements = [self._settlement(*pair) for pair in zip(lookups, answers, strict=True)]
        try:
            await self._flow.settle(settlements)
        except Exception as error:
            await self._settle_failed(lookups, error)
            raise
        self._unsettled.difference_update(ids)
        self._telemetry.on_answers(self.name, Counter(_OUTCOMES[type(answer)] for answer in answers))
        return [_as_result(answer) for answer in answers]

    async def _ask(self, lookups: Sequence[Lookup]) -> Sequence[Answer]:
        """Return the provider's answers, in order; a failure of the whole call becomes an answer
        for each."""
        count = len(lookups)
        try:
            answers = await self.provider.lookup([lookup.query for lookup in lookups])
            self.troubles.record_success(self.settings.batch_size)
            return answers
        except BatchRejected as error:
            if count > 1:
                raise  # the processor halves the batch until the malformed lookup stands alone
            return [Failed(str(error), retryable=False)]
        except Limited as error:
            return [Postponed(error.why)] * count
        except Refused as error:
            self._hold(REFUSED_HOLD, str(error))
            return [Postponed(str(error))] * count
        except (Unavailable, BadAnswer) as error:
            return self._batch_failed(lookups, str(error), was_answered=getattr(error, "answered", True))
        except ProviderError as error:
            return [Failed(str(error))] * count
        except MemoryError:
            self._memory.on_memory_error("lookup")
            return self._batch_failed(lookups, "there was not enough memory", was_answered=False)
        except Exception as error:
            log.exception("provider_failed", provider=self.name)
            return self._batch_failed(lookups, f"{type(error).__name__}: {error}", was_answered=True)

    def _batch_failed(self, lookups: Sequence[Lookup], why: str, *, was_answered: bool) -> Sequence[Answer]:
        """Hold back and return the answers of a batch that came to nothing: only a lookup that was
        alone and answered is charged with an attempt."""
        self._hold(failure_hold(self.troubles.failures), why)
        self.troubles.record_failure([lookup.lookup_id for lookup in lookups], was_answered=was_answered)
        if len(lookups) == 1 and was_answered:
            return [Failed(why)]
        return [Postponed(why)] * len(lookups)

    async def _settle_failed(self, lookups: Sequence[Lookup], error: Exception) -> None:
        # To ask again at once would only lose the answers again. Where the database is well, one
        # lookup at a time shows whose answer cannot be written; that lookup makes way for the
        # others.
        why = str(error) or type(error).__name__
        if isinstance(error, MemoryError):
            self._memory.on_memory_error("settle")
            self.troubles.halve_claims(len(lookups))
        elif not isinstance(error, DatabaseError):
            log.exception("settle_failed", provider=self.name, lookups=len(lookups))
            self.troubles.claim_limit = 1
            if len(lookups) == 1:
                await self._set_aside(lookups[0], why)
        self._hold(STORE_HOLD, why)

    async def _set_aside(self, lookup: Lookup, why: str) -> None:
        due_at = self._now() + SET_ASIDE
        aside = Settlement(lookup, LookupState.PENDING, due_at, error=why, is_attempt=False)
        with contextlib.suppress(Exception):  # if this fails too, the next step frees its lease
            await self._database.write(lambda c: queue.settle(c, [aside], self._now()))
            self._unsettled.discard(lookup.lookup_id)

    def _settlement(self, lookup: Lookup, answer: Answer) -> Settlement:
        is_set_aside = isinstance(answer, Postponed) and self.troubles.pop_set_aside(lookup.lookup_id)
        retry, rng = self.settings.retry, self.settings.rng
        return retry.settlement(lookup, answer, self._now(), rng, is_set_aside=is_set_aside)

    def _hold(self, seconds: float, why: str) -> None:
        if self.troubles.hold(seconds, why):
            self._telemetry.warning("held", provider=self.name, why=why, until=iso(self._now() + seconds))

    def _report(self, result: BatchResult[Lookup, Answer]) -> None:
        if self._unsettled:
            self.wake()
        outcomes = dict(Counter(_OUTCOMES[type(answer)] for answer in result.successful))
        postponed = sum(1 for _, error in result.failed if isinstance(error, LookupPostponed))
        outcomes |= {"postponed": postponed, "failed": len(result.failed) - postponed}
        self._telemetry.on_batch(
            self.name, outcomes, items=result.total_items, room=self.settings.batch_size, reason=result.reason,
            waited_ms=(self._queue_wait + result.waited) * 1000, duration_ms=result.duration * 1000,
        )  # fmt: skip

    # --- settings, timers, the end ----------------------------------------------------------------

    def retune(self, settings: PumpSettings) -> None:
        """Use new settings from the next claim on; what is being gathered goes out by the old
        ones."""
        self.settings = settings
        before, self.processor = self.processor, self._new_processor()
        self._closing = asyncio.create_task(before.close())

    def _new_processor(self) -> BatchProcessor[Lookup, Answer]:
        return BatchProcessor(
            self.settings.batch_size,
            self._answer,
            self.settings.max_wait_time,
            key=lambda lookup: lookup.lookup_id,
            split_on=(BatchRejected,),
            on_batch_complete=self._report,
        )

    def flush_if_needed(self) -> None:
        """Send the rest of a batch whose time has come, in a task: a slow service holds up no
        timer."""
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self.processor.flush_if_needed())

    def stop(self) -> None:
        """Claim no more. What is in flight is not touched."""
        self._is_stopping = True
        self.wake()

    async def finish(self) -> None:
        """Wait until everything that is gathered or in flight has come to its end."""
        await self.processor.close()
        if self._closing:
            await self._closing

    async def close(self) -> None:
        """Give back the provider's connections."""
        await self.provider.close()


def _as_result(answer: Answer) -> Answer | Exception:
    if isinstance(answer, Failed):
        return LookupFailed(answer.reason)
    return LookupPostponed(answer.reason) if isinstance(answer, Postponed) else answer
