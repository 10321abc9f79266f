"""One provider's pump: what is claimed, when it is asked again, and what outages and full disks do
not cost."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from soulspot.errors import BadAnswer, BatchRejected, DatabaseFull, Limited, Refused, Unavailable
from soulspot.models import (
    MUSICBRAINZ,
    Answer,
    Failed,
    Found,
    Missing,
    Postponed,
    Query,
    Settlement,
)
from soulspot.pipeline.pump import (
    EXPENSIVE_WAIT,
    REFUSED_HOLD,
    SINGLES_AT_ONCE,
    STORE_HOLD,
    Pump,
    PumpSettings,
)
from soulspot.pipeline.retry_policy import RetryPolicy
from soulspot.pipeline.troubles import FIRST_HOLD
from soulspot.store import queue
from soulspot.store.database import Database
from soulspot.store.times import epoch_seconds
from soulspot.telemetry import MemoryLimit, Telemetry
from tests.support.factories import DAY, NOW, add_lookups, add_tracks, isrc, isrc_query, mbid, recording, tags

Reply = Callable[[Sequence[Query]], Sequence[Answer]]


class Upstream:
    """A provider that answers as the test says, and remembers what it was asked."""

    name = MUSICBRAINZ

    def __init__(self) -> None:
        self.capacity: Mapping[str, int] = {"isrc": 50, "text": 20, "redirect": 1}
        self.reply: Reply = lambda queries: [Missing()] * len(queries)
        self.expensive_kinds: frozenset[str] = frozenset()
        self.incidental_kinds: frozenset[str] = frozenset()
        self.asked: list[list[Query]] = []
        self.closed_until: dict[str, float] = {}
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        self.asked.append(list(queries))
        self.begun.set()
        await self.go_on.wait()
        return list(self.reply(queries))

    def opens_at(self, kind: str) -> float | None:
        return self.closed_until.get(kind)

    def retune(self, **_: object) -> None:
        raise AssertionError("not asked for here")

    async def close(self) -> None:
        self.go_on.set()


def settings(*, batch_size: int, max_wait_time: float, missing_after: float = DAY) -> PumpSettings:
    policy = RetryPolicy(attempts=3, base=60.0, cap=600.0, missing_after=missing_after)
    return PumpSettings(batch_size, max_wait_time, policy, random.Random(1))


class Workshop:
    """A pump over a real database, with a clock that the test moves."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.upstream = Upstream()
        self.now = NOW
        self.company = False
        self.idle = 0
        self.settled: list[Settlement] = []
        self.disk_full = False
        self.fault: Exception | None = None  # what settling raises
        self.look_again: Callable[[sqlite3.Connection, Sequence[int]], Counter[str]] = lambda c, ids: Counter()
        telemetry = Telemetry()
        self.pump = Pump(
            self.upstream, database, self, settings(batch_size=100, max_wait_time=5.0),
            telemetry, MemoryLimit(telemetry), lambda: self.now,
        )  # fmt: skip
        self.pump.troubles.clock = lambda: self.now

    def wake(self) -> None:
        self.idle += 1

    def more_may_come(self, pump: Pump) -> bool:
        return self.company

    def decide_again(self, connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> Counter[str]:
        return self.look_again(connection, lookup_ids)

    async def settle(self, settlements: Sequence[Settlement]) -> None:
        if self.disk_full:
            raise DatabaseFull("the disk is full")
        if self.fault:
            raise self.fault
        self.settled += settlements
        await self.database.write(lambda c: queue.settle(c, settlements, self.now))

    async def add(self, *numbers: int) -> None:
        await self.database.write(lambda c: add_lookups(c, *numbers, now=self.now))

    async def step(self, times: int = 1) -> None:
        for _ in range(times):
            await self.pump._step()

    async def row(self, columns: str = "state, attempts", number: int = 1) -> tuple[object, ...]:
        def find(connection: sqlite3.Connection) -> tuple[object, ...]:
            sql = f"SELECT {columns} FROM lookups WHERE query = ?"
            found: tuple[object, ...] = connection.execute(sql, (isrc_query(number).key,)).fetchone()
            return found

        return await self.database.read(find)

    async def rows(self, columns: str) -> list[tuple[object, ...]]:
        sql = f"SELECT {columns} FROM lookups ORDER BY lookup_id"
        return await self.database.read(lambda c: c.execute(sql).fetchall())

    async def due_in(self, number: int = 1) -> float:
        """Seconds until the lookup is due."""
        [due] = await self.row("due_at", number)
        return round(epoch_seconds(str(due)) - self.now, 3)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "soulspot.db") as opened:
        yield opened


