"""Promises of waiting times: Retry-After in all its forms, full jitter, and the retry loop."""

from __future__ import annotations

import asyncio
import random
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulspot.limits import call_with_retries, full_jitter, parse_retry_after
from soulspot.limits.backoff import LONGEST_PAUSE
from tests.support.virtual_time import run_virtual

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 52531 ", 52531.0),
        ("1.5", 1.5),
        ("0", 0.0),
        ("-30", 0.0),
        ("9999999999", LONGEST_PAUSE),
        ("9" * 5000, LONGEST_PAUSE),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60.0),
        ("Sun Nov  6 08:50:37 1994", 60.0),
        ("Sun, 06 Nov 1994 09:50:37 +0100", 60.0),
        ("Sun, 06 Nov 1994 08:48:37 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
        ("Fri, 31 Dec 9999 23:59:59 -2359", LONGEST_PAUSE),
    ],
)
def test_every_form_of_retry_after_is_understood(value: str, seconds: float) -> None:
    assert parse_retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    "value", [None, "", "   ", "soon", "nan", "inf", "1e3", "0x10", "1 2", "99 Foo 2020", "-", "١٢", "\0"]
)
def test_an_absent_or_senseless_retry_after_is_none(value: str | None) -> None:
    assert parse_retry_after(value, NOW) is None


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,9} [A-Z][a-z]{2} [0-9]{1,9} [0-9:]{1,12} [+-][0-9]{1,9}"))
def test_no_retry_after_makes_us_fail_or_wait_beyond_the_longest_pause(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0.0 <= seconds <= LONGEST_PAUSE


@given(st.integers(min_value=-(10**6), max_value=2 * 10**6))
def test_a_date_is_as_far_away_as_it_says(ahead: int) -> None:
    assert parse_retry_after(formatdate(NOW + ahead, usegmt=True), NOW) == max(ahead, 0)


@given(
    attempt=st.integers(0, 10_000),
    base=st.floats(0.001, 100),
    cap=st.floats(0.001, 10_000),
    seed=st.integers(),
)
def test_full_jitter_stays_between_zero_and_the_capped_exponential(
    attempt: int, base: float, cap: float, seed: int
) -> None:
    seconds = full_jitter(attempt, base=base, cap=cap, rng=random.Random(seed))
    assert 0.0 <= seconds <= cap
    assert seconds <= base * 2 ** min(attempt, 64) or attempt > 64


def test_full_jitter_uses_the_whole_range() -> None:
    rng = random.Random(1)
    waits = [full_jitter(2, base=1.0, cap=60.0, rng=rng) for _ in range(2000)]
    assert min(waits) < 0.1
    assert max(waits) > 3.9
    assert 1.9 < sum(waits) / len(waits) < 2.1


class Flaky:
    """A call that raises the given errors, one a call, and then returns "done"."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"


def test_a_call_that_fails_twice_is_answered_by_the_third_attempt() -> None:
    call = Flaky(OSError("one"), OSError("two"))
    assert run_virtual(call_with_retries(call, retry_on=(OSError,))) == "done"
    assert call.calls == 3


def test_the_last_error_is_raised_after_three_attempts() -> None:
    call = Flaky(OSError("one"), OSError("two"), OSError("three"), OSError("four"))
    with pytest.raises(OSError, match="three"):
        run_virtual(call_with_retries(call, retry_on=(OSError,)))
    assert call.calls == 3


def test_an_error_of_another_type_is_not_retried() -> None:
    call = Flaky(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        run_virtual(call_with_retries(call, retry_on=(OSError,)))
    assert call.calls == 1


def test_a_refused_retry_raises_the_error_at_once() -> None:
    call = Flaky(OSError("one"))
    with pytest.raises(OSError, match="one"):
        run_virtual(call_with_retries(call, retry_on=(OSError,), may_retry=lambda: False))
    assert call.calls == 1


@given(seed=st.integers(), failures=st.integers(0, 5))
def test_the_sleeps_between_attempts_are_jittered_and_capped(seed: int, failures: int) -> None:
    async def main() -> float:
        call = Flaky(*[OSError()] * failures)
        await call_with_retries(call, retry_on=(OSError,), attempts=6, base=1.0, cap=3.0, rng=random.Random(seed))
        return asyncio.get_running_loop().time()

    assert 0.0 <= run_virtual(main()) <= sum([1.0, 2.0, 3.0, 3.0, 3.0][:failures]) + 1e-6


def test_a_cancelled_call_is_not_tried_again() -> None:
    calls = 0

    async def call() -> None:
        nonlocal calls
        calls += 1
        await asyncio.sleep(3600)

    async def main() -> bool:
        task = asyncio.create_task(call_with_retries(call, retry_on=(Exception,)))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert run_virtual(main())
    assert calls == 1


def test_no_attempts_at_all_is_a_usage_error() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        run_virtual(call_with_retries(Flaky(), retry_on=(OSError,), attempts=0))
