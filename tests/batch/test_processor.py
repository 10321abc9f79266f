"""Promises of BatchProcessor to callers that use it well; test_abuse.py has the rest."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

import soulspot
from soulspot.batch import BatchCancelled, BatchProcessor, BatchResult
from soulspot.errors import ProcessorClosed
from tests.support.virtual_time import run_virtual


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the test on a loop that never waits, and that raises when nothing more can happen."""

    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        run_virtual(test(*args, **kwargs))

    return run


class Service:
    """An upstream that doubles numbers and remembers calls, of `seconds` or until `open` is set."""

    def __init__(self, seconds: float = 0.0, held: bool = False) -> None:
        self.calls: list[list[int]] = []
        self.busy = self.most_busy = 0
        self.seconds = seconds
        self.open = asyncio.Event()
        if not held:
            self.open.set()

    async def __call__(self, items: list[int]) -> list[int | Exception]:
        self.calls.append(list(items))
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await self.open.wait()
            if self.seconds:
                await asyncio.sleep(self.seconds)
            return [item * 2 if item >= 0 else ValueError(f"{item} is negative") for item in items]
        finally:
            self.busy -= 1


async def settle() -> None:
    """Run the loop until nothing more can happen now."""
    for _ in range(20):
        await asyncio.sleep(0)


class Spoiled(Exception):
    """Raised by a call that one of its items spoils."""


# The result


def test_an_empty_result_has_a_success_rate_of_zero() -> None:
    result: BatchResult[int, int] = BatchResult()
    assert (result.total_items, result.success_count, result.failure_count) == (0, 0, 0)
    assert result.success_rate == 0.0
    assert result.duration == 0.0


def test_the_success_rate_is_in_per_cent() -> None:
    result = BatchResult(successful=["a", "b"], failed=[("c", ValueError())])
    assert (result.total_items, result.success_count, result.failure_count) == (3, 2, 1)
    assert result.success_rate == pytest.approx(66.67, abs=0.01)


def test_the_public_names_are_importable_from_the_package() -> None:
    assert soulspot.BatchProcessor is BatchProcessor
    assert soulspot.BatchResult is BatchResult


# add, add_batch, flush


@in_virtual_time
async def test_add_returns_the_result_of_the_batch_it_filled_and_none_before() -> None:
    service = Service()
    processor = BatchProcessor(3, service)
    assert [await processor.add(1), await processor.add(2)] == [None, None]
    result = await processor.add(3)
    assert result is not None
    assert result.successful == [2, 4, 6]
    assert result.reason == "full"
    assert service.calls == [[1, 2, 3]]


@in_virtual_time
async def test_add_batch_returns_the_batches_it_filled_in_order_and_keeps_the_rest() -> None:
    processor = BatchProcessor(3, Service(seconds=1), max_in_flight=2)
    await processor.add(0)
    results = await processor.add_batch(number for number in range(1, 8))
    assert [result.successful for result in results] == [[0, 2, 4], [6, 8, 10]]
    assert processor.get_pending_count() == 2
    assert await processor.add_batch([]) == []


@in_virtual_time
async def test_flush_answers_everything_pending_in_as_many_batches_as_that_takes() -> None:
    service = Service()
    processor = BatchProcessor(3, service, auto_flush=False)
    assert await processor.add_batch(range(7)) == []
    result = await processor.flush()
    assert result.successful == [0, 2, 4, 6, 8, 10, 12]
    assert service.calls == [[0, 1, 2], [3, 4, 5], [6]]
    assert processor.get_pending_count() == 0


@in_virtual_time
async def test_without_auto_flush_a_full_batch_waits_for_a_flush() -> None:
    service = Service()
    processor = BatchProcessor(2, service, auto_flush=False)
    answers = [processor.submit(number) for number in range(5)]
    assert await processor.add(5) is None
    await settle()
    assert service.calls == []
    assert processor.get_pending_count() == 6
    assert (await processor.flush()).total_items == 6
    assert await asyncio.gather(*answers) == [0, 2, 4, 6, 8]


@in_virtual_time
async def test_flushing_nothing_gives_an_empty_result_without_a_call() -> None:
    service = Service()
    assert (await BatchProcessor(3, service).flush()).total_items == 0
    assert service.calls == []