@pytest.fixture
async def shop(database: Database) -> Workshop:
    return Workshop(database)


# --- answers --------------------------------------------------------------------------------------


async def test_a_found_answer_is_done_and_comes_back_when_it_has_aged(shop: Workshop) -> None:
    await shop.add(1)
    shop.upstream.reply = lambda queries: [Found((recording(1),))]
    await shop.step()
    assert await shop.row("state, attempts, misses") == ("done", 0, 0)
    assert 90 * DAY <= await shop.due_in() <= 99 * DAY, "what came together does not go together"
    assert [entity.id for entity in shop.settled[0].entities] == [mbid(1)]


async def test_what_is_missing_is_asked_again_after_1_2_4_days_and_so_on_up_to_32(shop: Workshop) -> None:
    await shop.add(1)
    waits = []
    for _ in range(8):
        await shop.step()
        waits.append(await shop.due_in() / DAY)
        shop.now += await shop.due_in()
        await shop.database.write(lambda c: queue.requeue_due(c, shop.now))
    assert waits == [1, 2, 4, 8, 16, 32, 32, 32]


async def test_a_failure_waits_and_after_enough_of_them_the_lookup_is_buried(shop: Workshop) -> None:
    await shop.add(1)
    shop.upstream.reply = lambda queries: [Failed("500")]
    for attempt in (1, 2):
        await shop.step()
        assert await shop.row() == ("pending", attempt)
        assert 0 <= await shop.due_in() <= 60 * 2 ** (attempt - 1)
        shop.now += await shop.due_in() + 0.001
    await shop.step()
    assert await shop.row("state, attempts, last_error") == ("buried", 3, "500")
    shop.now += 1_000 * DAY
    await shop.step()
    assert len(shop.upstream.asked) == 3


async def test_a_question_at_fault_itself_is_not_asked_again(shop: Workshop) -> None:
    await shop.add(1)
    shop.upstream.reply = lambda queries: [Failed("not an ISRC", retryable=False)]
    await shop.step()
    assert await shop.row("state, last_error") == ("failed", "not an ISRC")


async def test_answers_reach_their_own_questions(shop: Workshop) -> None:
    await shop.add(1, 2, 3)
    shop.upstream.reply = lambda queries: [
        Found((recording(7),)) if query["isrc"] == isrc(2) else Missing() if query["isrc"] == isrc(1) else Failed("500")
        for query in queries
    ]
    await shop.step()
    assert [await shop.row("state", number) for number in (1, 2, 3)] == [
        ("missing",),
        ("done",),
        ("pending",),
    ]


# --- what is not an attempt -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        Limited("musicbrainz.org", NOW + 52_531, "quota spent", status=429),
        Unavailable("connection refused"),
        Refused("no Premium", status=403),
    ],
)
async def test_limits_outages_and_refusals_are_no_attempts_and_leave_the_due_time_alone(
    shop: Workshop, error: Exception
) -> None:
    await shop.add(1)
    shop.now += 5

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        raise error

    shop.upstream.reply = reply
    await shop.step()
    assert await shop.row() == ("pending", 0)
    assert await shop.due_in() == -5


async def test_a_single_postponed_answer_is_no_attempt(shop: Workshop) -> None:
    await shop.add(1)
    shop.upstream.reply = lambda queries: [Postponed("the day's budget is spent")]
    await shop.step()
    assert await shop.row("state, attempts, last_error") == ("pending", 0, "the day's budget is spent")


@pytest.mark.parametrize("error", [Unavailable("502", status=502, answered=True), BadAnswer("HTML"), KeyError("bug")])
async def test_a_service_that_answered_badly_was_an_attempt(shop: Workshop, error: Exception) -> None:
    await shop.add(1)

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        raise error

    shop.upstream.reply = reply
    with capture_logs():
        await shop.step()
    assert await shop.row() == ("pending", 1)


async def test_after_an_outage_nothing_is_claimed_for_a_moment(shop: Workshop) -> None:
    await shop.add(1)

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        raise Unavailable("connection refused")

    shop.upstream.reply = reply
    await shop.step(3)
    assert len(shop.upstream.asked) == 1
    assert shop.pump.held() == (NOW + FIRST_HOLD, "connection refused")
    assert await shop.pump.ready_at() == NOW + FIRST_HOLD
    shop.now += FIRST_HOLD
    await shop.step()
    assert len(shop.upstream.asked) == 2


