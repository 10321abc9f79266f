"""The scheduler's intervals pass by the monotonic clock, whatever is done to the wall clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime, tzinfo

import apscheduler.schedulers.base
import apscheduler.triggers.interval
import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from structlog.testing import capture_logs

from soulspot.assembly import timers
from soulspot.errors import DatabaseDamaged

HOUR, CENTURY = 3600.0, 73 * 365 * 86_400.0


class Wall:
    """A wall clock that the test sets, for APScheduler and the timers alike."""

    offset = 0.0

    def set(self, seconds: float) -> None:
        self.offset += seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    wall = Wall()

    class SetClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> SetClock:
            return cls.fromtimestamp(time.time() + wall.offset, tz)

    for module in (timers, apscheduler.schedulers.base, apscheduler.triggers.interval):
        monkeypatch.setattr(module, "datetime", SetClock)
    return wall


class Ticks:
    """A job that counts its runs."""

    def __init__(self) -> None:
        self.count = 0

    async def tick(self) -> None:
        self.count += 1

    async def reach(self, count: int) -> None:
        async with asyncio.timeout(10):
            while self.count < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@pytest.fixture
async def scheduler(wall: Wall) -> Iterator[AsyncIOScheduler]:
    jumps: list[float] = []
    made = timers.new_scheduler(jumps.append)
    made.jumps = jumps
    yield made
    if made.running:
        made.shutdown(wait=False)
        await asyncio.sleep(0)


@pytest.mark.parametrize("jump", [-HOUR, 4 * HOUR, CENTURY, -CENTURY / 2])
async def test_a_job_goes_on_running_when_the_wall_clock_is_set(
    scheduler: AsyncIOScheduler, wall: Wall, jump: float
) -> None:
    ticks = Ticks()
    scheduler.add_job(ticks.tick, "interval", seconds=0.02)
    scheduler.start()
    await ticks.reach(3)
    for seconds in (jump, -jump):  # set wrong, and set right again
        wall.set(seconds)
        await ticks.reach(ticks.count + 5)
    assert [round(seconds) for seconds in scheduler.jumps] == [jump, -jump]


async def test_a_clock_that_is_set_before_the_scheduler_starts_holds_up_no_job(
    scheduler: AsyncIOScheduler, wall: Wall
) -> None:
    ticks = Ticks()
    scheduler.add_job(ticks.tick, "interval", seconds=0.02)
    wall.set(-HOUR)
    scheduler.start()
    await ticks.reach(3)


async def test_a_daily_job_keeps_its_hours_when_the_clock_is_set_back_and_forth(
    scheduler: AsyncIOScheduler, wall: Wall
) -> None:
    ticks, daily = Ticks(), Ticks()
    scheduler.add_job(ticks.tick, "interval", seconds=0.02)
    job = scheduler.add_job(daily.tick, "interval", hours=24)
    scheduler.start()
    due = time.monotonic() + 24 * HOUR
    for seconds in (-HOUR, 3 * HOUR, -2 * HOUR):
        wall.set(seconds)
        await ticks.reach(ticks.count + 3)
        left = (job.next_run_time - timers.datetime.now(timers.UTC)).total_seconds()
        assert left == pytest.approx(due - time.monotonic(), abs=1)
    assert daily.count == 0


async def test_a_clock_that_leaps_ahead_starts_no_rare_job_which_would_delete_by_age(
    scheduler: AsyncIOScheduler, wall: Wall
) -> None:
    ticks, daily = Ticks(), Ticks()
    scheduler.add_job(ticks.tick, "interval", seconds=0.02)
    job = scheduler.add_job(daily.tick, "interval", hours=24)
    scheduler.start()
    job.modify(next_run_time=timers.datetime.now(timers.UTC) + timers.timedelta(minutes=1))
    wall.set(CENTURY)
    await ticks.reach(ticks.count + 3)
    left = (job.next_run_time - timers.datetime.now(timers.UTC)).total_seconds()
    assert left == pytest.approx(24 * HOUR, abs=5)


async def test_a_timer_that_fails_for_a_known_reason_says_so_once_and_works_again(
    scheduler: AsyncIOScheduler, wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    ticks, is_broken = Ticks(), True

    async def work() -> None:
        await ticks.tick()
        if is_broken:
            raise DatabaseDamaged("page 7 is damaged")

    timers.add_timer(scheduler, "sweep", work, 0.02)
    with capture_logs() as said:
        scheduler.start()
        await ticks.reach(3)
        is_broken = False
        await ticks.reach(ticks.count + 2)
        is_broken = True
        await ticks.reach(ticks.count + 3)
    failures = [each for each in said if each["event"] == "timer_failed"]
    assert (
        failures
        == [{"event": "timer_failed", "log_level": "warning", "timer": "sweep", "error": "page 7 is damaged"}] * 2
    )
    assert not caplog.records  # no traceback by the scheduler's own hand


async def test_a_timer_that_is_at_work_when_the_daemon_stops_ends_without_a_word(
    scheduler: AsyncIOScheduler, wall: Wall, caplog: pytest.LogCaptureFixture
) -> None:
    ticks = Ticks()

    async def work_for_ever() -> None:
        await ticks.tick()
        await asyncio.Event().wait()

    timers.add_timer(scheduler, "sweep", work_for_ever, 0.02)
    scheduler.start()
    await ticks.reach(1)
    scheduler.shutdown(wait=False)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("zone", ["UTC+2", '"Europe/Rome"', "Nowhere/Land", ":", "CET-1CEST,M3.5.0,M10.5.0/3"])
async def test_no_time_zone_of_the_environment_keeps_the_timers_from_being_made(
    monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    ticks, scheduler = Ticks(), timers.new_scheduler()
    scheduler.add_job(ticks.tick, "interval", seconds=0.02)
    scheduler.start()
    await ticks.reach(2)
    scheduler.shutdown(wait=False)
    await asyncio.sleep(0)
