"""The registry of gates: one for each provider and host in the whole process."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from soulspot.limits.gate import Gate
from soulspot.limits.values import GateSnapshot, LimitEvent, RequestRecord, StatePort

log = logging.getLogger(__name__)

DEFAULT_RATE = 1.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Gates:
    """`now` gives seconds since the epoch; `on_request` hears of every request, `on_limit` when a gate goes
    down and comes up. Both are called in the event loop and must not block; what they raise is logged and
    harms nothing."""

    def __init__(
        self,
        port: StatePort,
        *,
        now: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        on_request: Callable[[RequestRecord], None] | None = None,
        on_limit: Callable[[LimitEvent], None] | None = None,
    ) -> None:
        self._port = port
        self._now = now
        self._rng = rng or random.Random()
        self._on_request = on_request
        self._on_limit = on_limit
        self._gates: dict[tuple[str, str], Gate] = {}

    def open(
        self,
        provider: str,
        url: str,
        *,
        rate: float,
        daily_budget: int | None = None,
        pace_on_headers: bool = False,
    ) -> Gate:
        """The gate of `url`'s host for `provider`: at most `rate` requests a second, `daily_budget` in any 24
        h.

        Opened twice, the stricter of both wishes holds. `pace_on_headers` believes X-RateLimit-Remaining and
        X-RateLimit-Reset-In (ListenBrainz; not MusicBrainz, whose numbers are not per client). Can be called
        outside the loop. ValueError for a url without host or an unusable number."""
        host = host_of(url)
        gate = self._gates.get((provider, host))
        if gate is None:
            return self._make(provider, host, rate, daily_budget, pace_on_headers)
        budgets = [budget for budget in (gate.daily_budget, daily_budget) if budget is not None]
        gate.retune(rate=min(gate.rate, rate), daily_budget=min(budgets, default=None))
        gate.pace_on_headers |= pace_on_headers
        return gate

    def for_url(self, provider: str, url: str) -> Gate:
        """The gate that a request of `provider` to `url` passes. A host that nobody opened (a redirect's
        target) gets one with the provider's slowest rate, 1 a second when it has none. ValueError for a url
        without host."""
        host = host_of(url)
        if (gate := self._gates.get((provider, host))) is not None:
            return gate
        known = [gate.rate for (owner, _), gate in self._gates.items() if owner == provider]
        return self._make(provider, host, min(known, default=DEFAULT_RATE), None, False)

    async def restore(self) -> None:
        """Take up what earlier processes left for the gates opened so far; a gate made later does so at its
        first request. Raises what the port raises."""
        for gate in list(self._gates.values()):
            await gate.restore()

    def snapshot(self) -> list[GateSnapshot]:
        """All gates, by provider and host."""
        return [gate.snapshot() for _, gate in sorted(self._gates.items())]

    def record(self, record: RequestRecord) -> None:
        """Tell `on_request` of a request."""
        if self._on_request is not None:
            try:
                self._on_request(record)
            except Exception:
                log.exception("on_request failed for %s", record)

    def _make(
        self, provider: str, host: str, rate: float, daily_budget: int | None, pace_on_headers: bool
    ) -> Gate:
        gate = Gate(
            provider,
            host,
            port=self._port,
            now=self._now,
            rng=self._rng,
            on_limit=self._on_limit or (lambda event: None),
            rate=rate,
            daily_budget=daily_budget,
            pace_on_headers=pace_on_headers,
        )
        self._gates[provider, host] = gate
        return gate


def host_of(url: str) -> str:
    """host[:port] in one spelling: lower case, the scheme's own port left out. ValueError when there is
    none."""
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise ValueError(f"no host in the URL {url!r}")
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme.lower()):
        return host
    return f"{host}:{parts.port}"
