"""BatchProcessor misused: its errors name the expected and the actual, and no item is lost."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from soulspot.batch import BatchCancelled, BatchProcessor, BatchResult
from tests.support.virtual_time import run_virtual


async def echo(items: list[Any]) -> list[Any]:
    return items


@pytest.mark.parametrize("name", ["batch_size", "max_in_flight", "max_pending"])
@pytest.mark.parametrize("value", [0, -1, 2.5, True, "3"])
def test_a_count_that_is_no_positive_whole_number_is_refused_by_name(name: str, value: Any) -> None:
    arguments = {"batch_size": 1, "processor_func": echo, name: value}
    with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, not {value!r}"):
        BatchProcessor(**arguments)


def test_less_room_than_a_batch_needs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"max_pending must be at least batch_size \(10\), not 9"):
        BatchProcessor(10, echo, max_pending=9)


@pytest.mark.parametrize("value", [-0.001, -1, math.nan])
def test_a_negative_wait_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="max_wait_time must be None or at least 0 seconds"):
        BatchProcessor(1, echo, value)


@pytest.mark.parametrize("name", ["processor_func", "key", "on_batch_complete"])
def test_what_is_no_function_is_refused_by_name(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} must be a function or None, not 7"):
        BatchProcessor(1, **{name: 7})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [["ValueError"], asyncio.CancelledError, (ValueError, 3)])
def test_split_on_takes_exception_types_only(value: Any) -> None:
    with pytest.raises(TypeError, match="split_on must be a tuple of exception types"):
        BatchProcessor(1, echo, split_on=value)


def test_the_options_are_keyword_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        BatchProcessor(1, echo, None, True, 5)  # type: ignore[call-arg]


def test_without_a_function_flush_says_so_and_keeps_what_is_pending() -> None:
    async def main() -> None:
        processor: BatchProcessor[int, int] = BatchProcessor(3, None, 0.0)
        assert await processor.add(1) is None
        for flush in (processor.flush, processor.flush_if_needed):
            with pytest.raises(ValueError, match="No processor function configured"):
                await flush()
        assert processor.get_pending_count() == 1

    run_virtual(main())


def test_without_a_function_the_item_that_would_fill_a_batch_is_refused() -> None:
    async def main() -> None:
        processor: BatchProcessor[int, int] = BatchProcessor(2, None)
        await processor.add(1)
        with pytest.raises(ValueError, match="No processor function configured"):
            await processor.add(2)
        with pytest.raises(ValueError, match="No processor function configured"):
            await processor.add_batch([2, 3])
        with pytest.raises(ValueError, match="No processor function configured"):
            processor.submit(2)
        assert processor.get_pending_count() == 1

    run_virtual(main())


def test_without_a_function_close_fails_what_is_pending_and_raises() -> None:
    async def main() -> None:
        results: list[BatchResult[int, int]] = []
        processor: BatchProcessor[int, int] = BatchProcessor(2, None, on_batch_complete=results.append)
        await processor.add(1)
        with pytest.raises(ValueError, match="No processor function configured"):
            await processor.close()
        assert [str(error) for _, error in results[0].failed] == ["No processor function configured"]
        assert (await processor.close()).total_items == 0

    run_virtual(main())


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        (None, "processor_func must return a list of answers, not NoneType"),
        ({1: 2}, "processor_func must return a list of answers, not dict"),
        ("ab", "processor_func must return a list of answers, not str"),
        ((n for n in range(2)), "processor_func must return a list of answers, not generator"),
        ([1, 2, 3], "processor_func returned 3 answers for 2 items"),
    ],
)
def test_what_is_no_list_of_answers_fails_the_items_and_is_named(answers: Any, message: str) -> None:
    async def wrong(items: list[int]) -> Any:
        return answers

    async def main() -> None:
        # not even where the exception that says so is one to halve on: halving would mend nothing
        processor: BatchProcessor[int, int] = BatchProcessor(2, wrong, split_on=(TypeError, ValueError))
        (result,) = await processor.add_batch([1, 2])
        assert [str(error) for _, error in result.failed] == [message, message]

    run_virtual(main())


def test_a_function_that_is_not_async_fails_the_items_and_is_told() -> None:
    async def main() -> None:
        processor: BatchProcessor[int, int] = BatchProcessor(1, lambda items: items)  # type: ignore[arg-type, return-value]
        result = await processor.add(1)
        assert result is not None
        assert str(result.failed[0][1]) == "processor_func must be async, but it returned list at once"

    run_virtual(main())


def test_a_function_may_take_its_list_apart_and_return_it() -> None:
    async def empties(items: list[int]) -> list[int]:
        answers = [items.pop() for _ in range(len(items))]
        items.extend([9, 9, 9])
        return answers

    async def main() -> None:
        processor = BatchProcessor(3, empties)
        (result,) = await processor.add_batch([1, 2, 3])
        assert result.successful == [3, 2, 1]

    run_virtual(main())


@pytest.mark.parametrize("answer", [asyncio.CancelledError(), KeyboardInterrupt(), StopIteration(), SystemExit()])
def test_an_answer_that_would_end_its_awaiter_becomes_an_ordinary_failure(answer: BaseException) -> None:
    async def odd(items: list[int]) -> list[Any]:
        return [1, answer]

    async def main() -> None:
        processor = BatchProcessor(2, odd)
        good, bad = processor.submit(1), processor.submit(2)
        assert await good == 1
        with pytest.raises((BatchCancelled, RuntimeError)) as failure:
            await bad
        assert failure.value.__cause__ is answer

    run_virtual(main())


def test_a_function_that_raises_cancelled_error_itself_cancels_nobody() -> None:
    async def gives_up(items: list[int]) -> list[int]:
        raise asyncio.CancelledError

    async def main() -> None:
        processor = BatchProcessor(2, gives_up)
        answer = processor.submit(1)
        result = await processor.add(2)
        assert result is not None
        assert result.failure_count == 2
        with pytest.raises(BatchCancelled):
            await answer

    run_virtual(main())


class Abort(BaseException):
    """A BaseException like KeyboardInterrupt, which asyncio does not treat specially."""


@pytest.mark.parametrize("verb", ["add", "flush"])
def test_an_interruption_answers_the_items_and_goes_on_to_the_caller(verb: str) -> None:
    async def interrupted(items: list[int]) -> list[int]:
        raise Abort

    async def main() -> None:
        processor = BatchProcessor(2, interrupted, auto_flush=verb == "add")
        answer = processor.submit(1)
        if verb == "flush":
            assert await processor.add(2) is None
        with pytest.raises(Abort):
            await (processor.add(2) if verb == "add" else processor.flush())
        with pytest.raises(BatchCancelled):
            await answer
        assert (processor.get_pending_count(), processor.in_flight_count()) == (0, 0)

    run_virtual(main())


def test_ctrl_c_inside_the_function_leaves_no_item_unanswered() -> None:
    results: list[BatchResult[int, int]] = []

    async def interrupted(items: list[int]) -> list[int]:
        raise KeyboardInterrupt

    async def main() -> None:
        processor = BatchProcessor(2, interrupted, on_batch_complete=results.append)
        await processor.add_batch([1, 2])

    with pytest.raises(KeyboardInterrupt):
        run_virtual(main())
    assert [result.failure_count for result in results] == [2]


def test_cancelling_every_task_of_the_loop_leaves_no_item_unanswered() -> None:
    async def main() -> None:
        processor = BatchProcessor(2, echo)
        answers = [processor.submit(number) for number in range(5)]
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # none has made a step yet
            task.cancel()
        await processor.flush()
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [BatchCancelled, BatchCancelled, int, int, int]
        assert (processor.get_pending_count(), processor.in_flight_count()) == (0, 0)

    run_virtual(main())


def test_a_key_function_that_fails_accepts_nothing() -> None:
    async def main() -> None:
        processor: BatchProcessor[Any, Any] = BatchProcessor(5, echo, key=lambda item: item)
        with pytest.raises(TypeError, match="unhashable"):
            await processor.add_batch([1, 2, []])
        with pytest.raises(TypeError, match="unhashable"):
            processor.submit([])
        assert processor.get_pending_count() == 0

    run_virtual(main())


def test_an_iterable_that_breaks_off_accepts_nothing() -> None:
    def breaks_off() -> Any:
        yield 1
        raise OSError("the file ended")

    async def main() -> None:
        processor = BatchProcessor(1, echo)
        with pytest.raises(OSError, match="the file ended"):
            await processor.add_batch(breaks_off())
        assert processor.get_pending_count() == 0

    run_virtual(main())


def test_submit_outside_a_loop_raises_and_accepts_nothing() -> None:
    processor = BatchProcessor(1, echo)
    with pytest.raises(RuntimeError, match="no running event loop"):
        processor.submit(1)
    assert processor.get_pending_count() == 0


def test_close_from_inside_the_function_does_not_wait_for_itself() -> None:
    async def closes(items: list[int]) -> list[int]:
        assert (await processor.close()).total_items == 0
        return items

    processor: BatchProcessor[int, int] = BatchProcessor(2, closes)

    async def main() -> None:
        answers = [processor.submit(number) for number in range(3)]
        assert await asyncio.gather(*answers) == [0, 1, 2]
        assert (await processor.close()).total_items == 0

    run_virtual(main())


def test_a_callback_that_adds_and_flushes_does_not_wait_for_itself() -> None:
    async def more(result: BatchResult[int, int]) -> None:
        if result.successful[0] < 5:
            assert await processor.add(result.successful[0] + 1) is None
            assert (await processor.flush()).total_items == 0

    async def note(items: list[int]) -> list[int]:
        asked.extend(items)
        return items

    asked: list[int] = []
    processor: BatchProcessor[int, int] = BatchProcessor(1, note, on_batch_complete=more)

    async def main() -> None:
        await processor.add(1)
        for _ in range(100):
            await asyncio.sleep(0)
        assert asked == [1, 2, 3, 4, 5]
        assert (await processor.close()).total_items == 0

    run_virtual(main())
