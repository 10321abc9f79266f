"""Promises of the daily budget and of the breaker."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.errors import Limited
from soulspot.limits import Gate, MemoryPort
from tests.limits.test_gate import World, loop_time, most_within, refused, wait_of
from tests.support.virtual_time import run_virtual

HOUR, DAY = 3600.0, 86400.0


@settings(max_examples=40, deadline=None)
@given(
    budget=st.integers(1, 12),
    steps=st.lists(st.tuples(st.integers(1, 5), st.floats(1, 20 * HOUR), st.booleans()), max_size=25),
)
def test_no_day_ever_sees_more_requests_than_the_budget(budget: int, steps: list[tuple[int, float, bool]]) -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(daily_budget=budget)
        for requests, pause, restart in steps:
            for _ in range(requests):
                if gate.opens_at() is None:
                    await world.request(gate)
                else:
                    assert 0 < wait_of(await refused(gate.admit()), world) <= DAY + 0.01
            await asyncio.sleep(pause)
            if restart:
                gate = await world.gate(daily_budget=budget)

    run_virtual(main())
    assert most_within(world.sent, DAY - 2.0) <= budget


def test_a_spent_budget_opens_when_its_oldest_hour_is_a_day_old() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(daily_budget=4)
        await world.request(gate)
        await world.request(gate)
        await asyncio.sleep(5 * HOUR)
        await world.request(gate)
        await world.request(gate)
        limited = await refused(gate.admit())
        assert wait_of(limited, world) == pytest.approx(world.sent[1] + DAY - loop_time(), abs=0.01)
        assert limited.why == "daily budget of 4 requests is spent"
        assert gate.opens_at() == limited.until
        await asyncio.sleep(wait_of(limited, world))
        await world.request(gate)
        await world.request(gate)
        await refused(gate.admit())

    run_virtual(main())
    assert [event.kind for event in world.events] == ["limited", "recovered", "limited"]


def test_the_last_request_of_a_budget_tells_that_it_is_spent() -> None:
    """The event does not wait for a refusal: nobody may ever call the closed gate."""
    world = World()

    async def main() -> None:
        await world.request(await world.gate(daily_budget=1))

    run_virtual(main())
    assert [(event.kind, event.why) for event in world.events] == [("limited", "daily budget of 1 requests is spent")]


def test_a_request_is_counted_before_it_goes_out() -> None:
    """A process killed between a request and its answer still has the request counted."""
    world = World()

    async def main() -> None:
        gate = await world.gate(daily_budget=3)
        for _ in range(3):
            await gate.admit()  # and killed: nothing is observed
            gate = await world.gate(daily_budget=3)
        await refused(gate.admit())

    run_virtual(main())


def test_a_budget_of_nothing_lets_nothing_pass() -> None:
    world = World()

    async def main() -> None:
        assert wait_of(await refused((await world.gate(daily_budget=0)).admit()), world) == pytest.approx(DAY)

    run_virtual(main())


def test_a_new_budget_counts_what_was_sent_before() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        for _ in range(3):
            await world.request(gate)
        gate.retune(rate=1.0, daily_budget=3)
        await refused(gate.admit())
        gate.retune(rate=1.0, daily_budget=4)
        await world.request(gate)
        gate.retune(rate=1.0, daily_budget=None)
        await world.request(gate)

    run_virtual(main())
    assert len(world.sent) == 5


@pytest.mark.parametrize("jump", [-365 * DAY, 365 * DAY])
def test_a_jump_of_the_wall_clock_neither_frees_nor_eats_the_budget(jump: float) -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(daily_budget=2)
        await world.request(gate)
        world.jump = jump
        await world.request(gate)
        restarted = await world.gate(daily_budget=2)
        for each in (gate, restarted):
            assert wait_of(await refused(each.admit()), world) == pytest.approx(DAY, abs=2)
        await asyncio.sleep(DAY)
        await world.request(gate)

    run_virtual(main())


def test_requests_remembered_from_the_future_are_a_day_old_tomorrow() -> None:
    """The wall clock was ahead when they were counted, and has been corrected since."""
    world = World()

    async def main() -> None:
        world.jump = 365 * DAY
        await world.request(await world.gate(daily_budget=1))
        world.jump = 0.0
        gate = await world.gate(daily_budget=1)
        assert wait_of(await refused(gate.admit()), world) == pytest.approx(DAY, abs=2)
        await asyncio.sleep(DAY)
        await world.request(gate)

    run_virtual(main())


async def fail(world: World, gate: Gate, times: int, status: int | None = 500) -> None:
    for _ in range(times):
        await world.request(gate, status)


@pytest.mark.parametrize("status", [500, 502, 504, None])
def test_five_failures_in_a_row_open_the_breaker_for_a_minute(status: int | None) -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await fail(world, gate, 4, status)
        await world.request(gate, 404)
        await fail(world, gate, 5, status)
        limited = await refused(gate.admit())
        assert wait_of(limited, world) == pytest.approx(60, abs=0.01)
        assert limited.why == "5 failures in a row"
        assert gate.snapshot().breaker == "open"

    run_virtual(main())


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404])
def test_an_answer_that_says_no_is_no_failure_of_the_host(status: int) -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await fail(world, gate, 20, status)
        assert gate.opens_at() is None

    run_virtual(main())


def test_one_probe_goes_out_after_the_minute_and_its_success_closes_the_breaker() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await fail(world, gate, 5)
        await asyncio.sleep(60)
        assert gate.opens_at() is None
        assert not gate.is_probing
        results = await asyncio.gather(*(gate.admit() for _ in range(5)), return_exceptions=True)
        assert [type(result) for result in results] == [type(None), *[Limited] * 4]
        assert gate.is_probing
        opens_at = gate.opens_at()
        assert opens_at is not None
        assert opens_at > world.now()
        await gate.observe(200)
        assert not gate.is_probing
        await world.request(gate)

    run_virtual(main())
    assert [event.kind for event in world.events] == ["limited", "recovered"]


def test_failures_that_arrive_late_do_not_prolong_the_rest() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=100.0)
        for _ in range(20):
            await gate.admit()
        for _ in range(20):
            await gate.observe(None)
        await asyncio.sleep(30)
        await gate.observe(None)
        assert wait_of(await refused(gate.admit()), world) == pytest.approx(30, abs=0.01)

    run_virtual(main())


def test_a_failed_probe_doubles_the_rest_up_to_ten_minutes_without_further_events() -> None:
    world = World()

    async def main() -> list[float]:
        gate, rests = await world.gate(), []
        await fail(world, gate, 5)
        for _ in range(6):
            opens_at = gate.opens_at()
            assert opens_at is not None
            rests.append(opens_at - world.now())
            await asyncio.sleep(rests[-1])
            await world.request(gate, None)
            assert not gate.is_probing
        return rests

    assert run_virtual(main()) == pytest.approx([60, 120, 240, 480, 600, 600], abs=0.01)
    assert [event.kind for event in world.events] == ["limited"]


def test_a_probe_that_is_told_to_wait_leaves_the_next_one_to_decide() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await fail(world, gate, 5)
        await asyncio.sleep(60)
        await world.request(gate, 503, {"Retry-After": "5"})
        assert (await refused(gate.admit())).why == "HTTP 503, Retry-After 5 s"
        await asyncio.sleep(10)
        await gate.admit()
        assert gate.is_probing
        await gate.observe(200)
        assert gate.snapshot().breaker == "closed"

    run_virtual(main())


def test_a_probe_that_its_caller_dropped_makes_way_for_another_at_once() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await fail(world, gate, 5)
        await asyncio.sleep(60)
        await gate.admit()
        gate.abandon()
        assert not gate.is_probing
        await world.request(gate)
        assert gate.snapshot().breaker == "closed"

    run_virtual(main())


def test_a_probe_that_nobody_reports_on_does_not_close_the_gate_for_ever() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await fail(world, gate, 5)
        await asyncio.sleep(60)
        await gate.admit()  # and nothing is ever observed
        await refused(gate.admit())
        await asyncio.sleep(120)
        await world.request(gate)
        assert gate.snapshot().breaker == "closed"

    run_virtual(main())


def test_an_open_breaker_stays_open_across_a_restart() -> None:
    world = World()

    async def main() -> None:
        await fail(world, await world.gate(), 5)
        await asyncio.sleep(20)
        gate = await world.gate()
        assert wait_of(await refused(gate.admit()), world) == pytest.approx(40, abs=0.01)
        world.jump = -DAY
        assert wait_of(await refused((await world.gate()).admit()), world) <= 60 + 0.01
        world.jump = 0.0
        await asyncio.sleep(40)
        gate = await world.gate()
        await gate.admit()
        assert gate.is_probing
        await gate.observe(None)
        assert wait_of(await refused(gate.admit()), world) == pytest.approx(120, abs=0.01)

    run_virtual(main())


def test_the_trouble_of_one_host_closes_no_other() -> None:
    world = World()

    async def main() -> None:
        gates = world.gates()
        broken = gates.open("listenbrainz", "https://labs.api.listenbrainz.org", rate=1.0)
        well = gates.open("listenbrainz", "https://api.listenbrainz.org/1", rate=1.0)
        await fail(world, broken, 5)
        await refused(broken.admit())
        await world.request(well)
        assert well.opens_at() is None

    run_virtual(main())


def test_saves_never_overtake_each_other() -> None:
    """The port ends with the newest state, although an earlier save was slower."""

    class Uneven(MemoryPort):
        delays = (5.0, 0.1, 3.0, 0.1)
        saves = 0

        async def save(self, key: str, value: dict[str, Any]) -> None:
            self.saves += 1
            await asyncio.sleep(self.delays[self.saves % 4])
            await super().save(key, value)

    world = World()
    world.port = Uneven()

    async def main() -> None:
        gate = await world.gate()
        async with asyncio.TaskGroup() as group:
            for number in range(1, 8):
                group.create_task(gate.pause(1000.0 * number, f"number {number}"))
                await asyncio.sleep(0.2)
        assert world.port.values["gate:musicbrainz:musicbrainz.org"]["pause"]["why"] == "number 7"

    run_virtual(main())
