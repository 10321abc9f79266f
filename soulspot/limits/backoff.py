"""How long to wait: Retry-After in all its forms, full jitter, and the loop that retries with it."""

from __future__ import annotations

import asyncio
import inspect
import math
import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

T = TypeVar("T")

LONGEST_PAUSE = 30 * 86400.0
"""No service is waited for longer than 30 days in one go. The longest seen is Spotify's 24 h; an absurd
number (9999999999 is 317 years) is a fault of the service, and a person would ask again after a month."""

_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?", re.ASCII)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait from `now` (seconds since the epoch): 0 to 30 days; None when absent or garbage.

    Both forms of RFC 9110 section 10.2.3, whole seconds and an HTTP date (its obsolete spellings too), and
    decimals. A negative number or a date in the past is 0."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError):  # what the parser raises on hostile text
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def full_jitter(attempt: int, *, base: float, cap: float, rng: random.Random) -> float:
    """Seconds, uniform between 0 and min(cap, base * 2**attempt); `attempt` counts from 0.

    Full jitter spreads clients that failed together better than any jitter around a fixed delay does."""
    try:
        ceiling = min(cap, math.ldexp(base, attempt))
    except OverflowError:
        ceiling = cap
    return rng.uniform(0.0, ceiling)


async def call_with_retries(
    call: Callable[[], Awaitable[T]],
    *,
    retry_on: tuple[type[Exception], ...],
    on_retry: Callable[[int, Exception], Any] | None = None,
    attempts: int = 3,
    base: float = 0.5,
    cap: float = 10.0,
    rng: random.Random | None = None,
    may_retry: Callable[[], bool] | None = None,
) -> T:
    """The result of `call`, tried at most `attempts` times with a fully jittered sleep in between.

    Only an exception of a type in `retry_on` is tried again; any other, and the last one, is raised as it is.
    `on_retry(attempt, error)` (sync or async) hears of every retry before its sleep; `attempt` is the number
    of the one that failed, from 1. `may_retry` (`Gate.may_retry`, say) can refuse a retry: then the error is
    raised at once. `call` passes its gate each time. ValueError when `attempts` is below 1."""
    if attempts < 1:
        raise ValueError(f"attempts must be at least 1, not {attempts}")
    rng = rng or random.Random()
    for attempt in range(1, attempts):
        try:
            return await call()
        except retry_on as error:
            if may_retry is not None and not may_retry():
                raise
            if on_retry is not None:
                heard = on_retry(attempt, error)
                if inspect.isawaitable(heard):
                    await heard
            await asyncio.sleep(full_jitter(attempt - 1, base=base, cap=cap, rng=rng))
    return await call()
