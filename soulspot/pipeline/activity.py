"""The activity of a service: who produces lookups, and who is woken when that changes."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Producer(Protocol):
    """A pump, as others see it: its answers may bring lookups for them."""

    @property
    def is_producing(self) -> bool: ...

    def wake(self) -> None: ...


class Activity:
    """The producers of lookups in the flow. A batch that is not full waits only while more may
    come."""

    def __init__(self) -> None:
        self.producers: list[Producer] = []
        self.changed = asyncio.Event()  # set at every change; a waiter clears it before waiting
        self._incoming = 0

    @property
    def is_expecting(self) -> bool:
        """Whether a scan, an import or a decision of new tracks is under way."""
        return self._incoming > 0

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Announce that more lookups are about to come, as long as this lasts."""
        self._incoming += 1
        self.wake()
        try:
            yield
        finally:
            self._incoming -= 1
            self.wake()

    def more_may_come(self, to: Producer) -> bool:
        """Whether somebody else than this pump is producing lookups."""
        return self.is_expecting or any(one.is_producing for one in self.producers if one is not to)

    def wake(self) -> None:
        """Let every pump look at the queue again."""
        self.changed.set()
        for one in self.producers:
            one.wake()
