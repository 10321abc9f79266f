"""Promises of a paused gate: its length, its survival of restarts, and its events."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.errors import Limited
from soulspot.limits import Gate, Gates, MemoryPort
from soulspot.limits.backoff import LONGEST_PAUSE
from tests.limits.test_gate import URL, World, loop_time, refused, wait_of
from tests.support.virtual_time import run_virtual

HOUR = 3600.0
KEY = "gate:musicbrainz:musicbrainz.org"


async def pause_after(
    world: World, gate: Gate, status: int, headers: dict[str, str] | None = None, **more: Any
) -> float:
    """Return the seconds for which the gate closes after this answer."""
    await world.request(gate, status, headers, **more)
    opens_at = gate.opens_at()
    assert opens_at is not None
    return opens_at - world.now()


@settings(deadline=None)
@given(asked=st.integers(1, 10**6), status=st.sampled_from([429, 503]), seed=st.integers(0, 2**32))
def test_a_retry_after_is_never_cut_short(asked: int, status: int, seed: int) -> None:
    world = World(seed)

    async def main() -> float:
        return await pause_after(world, await world.gate(), status, {"retry-after": str(asked)})

    assert asked - 1e-6 <= run_virtual(main()) <= asked + 2.0


def test_a_retry_after_may_be_a_date() -> None:
    world = World()

    async def main() -> float:
        gate = await world.gate()
        return await pause_after(world, gate, 429, {"Retry-After": formatdate(world.now() + 601, usegmt=True)})

    assert 599 <= run_virtual(main()) <= 602


@pytest.mark.parametrize("value", ["0", "-5", "Sun, 06 Nov 1994 08:49:37 GMT"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_of_nothing_still_waits_one_to_two_seconds(status: int, value: str) -> None:
    world = World()

    async def main() -> float:
        return await pause_after(world, await world.gate(), status, {"Retry-After": value})

    assert 1.0 <= run_virtual(main()) <= 2.0


def test_an_absurd_retry_after_is_waited_for_thirty_days() -> None:
    world = World()

    async def main() -> float:
        return await pause_after(world, await world.gate(), 429, {"Retry-After": "9999999999"})

    assert run_virtual(main()) == pytest.approx(LONGEST_PAUSE, abs=0.01)


def test_a_spent_quota_without_a_time_waits_an_hour_and_with_one_that_long() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        assert HOUR <= await pause_after(world, gate, 429, {}, quota=True) <= HOUR + 60
        await asyncio.sleep(2 * HOUR)
        assert 52531 <= await pause_after(world, gate, 429, {"Retry-After": "52531"}, quota=True) <= 52532

    run_virtual(main())


@pytest.mark.parametrize(("status", "headers", "cap"), [(503, {"Retry-After": "0"}, 60.0), (429, {}, 300.0)])
def test_a_host_that_stays_overloaded_is_asked_ever_less_until_it_answers(
    status: int, headers: dict[str, str], cap: float
) -> None:
    world = World()

    async def main() -> None:
        gate, pauses = await world.gate(), []
        for _ in range(40):
            pauses.append(await pause_after(world, gate, status, headers))
            await asyncio.sleep(pauses[-1])
        assert pauses[0] <= 4.0
        assert max(pauses) <= cap
        assert max(pauses[20:]) > cap / 2
        await world.request(gate)
        assert await pause_after(world, gate, status, headers) <= 4.0

    run_virtual(main())


def test_answers_to_requests_already_under_way_count_as_one_limit() -> None:
    world = World()

    async def main() -> float:
        gate = await world.gate(rate=100.0)
        for _ in range(20):
            await gate.admit()
        for _ in range(20):
            await gate.observe(503, {"Retry-After": "0"})
        opens_at = gate.opens_at()
        assert opens_at is not None
        return opens_at - world.now()

    assert run_virtual(main()) <= 2.0


def test_a_late_success_does_not_end_a_pause() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await gate.admit()
        await gate.admit()
        await gate.observe(429, {"Retry-After": "100"})
        await gate.observe(200)
        assert world.port.values[KEY]["pause"]["strikes"] == 1
        assert wait_of(await refused(gate.admit()), world) >= 100

    run_virtual(main())
    assert [event.kind for event in world.events] == ["limited"]


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await gate.pause(1000, "long")
        await gate.pause(10, "short")
        assert (await refused(gate.admit())).why == "long"
        await asyncio.sleep(11)
        assert wait_of(await refused(gate.admit()), world) == pytest.approx(989, abs=0.01)

    run_virtual(main())


def test_a_ban_of_fourteen_hours_is_waited_out_across_restarts() -> None:
    world = World()

    async def main() -> None:
        await world.request(await world.gate(), 429, {"Retry-After": "52531"})
        banned_at = loop_time()
        for _ in range(5):
            await asyncio.sleep(HOUR * 2)
            assert (await refused((await world.gate()).admit())).why == "HTTP 429, Retry-After 52531 s"
        gate = await world.gate()
        opens_at = gate.opens_at()
        assert opens_at is not None
        assert 52531 <= opens_at - world.now() + loop_time() - banned_at <= 52532
        await asyncio.sleep(opens_at - world.now())
        await world.request(gate)
        assert (await world.gate()).opens_at() is None

    run_virtual(main())


def test_a_redirects_target_is_not_asked_while_an_earlier_ban_lasts() -> None:
    """The gate of a redirect's target is made at work, after `Gates.restore`."""
    world = World()

    async def main() -> None:
        await world.gates().for_url("musicbrainz", "https://elsewhere.example/").pause(HOUR, "banned")
        gates = world.gates()
        await gates.restore()
        gate = gates.for_url("musicbrainz", "https://elsewhere.example/")
        assert (await refused(gate.admit())).why == "banned"

    run_virtual(main())