@in_virtual_time
async def test_an_exception_in_a_slot_fails_its_item_alone() -> None:
    processor = BatchProcessor(3, Service())
    answers = [processor.submit(1), processor.submit(-1)]
    result = await processor.add(3)
    assert result is not None
    assert result.successful == [2, 6]
    assert [item for item, _ in result.failed] == [-1]
    assert await answers[0] == 2
    with pytest.raises(ValueError, match="-1 is negative"):
        await answers[1]


@in_virtual_time
async def test_none_is_an_answer_like_any_other() -> None:
    async def nothing(items: list[int]) -> list[None]:
        return [None for _ in items]

    result = await BatchProcessor(1, nothing).add(1)
    assert result is not None
    assert result.successful == [None]


@in_virtual_time
async def test_a_raised_exception_fails_every_item_after_one_call() -> None:
    calls = 0

    async def down(items: list[int]) -> list[int]:
        nonlocal calls
        calls += 1
        raise ConnectionError("down")

    processor = BatchProcessor(4, down, split_on=(Spoiled,))
    result = (await processor.add_batch(range(4)))[0]
    assert [item for item, _ in result.failed] == [0, 1, 2, 3]
    assert all(isinstance(error, ConnectionError) for _, error in result.failed)
    assert calls == 1


@pytest.mark.parametrize("answers", [[], [1], [1, 2, 3, 4]])
@in_virtual_time
async def test_a_wrong_number_of_answers_fails_every_item_and_says_so(answers: list[int]) -> None:
    async def miscounts(items: list[int]) -> list[int]:
        return answers

    processor = BatchProcessor(3, miscounts)
    (result,) = await processor.add_batch([1, 2, 3])
    assert result.failure_count == 3
    assert str(result.failed[0][1]) == f"processor_func returned {len(answers)} answers for 3 items"


@in_virtual_time
async def test_the_next_batch_works_after_one_that_failed() -> None:
    outcomes: list[Any] = [ConnectionError("down"), [2]]

    async def recovers(items: list[int]) -> list[int]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return list(outcome)

    processor = BatchProcessor(1, recovers)
    first, second = await processor.add(1), await processor.add(1)
    assert first is not None
    assert second is not None
    assert (first.failure_count, second.successful) == (1, [2])


@in_virtual_time
async def test_duration_is_the_time_of_the_calls_and_waited_the_time_before() -> None:
    processor = BatchProcessor(2, Service(seconds=3.0), auto_flush=False)
    await processor.add(1)
    await asyncio.sleep(5)
    await processor.add_batch([2, 3])
    result = await processor.flush()
    assert (result.duration, result.waited) == (6.0, 5.0)


# The timer


@in_virtual_time
async def test_flush_if_needed_flushes_once_the_oldest_item_has_waited_long_enough() -> None:
    processor = BatchProcessor(10, Service(), max_wait_time=0.5)
    assert await processor.flush_if_needed() is None
    await processor.add(1)
    await asyncio.sleep(0.25)
    await processor.add(2)
    assert await processor.flush_if_needed() is None
    await asyncio.sleep(0.25)
    result = await processor.flush_if_needed()
    assert result is not None
    assert (result.successful, result.reason) == ([2, 4], "timer")
    assert await processor.flush_if_needed() is None


@in_virtual_time
async def test_waiting_begins_anew_with_the_first_item_after_a_flush() -> None:
    processor = BatchProcessor(10, Service(), max_wait_time=1)
    await processor.add(1)
    await asyncio.sleep(5)
    await processor.flush()
    await processor.add(2)
    assert await processor.flush_if_needed() is None


@in_virtual_time
async def test_without_a_maximum_wait_the_timer_never_flushes() -> None:
    processor = BatchProcessor(10, Service())
    await processor.add(1)
    await asyncio.sleep(80_000)
    assert await processor.flush_if_needed() is None


def test_the_processor_sets_no_timer_of_its_own() -> None:
    async def wait_for_the_timer() -> None:
        await BatchProcessor(10, Service(), max_wait_time=1).submit(1)

    with pytest.raises(RuntimeError, match="no timer is set"):  # the virtual loop sees that nothing will happen
        run_virtual(wait_for_the_timer())


