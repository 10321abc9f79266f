"""The two clocks of a gate: the event loop's steady one to wait by, the wall's for what outlives the
process."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable


class Clock:
    """Inside a process every moment is the loop's time, so that a jump of the wall clock changes no wait.

    Only what is saved or shown is translated to seconds since the epoch, at that moment. Needs a running
    loop."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now

    def steady(self) -> float:
        """The event loop's time in seconds."""
        return asyncio.get_running_loop().time()

    def to_wall(self, steady: float) -> float:
        """The epoch seconds of a moment of the loop's time, rounded up to the next millisecond: a float of
        today's epoch is 0.2 us coarse, and who sleeps until a gate opens must not wake before it."""
        return math.ceil((self.now() + steady - self.steady()) * 1000.0) / 1000.0

    def future(self, wall: float, longest: float) -> float:
        """A saved moment to wait for, in the loop's time; at most `longest` seconds away, for the wall clock
        may have been set back meanwhile."""
        return self.steady() + min(wall - self.now(), longest)

    def past(self, wall: float) -> float:
        """A saved moment that has been, in the loop's time; a moment the wall clock has not reached counts as
        now."""
        return self.steady() + min(wall - self.now(), 0.0)
