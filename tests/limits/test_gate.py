"""Promises of an open gate: its rate, the order of its callers, and its callbacks."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.errors import Limited
from soulspot.limits import Gate, Gates, LimitEvent, MemoryPort, RequestRecord
from tests.support.virtual_time import run_virtual

URL = "https://musicbrainz.org/ws/2"


class World:
    """One machine over several lives of a process: a wall clock that may jump, port and events."""

    def __init__(self, seed: int = 0) -> None:
        self.port = MemoryPort()
        self.jump = 0.0
        self.events: list[LimitEvent] = []
        self.sent: list[float] = []
        self._rng = random.Random(seed)

    def now(self) -> float:
        return 1_790_000_000.0 + loop_time() + self.jump

    def gates(self) -> Gates:
        """Start a process: return its gates, not restored yet."""
        return Gates(self.port, now=self.now, rng=self._rng, on_limit=self.events.append)

    async def gate(self, url: str = URL, rate: float = 1.0, **more: Any) -> Gate:
        """Start a process: return its one gate, restored."""
        gates = self.gates()
        gate = gates.open("musicbrainz", url, rate=rate, **more)
        await gates.restore()
        return gate

    async def request(
        self, gate: Gate, status: int | None = 200, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        await gate.admit()
        self.sent.append(loop_time())
        await gate.observe(status, headers or {}, **more)


def loop_time() -> float:
    return asyncio.get_running_loop().time()


async def refused(call: Coroutine[Any, Any, Any]) -> Limited:
    """Return the refusal of `call`, which must come at once."""
    before = loop_time()
    with pytest.raises(Limited) as caught:
        await call
    assert loop_time() == before
    return caught.value


def wait_of(limited: Limited, world: World) -> float:
    """Return the seconds that this refusal asks to wait."""
    return limited.until - world.now()


def most_within(moments: list[float], seconds: float) -> int:
    """Return the largest number of `moments` in any closed stretch of `seconds`."""
    return max((sum(start <= t <= start + seconds for t in moments) for start in moments), default=0)


ACTIONS = st.sampled_from(["admit", "admit", "admit", "cancel", "restart", "limited", "failure", "retry"])


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(ACTIONS, st.floats(0, 2.5)), max_size=40), seed=st.integers(0, 2**32))
def test_no_n_seconds_ever_see_more_than_n_plus_one_requests(steps: list[tuple[str, float]], seed: int) -> None:
    """The rate holds through cancellations, limits, retries, kills and restarts."""
    world = World(seed)

    async def one(gate: Gate, status: int | None) -> None:
        with contextlib.suppress(Limited):
            await world.request(gate, status)
            if status is None and gate.may_retry():
                await world.request(gate)

    async def main() -> None:
        gate = await world.gate()
        tasks: list[asyncio.Task[None]] = []
        for action, pause in steps:
            if action in ("cancel", "restart"):
                for task in tasks[-1:] if action == "cancel" else tasks:
                    task.cancel()
            if action == "restart":
                await asyncio.gather(*tasks, return_exceptions=True)
                gate = await world.gate()
            elif action != "cancel":
                status = {"limited": 503, "failure": 500, "retry": None}.get(action, 200)
                tasks.append(asyncio.create_task(one(gate, status)))
            await asyncio.sleep(pause)
        await asyncio.gather(*tasks, return_exceptions=True)

    run_virtual(main())
    for n in range(1, 30):
        assert most_within(world.sent, n) <= n + 1


def test_the_first_request_after_a_start_waits_a_whole_period() -> None:
    """A predecessor killed right after a request leaves no trace of it."""
    world = World()

    async def main() -> None:
        for _ in range(3):
            await world.request(await world.gate(rate=0.5))

    run_virtual(main())
    assert world.sent == pytest.approx([2.0, 4.0, 6.0])


def test_an_idle_gate_saves_up_no_burst() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=2.0)
        await asyncio.sleep(100)
        await asyncio.gather(*(world.request(gate) for _ in range(4)))

    run_virtual(main())
    assert world.sent == pytest.approx([100.0, 100.5, 101.0, 101.5])


def test_requests_pass_in_the_order_they_came() -> None:
    world, passed = World(), []

    async def one(gate: Gate, number: int) -> None:
        await gate.admit()
        passed.append(number)

    async def main() -> None:
        gate = await world.gate()
        await asyncio.gather(*(one(gate, number) for number in range(50)))

    run_virtual(main())
    assert passed == list(range(50))


def test_a_cancelled_waiter_leaves_no_gap_and_costs_no_budget() -> None:
    world = World()

    async def main() -> int:
        gate = await world.gate(daily_budget=100)
        tasks = [asyncio.create_task(world.request(gate)) for _ in range(10)]
        await asyncio.sleep(0.5)
        for number in (0, 3, 4, 9):
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert gate.snapshot().waiting == 0
        return gate.snapshot().spent

    assert run_virtual(main()) == 6
    assert world.sent == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


def test_who_waits_in_line_is_refused_when_the_gate_closes() -> None:
    world = World()

    async def main() -> list[object]:
        gate = await world.gate(rate=0.1)
        tasks = [asyncio.create_task(world.request(gate)) for _ in range(20)]
        await asyncio.sleep(15)
        await gate.pause(3600, "maintenance")
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert loop_time() <= 20.0  # not one period each
        return results

    results = run_virtual(main())
    assert results[0] is None
    assert all(isinstance(result, Limited) and result.why == "maintenance" for result in results[1:])
    assert len(world.sent) == 1


def test_a_new_rate_holds_from_the_next_request_on() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=1.0)
        await world.request(gate)
        gate.retune(rate=0.1, daily_budget=None)
        await world.request(gate)
        gate.retune(rate=5.0, daily_budget=None)
        await world.request(gate)
        await world.request(gate)

    run_virtual(main())
    assert world.sent == pytest.approx([1.0, 11.0, 11.2, 11.4])


def test_a_new_rate_holds_for_those_who_wait_already() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=1.0)
        tasks = [asyncio.create_task(world.request(gate)) for _ in range(3)]
        await asyncio.sleep(0.5)
        gate.retune(rate=0.1, daily_budget=None)
        await asyncio.gather(*tasks)

    run_virtual(main())
    assert world.sent == pytest.approx([11.0, 21.0, 31.0])


def test_reloading_the_same_rate_delays_nobody() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=1.0)
        await world.request(gate)
        await asyncio.sleep(0.9)
        gate.retune(rate=1.0, daily_budget=None)
        await world.request(gate)

    run_virtual(main())
    assert world.sent == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_that_is_none_is_refused_and_the_old_one_stays(rate: float) -> None:
    gates = World().gates()
    with pytest.raises(ValueError, match="rate must be"):
        gates.open("musicbrainz", URL, rate=rate)
    gate = gates.open("musicbrainz", URL, rate=1.0, daily_budget=7)
    with pytest.raises(ValueError, match="rate must be"):
        gate.retune(rate=rate, daily_budget=9)
    with pytest.raises(ValueError, match="daily_budget must be"):
        gate.retune(rate=2.0, daily_budget=-1)
    assert (gate.rate, gate.daily_budget) == (1.0, 7)


def test_listenbrainz_requests_are_spread_over_what_is_left_of_the_window() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=3.0, pace_on_headers=True)
        for remaining, reset in ((29, 10), (2, 8), (1, 4), (29, 10), (28, 9)):
            headers = {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset-In": str(reset)}
            await world.request(gate, 200, headers)

    run_virtual(main())
    gaps = [later - earlier for earlier, later in zip(world.sent, world.sent[1:], strict=False)]
    assert gaps == pytest.approx([10 / 29, 4.0, 4.0, 10 / 29])
    assert world.events == []


def test_a_used_up_window_is_waited_out_without_an_event() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=3.0, pace_on_headers=True)
        await world.request(gate, 200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset-in": "7"})
        limited = await refused(gate.admit())
        assert wait_of(limited, world) == pytest.approx(7, abs=0.01)
        await asyncio.sleep(wait_of(limited, world))
        await world.request(gate)

    run_virtual(main())
    assert world.events == []


def test_the_numbers_of_musicbrainz_which_are_not_per_client_pace_nobody() -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=1.0)
        for _ in range(3):
            await world.request(gate, 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-In": "100"})

    run_virtual(main())
    assert world.sent == pytest.approx([1.0, 2.0, 3.0])


@pytest.mark.parametrize("remaining", ["", "-1", "many", "1.5", "9" * 5000, "²"])
def test_senseless_pacing_headers_are_ignored(remaining: str) -> None:
    world = World()

    async def main() -> None:
        gate = await world.gate(rate=1.0, pace_on_headers=True)
        for _ in range(2):
            await world.request(gate, 200, {"X-RateLimit-Remaining": remaining, "X-RateLimit-Reset-In": "5"})

    run_virtual(main())
    assert world.sent == pytest.approx([1.0, 2.0])


def test_one_host_has_one_gate_however_its_url_is_spelled() -> None:
    gates = World().gates()
    gate = gates.open("musicbrainz", "https://MusicBrainz.org:443/ws/2/", rate=1.0)
    assert gate.host == "musicbrainz.org"
    assert gates.for_url("musicbrainz", "https://user@musicbrainz.org./ws/2/recording?query=x") is gate
    assert gates.for_url("musicbrainz", "http://musicbrainz.org:5000/") is not gate
    assert gates.for_url("listenbrainz", URL) is not gate
    assert gates.for_url("musicbrainz", "http://[::1]:5000/").host == "[::1]:5000"
    with pytest.raises(ValueError, match="no host"):
        gates.for_url("musicbrainz", "/ws/2")


def test_a_host_opened_twice_keeps_the_stricter_limits() -> None:
    gates = World().gates()
    first = gates.open("spotify", "http://127.0.0.1:9/v1", rate=3.0, daily_budget=100)
    again = gates.open("spotify", "http://127.0.0.1:9/api/token", rate=1.0, pace_on_headers=True)
    assert again is first
    assert gates.open("spotify", "http://127.0.0.1:9/", rate=5.0, daily_budget=200) is first
    assert (first.rate, first.daily_budget, first.pace_on_headers) == (1.0, 100, True)


def test_the_target_of_a_redirect_gets_the_slowest_rate_of_its_provider() -> None:
    gates = World().gates()
    assert gates.for_url("coverart", "https://archive.org/x").rate == 1.0
    gates.open("listenbrainz", "https://api.listenbrainz.org/1", rate=3.0)
    gates.open("listenbrainz", "https://labs.api.listenbrainz.org", rate=0.5)
    assert gates.for_url("listenbrainz", "https://elsewhere.example/").rate == 0.5


def test_the_hosts_below_an_opened_one_share_its_gate() -> None:
    gates = Gates(MemoryPort())
    archive = gates.open("covers", "https://archive.org", rate=4.0)
    assert gates.for_url("covers", "https://ia800.us.archive.org/x") is archive
    assert gates.for_url("covers", "https://ia800.us.archive.org:8080/x") is not archive
    assert gates.for_url("covers", "https://myarchive.org/x") is not archive


def test_retries_stay_within_a_tenth_of_the_requests() -> None:
    world = World()

    async def main() -> int:
        gate, retries = await world.gate(rate=10.0), 0
        for _ in range(500):
            await world.request(gate)
            while gate.may_retry():
                await world.request(gate)
                retries += 1
        return retries

    retries = run_virtual(main())
    assert 40 <= retries <= len(world.sent) / 10 + 5


def test_every_request_is_told_and_a_listener_that_fails_harms_nothing() -> None:
    told: list[RequestRecord] = []

    def listen(record: RequestRecord) -> None:
        told.append(record)
        raise RuntimeError("listener")

    def listen_limit(event: LimitEvent) -> None:
        raise RuntimeError("listener")

    gates = Gates(MemoryPort(), on_request=listen, on_limit=listen_limit)
    record = RequestRecord("spotify", "api.spotify.com", "tracks", 200, 12.5, 1)
    gates.record(record)
    assert told == [record]

    async def main() -> None:
        gate = gates.open("spotify", "https://api.spotify.com/v1", rate=1.0)
        await gate.pause(60, "maintenance")
        await refused(gate.admit())

    run_virtual(main())


def test_a_snapshot_says_what_every_gate_is_doing() -> None:
    world = World()

    async def main() -> None:
        gates = world.gates()
        spotify = gates.open("spotify", "https://api.spotify.com/v1", rate=2.0, daily_budget=10)
        gates.open("musicbrainz", URL, rate=1.0)
        await world.request(spotify)
        await spotify.pause(60, "maintenance")
        musicbrainz, seen = gates.snapshot()
        assert (musicbrainz.provider, musicbrainz.opens_at, musicbrainz.why) == ("musicbrainz", None, "")
        assert (seen.provider, seen.host, seen.rate) == ("spotify", "api.spotify.com", 2.0)
        assert (seen.opens_at, seen.why) == (pytest.approx(world.now() + 60, abs=0.01), "maintenance")
        assert (seen.daily_budget, seen.spent, seen.requests, seen.breaker) == (10, 1, 1, "closed")

    run_virtual(main())