@in_virtual_time
async def test_a_busy_upstream_does_not_make_the_timer_send_crumbs() -> None:
    service = Service(held=True)
    processor = BatchProcessor(3, service, max_wait_time=1)
    running = asyncio.create_task(processor.add_batch([1, 2, 3]))
    flushes = []
    for number in range(4, 9):
        await asyncio.sleep(0)
        assert await processor.add(number) is None
        await asyncio.sleep(1)
        flushes.append(asyncio.create_task(processor.flush_if_needed()))
        await settle()
    service.open.set()
    await asyncio.wait([running, *flushes])
    assert service.calls == [[1, 2, 3], [4, 5, 6], [7, 8]]


# submit


@in_virtual_time
async def test_submit_gives_each_item_its_own_answer_and_a_full_batch_runs_by_itself() -> None:
    service = Service()
    processor = BatchProcessor(3, service)
    answers = [processor.submit(number) for number in (1, 2, 3)]
    assert await asyncio.gather(*answers) == [2, 4, 6]
    assert service.calls == [[1, 2, 3]]


@in_virtual_time
async def test_a_cancelled_submit_takes_no_sibling_with_it() -> None:
    service = Service(held=True)
    processor = BatchProcessor(3, service)

    async def ask(number: int) -> int:
        return await processor.submit(number)

    tasks = [asyncio.create_task(ask(number)) for number in (1, 2, 3)]
    await settle()
    tasks[1].cancel()
    await settle()
    service.open.set()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [False, True, False]
    assert (tasks[0].result(), tasks[2].result()) == (2, 6)


@in_virtual_time
async def test_an_item_whose_answer_was_given_up_is_still_asked_about() -> None:
    service = Service()
    processor = BatchProcessor(2, service)
    processor.submit(1).cancel()
    result = await processor.add(2)
    assert result is not None
    assert result.successful == [2, 4]


def test_failures_that_nobody_awaits_make_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        processor = BatchProcessor(2, Service())
        processor.submit(-1)
        processor.submit(-2)
        await settle()
        assert processor.get_pending_count() == processor.in_flight_count() == 0

    with caplog.at_level(logging.DEBUG):
        run_virtual(main())
        gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio" and record.levelno > 10] == []


# split_on


@in_virtual_time
async def test_one_malformed_item_among_fifty_fails_alone() -> None:
    calls = []

    async def strict(items: list[int]) -> list[int]:
        calls.append(len(items))
        if 13 in items:
            raise Spoiled("13")
        return items

    processor = BatchProcessor(50, strict, split_on=(Spoiled,))
    (result,) = await processor.add_batch(range(50))
    assert result.successful == [number for number in range(50) if number != 13]
    assert [(item, str(error)) for item, error in result.failed] == [(13, "13")]
    assert calls[:3] == [50, 25, 12]
    assert len(calls) <= 13


@in_virtual_time
async def test_an_outage_while_halving_ends_the_halving() -> None:
    calls = []

    async def breaks(items: list[int]) -> list[int]:
        calls.append(items)
        if len(calls) == 1:
            raise Spoiled
        if len(calls) == 3:
            raise ConnectionError
        return items

    processor = BatchProcessor(4, breaks, split_on=Spoiled)
    (result,) = await processor.add_batch([1, 2, 3, 4])
    assert calls == [[1, 2, 3, 4], [1, 2], [3, 4]]
    assert result.successful == [1, 2]
    assert [type(error) for _, error in result.failed] == [ConnectionError, ConnectionError]


@in_virtual_time
async def test_a_halved_batch_is_reported_once() -> None:
    async def refuses(items: list[int]) -> list[int]:
        raise Spoiled

    results: list[BatchResult[int, int]] = []
    processor = BatchProcessor(4, refuses, split_on=(Spoiled,), on_batch_complete=results.append)
    await processor.add_batch([1, 2, 3, 4])
    assert [result.failure_count for result in results] == [4]


# key


@in_virtual_time
async def test_equal_keys_share_one_place_and_one_answer() -> None:
    service = Service()
    processor = BatchProcessor(2, service, key=lambda item: item)
    answers = [processor.submit(1), processor.submit(1)]
    assert await processor.add(1) is None
    assert processor.get_pending_count() == 1
    result = await processor.add(2)
    assert result is not None
    assert result.total_items == 2
    assert await asyncio.gather(*answers) == [2, 2]
    assert service.calls == [[1, 2]]


