"""What lookups cost: how many requests answer them, and how long those take at the limits. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from soulspot.deciding import Services

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Tariff:
    """One provider's terms: `capacity` lookups of each kind that a request answers (less than 1 where a lookup takes
    several), `rate` requests a second, `daily_budget` requests in any 24 h (None: as many as the rate allows)."""

    capacity: Mapping[str, float]
    rate: float
    daily_budget: int | None = None

    def requests(self, kind: str, lookups: int, *, fill: float = 1.0) -> int:
        """Requests for so many lookups when batches are filled to `fill` of what they hold, 0 to 1; a kind that is
        unknown here is asked one by one."""
        most = self.capacity.get(kind, 1.0)
        return math.ceil(lookups / (max(1.0, most * fill) if most > 1 else most))

    def seconds(self, requests: int) -> float:
        """How long so many requests take. What is over one day's budget waits for the next day."""
        if not requests:
            return 0.0
        days = 0
        if self.daily_budget:
            days = (requests - 1) // self.daily_budget
            requests -= days * self.daily_budget
        return days * DAY + requests / self.rate


@dataclass(frozen=True, slots=True)
class Terms:
    """Which services are asked, and each one's tariff: at its `best`, as `usual`, and at its `worst`."""

    services: Services
    best: Mapping[str, Tariff]
    usual: Mapping[str, Tariff]
    worst: Mapping[str, Tariff]


def in_words(seconds: float) -> str:
    """A length of time as a person says it, rounded up: "40 s", "12 min", "2.5 h", "6 days"."""
    if seconds < 90:
        return f"{max(1, math.ceil(seconds))} s"
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{math.ceil(seconds / DAY)} days"
