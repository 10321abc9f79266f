"""Wait until tracks are done, or say until when and why the rest of their lookups is postponed."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from soulspot.errors import DatabaseDamaged
from soulspot.pipeline.pump import Pump
from soulspot.pipeline.service import EnrichmentService
from soulspot.store import queue

CHECK_INTERVAL = 0.5  # seconds between two looks when nothing has changed


@dataclass(frozen=True, slots=True)
class Postponed:
    """The lookups of one provider that cannot be asked for now, with the reason in words."""

    provider: str
    lookups: int
    until: float  # epoch seconds
    why: str


async def wait_until_settled(
    service: EnrichmentService,
    seconds: float = 60.0,
    track_ids: Sequence[int] | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Postponed]:
    """Wait until no lookup (of these tracks) is in flight or can be asked within `seconds`.

    Return what is left, one entry a provider. `progress` is called at every look. Raises
    DatabaseDamaged when nothing can be written any more."""
    while True:
        service.activity.changed.clear()
        # named tracks are all in already, whatever else may be about to come
        is_incoming = service.activity.is_expecting and track_ids is None
        if not is_incoming and (postponed := await _postponed(service, seconds, track_ids)) is not None:
            return postponed
        progress()
        # not wait_for: before Python 3.12 it may forget that it was cancelled, and an operation
        # would go on
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CHECK_INTERVAL):
                await service.activity.changed.wait()


async def _postponed(
    service: EnrichmentService, seconds: float, track_ids: Sequence[int] | None
) -> list[Postponed] | None:
    """Return what is left, or None while there is something to wait for."""
    if service.database.damage:
        raise DatabaseDamaged(service.database.damage)
    if track_ids is None and any(pump.is_active for pump in service.pumps):
        return None
    postponed = []
    for pump in service.pumps:
        waiting = await service.database.read(lambda c: queue.waiting_lookups(c, pump.name, track_ids))  # noqa: B023
        soonest = min((max(one.due_at, pump.opens_at(one.kind) or 0.0) for one in waiting), default=None)
        if soonest is None:
            continue
        if soonest <= service.now() + seconds or any(one.leased for one in waiting):
            return None
        count = sum(one.lookups for one in waiting)
        postponed.append(Postponed(pump.name, count, soonest, _why(service, pump)))
    return postponed


def _why(service: EnrichmentService, pump: Pump) -> str:
    if held := pump.held():
        return held[1]
    gates = service.parts.gates.snapshot()
    closed = [gate for gate in gates if gate.provider == pump.name and gate.opens_at]
    return closed[0].why if closed else "to be asked again later"