async def test_a_batch_that_comes_to_nothing_is_halved_and_asked_ever_later_without_an_attempt(
    shop: Workshop,
) -> None:
    await shop.add(*range(1, 9))

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        if len(queries) > 1:
            raise BadAnswer("a page of HTML")
        return [Missing()]

    shop.upstream.reply = reply
    waits = []
    for _ in range(4):
        await shop.step()
        held = shop.pump.held()
        waits.append(held[0] - shop.now if held else 0.0)
        shop.now += waits[-1]
    assert [len(asked) for asked in shop.upstream.asked] == [8, 4, 2, 1]
    assert waits == [FIRST_HOLD, 2 * FIRST_HOLD, 4 * FIRST_HOLD, 0.0]
    found = await shop.rows("state, attempts")
    assert sorted(found) == [("missing", 0)] + [("pending", 0)] * 7


async def test_a_lookup_that_is_never_answered_makes_way_for_the_others(shop: Workshop) -> None:
    await shop.add(1, 2, 3)
    poison: list[Query] = []

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        poison.extend(queries[:1] if not poison else ())
        if poison[0] in queries:
            raise Unavailable("no answer within 30 s")
        return [Missing()] * len(queries)

    shop.upstream.reply = reply
    for _ in range(12):
        await shop.step()
        held = shop.pump.held()
        shop.now += held[0] - shop.now if held else 1.0
    assert sorted(await shop.rows("state, attempts")) == [("missing", 0), ("missing", 0), ("pending", 0)]


async def test_an_answer_that_cannot_be_written_stops_asking_and_then_steps_aside(shop: Workshop) -> None:
    await shop.add(1, 2)
    shop.upstream.reply = lambda queries: [Found((recording(1),)) for _ in queries]
    shop.fault = ValueError("unreadable row")
    with capture_logs() as said:
        await shop.step(2)
        assert len(shop.upstream.asked) == 1, "not asked again at once"
        shop.now += STORE_HOLD
        await shop.step(2)
    assert [len(asked) for asked in shop.upstream.asked] == [2, 1]
    assert [line["event"] for line in said].count("settle_failed") == 2
    states = await shop.rows("state, attempts")
    assert states == [("pending", 0), ("pending", 0)]
    first, second = await shop.rows("due_at")
    assert first != second, "the one whose answer could not be written makes way"


async def test_a_refused_account_is_said_once_and_tried_again_after_a_quarter_of_an_hour(
    shop: Workshop,
) -> None:
    await shop.add(1)

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        raise Refused("no Premium", status=403)

    shop.upstream.reply = reply
    with capture_logs() as said:
        for _ in range(3):
            await shop.step(2)
            shop.now += REFUSED_HOLD
    assert len(shop.upstream.asked) == 3
    assert [(one["provider"], one["why"]) for one in said if one["event"] == "held"] == [(MUSICBRAINZ, "no Premium")]


async def test_one_lookup_that_spoils_a_request_fails_alone(shop: Workshop) -> None:
    await shop.add(*range(1, 9))

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        if any(query["isrc"] == isrc(5) for query in queries):
            raise BatchRejected("400", status=400)
        return [Found((recording(1),))] * len(queries)

    shop.upstream.reply = reply
    await shop.step()
    states = [(await shop.row("state", number))[0] for number in range(1, 9)]
    assert states == ["done"] * 4 + ["failed"] + ["done"] * 3
    assert [len(queries) for queries in shop.upstream.asked] == [8, 4, 4, 2, 1, 1, 2]


# --- claims ---------------------------------------------------------------------------------------


async def test_a_batch_is_of_one_kind_and_as_large_as_a_request_can_answer(shop: Workshop) -> None:
    await shop.add(*range(120))
    await shop.step(4)
    assert [len(queries) for queries in shop.upstream.asked] == [50, 50, 20]


async def test_lookups_that_take_a_request_each_are_claimed_a_few_at_a_time(shop: Workshop) -> None:
    def prepare(connection: sqlite3.Connection) -> None:
        [track_id] = add_tracks(connection, tags())
        wanted = [Query.of(MUSICBRAINZ, "redirect", mbid=mbid(number)) for number in range(25)]
        queue.enqueue(connection, {track_id: wanted}, NOW)

    await shop.database.write(prepare)
    await shop.step(4)
    assert [len(queries) for queries in shop.upstream.asked] == [SINGLES_AT_ONCE, SINGLES_AT_ONCE, 5]


async def test_a_dear_question_waits_until_nobody_else_produces_but_not_for_ever(shop: Workshop) -> None:
    shop.upstream.expensive_kinds = frozenset({"isrc"})
    shop.company = True
    await shop.add(1)
    await shop.step()
    assert shop.upstream.asked == []
    shop.company = False
    await shop.step()
    assert shop.upstream.asked == [[isrc_query(1)]]
    shop.company = True
    await shop.add(2)
    shop.now += EXPENSIVE_WAIT + 1
    await shop.step()
    shop.pump.flush_if_needed()
    await shop.pump.processor.flush()
    assert shop.upstream.asked == [[isrc_query(1)], [isrc_query(2)]]


