"""Troubles of a pump: claims shrink and pauses grow while batches fail, and both recover."""

from __future__ import annotations

import pytest

from soulspot.pipeline.troubles import FIRST_HOLD, LONGEST_HOLD, PATIENCE, Troubles, failure_hold


class Clock:
    """A monotonic clock that the test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def troubles(clock: Clock) -> Troubles:
    return Troubles(clock)


def test_a_hold_lasts_until_its_end_and_says_why(troubles: Troubles, clock: Clock) -> None:
    troubles.hold(30.0, "the disk is full")
    clock.now += 29.5
    assert troubles.current_hold() == (0.5, "the disk is full")
    clock.now += 0.5
    assert troubles.current_hold() is None


def test_nothing_is_held_at_the_beginning(troubles: Troubles) -> None:
    assert troubles.current_hold() is None
    assert troubles.claim_limit is None


def test_only_a_long_hold_for_a_new_reason_is_news(troubles: Troubles) -> None:
    assert not troubles.hold(FIRST_HOLD, "connection refused")
    assert not troubles.hold(4.0, "connection refused"), "the reason is known already"
    assert troubles.hold(4.0, "the disk is full")
    assert not troubles.hold(4.0, "the disk is full")


def test_holds_after_failures_double_up_to_an_hour() -> None:
    assert [failure_hold(failures) for failures in range(4)] == [2.0, 4.0, 8.0, 16.0]
    assert failure_hold(1_000_000) == LONGEST_HOLD


def test_every_failed_batch_halves_the_next_claim_down_to_one_lookup(troubles: Troubles) -> None:
    limits = []
    batch = list(range(50))
    for _ in range(7):
        troubles.record_failure(batch, was_answered=False)
        limits.append(troubles.claim_limit)
        batch = batch[: troubles.claim_limit]
    assert limits == [25, 12, 6, 3, 1, 1, 1]


def test_claims_double_with_every_answered_batch_until_they_are_as_usual(troubles: Troubles) -> None:
    troubles.claim_limit = 6
    limits = []
    for _ in range(4):
        troubles.record_success(50)
        limits.append(troubles.claim_limit)
    assert limits == [12, 24, 48, None]


def test_success_ends_a_row_of_failures(troubles: Troubles) -> None:
    for _ in range(PATIENCE):
        troubles.record_failure([1, 2], was_answered=True)
    troubles.record_success(50)
    assert troubles.failures == 0


def test_a_lookup_that_is_alone_and_never_answered_steps_aside_once(troubles: Troubles) -> None:
    for _ in range(PATIENCE):
        assert not troubles.pop_set_aside(7)
        troubles.record_failure([7], was_answered=False)
    assert troubles.pop_set_aside(7)
    assert not troubles.pop_set_aside(7), "it is forgotten"


@pytest.mark.parametrize(("lookups", "was_answered"), [([7], True), ([7, 8], False)])
def test_neither_an_answered_lookup_nor_one_among_others_steps_aside(
    troubles: Troubles, lookups: list[int], was_answered: bool
) -> None:
    for _ in range(PATIENCE + 1):
        troubles.record_failure(lookups, was_answered=was_answered)
    assert not troubles.pop_set_aside(7)
