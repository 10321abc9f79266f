"""limits.memory_mb: above it work comes in smaller pieces, and nothing is claimed."""

import contextlib
import ctypes
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from soulspot.telemetry.counters import Telemetry

T = TypeVar("T")

MAX_HALVINGS = 10  # a piece of a thousandth of the usual size
HALVINGS_OVER_LIMIT = 2
# Share of the limit below which a hold ends: lower than 1, or claims would switch on and off.
RELIEF_SHARE = 0.9
CALM = 60.0  # seconds without trouble until pieces double in size
HOLD, LONGEST_HOLD = 15.0, 600.0  # seconds without claims; doubled while memory does not fall
# Seconds between garbage collections, which take a while where much memory is used.
COLLECT_EVERY = 30.0
RENEW = 10.0  # seconds before its end that a hold is renewed


class MemoryLimit:
    """Decides how much work may be taken in hand at once; `check` must be called every few seconds.
    `limit` is in bytes, 0 for none. `alarm(name, why)` is called when memory is above the limit,
    and with `why` None when it is below again."""

    def __init__(
        self, telemetry: Telemetry, limit: int = 0, *, alarm: Callable[[str, str | None], object] | None = None,
        rss: Callable[[], int] | None = None, give_back: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._telemetry = telemetry
        self.limit = limit
        self._alarm = alarm or telemetry.on_alarm
        self._rss = rss or telemetry.rss_bytes
        self._give_back = give_back or give_back_to_system
        self._clock = clock
        self._halvings = 0
        self._trouble_at = clock()
        self._collected_at = float("-inf")
        self._held_until = float("-inf")
        self._hold = HOLD
        self._why = ""
        self.is_over = False
        self.on_relief: Callable[[], None] = lambda: None

    def piece_size(self, usual: int) -> int:
        """Return how many items to work on at once instead of `usual`; at least 1."""
        halvings = max(self._halvings, HALVINGS_OVER_LIMIT) if self.is_over else self._halvings
        return max(1, usual >> halvings)

    def current_hold(self) -> tuple[float, str] | None:
        """Return (seconds left, reason) of the stop on claims; None without one."""
        left = self._held_until - self._clock()
        return (left, self._why) if self.is_over and left > 0 else None

    def on_memory_error(self, where: str) -> None:
        """Halve the pieces after a MemoryError in `where`; they grow again after a calm time."""
        self._halvings = min(self._halvings + 1, MAX_HALVINGS)
        self._trouble_at = self._clock()
        self._give_back()
        self._telemetry.warning("memory_short", where=where, halved=self._halvings)

    def check(self) -> None:
        """Measure memory, and begin or end a hold, shrink or grow the pieces accordingly."""
        used, now = self._rss(), self._clock()
        if self.limit and used > self.limit and now - self._collected_at >= COLLECT_EVERY:
            self._collected_at = now
            self._give_back()
            used = self._rss()
        if self.limit and used > (self.limit * RELIEF_SHARE if self.is_over else self.limit):
            self._hold_claims(used, now)
        elif self.is_over:
            self.is_over, self._hold = False, HOLD
            self._alarm("memory_high", None)
            self.on_relief()
        elif self._halvings and now - self._trouble_at >= CALM:
            self._halvings -= 1
            self._trouble_at = now

    def _hold_claims(self, used: int, now: float) -> None:
        # Each hold is twice as long as the one before while memory does not fall.
        self.is_over, self._trouble_at = True, now
        self._why = f"{used / 1e6:.0f} MB of memory are used, limits.memory_mb allows {self.limit / 1e6:.0f}"
        if self._held_until - now < RENEW:
            self._held_until = now + self._hold
            self._hold = min(self._hold * 2, LONGEST_HOLD)
        self._alarm("memory_high", self._why)


async def run_in_pieces(
    memory: MemoryLimit, items: Sequence[T], work: Callable[[Sequence[T]], Awaitable[object]], where: str
) -> None:
    """Do `work` on all items; a piece that raises a MemoryError is done again in halves. `work`
    must do all of its piece or nothing. `where` names it in the log. Raises MemoryError when even
    one item does not fit."""
    waiting = [items]
    while waiting:
        piece = waiting.pop()
        try:
            await work(piece)
        except MemoryError:
            if len(piece) <= 1:
                raise
            memory.on_memory_error(where)
            middle = len(piece) // 2
            waiting += [piece[middle:], piece[:middle]]


def give_back_to_system() -> None:
    """Free unreachable objects and return free memory to the system."""
    gc.collect()
    # The allocator keeps most free memory unless told otherwise; not every C library can be told.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