async def test_what_others_answers_may_have_told_is_looked_at_once_more_before_it_is_asked(
    shop: Workshop,
) -> None:
    def look_again(connection: sqlite3.Connection, lookup_ids: Sequence[int]) -> Counter[str]:
        looked_at.append(list(lookup_ids))
        connection.execute("UPDATE lookups SET state = 'done' WHERE lookup_id = 1")
        return Counter(accepted=1)

    looked_at: list[list[int]] = []
    shop.look_again = look_again
    shop.upstream.expensive_kinds = shop.upstream.incidental_kinds = frozenset({"isrc"})
    await shop.add(1, 2)
    await shop.step()
    assert looked_at == [[1, 2]]
    assert shop.upstream.asked == [[isrc_query(2)]]
    assert shop.idle  # what was decided may have brought work for others
    shop.upstream.incidental_kinds = frozenset()
    await shop.add(3)
    await shop.step()
    assert looked_at == [[1, 2]]
    assert shop.upstream.asked[1:] == [[isrc_query(3)]]


async def test_a_cheap_question_comes_before_an_older_dear_one(shop: Workshop) -> None:
    shop.upstream.expensive_kinds = frozenset({"isrc"})
    cheap = Query.of(MUSICBRAINZ, "text", title="a", artist="b")

    def add(connection: sqlite3.Connection) -> None:
        first, second = add_tracks(connection, tags(), tags(title="another"))
        queue.enqueue(connection, {first: [isrc_query(1)]}, NOW - 10)
        queue.enqueue(connection, {second: [cheap]}, NOW)

    await shop.database.write(add)
    await shop.step(2)
    assert shop.upstream.asked == [[cheap], [isrc_query(1)]]


async def test_nothing_is_claimed_while_the_gate_is_closed_and_the_pump_knows_when_it_opens(
    shop: Workshop,
) -> None:
    await shop.add(1)
    shop.upstream.closed_until = {"isrc": NOW + 52_531}
    await shop.step(2)
    assert shop.upstream.asked == []
    assert await shop.row() == ("pending", 0)
    assert await shop.pump.ready_at() == NOW + 52_531
    shop.upstream.closed_until = {}
    await shop.step()
    assert len(shop.upstream.asked) == 1


async def test_what_does_not_fill_a_batch_waits_for_company_only_while_there_is_any(
    shop: Workshop,
) -> None:
    await shop.add(1, 2)
    shop.company = True
    await shop.step(2)
    assert shop.upstream.asked == []
    await shop.add(1, 2, 3)
    await shop.step()
    assert shop.upstream.asked == []
    shop.company = False
    await shop.step()
    assert [len(queries) for queries in shop.upstream.asked] == [3]


async def test_whoever_lingers_for_our_answers_is_told_when_no_more_come(shop: Workshop) -> None:
    await shop.add(1)
    await shop.step()
    assert shop.idle == 0
    await shop.step()
    assert shop.idle == 1
    await shop.step()
    assert shop.idle == 1


async def test_what_is_under_way_is_not_claimed_again_when_the_timer_comes(shop: Workshop) -> None:
    await shop.add(1, 2)
    shop.upstream.go_on.clear()
    flushing = asyncio.create_task(shop.step())
    await shop.upstream.begun.wait()
    shop.pump.flush_if_needed()
    assert await shop.pump._step() is None  # nothing to do until something happens
    assert await shop.row("state") == ("leased",)
    shop.upstream.go_on.set()
    await flushing
    await shop.step(2)
    assert await shop.row("state") == ("missing",)
    assert len(shop.upstream.asked) == 1


# --- when the disk is full ------------------------------------------------------------------------


async def test_a_full_disk_stops_the_asking_and_loses_nothing(shop: Workshop) -> None:
    await shop.add(1, 2)
    shop.disk_full = True
    with capture_logs() as said:
        await shop.step(5)
    assert len(shop.upstream.asked) == 1
    assert shop.pump.held() == (NOW + STORE_HOLD, "the disk is full")
    assert [one["why"] for one in said if one["event"] == "held"] == ["the disk is full"]
    shop.disk_full = False
    shop.now += STORE_HOLD
    await shop.step(2)
    assert [await shop.row("state, attempts", number) for number in (1, 2)] == [
        ("missing", 0),
        ("missing", 0),
    ]
    assert len(shop.upstream.asked) == 2


