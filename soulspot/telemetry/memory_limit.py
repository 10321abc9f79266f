"""Memory: measured against limits.memory_mb; above it work comes in smaller pieces, and nothing more is claimed."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from soulspot.telemetry.events import Telemetry

T = TypeVar("T")

SMALLEST = 10  # halvings: a thousandth of the usual size
PRESSED = 2  # halvings while more is used than allowed
ENOUGH = 0.9  # share of the limit below which all is well again
CALM = 60.0  # seconds without trouble until pieces grow again, to the double
HOLD, LONGEST_HOLD = 15.0, 600.0  # seconds that claiming stops for; doubled while memory does not fall
GIVE_BACK_EVERY = 30.0  # seconds; it takes a while where much is used
RENEW = 10.0  # seconds before its end that a hold is renewed


class MemoryLimit:
    """How much may be taken in hand at once. `limit` in bytes, 0 for none; `look` is called every few seconds.

    `alarm(name, why)` hears when memory is above the limit, and with None when it is below again."""

    def __init__(
        self,
        telemetry: Telemetry,
        limit: int = 0,
        *,
        alarm: Callable[[str, str | None], object] | None = None,
        rss: Callable[[], int] | None = None,
        give_back: Callable[[], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._telemetry = telemetry
        self.limit = limit
        self._alarm = alarm or telemetry.on_alarm
        self._rss = rss or telemetry.rss_bytes
        self._give_back = give_back or give_back_to_system
        self._now = now
        self._halvings = 0
        self._trouble_at = now()
        self._gave_back_at = -GIVE_BACK_EVERY
        self._held_until = 0.0
        self._hold = HOLD
        self._why = ""
        self.is_over = False
        self.on_relief: Callable[[], None] = lambda: None

    def piece_size(self, usual: int) -> int:
        """How many are taken in hand where `usual` many are when there is memory enough."""
        halvings = max(self._halvings, PRESSED) if self.is_over else self._halvings
        return max(1, usual >> halvings)

    def current_hold(self) -> tuple[float, str] | None:
        """(epoch seconds, why) while nothing more may be claimed; None when it may."""
        return (self._held_until, self._why) if self.is_over and self._held_until > self._now() else None

    def on_memory_error(self, where: str) -> None:
        """There was a MemoryError: pieces are half as large from now on, and grow again when it has been calm."""
        self._halvings = min(self._halvings + 1, SMALLEST)
        self._trouble_at = self._now()
        self._give_back()
        self._telemetry.warning("memory_short", where=where, halved=self._halvings)

    def check(self) -> None:
        """Measure, and stop or go on accordingly."""
        used, now = self._rss(), self._now()
        if self.limit and used > self.limit and now - self._gave_back_at >= GIVE_BACK_EVERY:
            self._gave_back_at = now
            self._give_back()
            used = self._rss()
        if self.limit and used > (self.limit * ENOUGH if self.is_over else self.limit):
            self._press(used, now)
        elif self.is_over:
            self.is_over, self._hold = False, HOLD
            self._alarm("memory_high", None)
            self.on_relief()
        elif self._halvings and now - self._trouble_at >= CALM:
            self._halvings -= 1
            self._trouble_at = now

    def _press(self, used: int, now: float) -> None:
        self.is_over, self._trouble_at = True, now
        self._why = f"{used / 1e6:.0f} MB of memory are used, limits.memory_mb allows {self.limit / 1e6:.0f}"
        if self._held_until - now < RENEW:
            self._held_until = now + self._hold
            self._hold = min(self._hold * 2, LONGEST_HOLD)
        self._alarm("memory_high", self._why)


async def run_in_pieces(
    memory: MemoryLimit, items: Sequence[T], work: Callable[[Sequence[T]], Awaitable[object]], where: str
) -> None:
    """Do `work` on all items; what raises a MemoryError is done again in halves. `work` does all or nothing.

    MemoryError when there is not even memory for one item."""
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
    """Free what nobody uses any more, and let the allocator return it: by itself it keeps most of it."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # not every C library has it
        ctypes.CDLL(None).malloc_trim(0)