def test_a_gate_that_has_not_read_its_memory_yet_overwrites_nothing() -> None:
    world = World()

    async def main() -> None:
        await (await world.gate()).pause(HOUR, "banned")
        await world.gates().open("musicbrainz", URL, rate=1.0).pause(10, "short")
        assert (await refused((await world.gate()).admit())).why == "banned"
        await asyncio.sleep(2 * HOUR)
        fresh = world.gates().open("musicbrainz", URL, rate=1.0)
        await fresh.pause(10, "short")
        assert (await refused(fresh.admit())).why == "short"

    run_virtual(main())


def test_no_memory_closes_a_gate_for_more_than_thirty_days() -> None:
    world = World()
    world.port.values[KEY] = {"pause": {"blocked_until": 1e15, "length": 1e15, "why": "?", "strikes": 1}}

    async def main() -> None:
        assert wait_of(await refused((await world.gate()).admit()), world) <= LONGEST_PAUSE + 0.01

    run_virtual(main())


def test_a_wall_clock_set_back_does_not_prolong_a_pause_beyond_its_length() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await world.request(gate, 429, {"Retry-After": "1000"})
        await asyncio.sleep(900)
        world.jump = -30 * 24 * HOUR
        assert wait_of(await refused(gate.admit()), world) <= 102  # the running process does not notice
        restarted = await world.gate()
        assert 1000 <= wait_of(await refused(restarted.admit()), world) <= 1001.1
        await asyncio.sleep(1002)
        await world.request(restarted)

    run_virtual(main())


def test_a_wall_clock_set_forward_ends_no_pause_of_the_running_process() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await gate.pause(1000, "maintenance")
        world.jump = 30 * 24 * HOUR
        assert wait_of(await refused(gate.admit()), world) == pytest.approx(1000, abs=0.01)
        assert (await world.gate()).opens_at() is None  # a restart believes the clock

    run_virtual(main())


def test_a_storm_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        for _ in range(100):
            try:
                await world.request(gate, 503, {"Retry-After": "0"})
            except Limited as limited:
                await asyncio.sleep(limited.until - world.now())
        await asyncio.sleep(60)
        await world.request(gate)
        await world.request(gate)

    run_virtual(main())
    assert [event.kind for event in world.events] == ["limited", "recovered"]
    assert world.events[0].why == "HTTP 503, Retry-After 0 s"
    assert world.events[1].until is None


def test_a_host_that_sheds_every_other_request_is_not_told_every_second() -> None:
    world = World()

    async def main() -> float:
        gate = await world.gate()
        for number in range(200):
            await world.request(gate, 503 if number % 2 else 200, {"Retry-After": "0"})
            if (opens_at := gate.opens_at()) is not None:
                await asyncio.sleep(opens_at - world.now())
        return loop_time()

    minutes = run_virtual(main()) / 60
    assert 2 <= len(world.events) <= 2 * (minutes + 1)
    assert {event.kind for event in world.events[::2]} == {"limited"}