@in_virtual_time
async def test_a_key_that_is_in_flight_is_joined_and_forgotten_when_answered() -> None:
    service = Service(held=True)
    processor = BatchProcessor(1, service, key=lambda item: item)
    first = processor.submit(7)
    await settle()
    second = processor.submit(7)
    assert (processor.get_pending_count(), processor.in_flight_count()) == (0, 1)
    service.open.set()
    assert [await first, await second] == [14, 14]
    assert await processor.submit(7) == 14
    assert service.calls == [[7], [7]]


@in_virtual_time
async def test_those_who_share_a_key_are_cancelled_one_by_one() -> None:
    processor = BatchProcessor(2, Service(), key=lambda item: item)
    first, second = processor.submit(1), processor.submit(1)
    first.cancel()
    await processor.flush()
    assert await second == 2


@in_virtual_time
async def test_items_need_not_be_hashable() -> None:
    async def lengths(items: list[list[int]]) -> list[int]:
        return [len(item) for item in items]

    processor = BatchProcessor(2, lengths)
    assert list(await asyncio.gather(processor.submit([1]), processor.submit([1]))) == [1, 1]


# max_in_flight, max_pending


@in_virtual_time
async def test_no_more_calls_at_once_than_asked_for() -> None:
    for limit in (1, 3):
        service = Service(seconds=1)
        processor = BatchProcessor(2, service, max_in_flight=limit)
        results = await processor.add_batch(range(20))
        assert service.most_busy == limit
        assert [number for result in results for number in result.successful] == [n * 2 for n in range(20)]


@in_virtual_time
async def test_counts_tell_items_that_wait_from_items_in_a_call() -> None:
    service = Service(held=True)
    processor = BatchProcessor(3, service)
    answers = [processor.submit(number) for number in range(7)]
    assert (processor.get_pending_count(), processor.in_flight_count()) == (7, 0)
    await settle()
    assert (processor.get_pending_count(), processor.in_flight_count()) == (4, 3)
    service.open.set()
    await processor.flush()
    assert (processor.get_pending_count(), processor.in_flight_count()) == (0, 0)
    assert all(answer.done() for answer in answers)


@in_virtual_time
async def test_others_can_add_while_a_call_is_under_way() -> None:
    service = Service(held=True)
    processor = BatchProcessor(2, service)
    running = asyncio.create_task(processor.add_batch([1, 2]))
    await settle()
    assert await processor.add(3) is None
    assert processor.get_pending_count() == 1
    service.open.set()
    assert len(await running) == 1


@in_virtual_time
async def test_add_waits_while_too_much_is_pending_and_is_served_in_order() -> None:
    service = Service(seconds=1)
    processor = BatchProcessor(2, service, max_pending=3)
    most = 0

    async def feed(number: int) -> None:
        nonlocal most
        await processor.add(number)
        most = max(most, processor.get_pending_count())

    await asyncio.gather(*(feed(number) for number in range(12)))
    assert most <= 3
    assert service.calls == [[n, n + 1] for n in range(0, 12, 2)]


@in_virtual_time
async def test_the_answer_of_submit_comes_later_when_too_much_is_pending() -> None:
    service = Service(seconds=1)
    processor = BatchProcessor(2, service, max_pending=2)
    answers = [processor.submit(number) for number in range(10)]
    assert processor.get_pending_count() == 2
    assert await asyncio.gather(*answers) == [number * 2 for number in range(10)]


@in_virtual_time
async def test_to_join_an_unanswered_item_needs_no_room() -> None:
    processor = BatchProcessor(2, Service(), auto_flush=False, max_pending=2, key=lambda item: item)
    await processor.add_batch([1, 2])
    assert await processor.add(1) is None
    assert processor.get_pending_count() == 2


@in_virtual_time
async def test_who_is_cancelled_while_waiting_for_room_withdraws_the_item() -> None:
    service = Service()
    processor = BatchProcessor(2, service, auto_flush=False, max_pending=2)
    await processor.add_batch([1, 2])
    waiting: list[asyncio.Task[object]] = [
        asyncio.create_task(processor.add(3)),
        asyncio.create_task(processor.add_batch([4, 5])),
    ]
    answer = processor.submit(6)
    await settle()
    answer.cancel()
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert (await processor.close()).successful == [2, 4]
    assert service.calls == [[1, 2]]


