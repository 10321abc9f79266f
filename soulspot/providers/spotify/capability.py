"""Whether Spotify lets this app use the batch route; learned by asking once, and remembered."""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from soulspot.limits import StatePort

PROBE_AGAIN = 30 * 86400.0
"""Seconds. Which apps Spotify serves changes a few times a year, and asking costs one request."""


class Capability:
    """Stands in the state port under "spotify:capability:<16 hex of the client id's SHA-256>" as {"batch",
    "at"}: another client id starts unknown."""

    def __init__(self, port: StatePort, client_id: str, now: Callable[[], float] = time.time) -> None:
        self._port = port
        self._key = f"spotify:capability:{sha256(client_id.encode()).hexdigest()[:16]}"
        self._now = now
        self._known: dict[str, Any] | None = None

    @property
    def are_batches_withheld(self) -> bool:
        """Whether it is already known in this process that the batch route is not served."""
        return self._known is not None and self._known.get("batch") is False

    async def are_batches_served(self) -> bool | None:
        """Whether the batch route is served; None when unknown, or not served when asked over 30 days ago."""
        if self._known is None:
            self._known = await self._port.load(self._key) or {}
        batch, at = self._known.get("batch"), self._known.get("at")
        if not isinstance(batch, bool) or not isinstance(at, (int, float)):
            return None
        stale = not 0 <= self._now() - at < PROBE_AGAIN
        return None if stale and not batch else batch

    async def record(self, batch: bool) -> None:
        """Remember what an answer showed, when that is news."""
        if await self.are_batches_served() is not batch:
            self._known = {"batch": batch, "at": self._now()}
            await self._port.save(self._key, self._known)