def test_a_pause_that_becomes_a_ban_is_told_again() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await world.request(gate, 429, {"Retry-After": "3"})
        await asyncio.sleep(5)
        await world.request(gate, 429, {"Retry-After": "52531"})
        assert world.events[-1].until is not None
        assert world.events[-1].until >= world.now() + 52531

    run_virtual(main())
    assert [event.why for event in world.events] == [
        "HTTP 429, Retry-After 3 s",
        "HTTP 429, Retry-After 52531 s",
    ]


def test_a_full_disk_does_not_stop_a_gate_from_protecting_the_host(caplog: pytest.LogCaptureFixture) -> None:
    class FullDisk(MemoryPort):
        full = True

        async def save(self, key: str, value: dict[str, Any]) -> None:
            if self.full:
                raise OSError("disk full")
            await super().save(key, value)

    world = World()
    port = world.port = FullDisk()

    async def main() -> None:
        gate = await world.gate(daily_budget=3)
        for _ in range(2):
            await world.request(gate)
        await world.request(gate, 429, {"Retry-After": "100"})
        await refused(gate.admit())
        port.full = False
        await asyncio.sleep(101)
        await gate.pause(1000, "maintenance")

    run_virtual(main())
    assert len([r for r in caplog.records if "cannot be saved" in r.message]) == 1
    assert len([r for r in caplog.records if "saved again" in r.message]) == 1
    assert port.values[KEY]["pause"]["length"] == 1000


def test_nothing_is_sent_before_it_is_known_what_the_host_asked_of_an_earlier_process() -> None:
    class Unreadable(MemoryPort):
        broken = True

        async def load(self, key: str) -> dict[str, Any] | None:
            if self.broken:
                raise OSError("locked")
            return await super().load(key)

    world = World()
    port = world.port = Unreadable()

    async def main() -> None:
        gates = Gates(port, now=world.now)
        gate = gates.open("musicbrainz", URL, rate=1.0)
        with pytest.raises(OSError, match="locked"):
            await gates.restore()
        limited = await refused(gate.admit())
        assert 0 < wait_of(limited, world) <= 60
        port.broken = False
        await world.request(gate)

    run_virtual(main())
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        {"pause": None, "breaker": 7, "budget": "x"},
        {"pause": {"blocked_until": "soon"}, "breaker": {"failures": []}, "budget": [[1]]},
        {"pause": {"strikes": None}, "budget": {"a": 1}},
        {"pause": [], "breaker": {"failures": 1e400, "trips": 1, "until": 1}},
        ["no dictionary"],
    ],
)
def test_unusable_memory_is_ignored(garbage: Any) -> None:
    world = World()
    world.port.values[KEY] = garbage

    async def main() -> None:
        await world.request(await world.gate(daily_budget=5))

    run_virtual(main())
    assert len(world.sent) == 1


def test_a_cancelled_caller_does_not_take_the_memory_of_a_ban_with_it() -> None:
    class Slow(MemoryPort):
        async def save(self, key: str, value: dict[str, Any]) -> None:
            await asyncio.sleep(1)
            await super().save(key, value)

    world = World()
    world.port = Slow()

    async def main() -> None:
        gate = await world.gate()
        task = asyncio.create_task(world.request(gate, 429, {"Retry-After": "52531"}))
        await asyncio.sleep(1.5)  # sent, answered, being saved
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(2)
        await refused((await world.gate()).admit())

    run_virtual(main())


def test_a_lifted_pause_is_over_at_once_and_for_the_next_process_and_the_next_one_is_short_again() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate()
        await pause_after(world, gate, 429, {"Retry-After": "31536000"})
        assert gate.snapshot().paused
        assert await gate.lift_pause()
        assert (gate.opens_at(), gate.snapshot().paused) == (None, False)
        assert not await gate.lift_pause(), "there is none any more"
        again = await world.gate()
        assert again.opens_at() is None
        assert await pause_after(world, again, 429) <= 4.0
        assert again.opens_at() is not None

    run_virtual(main())
    assert [event.kind for event in world.events][:2] == ["limited", "recovered"]


def test_lifting_a_pause_leaves_a_spent_budget_and_other_providers_alone() -> None:
    world = World()

    async def main() -> None:
        gates = world.gates()
        one = gates.open("musicbrainz", URL, rate=1.0, daily_budget=1)
        other = gates.open("spotify", "https://api.spotify.com", rate=1.0)
        for gate in (one, other):
            await pause_after(world, gate, 429, {"Retry-After": "31536000"})
        assert await gates.lift_pauses("musicbrainz") == 1
        assert "budget" in one.snapshot().why
        assert other.snapshot().paused
        assert await gates.lift_pauses() == 1

    run_virtual(main())
