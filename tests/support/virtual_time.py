"""An event loop whose clock jumps to the next timer instead of waiting, so that no test sleeps."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.SelectSelector):
    """Polls the real sockets; where they are silent, adds the timeout to `clock` instead of
    waiting."""

    clock = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("deadlock: nothing is ready and no timer is set")
            self.clock += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time starts at 0 and moves by timers only. It does not support
    threads."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.clock

    def call_at(self, when: float, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        """Set a timer, at the earliest a nanosecond from now, as if the clock went on.

        Some code sets timers for the present until enough time has passed: aiolimiter does when a
        sum was rounded up. Without the nanosecond it would do so for ever."""
        soon = self.time() + 1e-9
        return super().call_at(max(when, math.nextafter(soon, math.inf)), *args, **kwargs)


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time and return its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
