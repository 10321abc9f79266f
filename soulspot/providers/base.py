"""What every provider is to the rest of SoulSpot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from soulspot.models import Answer, Query


class Provider(Protocol):
    """One upstream API.

    `capacity` says how many queries of each kind one request can answer at most (the keys are the kinds the
    provider understands); the queue claims at most that many of one kind for a batch."""

    name: str

    @property
    def capacity(self) -> Mapping[str, int]: ...

    async def lookup(self, queries: Sequence[Query]) -> list[Answer]:
        """Answers of the same length and order as `queries`, which may mix kinds.

        An item is Found, Missing, Failed (this lookup alone) or Postponed (not asked, or limited meanwhile).
        Raises Limited, Unavailable, Refused or BadAnswer when the whole batch could not be asked, and
        BatchRejected when one of the lookups spoils the request and only halving finds which."""
        ...

    def opens_at(self, kind: str) -> float | None:
        """When the gate of the host that serves `kind` lets the next request pass, in seconds since the
        epoch; None when it is open now."""
        ...

    def retune(
        self, *, rate: float, batch_size: int, timeout: float, daily_budget: int | None = None
    ) -> None:
        """These settings from now on: requests a second of each host, lookups a request, seconds a request,
        and requests in any 24 h (None: no limit of ours)."""
        ...

    async def close(self) -> None:
        """Give back threads and connections; never waits longer than a second."""
        ...
