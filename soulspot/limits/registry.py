"""The registry of gates: one for each provider and host in the whole process."""

import logging
import random
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from soulspot.limits.gate import Gate
from soulspot.limits.values import GateSnapshot, LimitEvent, RequestRecord, StatePort, Surroundings

log = logging.getLogger(__name__)

DEFAULT_RATE = 1.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


class Gates:
    """All gates of the process, by provider and host. `now` returns seconds since the epoch.
    `on_request` gets every request, `on_limit` the closing and opening of gates. Both run in the
    event loop and must not block; exceptions are logged."""

    def __init__(
        self, port: StatePort, *, now: Callable[[], float] = time.time, rng: random.Random | None = None,
        on_request: Callable[[RequestRecord], None] | None = None,
        on_limit: Callable[[LimitEvent], None] | None = None,
    ) -> None:  # fmt: skip
        self._shared = Surroundings(port, now, rng or random.Random(), on_limit or (lambda event: None))
        self._on_request = on_request
        self._gates: dict[tuple[str, str], Gate] = {}

    def open(
        self, provider: str, url: str, *, rate: float, daily_budget: int | None = None, pace_on_headers: bool = False
    ) -> Gate:
        """Return the gate of `provider` for the host of `url`; make it at the first call.

        `rate` is in requests a second, `daily_budget` in requests in any 24 hours. An existing gate
        keeps the stricter of both limits. `pace_on_headers` believes X-RateLimit-Remaining and
        -Reset-In (ListenBrainz; MusicBrainz' numbers are not per client). Needs no running loop.
        ValueError for a URL without a host or an unusable number."""
        host = host_of(url)
        gate = self._gates.get((provider, host))
        if gate is None:
            gate = Gate(provider, host, self._shared, rate, daily_budget, pace_on_headers)
            self._gates[provider, host] = gate
            return gate
        budgets = [budget for budget in (gate.daily_budget, daily_budget) if budget is not None]
        gate.retune(rate=min(gate.rate, rate), daily_budget=min(budgets, default=None))
        gate.pace_on_headers |= pace_on_headers
        return gate

    def for_url(self, provider: str, url: str) -> Gate:
        """Return the gate that a request of `provider` to `url` passes; ValueError without a host.
        A host that nobody opened (a cover's redirect leads there) shares the gate of the host it is
        below, or gets one with the provider's slowest rate, or 1 request a second."""
        name = host_of(url)
        while name:
            if (gate := self._gates.get((provider, name))) is not None:
                return gate
            # The images of archive.org lie on hundreds of hosts below it, which are one service.
            name = name.partition(".")[2]
        known = [gate.rate for (owner, _), gate in self._gates.items() if owner == provider]
        return self.open(provider, url, rate=min(known, default=DEFAULT_RATE))

    async def restore(self) -> None:
        """Restore the saved state of all gates opened so far; raises what the port raises. A gate
        made later restores itself before its first request."""
        for gate in list(self._gates.values()):
            await gate.restore()

    async def lift_pauses(self, provider: str | None = None) -> int:
        """End the pauses of one provider's hosts, or of all; return how many there were."""
        found = [gate for (owner, _), gate in self._gates.items() if provider in (None, owner)]
        return sum([await gate.lift_pause() for gate in found])

    def snapshot(self) -> list[GateSnapshot]:
        """Return the state of all gates, ordered by provider and host."""
        return [gate.snapshot() for _, gate in sorted(self._gates.items())]

    def record(self, record: RequestRecord) -> None:
        """Hand a request's record to `on_request`; its exceptions are only logged."""
        if self._on_request is not None:
            try:
                self._on_request(record)
            except Exception:
                log.exception("on_request failed for %s", record)


def host_of(url: str) -> str:
    """Return host[:port] of a URL in one spelling: lower case, without the scheme's own port.
    ValueError when the URL has no host."""
    parts = urlsplit(url)
    # "host." and "host" are one host; they must not have two gates.
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise ValueError(f"no host in the URL {url!r}")
    if ":" in host:
        host = f"[{host}]"
    if parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme.lower()):
        return host
    return f"{host}:{parts.port}"
