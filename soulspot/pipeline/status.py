"""The state of a service: whether it lives, whether it has work, and the numbers for people."""

from typing import Any

from soulspot.limits import GateSnapshot
from soulspot.pipeline.pump import Pump
from soulspot.pipeline.service import EnrichmentService
from soulspot.store import library_counts, missing_files, operations
from soulspot.store.times import iso

STUCK_AFTER = 60.0  # seconds; WatchdogSec= of the unit
NEWEST_OPERATIONS = 10


def why_not_alive(service: EnrichmentService) -> str | None:
    """Return why only a restart lets work go on, for people; None while it goes on or pauses.

    A full disk is a pause. A write is stuck when for STUCK_AFTER seconds neither it nor any other
    has moved: behind another program's lock or a disk that hangs, not in a long statement."""
    if ended := [task.get_name() for task in service.pump_tasks if task.done()]:
        return f"{', '.join(ended)} has ended: its lookups are no longer asked"
    database = service.database
    if not database.is_full and (seconds := database.stuck_for) > STUCK_AFTER:
        why = database.trouble() or "its disk may hang"
        return f"{database.path} has been neither read nor written for {seconds:.0f} seconds: {why}"
    return None


async def has_work(service: EnrichmentService) -> bool:
    """Whether a lookup is being asked, or could be asked now."""
    if any(pump.is_producing for pump in service.pumps):
        return True
    ready = [await pump.ready_at() for pump in service.pumps]
    return any(at is not None and at <= service.now() for at in ready)


class Summary:
    """Logs the counts of a service while there is work, and once more when it has ended."""

    def __init__(self, service: EnrichmentService) -> None:
        self._service = service
        self._was_busy = False

    async def log_if_busy(self) -> None:
        """Log the counts if there is work or was at the last call; the scheduler calls this."""
        service = self._service
        is_busy = service.activity.is_expecting or any(pump.is_active for pump in service.pumps)
        if is_busy or self._was_busy:
            counts = await service.database.read(library_counts.count_tracks_by_status)
            lookups = await service.database.read(library_counts.count_lookups_by_state)
            oldest = await service.database.read(library_counts.oldest_waiting_lookup)
            service.telemetry.log_summary(counts, lookups, oldest)
        self._was_busy = is_busy


async def status_of(service: EnrichmentService) -> dict[str, Any]:
    """Return the facts that `soulspot status` and GET /api/v1/status show, ready for JSON."""
    return {
        "tracks": await service.database.read(library_counts.count_tracks_by_status),
        "unasked": await service.database.read(library_counts.count_unasked_tracks),
        "lookups": await service.database.read(library_counts.count_lookups_by_state),
        "oldest_waiting": await service.database.read(library_counts.oldest_waiting_lookup),
        "gates": [_gate(gate) for gate in service.parts.gates.snapshot()],
        "pumps": {pump.name: _pump(pump) for pump in service.pumps},
        "operations": await service.database.read(
            lambda c: operations.list_latest_without_reports(c, NEWEST_OPERATIONS)
        ),
        "questions": await service.database.read(missing_files.questions_as_json),
        **service.telemetry.status_numbers(),
    }


def _gate(gate: GateSnapshot) -> dict[str, Any]:
    return {
        "provider": gate.provider, "host": gate.host, "requests": gate.requests, "breaker": gate.breaker,
        "spent": gate.spent, "daily_budget": gate.daily_budget, "why": gate.why,
        "limited_until": iso(gate.opens_at) if gate.opens_at else None, "paused": gate.paused,
    }  # fmt: skip


def _pump(pump: Pump) -> dict[str, Any]:
    held = pump.held()
    return {
        "in_flight": pump.processor.in_flight_count(),
        "gathering": pump.processor.get_pending_count(),
        "batch_size": pump.settings.batch_size,
        "held": held and {"until": iso(held[0]), "why": held[1]},
    }
