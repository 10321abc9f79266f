"""The end of a service: what is in flight may finish, the rest goes back into the queue."""

import asyncio
import contextlib

from soulspot.errors import DatabaseError
from soulspot.pipeline.service import EnrichmentService
from soulspot.store import queue

CLOSE_WITHIN = 2.0  # seconds that a provider may take to give back its connections


async def drain(service: EnrichmentService, seconds: float) -> None:
    """Claim no more, let what is in flight finish within `seconds`, and give the rest back."""
    service.database.hurry()
    for pump in service.pumps:
        pump.stop()
    service.decider.stop()
    ends = [*service.pump_tasks, *(asyncio.create_task(pump.finish()) for pump in service.pumps)]
    if ends:
        _, unfinished = await asyncio.wait(ends, timeout=seconds)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*ends, return_exceptions=True)
    for pump in service.pumps:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pump.close(), timeout=CLOSE_WITHIN)
    if service.parts.covers is not None:
        await service.parts.covers.close()
    # the next process frees the leases that cannot be freed now
    with contextlib.suppress(DatabaseError):
        await service.database.write(queue.release_leases)
