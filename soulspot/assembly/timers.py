"""The timers of every working service; the daemon adds its own in `daemon/process.py`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from soulspot.assembly.settings import offline_source
from soulspot.assembly.upkeep import upkeep
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.models import CATALOGUE
from soulspot.operations.refetch import queue_again
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import Summary, has_work
from soulspot.store.provider_state import ProviderState
from soulspot.telemetry import get_logger

log = get_logger(__name__)

MEMORY_INTERVAL, DATABASE_INTERVAL, ALARM_INTERVAL, CATALOGUE_INTERVAL = 5.0, 5.0, 10.0, 10.0  # seconds
RARE = timedelta(hours=12)
JUMP = 0.1  # seconds by which the wall clock must be off for due times to follow it


_Jobs: Any = MemoryJobStore  # which has no types


class SteadyJobs(_Jobs):  # type: ignore[misc]
    """The interval jobs of a scheduler. Their intervals pass by the monotonic clock.

    APScheduler compares due times with the wall clock: set back an hour, it would run nothing for
    an hour; set forward a year, it would count every run that was missed. Therefore the due times
    move along when the wall clock is set; `on_jump` then gets by how many seconds."""

    def __init__(self, on_jump: Callable[[float], object], clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._on_jump = on_jump
        self._clock = clock
        self._seen = datetime.fromtimestamp(time.time(), UTC), clock()

    def get_due_jobs(self, now: datetime) -> list[Any]:
        """Return the jobs that are due; the scheduler calls this at every wake-up."""
        steady = self._clock()
        jump = (now - self._seen[0]).total_seconds() - (steady - self._seen[1])
        if abs(jump) >= JUMP:
            self._seen = now, steady
            for job in self.get_all_jobs():
                interval = job.trigger.interval
                # A clock that leapt ahead may be wrong: rare jobs, which delete what is old, wait
                # until it had time to be set right. A job added after the jump is right already.
                is_rare = interval >= RARE and jump > RARE.total_seconds()
                latest = now + interval
                job.next_run_time = latest if is_rare else min(job.next_run_time + timedelta(seconds=jump), latest)
                self.update_job(job)
            self._on_jump(jump)
        return list(super().get_due_jobs(now))


def new_scheduler(on_jump: Callable[[float], object] = lambda seconds: None) -> AsyncIOScheduler:
    """Return a scheduler for interval jobs, whose late jobs run once, however late. `on_jump` gets
    by how many seconds the wall clock was set."""
    return AsyncIOScheduler(
        # named, because APScheduler fails on a TZ that is no name of the zone database ("UTC+2")
        timezone=UTC,
        jobstores={"default": SteadyJobs(on_jump)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )


def add_timer(scheduler: AsyncIOScheduler, name: str, work: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Run `work` every so many seconds. A failure that SoulSpot foresees is one line in the log,
    and is said again only after the timer has worked in between."""
    said: str | None = None

    async def run() -> None:
        nonlocal said
        try:
            await work()
        except asyncio.CancelledError:
            return  # the scheduler is being shut down, and would call it a failure
        except SoulSpotError as error:
            if said != str(error):
                log.warning("timer_failed", timer=name, error=str(error))
            said = str(error)
        else:
            said = None

    scheduler.add_job(run, "interval", seconds=seconds, id=name)


def service_timers(service: EnrichmentService, config: Config) -> AsyncIOScheduler:
    """Return a scheduler with the timers that every working service needs, not started yet."""
    every = config.scheduler

    def on_jump(seconds: float) -> None:
        service.telemetry.warning("clock_jumped", seconds=round(seconds, 1))
        service.wake()
        # due times of the queue that the other clock has written are set right at once
        scheduler.modify_job("sweep", next_run_time=datetime.fromtimestamp(time.time(), UTC))

    scheduler = new_scheduler(on_jump)
    for name, work, seconds in (
        ("flush_if_needed", service.flush_if_needed, every.flush_interval),
        ("sweep", service.queue_due_lookups, every.retry_sweep),
        ("summary", Summary(service).log_if_busy, every.summary),
        ("memory", partial(_check_memory, service), MEMORY_INTERVAL),
        ("database", partial(_check_database, service), DATABASE_INTERVAL),
        ("alarms", partial(_check_alarms, service), ALARM_INTERVAL),
        ("catalogue", partial(_look_at_catalogue, service, config), CATALOGUE_INTERVAL),
        ("upkeep", partial(upkeep, service, config), every.upkeep),
    ):
        add_timer(scheduler, name, work, seconds)
    return scheduler


async def _check_memory(service: EnrichmentService) -> None:
    # a coroutine, so that it runs in the loop, which the pumps that it wakes belong to
    service.parts.memory.check()


async def _check_database(service: EnrichmentService) -> None:
    # before the look, too: it waits for a writer that is busy or stuck
    service.parts.alarms.report("database", service.database.trouble())
    await service.database.look()
    service.parts.alarms.report("database", service.database.trouble())


async def _check_alarms(service: EnrichmentService) -> None:
    service.parts.alarms.check(busy=await has_work(service))


async def _look_at_catalogue(service: EnrichmentService, config: Config) -> None:
    """Plan by the catalogue as it is now: one may have been built, removed, or have grown old."""
    found = offline_source(config, [pump.provider for pump in service.pumps])
    rules, state = service.decider.rules, ProviderState(service.database)
    if found is not None and await state.load(CATALOGUE) != {"built_at": found.built_at}:
        # what the catalogue before this one did not know, this one may
        await queue_again(service, ("missing",), CATALOGUE)
        await state.save(CATALOGUE, {"built_at": found.built_at})
    if found != rules.services.catalogue:
        service.decider.use_rules(replace(rules, services=replace(rules.services, catalogue=found)))