async def test_a_call_that_was_cut_off_gives_its_lookups_back(shop: Workshop) -> None:
    await shop.add(1)
    shop.upstream.go_on.clear()
    stepping = asyncio.create_task(shop.step())
    await shop.upstream.begun.wait()
    stepping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stepping
    shop.upstream.go_on.set()
    await shop.step(2)
    assert await shop.row() == ("missing", 0)


# --- running --------------------------------------------------------------------------------------


async def test_a_running_pump_works_off_the_queue_and_ends_when_it_is_stopped(shop: Workshop) -> None:
    answered = asyncio.Event()

    def reply(queries: Sequence[Query]) -> Sequence[Answer]:
        if any(query["isrc"] == isrc(9) for query in queries):
            answered.set()
        return [Missing()] * len(queries)

    shop.upstream.reply = reply
    running = asyncio.create_task(shop.pump.run())
    await shop.add(1)
    shop.pump.wake()
    await shop.add(9)
    shop.pump.wake()
    await answered.wait()
    shop.pump.stop()
    await running
    assert await shop.row() == ("missing", 0)


async def test_a_claim_that_the_end_overtakes_is_left_for_the_next_process(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, go_on = asyncio.Event(), asyncio.Event()
    real = shop.database.write

    async def late(function: Callable[[sqlite3.Connection], Any]) -> Any:
        result = await real(function)
        claimed.set()
        await go_on.wait()
        return result

    await shop.add(1)
    monkeypatch.setattr(shop.database, "write", late)
    with capture_logs() as said:
        running = asyncio.create_task(shop.pump.run())
        await claimed.wait()
        shop.pump.stop()
        await shop.pump.finish()
        go_on.set()
        await running
    assert [one["event"] for one in said] == []
    assert shop.upstream.asked == []
    await real(queue.release_leases)
    assert await shop.row() == ("pending", 0)


async def test_a_pump_survives_what_is_nobodys_fault(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = [RuntimeError("odd"), DatabaseFull("the disk is full")]
    done = asyncio.Event()
    real = shop.pump._step

    async def step() -> float | None:
        if failures:
            shop.pump.wake()  # so that the test need not wait
            raise failures.pop()
        pause = await real()
        if shop.upstream.asked:
            done.set()
        else:
            shop.now += STORE_HOLD
            shop.pump.wake()
        return pause

    await shop.add(1)
    monkeypatch.setattr(shop.pump, "_step", step)
    with capture_logs() as said:
        running = asyncio.create_task(shop.pump.run())
        await done.wait()
        shop.pump.stop()
        await running
    assert [one["event"] for one in said if one["event"] in ("held", "pump_failed")] == [
        "held",
        "pump_failed",
    ]


async def test_new_settings_hold_from_the_next_claim_on_and_what_is_under_way_is_finished(
    shop: Workshop,
) -> None:
    await shop.add(*range(10))
    shop.upstream.go_on.clear()
    stepping = asyncio.create_task(shop.step())
    await shop.upstream.begun.wait()
    shop.pump.retune(settings(batch_size=5, max_wait_time=1.0, missing_after=3 * DAY))
    shop.upstream.go_on.set()
    await stepping
    assert shop.pump._closing is not None
    await shop.pump._closing
    assert [len(queries) for queries in shop.upstream.asked] == [10]
    assert await shop.due_in() == 3 * DAY
    await shop.add(*range(20, 32))
    shop.company = False
    await shop.step(4)
    assert [len(queries) for queries in shop.upstream.asked[1:]] == [5, 5, 2]


async def test_the_time_in_the_queue_is_in_the_log_as_waiting(shop: Workshop) -> None:
    await shop.add(1)
    shop.now += 7.0
    with capture_logs() as said:
        await shop.step()
    [flushed] = [one for one in said if one["event"] == "batch_flushed"]
    assert flushed["waited_ms"] >= 7000.0


async def test_a_batch_says_in_the_log_what_became_of_it(shop: Workshop) -> None:
    await shop.add(1, 2, 3, 4)
    shop.upstream.reply = lambda queries: [
        Found((recording(1),)),
        Missing(),
        Failed("500"),
        Postponed("later"),
    ]
    with capture_logs() as said:
        await shop.step()
    [flushed] = [one for one in said if one["event"] == "batch_flushed"]
    counts = {name: flushed[name] for name in ("items", "ok", "missing", "failed", "postponed", "fill", "reason")}
    assert counts == {
        "items": 4,
        "ok": 1,
        "missing": 1,
        "failed": 1,
        "postponed": 1,
        "fill": 0.04,
        "reason": "manual",
    }