# Cancellation


@pytest.mark.parametrize("verb", ["add", "add_batch", "flush", "flush_if_needed"])
@in_virtual_time
async def test_who_is_cancelled_stops_waiting_and_the_call_goes_on_for_its_items(verb: str) -> None:
    service = Service(held=True)
    results: list[BatchResult[int, int]] = []
    processor = BatchProcessor(3, service, 0.0, verb.startswith("add"), on_batch_complete=results.append)
    answers = [processor.submit(1), processor.submit(2)]
    call = {
        "add": lambda: processor.add(3),
        "add_batch": lambda: processor.add_batch([3]),
        "flush": processor.flush,
        "flush_if_needed": processor.flush_if_needed,
    }[verb]
    if not verb.startswith("add"):
        await processor.add_batch([3, 4])
    running: asyncio.Task[Any] = asyncio.ensure_future(call())
    await settle()
    if verb.startswith("add"):
        await processor.add(4)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (processor.get_pending_count(), processor.in_flight_count(), service.busy) == (1, 3, 1)
    closing = asyncio.create_task(processor.close())
    await settle()
    assert not closing.done(), "close waits for the call that nobody waits for any more"
    service.open.set()
    assert await asyncio.gather(*answers) == [2, 4]
    assert (await closing).successful == [8]
    assert [result.successful for result in results] == [[2, 4, 6], [8]]


@in_virtual_time
async def test_a_batch_goes_on_as_long_as_one_caller_waits_for_it() -> None:
    service = Service(held=True)
    processor = BatchProcessor(5, service)
    await processor.add(1)
    flushes = [asyncio.create_task(processor.flush()) for _ in range(2)]
    await asyncio.sleep(0)
    flushes[0].cancel()
    await settle()
    service.open.set()
    assert (await flushes[1]).successful == [2]
    assert flushes[0].cancelled()


@in_virtual_time
async def test_a_batch_that_filled_up_behind_a_flush_runs_although_the_flush_is_cancelled() -> None:
    service = Service(held=True)
    processor = BatchProcessor(2, service)
    answers = [processor.submit(1), processor.submit(2), processor.submit(3)]
    await settle()
    flush = asyncio.create_task(processor.flush())
    await settle()
    answers.append(processor.submit(4))
    flush.cancel()
    await settle()
    service.open.set()
    assert await asyncio.gather(*answers) == [2, 4, 6, 8]


@in_virtual_time
async def test_items_answered_before_a_cancellation_keep_their_answers() -> None:
    async def hangs_on_four(items: list[int]) -> list[int]:
        if len(items) == 4:
            raise Spoiled
        if 4 in items:
            await asyncio.Event().wait()
        return items

    processor = BatchProcessor(4, hangs_on_four, split_on=(Spoiled,))
    answers = [processor.submit(number) for number in (1, 2, 3)]
    adding = asyncio.create_task(processor.add(4))
    await settle()
    closing = asyncio.create_task(processor.close())
    await settle()
    closing.cancel()
    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert outcomes[:2] == [1, 2]
    assert isinstance(outcomes[2], BatchCancelled)
    result = await adding
    assert result is not None
    assert [item for item, _ in result.failed] == [3, 4]


@in_virtual_time
async def test_a_cancellation_that_the_function_catches_still_reaches_the_caller() -> None:
    async def stubborn(items: list[int]) -> list[int]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return items
        return []

    processor = BatchProcessor(2, stubborn)
    answers = [processor.submit(1), processor.submit(2)]
    closing = asyncio.create_task(processor.close())
    await settle()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert await asyncio.gather(*answers) == [1, 2]


@in_virtual_time
async def test_a_timeout_inside_the_function_is_an_ordinary_failure() -> None:
    async def slow(items: list[int]) -> list[int]:
        async with asyncio.timeout(5):
            await asyncio.Event().wait()
        return items

    result = await BatchProcessor(1, slow).add(1)
    assert result is not None
    assert isinstance(result.failed[0][1], TimeoutError)
    assert result.duration == 5


# From inside


