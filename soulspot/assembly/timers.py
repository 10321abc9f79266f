"""The timers of every working service; the daemon adds its own in `daemon/process.py`."""

import contextlib
import time

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from soulspot.config import Config
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import Summary, has_work
from soulspot.store import events

MEMORY_INTERVAL, ALARM_INTERVAL = 5.0, 10.0  # seconds
EVENTS_KEPT = 30 * 86_400.0  # seconds


def new_scheduler() -> AsyncIOScheduler:
    """Return a scheduler whose late jobs run once, however late: a clock that jumped skips
    nothing."""
    return AsyncIOScheduler(job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1})


def service_timers(service: EnrichmentService, config: Config) -> AsyncIOScheduler:
    """Return a scheduler with the timers that every working service needs, not started yet."""
    every = config.scheduler
    scheduler = new_scheduler()
    for name, seconds, job, args in (
        ("flush_if_needed", every.flush_interval, service.flush_if_needed, ()),
        ("sweep", every.retry_sweep, service.queue_due_lookups, ()),
        ("summary", every.summary, Summary(service).log_if_busy, ()),
        ("memory", MEMORY_INTERVAL, _check_memory, (service,)),
        ("alarms", ALARM_INTERVAL, _check_alarms, (service,)),
        ("upkeep", every.upkeep, _upkeep, (service,)),
    ):
        scheduler.add_job(job, "interval", seconds=seconds, id=name, args=args)
    return scheduler


async def _check_memory(service: EnrichmentService) -> None:
    # a coroutine, so that it runs in the loop, which the pumps that it wakes belong to
    service.parts.memory.check()


async def _check_alarms(service: EnrichmentService) -> None:
    service.parts.alarms.check(busy=await has_work(service))


async def _upkeep(service: EnrichmentService) -> None:
    await service.database.write(lambda c: events.prune(c, time.time() - EVENTS_KEPT))
    await service.parts.tagging.prune()
    with contextlib.suppress(Exception):
        await service.database.run_upkeep()
