"""The events of one gate: "limited" and "recovered" once each, however long the storm."""

import logging
from collections.abc import Callable

from soulspot.limits.clock import Clock
from soulspot.limits.values import LimitEvent

log = logging.getLogger(__name__)

# Seconds. A gate that closes for less within this time of its last event does so silently:
# MusicBrainz sheds up to half of all requests at bad hours, which would be an event a second.
QUIET = 60.0
# A growing pause is announced again when it exceeds LONG seconds and MUCH_LONGER times the last.
MUCH_LONGER, LONG = 4.0, 300.0


class Announcements:
    """Calls `on_limit` with the events of one gate; its exceptions are only logged."""

    def __init__(self, provider: str, host: str, clock: Clock, on_limit: Callable[[LimitEvent], None]) -> None:
        self._provider = provider
        self._host = host
        self._clock = clock
        self._on_limit = on_limit
        self._announced: float | None = None  # length of the announced closure, until it is over
        self._why = ""
        self._last = float("-inf")

    def announce_closed(self, seconds: float, why: str, *, may_grow: bool = False) -> None:
        """Announce a closure of `seconds`; again if it `may_grow` and is MUCH_LONGER now."""
        now = self._clock.steady()
        if self._announced is not None:
            if not (may_grow and seconds > LONG and seconds >= self._announced * MUCH_LONGER):
                return
        elif seconds < QUIET and now - self._last < QUIET:
            return
        self._announced, self._why, self._last = seconds, why, now
        self._send(LimitEvent(self._provider, self._host, "limited", self._clock.now() + seconds, why))

    def announce_open(self) -> None:
        if self._announced is not None:
            self._announced = None
            self._send(LimitEvent(self._provider, self._host, "recovered", None, self._why))

    def _send(self, event: LimitEvent) -> None:
        try:
            self._on_limit(event)
        except Exception:
            log.exception("on_limit failed for %s", event)
