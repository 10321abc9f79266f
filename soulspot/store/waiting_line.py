"""The requests that wait for one connection of the database, and whether the connection moves."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

STEPS = 1_000_000  # of SQLite's virtual machine between two signs of life: some tens of milliseconds


class WaitingLine:
    """May be asked in any thread."""

    def __init__(self) -> None:
        self._asked_at: dict[object, float] = {}  # when each unfinished request was made
        self.moved_at = time.monotonic()

    def watch(self, connection: sqlite3.Connection) -> None:
        """Let statements of this connection count as movement while they run, however long."""
        connection.set_progress_handler(self.move, STEPS)

    def move(self) -> int:
        """Note that the connection has just done something."""
        self.moved_at = time.monotonic()
        return 0  # anything else would make SQLite interrupt the statement

    @contextmanager
    def counted(self) -> Iterator[float]:
        """Count a request while the block runs; yield the monotonic time at which it was made."""
        token, asked_at = object(), time.monotonic()
        self._asked_at[token] = asked_at
        try:
            yield asked_at
        finally:
            del self._asked_at[token]

    @property
    def age(self) -> float:
        """Seconds for which the oldest unfinished request has waited and run; 0.0 without one."""
        return max((time.monotonic() - asked_at for asked_at in list(self._asked_at.values())), default=0.0)

    @property
    def stuck_for(self) -> float:
        """Seconds for which requests have waited and the connection has not moved."""
        return min(self.age, time.monotonic() - self.moved_at)
