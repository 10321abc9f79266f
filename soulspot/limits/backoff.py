"""Waiting times: Retry-After in all its forms, full jitter, and a retry loop that uses it."""

import asyncio
import math
import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TypeVar

T = TypeVar("T")

# The longest wait for a service, in seconds. The longest Retry-After seen is Spotify's 24 hours;
# an absurd number (9999999999 is 317 years) is a fault of the service, to be tried after a month.
LONGEST_PAUSE = 30 * 86400.0
_SECONDS = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?", re.ASCII)


def parse_retry_after(value: str | None, now: float) -> float | None:
    """Return the seconds to wait from `now` (epoch seconds), 0 to 30 days; None for garbage. Reads
    both forms of RFC 9110 section 10.2.3, whole seconds and an HTTP date (its obsolete spellings
    too), and decimals. A negative number or a date in the past gives 0."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    else:
        try:
            date = parsedate_to_datetime(text)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, TypeError, IndexError, OverflowError):  # by hostile text
            return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def full_jitter(attempt: int, *, base: float, cap: float, rng: random.Random) -> float:
    """Return seconds, uniform between 0 and min(cap, base * 2**attempt); `attempt` is from 0. Full
    jitter spreads clients that failed together better than jitter around a fixed delay."""
    # A float overflows at 1024 doublings, and the cap is reached long before.
    return rng.uniform(0.0, min(cap, math.ldexp(base, min(attempt, 500))))


async def call_with_retries(
    call: Callable[[], Awaitable[T]], *, retry_on: tuple[type[Exception], ...], attempts: int = 3,
    base: float = 0.5, cap: float = 10.0, rng: random.Random | None = None,
    may_retry: Callable[[], bool] | None = None,
) -> T:  # fmt: skip
    """Return the result of `call`, tried up to `attempts` times with a jittered sleep between.

    Exceptions of the types in `retry_on` are retried; any other, and the last, is raised. When
    `may_retry` (`Gate.may_retry`, say) returns False, the error is raised at once. `call` passes
    its gate each time. ValueError when `attempts` is below 1."""
    if attempts < 1:
        raise ValueError(f"attempts must be at least 1, not {attempts}")
    rng = rng or random.Random()
    for attempt in range(1, attempts):
        try:
            return await call()
        except retry_on:
            if may_retry is not None and not may_retry():
                raise
            await asyncio.sleep(full_jitter(attempt - 1, base=base, cap=cap, rng=rng))
    return await call()