@in_virtual_time
async def test_add_inside_the_function_never_waits_and_its_batch_runs_afterwards() -> None:
    calls: list[list[int]] = []
    inside: list[object] = []

    async def follows(items: list[int]) -> list[int]:
        calls.append(items)
        if items == [1, 2]:
            inside.append(await processor.add(3))
            inside.append(await processor.add(4))
            inside.append(await processor.add_batch([5, 6, 7]))
            inside.append((await processor.flush()).total_items)
        return items

    processor: BatchProcessor[int, int] = BatchProcessor(2, follows, max_pending=2)
    (result,) = await processor.add_batch([1, 2])
    assert inside == [None, None, [], 0]
    assert result.successful == [1, 2]
    await processor.close()
    assert calls == [[1, 2], [3, 4], [5, 6], [7]]


@in_virtual_time
async def test_add_in_a_task_that_the_function_awaits_does_not_wait_either() -> None:
    async def follows(items: list[int]) -> list[int]:
        if items == [1]:
            await asyncio.gather(processor.add(2), processor.add(3))
        return items

    processor: BatchProcessor[int, int] = BatchProcessor(1, follows)
    result = await processor.add(1)
    assert result is not None
    assert result.successful == [1]
    await processor.close()
    assert processor.get_pending_count() == 0


@in_virtual_time
async def test_a_task_that_outlives_the_call_that_made_it_waits_again() -> None:
    service = Service()
    outcome: list[object] = []
    left_behind: list[asyncio.Task[None]] = []

    async def later() -> None:
        await asyncio.sleep(10)
        outcome.append(await processor.add(2))

    async def spawns(items: list[int]) -> list[int | Exception]:
        if items == [1]:
            left_behind.append(asyncio.create_task(later()))
        return await service(items)

    processor: BatchProcessor[int, int] = BatchProcessor(1, spawns)
    await processor.add(1)
    await left_behind[0]
    assert isinstance(outcome[0], BatchResult)


@in_virtual_time
async def test_one_processor_can_feed_another_and_be_fed_by_it() -> None:
    async def first(items: list[int]) -> list[int]:
        await second.add(items[0] + 100)
        return items

    async def second_function(items: list[int]) -> list[int]:
        if items[0] == 101:
            await one.add(2)
        return items

    one: BatchProcessor[int, int] = BatchProcessor(1, first)
    second: BatchProcessor[int, int] = BatchProcessor(1, second_function)
    result = await one.add(1)
    assert result is not None
    await one.close()
    await second.close()
    assert one.get_pending_count() == second.get_pending_count() == 0


@in_virtual_time
async def test_an_endless_chain_of_follow_ups_keeps_nothing_of_its_beginning_in_memory() -> None:
    class Link:
        def __init__(self, number: int) -> None:
            self.number = number

    async def follows(items: list[Link]) -> list[int]:
        number = items[0].number
        if number == 30:
            gc.collect()
            alive.append(sum(link() is not None for link in links))
        else:
            links.append(weakref.ref(follower := Link(number + 1)))
            await processor.add(follower)
        return [number]

    links: list[weakref.ref[Link]] = []
    alive: list[int] = []
    processor: BatchProcessor[Link, int] = BatchProcessor(1, follows)
    await processor.add(Link(0))
    await settle()
    await settle()
    assert len(links) == 30
    assert alive[0] <= 3


# on_batch_complete


@in_virtual_time
async def test_every_batch_is_reported_once_whoever_ran_it() -> None:
    reports: list[tuple[int, str]] = []

    async def note(result: BatchResult[int, int]) -> None:
        await asyncio.sleep(1)
        reports.append((result.total_items, result.reason))

    processor = BatchProcessor(2, Service(), 1.0, on_batch_complete=note)
    await processor.add_batch([1, 2, 3])
    await processor.flush()
    processor.submit(1)
    await asyncio.sleep(1)
    await processor.flush_if_needed()
    for number in range(3):
        processor.submit(number)
    await processor.close()
    assert reports == [(2, "full"), (1, "manual"), (1, "timer"), (2, "full"), (1, "shutdown")]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_failing_callback_is_logged_and_harms_nothing(asynchronous: bool, caplog: pytest.LogCaptureFixture) -> None:
    def fails(result: BatchResult[int, int]) -> None:
        raise RuntimeError("disk full")

    async def fails_later(result: BatchResult[int, int]) -> None:
        await asyncio.sleep(0)
        fails(result)

    async def main() -> None:
        callback = fails_later if asynchronous else fails
        processor = BatchProcessor(1, Service(), on_batch_complete=callback)
        for _ in range(2):
            result = await processor.add(1)
            assert result is not None
            assert result.successful == [2]

    run_virtual(main())
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info and record.exc_info[1]] == [
        ("disk full",),
        ("disk full",),
    ]


