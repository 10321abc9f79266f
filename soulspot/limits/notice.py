"""When a gate says that it went down or came up again: once each, however long the storm."""

from __future__ import annotations

import logging
from collections.abc import Callable

from soulspot.limits.clock import Clock
from soulspot.limits.values import LimitEvent

log = logging.getLogger(__name__)

QUIET = 60.0
"""A gate that goes down for less than a minute within a minute of its last notice does so silently:
MusicBrainz sheds up to half of all requests at bad hours, which would be a notice a second."""
MUCH_LONGER, LONG = 4.0, 300.0
"""A pause that grows is told again when it is over five minutes and four times what was told."""


class Notice:
    """Tells `on_limit`, whose failures are logged and harm nothing."""

    def __init__(
        self, provider: str, host: str, clock: Clock, on_limit: Callable[[LimitEvent], None]
    ) -> None:
        self._provider = provider
        self._host = host
        self._clock = clock
        self._on_limit = on_limit
        self._told: float | None = None  # the length that was told, while down
        self._why = ""
        self._last = float("-inf")

    def down(self, seconds: float, why: str, *, longer: bool = False) -> None:
        """The gate is closed for `seconds`; `longer`: tell again when that is much more than was told."""
        now = self._clock.steady()
        if self._told is not None:
            if not (longer and seconds > LONG and seconds >= self._told * MUCH_LONGER):
                return
        elif seconds < QUIET and now - self._last < QUIET:
            return
        self._told, self._why, self._last = seconds, why, now
        self._tell(LimitEvent(self._provider, self._host, "limited", self._clock.now() + seconds, why))

    def up(self) -> None:
        """A request passed."""
        if self._told is not None:
            self._told = None
            self._tell(LimitEvent(self._provider, self._host, "recovered", None, self._why))

    def _tell(self, event: LimitEvent) -> None:
        try:
            self._on_limit(event)
        except Exception:
            log.exception("on_limit failed for %s", event)
