"""The values that enter and leave the gates, and the port that keeps state across restarts."""

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol


class StatePort(Protocol):
    """JSON-able dictionaries by key that outlive the process. The store implements it."""

    async def load(self, key: str) -> dict[str, Any] | None:
        """Return the value last saved under `key`, or None."""

    async def save(self, key: str, value: dict[str, Any]) -> None:
        """Replace the value under `key`, durably by the time it returns."""


class MemoryPort:
    """A StatePort in a dictionary, for tests and for runs that need not remember."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}

    async def load(self, key: str) -> dict[str, Any] | None:
        return copy.deepcopy(self.values.get(key))

    async def save(self, key: str, value: dict[str, Any]) -> None:
        self.values[key] = copy.deepcopy(value)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP request that has ended."""

    provider: str
    host: str
    endpoint: str  # the route, "/recording" say, never a whole URL
    status: int | None  # None when no response came
    duration_ms: float
    attempt: int  # from 1


@dataclass(frozen=True, slots=True)
class LimitEvent:
    """A gate closed ("limited"), or the first request passed it again ("recovered")."""

    provider: str
    host: str
    kind: Literal["limited", "recovered"]
    until: float | None  # epoch seconds; None for "recovered"
    why: str


@dataclass(frozen=True, slots=True)
class GateSnapshot:
    """The state of a gate, as `soulspot status` shows it."""

    provider: str
    host: str
    rate: float  # requests a second
    opens_at: float | None  # epoch seconds; None when open
    why: str
    breaker: Literal["closed", "open", "half_open"]
    failures: int  # in a row
    daily_budget: int | None
    spent: int  # requests of the last 24 hours
    requests: int  # of this process
    waiting: int  # callers before the gate now
    paused: bool  # on account of the service's answers: a person can lift that


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings that all gates of a process share."""

    port: StatePort
    now: Callable[[], float]  # seconds since the epoch
    rng: random.Random
    on_limit: Callable[[LimitEvent], None]
