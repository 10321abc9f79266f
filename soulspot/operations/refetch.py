"""Asking again for what is known or missing, before its time: what `enrich --force` does, and what it costs."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from soulspot.estimate import Tariff, in_words
from soulspot.pipeline import EnrichmentService
from soulspot.store import queue, tracks
from soulspot.store import settled_lookups as rows

PLACES = 100  # of a question to the database


@dataclass(frozen=True, slots=True)
class RefetchCost:
    """What asking again costs: `lookups`, `requests` by provider when every batch is full, and the `seconds` that
    these take at the configured rates. What the answers make necessary besides is not in it."""

    lookups: int
    requests: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The cost that `as_json` made. TypeError when it is something else."""
        return cls(**said)

    def __str__(self) -> str:
        if not self.lookups:
            return "--force: nothing was asked before, so nothing is asked again"
        each = ", ".join(f"{count} to {provider}" for provider, count in sorted(self.requests.items()))
        return (
            f"--force asks {self.lookups} lookups again: at least {sum(self.requests.values())} requests ({each}),"
            f" {in_words(self.seconds)} at the configured rates"
        )


async def refetch_cost(service: EnrichmentService, places: Sequence[bytes]) -> RefetchCost:
    """What `refetch` would cost now."""
    asked: Counter[tuple[str, str, bool]] = Counter()
    for some in _some(places):
        counts = await service.database.read(lambda c: rows.count_by_kind(c, some))  # noqa: B023
        for provider, kind, alone, count in counts:
            asked[provider, kind, alone] += count
    lookups, requests = 0, Counter[str]()
    for pump in service.pumps:
        capacity = pump.provider.capacity
        for (provider, kind, alone), count in asked.items():
            if provider == pump.name and kind in capacity:
                tariff = Tariff(
                    {kind: 1 if alone else max(1, min(capacity[kind], pump.settings.batch_size))}, 1.0
                )
                requests[provider] += tariff.requests(kind, count)
                lookups += count
    # of several hosts of one provider the one that the budget is for
    each = sorted(service.parts.gates.snapshot(), key=lambda gate: gate.daily_budget or 0)
    gates = {gate.provider: gate for gate in each}
    tariffs = {name: Tariff({}, gate.rate, gate.daily_budget) for name, gate in gates.items() if gate.rate}
    times = [tariffs[name].seconds(count) for name, count in requests.items() if name in tariffs]
    seconds = max(times, default=0.0)
    return RefetchCost(lookups, dict(requests), round(seconds, 1))


async def refetch(service: EnrichmentService, places: Sequence[bytes], *, before: float | None = None) -> int:
    """Queue again what was answered, missing or given up and serves a track at or below one of `places` (any track
    without places), unless it was answered since `before` (epoch seconds). Returns how many lookups. Rows stay as
    they are until there are other answers."""

    def again(connection: sqlite3.Connection, some: Sequence[bytes]) -> int:
        reopened = rows.requeue(connection, some, time.time(), before=before)
        waiting = rows.never_answered(connection, reopened)
        tracks.mark_undecided(connection, queue.tracks_served(connection, waiting))
        return len(reopened)

    count = 0
    with service.activity.expecting():
        for some in _some(places):
            count += await service.database.write(lambda c: again(c, some))  # noqa: B023 - awaited here
        await service.decide_new()
    return count


async def queue_again(
    service: EnrichmentService, states: Sequence[str] = ("failed",), provider: str | None = None
) -> int:
    """Queue lookups again that were given up ("failed") or not known ("missing"). Return how many."""

    def reopen(connection: sqlite3.Connection) -> int:
        lookups = queue.requeue_by_state(connection, states, provider, service.now())
        tracks.mark_undecided(connection, queue.tracks_served(connection, lookups))
        return len(lookups)

    count = await service.database.write(reopen)
    await service.decide_new()
    service.wake()
    return count


def _some(places: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [places[start : start + PLACES] for start in range(0, len(places), PLACES)] or [()]
