"""The values that go in and out of the gates, and the port through which they are remembered."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Literal, Protocol


class StatePort(Protocol):
    """What outlives the process: JSON-able dictionaries by key. The store implements it."""

    async def load(self, key: str) -> dict[str, Any] | None:
        """What was last saved under `key`, or None."""
        ...

    async def save(self, key: str, value: dict[str, Any]) -> None:
        """Replace what stands under `key`; durable when it returns."""
        ...


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
    """One HTTP request as it went.

    `endpoint` names the route ("/recording", "tracks"), never a whole URL; `status` is None when no response
    came; `attempt` counts from 1."""

    provider: str
    host: str
    endpoint: str
    status: int | None
    duration_ms: float
    attempt: int


@dataclass(frozen=True, slots=True)
class LimitEvent:
    """A gate went down ("limited") or the first request passed it afterwards ("recovered").

    `until` is in seconds since the epoch, None for "recovered"."""

    provider: str
    host: str
    kind: Literal["limited", "recovered"]
    until: float | None
    why: str


@dataclass(frozen=True, slots=True)
class GateSnapshot:
    """A gate as `status` shows it.

    `rate` is in requests a second; `opens_at` in seconds since the epoch, None when open; `spent` counts the
    requests of the last 24 h (of which `daily_budget`, if any, is the limit); `requests` counts those of this
    process; `waiting` those that stand before the gate now."""

    provider: str
    host: str
    rate: float
    opens_at: float | None
    why: str
    breaker: Literal["closed", "open", "half_open"]
    failures: int
    daily_budget: int | None
    spent: int
    requests: int
    waiting: int
