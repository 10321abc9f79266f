"""One provider's pump: claims lookups from the durable queue, batches them, and settles what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from soulspot.batch import BatchProcessor, BatchResult
from soulspot.errors import (
    BadAnswer,
    BatchRejected,
    DatabaseFull,
    Limited,
    LookupFailed,
    LookupPostponed,
    ProviderError,
    Refused,
    Unavailable,
)
from soulspot.limits import full_jitter
from soulspot.models import (
    Answer,
    Failed,
    Found,
    Lookup,
    LookupState,
    Missing,
    Postponed,
    Settlement,
)
from soulspot.providers.base import Provider
from soulspot.store import queue
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.telemetry import Memory, Telemetry

log = structlog.get_logger()

SINGLES_AT_ONCE = (
    10  # lookups of a kind that one request answers one of: a crash loses this many answers at most
)
FIRST_HOLD, LONGEST_HOLD = (
    2.0,
    3600.0,
)  # seconds without a claim after a failure of a whole batch; doubles each time
STORE_HOLD = 30.0  # seconds without a claim after answers could not be written
REFUSED_HOLD = 900.0  # seconds until a refused account is tried again
PATIENT = 3  # failures in a row before a lookup that is never answered has to make way for others
ASIDE = 300.0  # seconds that a lookup steps aside whose request alone is never answered
LOOK = 1.0  # seconds between two looks at what is due and waits for others
DEAR_PATIENCE = 600.0  # seconds for which a dear lookup waits, at most, for others to make it needless
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Patience:
    """When a lookup is asked again, in seconds: after failures, after misses, and when an answer has aged."""

    attempts: int = 5
    base: float = 60.0
    cap: float = 3600.0
    refresh_after: float = 90 * DAY
    missing_after: float = DAY
    missing_cap: float = 32 * DAY


class Pump:
    """Moves one provider's lookups. `settle` commits answers; `company` says whether more may still come."""

    def __init__(
        self,
        provider: Provider,
        database: Database,
        settle: Callable[[Sequence[Settlement]], Awaitable[None]],
        company: Callable[[Pump], bool],
        on_idle: Callable[[], None],
        telemetry: Telemetry,
        *,
        look_again: Callable[[sqlite3.Connection, Sequence[int]], Counter[str]] = lambda c, ids: Counter(),
        batch_size: int,
        max_wait_time: float,
        patience: Patience,
        now: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.provider = provider
        self._memory = memory or Memory(telemetry)
        self.patience = patience
        self.batch_size = batch_size
        self.max_wait_time = max_wait_time
        self._waited = 0.0  # seconds that the last claim had waited in the queue
        self._database = database
        self._settle = settle
        self._company = company
        self._on_idle = on_idle
        self._look_again = look_again
        self._telemetry = telemetry
        self._now = now
        self._rng = rng or random.Random()
        self._wake = asyncio.Event()
        self._held_until = 0.0
        self._held_why = ""
        self._stopping = False
        self._resting = False
        self._claimed = False
        self._unsettled: set[int] = set()
        self._most: int | None = None  # a claim's size while something is wrong
        self._troubles = 0  # whole batches in a row that came to nothing
        self._aside: set[int] = set()
        self._flushing: asyncio.Task[object] | None = None
        self._closing: asyncio.Task[object] | None = None  # a processor that retune replaced
        self.processor = self._new_processor()

    @property
    def name(self) -> str:
        return self.provider.name

    @property
    def producing(self) -> bool:
        """Answers are about to come, and with them perhaps lookups for others."""
        return self._claimed or self.processor.in_flight_count() > 0

    @property
    def active(self) -> bool:
        """There is something in hand: a claim, a batch being gathered, a request under way."""
        return (
            not self._resting
            or self._wake.is_set()
            or self.processor.get_pending_count() > 0
            or self.producing
        )

    @property
    def _asking(self) -> bool:
        """A call is under way: ours, a timer's, or one of a processor that was replaced."""
        replaced = self._closing is not None and not self._closing.done()
        return replaced or self.processor.in_flight_count() > 0

    def wake(self) -> None:
        """Look at the queue again: something was queued, or company has gone."""
        self._wake.set()

    def held(self) -> tuple[float, str] | None:
        """(epoch seconds, why) while we keep from asking of our own accord; None when we do not."""
        own = (self._held_until, self._held_why) if self._held_until > self._now() else None
        return max((hold for hold in (own, self._memory.held()) if hold), default=None)

    def opens_at(self, kind: str) -> float | None:
        """When lookups of this kind may be asked, in epoch seconds; None when they may now."""
        held = self.held()
        gate = self.provider.opens_at(kind)
        return max((moment for moment in (held and held[0], gate) if moment), default=None)

    async def ready_at(self) -> float | None:
        """When the first waiting lookup can be asked, in epoch seconds; None when none waits."""
        kinds = list(self.provider.capacity)
        due = await self._database.read(lambda c: queue.next_due(c, self.name, kinds))
        return min((max(when, self.opens_at(kind) or 0.0) for kind, when in due.items()), default=None)

    async def run(self) -> None:
        """Work until stopped. An error that is nobody's fault is logged, and work goes on after a while."""
        while not self._stopping:
            self._wake.clear()
            try:
                pause = await self._step()
            except DatabaseFull as error:
                self._hold(STORE_HOLD, str(error))
                pause = STORE_HOLD
            except Exception:
                log.exception("pump_failed", provider=self.name)
                pause = STORE_HOLD
            if pause is None or pause > 0:
                await self._rest(pause)

    async def _rest(self, seconds: float | None) -> None:
        # an hour at most: a clock that was set back must not make us sleep for longer than that
        self._resting = True
        try:
            async with asyncio.timeout(min(seconds, 3600.0) if seconds is not None else None):
                await self._wake.wait()
        except TimeoutError:
            return
        finally:
            self._resting = False

    async def _step(self) -> float | None:
        """Claim and run one batch. Seconds until there can be more to do, 0 for at once, None for unknown."""
        if self._unsettled and not self._asking:
            orphans = list(self._unsettled)
            await self._database.write(lambda c: queue.release(c, orphans))
            self._unsettled.difference_update(orphans)
        limits = {
            kind: self._claim_size(kind) for kind in self.provider.capacity if self.opens_at(kind) is None
        }
        claim, results = await self._database.write(lambda c: self._claim(c, limits))
        if results is not None:
            self._telemetry.on_results(results)
            self._on_idle()
        before, self._claimed = self._claimed, bool(claim.lookups)
        if before and not self._claimed:
            self._on_idle()  # whoever lingered for our answers need not linger any longer
        if claim.lookups:
            self._waited = claim.waited
            await self.processor.add_batch(list(claim.lookups))
        if self.processor.get_pending_count():
            await self.processor.flush()
        if claim.lookups:
            return 0.0
        ready = await self.ready_at()
        if ready is None:
            return None
        # what is due and was not claimed waits for others: whoever keeps it waiting wakes us
        return ready - self._now() if ready > self._now() else LOOK

    def _claim(
        self, connection: sqlite3.Connection, limits: Mapping[str, int]
    ) -> tuple[queue.Claim, Counter[str] | None]:
        """The cheap questions first: what they or others bring may make a dear one needless, which therefore waits
        until nobody else is producing, though not for ever. A batch that is not full waits for company as long as there
        may be any, and not longer than `max_wait_time`. What answers to other questions may have answered meanwhile is
        looked at once more; with it come the results of the tracks that were decided thereby, by status."""
        dear: frozenset[str] = getattr(self.provider, "dear", frozenset())
        cheap = {kind: most for kind, most in limits.items() if kind not in dear}
        now, company = self._now(), self._company(self)
        linger = self.max_wait_time if company else 0.0
        claim = queue.claim(connection, self.name, cheap, now, linger=linger)
        if claim.lookups:
            return claim, None
        rest = {kind: most for kind, most in limits.items() if kind in dear}
        told: frozenset[str] = getattr(self.provider, "told", frozenset())
        results: list[Counter[str]] = []

        def second_look(kind: str, lookup_ids: Sequence[int]) -> None:
            if kind in told:
                results.append(self._look_again(connection, lookup_ids))

        claim = queue.claim(
            connection, self.name, rest, now - (DEAR_PATIENCE if company else 0.0), second_look=second_look
        )
        return claim, sum(results, Counter()) if results else None

    def _claim_size(self, kind: str) -> int:
        most = self.provider.capacity[kind]
        usual = self._memory.size(self.batch_size)
        return min(usual, self._most or usual, most if most > 1 else SINGLES_AT_ONCE)

    def retune(self, *, batch_size: int, max_wait_time: float, patience: Patience) -> None:
        """Take over new settings from the next claim on; what is gathered now goes out as it is."""
        self.batch_size, self.patience = batch_size, patience
        self.max_wait_time = max_wait_time
        before, self.processor = self.processor, self._new_processor()
        self._closing = asyncio.create_task(before.close())

    def _new_processor(self) -> BatchProcessor[Lookup, Answer]:
        return BatchProcessor(
            self.batch_size,
            self._answer,
            self.max_wait_time,
            key=lambda lookup: lookup.lookup_id,
            split_on=(BatchRejected,),
            on_batch_complete=self._report,
        )

    def stop(self) -> None:
        """Claim no more. What is in flight is not touched."""
        self._stopping = True
        self.wake()

    def flush_if_needed(self) -> None:
        """Send what a batch is left with, in a task of its own: a slow service holds up no timer."""
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self.processor.flush_if_needed())

    async def finish(self) -> None:
        """Let what is gathered and what is in flight come to its end."""
        await self.processor.close()
        if self._closing:
            await self._closing

    async def close(self) -> None:
        """Give back the provider's threads and connections."""
        await self.provider.close()

    async def _answer(self, lookups: list[Lookup]) -> list[Answer | Exception]:
        """The processor function: ask, then commit every answer before anybody hears of it."""
        # what is asked and not settled, because the call was cut off or the disk is full, goes back into the queue
        self._unsettled.update(one.lookup_id for one in lookups)
        answers = await self._ask(lookups)
        settlements = [self._settlement(one, answer) for one, answer in zip(lookups, answers, strict=True)]
        try:
            await self._settle(settlements)
        except Exception as error:
            # to ask again at once would only lose the answers again; one at a time shows which cannot be written
            if isinstance(error, MemoryError):
                self._memory.short("settle")
                self._most = max(1, len(lookups) // 2)
            elif not isinstance(error, DatabaseFull):
                log.exception("settle_failed", provider=self.name, lookups=len(lookups))
                await self._step_aside(lookups, str(error) or type(error).__name__)
            self._hold(STORE_HOLD, str(error) or type(error).__name__)
            raise
        self._unsettled.difference_update(one.lookup_id for one in lookups)
        self._telemetry.on_answers(self.name, Counter(_outcome(answer) for answer in answers))
        return [_as_result(answer) for answer in answers]

    async def _step_aside(self, lookups: Sequence[Lookup], why: str) -> None:
        """Ask one at a time from now on, and let a lookup alone whose answer cannot be written make way for others."""
        self._most = 1
        if len(lookups) == 1:
            aside = Settlement(lookups[0], LookupState.PENDING, self._now() + ASIDE, error=why, counts=False)
            with contextlib.suppress(Exception):  # then it goes back by its lease
                await self._database.write(lambda c: queue.settle(c, [aside], self._now()))
                self._unsettled.discard(lookups[0].lookup_id)

    async def _ask(self, lookups: Sequence[Lookup]) -> Sequence[Answer]:
        everybody = len(lookups)
        try:
            answers = await self.provider.lookup([lookup.query for lookup in lookups])
            if self._most:  # out of trouble step by step: what spoilt the large batch may still be waiting
                self._most = self._most * 2 if self._most * 2 < self.batch_size else None
            self._troubles = 0
            return answers
        except BatchRejected as error:
            if everybody > 1:
                raise
            return [Failed(str(error), retryable=False)]
        except Limited as error:
            return [Postponed(error.why)] * everybody
        except Refused as error:
            self._hold(REFUSED_HOLD, str(error))
            return [Postponed(str(error))] * everybody
        except (Unavailable, BadAnswer) as error:
            return self._trouble(lookups, str(error), answered=getattr(error, "answered", True))
        except ProviderError as error:
            return [Failed(str(error))] * everybody
        except MemoryError:
            self._memory.short("lookup")
            return self._trouble(lookups, "there was not enough memory", answered=False)
        except Exception as error:
            log.exception("provider_failed", provider=self.name)
            return self._trouble(lookups, f"{type(error).__name__}: {error}", answered=True)

    def _trouble(self, lookups: Sequence[Lookup], why: str, *, answered: bool) -> Sequence[Answer]:
        """A whole batch came to nothing. Whose fault it is shows only in smaller batches, so the next claim is half as
        large and comes later; a lookup alone is charged with an attempt if it was answered, and steps aside if not."""
        self._hold(full_hold(self._troubles), why)
        self._troubles += 1
        self._most = max(1, len(lookups) // 2)
        if len(lookups) > 1:
            return [Postponed(why)] * len(lookups)
        if answered:
            return [Failed(why)]
        if self._troubles >= PATIENT:
            self._aside.add(lookups[0].lookup_id)
        return [Postponed(why)]

    def _hold(self, seconds: float, why: str) -> None:
        if seconds > FIRST_HOLD and why != self._held_why:
            self._telemetry.warning("held", provider=self.name, why=why, until=iso(self._now() + seconds))
        self._held_until, self._held_why = self._now() + seconds, why

    def _settlement(self, lookup: Lookup, answer: Answer) -> Settlement:
        now, patience = self._now(), self.patience
        if isinstance(answer, Found):
            age = patience.refresh_after * self._rng.uniform(
                1.0, 1.1
            )  # what came together need not go together
            return Settlement(lookup, LookupState.DONE, now + age, answer.entities)
        if isinstance(answer, Missing):
            wait = min(patience.missing_cap, patience.missing_after * 2 ** min(lookup.misses, 30))
            return Settlement(lookup, LookupState.MISSING, now + wait)
        if isinstance(answer, Postponed):
            aside = lookup.lookup_id in self._aside
            self._aside.discard(lookup.lookup_id)
            due_at = now + ASIDE if aside else 0.0
            return Settlement(lookup, LookupState.PENDING, due_at, error=answer.reason, counts=False)
        if not answer.retryable:
            return Settlement(lookup, LookupState.FAILED, now, error=answer.reason)
        if lookup.attempts + 1 >= patience.attempts:
            return Settlement(lookup, LookupState.BURIED, now, error=answer.reason)
        wait = full_jitter(lookup.attempts, base=patience.base, cap=patience.cap, rng=self._rng)
        return Settlement(lookup, LookupState.PENDING, now + wait, error=answer.reason)

    def _report(self, result: BatchResult[Lookup, Answer]) -> None:
        if self._unsettled:
            self.wake()
        outcomes = dict(Counter(_outcome(answer) for answer in result.successful))
        postponed = sum(1 for _, error in result.failed if isinstance(error, LookupPostponed))
        outcomes |= {"postponed": postponed, "failed": len(result.failed) - postponed}
        self._telemetry.on_batch(
            self.name, outcomes, items=result.total_items, room=self.batch_size, reason=result.reason,
            waited_ms=(self._waited + result.waited) * 1000, duration_ms=result.duration * 1000,
        )  # fmt: skip


def full_hold(troubles: int) -> float:
    """How long to keep from asking after this many failures in a row, in seconds."""
    return float(min(LONGEST_HOLD, FIRST_HOLD * 2.0 ** min(troubles, 30)))


def _as_result(answer: Answer) -> Answer | Exception:
    if isinstance(answer, Failed):
        return LookupFailed(answer.reason)
    return LookupPostponed(answer.reason) if isinstance(answer, Postponed) else answer


def _outcome(answer: Answer) -> str:
    names = {Found: "ok", Missing: "missing", Failed: "failed", Postponed: "postponed"}
    return names[type(answer)]
