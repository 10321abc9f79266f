"""Lookups queued again before their time: by `enrich --force`, with its cost, and by `retry`, which
can lift pauses too."""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from soulspot.estimate import Tariff, in_words
from soulspot.pipeline import EnrichmentService
from soulspot.store import provider_state, queue, settled_lookups, tracks

# SQLite bounds the number of parameters of a statement, and of terms in an expression.
PLACES = 100


@dataclass(frozen=True, slots=True)
class RefetchCost:
    """The cost of a refetch, without the lookups that its answers will make necessary. `requests`
    are by provider, with full batches; `seconds` is what they take at the configured rates."""

    lookups: int
    requests: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return {"lookups": 3, "requests": {"spotify": 1}, "seconds": 0.5}."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the cost that `as_json` wrote. TypeError when the values are something else."""
        return cls(**values)

    def __str__(self) -> str:
        if not self.lookups:
            return "--force: no lookup was answered before, so none is sent again"
        each = ", ".join(f"{count} to {provider}" for provider, count in sorted(self.requests.items()))
        return (
            f"--force sends {self.lookups} lookups again: at least {sum(self.requests.values())} requests ({each}),"
            f" {in_words(self.seconds)} at the configured rates"
        )


async def refetch_cost(service: EnrichmentService, places: Sequence[bytes]) -> RefetchCost:
    """Estimate the cost of `refetch` for these places, now."""
    settled: Counter[tuple[str, str, bool]] = Counter()
    for some in _chunks(places):
        counts = await service.database.read(lambda c: settled_lookups.count_by_kind(c, some))  # noqa: B023
        for provider, kind, alone, count in counts:
            settled[provider, kind, alone] += count
    lookups, requests = 0, Counter[str]()
    for pump in service.pumps:
        capacity = pump.provider.capacity
        for (provider, kind, alone), count in settled.items():
            if provider == pump.name and kind in capacity:
                size = 1 if alone else max(1, min(capacity[kind], pump.settings.batch_size))
                requests[provider] += Tariff({kind: size}, 1.0).requests(kind, count)
                lookups += count
    # Of several hosts of one provider, the one with a budget is the slowest: it comes last.
    gates = sorted(service.parts.gates.snapshot(), key=lambda gate: gate.daily_budget or 0)
    tariffs = {gate.provider: Tariff({}, gate.rate, gate.daily_budget) for gate in gates if gate.rate}
    # Providers work side by side, so the slowest decides.
    times = [tariffs[provider].seconds(count) for provider, count in requests.items() if provider in tariffs]
    return RefetchCost(lookups, dict(requests), round(max(times, default=0.0), 1))


async def refetch(service: EnrichmentService, places: Sequence[bytes], *, before: float | None = None) -> int:
    """Queue settled lookups again that serve a track at or below one of `places` (any when empty)
    and were answered before `before` (epoch seconds); return how many. Enriched rows stay as they
    are until there are new answers."""

    def reopen(connection: sqlite3.Connection, some: Sequence[bytes]) -> int:
        reopened = settled_lookups.requeue(connection, some, time.time(), before=before)
        unanswered = settled_lookups.never_answered(connection, reopened)
        tracks.mark_undecided(connection, queue.tracks_served(connection, unanswered))
        return len(reopened)

    count = 0
    with service.activity.expecting():
        for some in _chunks(places):
            count += await service.database.write(lambda c: reopen(c, some))  # noqa: B023 - awaited here
        await service.decide_new()
    return count


async def queue_again(
    service: EnrichmentService, states: Sequence[str] = ("failed",), provider: str | None = None
) -> int:
    """Queue lookups again that were given up ("failed") or not known ("missing"), of one `provider`
    if given; return how many."""

    def reopen(connection: sqlite3.Connection) -> int:
        lookups = queue.requeue_by_state(connection, states, provider, service.now())
        tracks.mark_undecided(connection, queue.tracks_served(connection, lookups))
        return len(lookups)

    count = await service.database.write(reopen)
    await service.decide_new()
    service.wake()
    return count


async def lift_pauses(service: EnrichmentService, provider: str | None) -> int:
    """End the pauses of this provider's hosts (None: of all), also those that only an earlier
    process has met; return how many there were."""
    gates = service.parts.gates
    for state in await service.database.read(provider_state.list_all):
        topic, _, host = state["key"].split(":", 2) if state["key"].count(":") > 1 else ("", "", "")
        if topic == "gate" and state["blocked_until"] and provider in (None, state["provider"]):
            gates.for_url(state["provider"], f"https://{host}")
    count = await gates.lift_pauses(provider)
    service.wake()
    return count


def _chunks(places: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    # Without places one empty chunk stands for the whole library.
    for start in range(0, max(1, len(places)), PLACES):
        yield places[start : start + PLACES]
