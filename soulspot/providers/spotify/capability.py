"""Whether Spotify serves its batch routes to this app: probed once, and remembered."""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from soulspot.limits import StatePort

# Seconds. Which apps Spotify serves changes a few times a year, and a probe costs one request.
PROBE_AGAIN = 30 * 86400.0


class Capability:
    """The remembered answer for one client id. Stands in the state port as {"batch": bool, "at":
    epoch seconds}, under "spotify:capability:" and 16 hex digits of the client id's SHA-256:
    another client id starts unknown."""

    def __init__(self, port: StatePort, client_id: str, now: Callable[[], float] = time.time) -> None:
        self._port = port
        self._key = f"spotify:capability:{sha256(client_id.encode()).hexdigest()[:16]}"
        self._now = now
        self._known: dict[str, Any] | None = None

    @property
    def are_batches_withheld(self) -> bool:
        """Whether this process knows already that the batch routes are not served."""
        return self._known is not None and self._known.get("batch") is False

    async def are_batches_served(self) -> bool | None:
        """Return whether the batch routes are served; None when a probe has to find out. A refusal
        counts for 30 days, a permission until it is withdrawn."""
        if self._known is None:
            self._known = await self._port.load(self._key) or {}
        batch, at = self._known.get("batch"), self._known.get("at")
        if not isinstance(batch, bool) or not isinstance(at, (int, float)):
            return None
        is_stale = not 0 <= self._now() - at < PROBE_AGAIN
        return None if is_stale and not batch else batch

    async def record(self, batch: bool) -> None:
        """Remember whether an answer showed that the batch routes are served."""
        if await self.are_batches_served() is not batch:
            self._known = {"batch": batch, "at": self._now()}
            await self._port.save(self._key, self._known)
