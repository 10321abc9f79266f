"""The two clocks of a gate: the event loop's to wait by, the wall's for what is saved or shown."""

import asyncio
import math
from collections.abc import Callable


class Clock:
    """The loop's time, which no change of the wall clock disturbs, and its translation. `now`
    returns seconds since the epoch. Needs a running loop."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now

    def steady(self) -> float:
        return asyncio.get_running_loop().time()

    def to_wall(self, steady: float) -> float:
        """Return the epoch seconds of a loop time, rounded up to the next millisecond."""
        # A float of today's epoch is 0.2 us coarse: without rounding, a caller who sleeps until a
        # gate opens might wake just before.
        return math.ceil((self.now() + steady - self.steady()) * 1000.0) / 1000.0

    def future(self, wall: float, longest: float) -> float:
        """Return the loop time of a saved time to wait for, at most `longest` seconds from now."""
        # The wall clock may have been set back since the time was saved.
        return self.steady() + min(wall - self.now(), longest)

    def past(self, wall: float) -> float:
        """Return the loop time of a saved time that has passed; a later one counts as now."""
        return self.steady() + min(wall - self.now(), 0.0)
