"""The cost of lookups: the number of requests that answer them, and their time; pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from soulspot.deciding import Services

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Tariff:
    """The capacity and the limits of one provider."""

    capacity: Mapping[str, float]  # lookups a request answers, by kind; 0.5 where one takes two requests
    rate: float  # requests a second
    daily_budget: int | None = None  # requests in any 24 h; None: as many as the rate allows

    def requests(self, kind: str, lookups: int, *, fill: float = 1.0) -> int:
        """Return the number of requests for so many lookups of a kind.

        `fill` is the usual part of a batch that is full, 0 to 1. An unknown kind has capacity 1."""
        # A capacity below 1 means several requests a lookup, which no batch makes cheaper.
        most = self.capacity.get(kind, 1.0)
        return math.ceil(lookups / (max(1.0, most * fill) if most > 1 else most))

    def seconds(self, requests: int) -> float:
        """Return the seconds for so many requests: a day more for each full daily budget."""
        if not requests:
            return 0.0
        days = (requests - 1) // self.daily_budget if self.daily_budget else 0
        return days * DAY + (requests - days * (self.daily_budget or 0)) / self.rate


@dataclass(frozen=True, slots=True)
class Terms:
    """The services in use, and the tariff of each by provider: at best, as a rule, and at worst."""

    services: Services
    best: Mapping[str, Tariff]
    usual: Mapping[str, Tariff]
    worst: Mapping[str, Tariff]


def in_words(seconds: float) -> str:
    """Return a length of time in words, rounded up: "40 s", "12 min", "2.5 h", "6 days"."""
    if seconds < 90:
        return f"{max(1, math.ceil(seconds))} s"
    minutes = math.ceil(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{math.ceil(seconds / DAY)} days"