@in_virtual_time
async def test_a_slow_callback_does_not_keep_the_next_batch_waiting() -> None:
    service = Service()

    async def slow(result: BatchResult[int, int]) -> None:
        await asyncio.sleep(100)

    processor = BatchProcessor(1, service, on_batch_complete=slow)
    answers = [processor.submit(number) for number in range(3)]
    assert await asyncio.gather(*answers) == [0, 2, 4]
    assert asyncio.get_running_loop().time() == 0


# close


@in_virtual_time
async def test_close_flushes_then_refuses_and_can_be_repeated() -> None:
    processor = BatchProcessor(5, Service())
    answer = processor.submit(1)
    result = await processor.close()
    assert (result.successful, result.reason) == ([2], "shutdown")
    assert await answer == 2
    assert (await processor.close()).total_items == 0
    with pytest.raises(ProcessorClosed):
        await processor.add(1)
    with pytest.raises(ProcessorClosed):
        await processor.add_batch([1])
    with pytest.raises(ProcessorClosed):
        processor.submit(1)
    assert (await processor.flush()).total_items == 0


@in_virtual_time
async def test_leaving_the_block_closes_even_after_an_exception() -> None:
    async with BatchProcessor(5, Service()) as processor:
        answer = processor.submit(1)
    assert await answer == 2

    async def fails() -> None:
        nonlocal answer
        async with BatchProcessor(5, Service()) as processor:
            answer = processor.submit(2)
            raise KeyError

    with pytest.raises(KeyError):
        await fails()
    assert await answer == 4


@in_virtual_time
async def test_every_close_waits_for_what_is_in_flight() -> None:
    service = Service(seconds=10)
    processor = BatchProcessor(1, service, max_in_flight=2)
    answers = [processor.submit(1), processor.submit(2)]
    await settle()
    await asyncio.gather(processor.close(), processor.close())
    assert [answer.result() for answer in answers] == [2, 4]


@in_virtual_time
async def test_close_takes_in_those_who_wait_for_room() -> None:
    processor = BatchProcessor(2, Service(), auto_flush=False, max_pending=2)
    await processor.add_batch([1, 2])
    waiting = asyncio.create_task(processor.add_batch([3, 4, 5]))
    await settle()
    answer = processor.submit(6)
    assert (await processor.close()).successful == [2, 4, 6, 8, 10, 12]
    assert await waiting == []
    assert await answer == 12


@in_virtual_time
async def test_a_cancelled_close_answers_everything_at_once() -> None:
    service = Service(held=True)
    results: list[BatchResult[int, int]] = []
    processor = BatchProcessor(2, service, max_pending=4, on_batch_complete=results.append)
    answers = [processor.submit(number) for number in range(9)]
    adding = asyncio.create_task(processor.add(9))
    await settle()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await processor.close()
    assert all(isinstance(answer.exception(), BatchCancelled) for answer in answers)
    filled = await adding
    assert filled is not None
    assert filled.failure_count == 2
    assert sum(result.failure_count for result in results) == 10
    assert len(service.calls) == 1
    assert (processor.get_pending_count(), processor.in_flight_count()) == (0, 0)
    assert (await processor.close()).total_items == 0


# Loops


def test_a_processor_can_be_built_before_any_loop_runs_and_serve_several() -> None:
    async def double(items: list[int]) -> list[int]:
        return [item * 2 for item in items]

    processor = BatchProcessor(2, double, max_pending=2)

    async def use() -> list[int]:
        return await asyncio.gather(*(processor.submit(number) for number in (1, 2, 3, 4)))

    assert run_virtual(use()) == [2, 4, 6, 8]
    assert run_virtual(use()) == [2, 4, 6, 8]
