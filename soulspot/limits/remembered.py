"""What a gate remembers beyond its process: one value of the StatePort, written whole, newest last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from soulspot.limits.values import StatePort

log = logging.getLogger(__name__)


class Remembered(Protocol):
    """A part of the gate that outlives the process."""

    def to_save(self) -> Any: ...

    def restore(self, saved: Any) -> None: ...


class Memory:
    """Loads and saves `parts` together under `key`."""

    def __init__(self, port: StatePort, key: str, parts: Mapping[str, Remembered]) -> None:
        self._port = port
        self._key = key
        self._parts = parts
        self._turn = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()
        self._failing = False
        self.restored = False

    async def restore(self) -> None:
        """Give every part what was saved of it, once. Garbage in a part is ignored and logged; raises what
        the port raises."""
        async with self._turn:
            if self.restored:
                return
            saved = await self._port.load(self._key)
            self.restored = True
            for name, part in self._parts.items():
                try:
                    if isinstance(saved, dict) and name in saved:
                        part.restore(saved[name])
                except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
                    log.warning("%s: the remembered %s is unusable: %r", self._key, name, error)

    async def save(self) -> None:
        """Write down how the parts are now. Never raises for the port: a full disk must not stop the gate,
        which goes on protecting the host from memory. A caller that is cancelled does not take the write with
        it."""
        task = asyncio.create_task(self._write())
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)
        await asyncio.shield(task)

    async def _write(self) -> None:
        try:
            await self.restore()  # what is not known yet must not be overwritten
            async with self._turn:
                await self._port.save(self._key, {name: part.to_save() for name, part in self._parts.items()})
        except Exception as error:
            if not self._failing:  # one line when it begins, one when it is over
                log.warning("%s: cannot be saved, kept in memory only: %r", self._key, error)
            self._failing = True
        else:
            if self._failing:
                log.warning("%s: saved again", self._key)
            self._failing = False
