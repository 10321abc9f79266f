"""Functions that our callers give us to call, whose failure must not become ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import structlog

log = structlog.get_logger()


async def told(callback: Callable[..., Any] | None, *facts: Any) -> None:
    """Call it, if there is one, and await what it returns if that can be awaited. What it raises is logged."""
    if callback is None:
        return
    try:
        answer = callback(*facts)
        if inspect.isawaitable(answer):
            await answer
    except Exception:
        log.exception("callback_failed", callback=getattr(callback, "__name__", type(callback).__name__))
