"""The state of a gate that outlives its process: one value in the StatePort, written whole."""

import asyncio
import logging
from collections.abc import Mapping

from soulspot.limits.breaker import Breaker
from soulspot.limits.budget import Budget
from soulspot.limits.pause import Pause
from soulspot.limits.values import StatePort

log = logging.getLogger(__name__)
Limit = Pause | Breaker | Budget


class SavedState:
    """Loads and saves the parts of one gate together, under one key of the port."""

    def __init__(self, port: StatePort, key: str, parts: Mapping[str, Limit]) -> None:
        self._port = port
        self._key = key
        self._parts = parts
        self._lock = asyncio.Lock()
        self._saves: set[asyncio.Task[None]] = set()
        self._is_failing = False
        self.is_restored = False

    async def restore(self) -> None:
        """Restore every part, once. Garbage is logged and ignored; raises what the port raises."""
        async with self._lock:
            if self.is_restored:
                return
            saved = await self._port.load(self._key)
            self.is_restored = True
            for name, part in self._parts.items():
                try:
                    if isinstance(saved, dict) and name in saved:
                        part.restore(saved[name])
                except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
                    log.warning("%s: the remembered %s is unusable: %r", self._key, name, error)

    async def save(self) -> None:
        """Write the state of all parts, even when the caller is cancelled meanwhile. Never raises:
        a full disk must not stop the gate, which protects the host from memory."""
        # A task of its own: a cancelled caller must not take the write with it.
        task = asyncio.create_task(self._write())
        self._saves.add(task)
        task.add_done_callback(self._saves.discard)
        await asyncio.shield(task)

    async def _write(self) -> None:
        try:
            await self.restore()  # state that is not loaded yet must not be overwritten
            async with self._lock:
                await self._port.save(self._key, {name: part.to_save() for name, part in self._parts.items()})
        except Exception as error:
            if not self._is_failing:  # one line at the beginning, one at the end
                log.warning("%s: cannot be saved, kept in memory only: %r", self._key, error)
            self._is_failing = True
        else:
            if self._is_failing:
                log.warning("%s: saved again", self._key)
            self._is_failing = False
