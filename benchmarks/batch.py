"""Items a second through BatchProcessor beside aiodataloader: `python -m benchmarks.batch`.

Prints a Markdown table. The processor function only returns its items, so that nothing but the
collecting is measured. The ways run in turns, `--repeat` times; the table shows medians of
processor time, because nothing here waits and other work on the machine should not count. The
dataloader's cache is off, and its batches are as large as ours (`max_batch_size`)."""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable

from aiodataloader import DataLoader

from soulspot.batch.processor import BatchProcessor

Way = Callable[[int, int], Awaitable[int]]


async def give_back(items: list[int]) -> list[int]:
    """Return the items of a batch as their own results."""
    return items


async def add(items: int, batch_size: int) -> int:
    processor = BatchProcessor(batch_size, give_back)
    answered = 0
    for item in range(items):
        result = await processor.add(item)
        if result is not None:
            answered += result.success_count
    return answered + (await processor.close()).success_count


async def add_batch(items: int, batch_size: int) -> int:
    processor = BatchProcessor(batch_size, give_back)
    results = await processor.add_batch(range(items))
    return sum(result.success_count for result in results) + (await processor.close()).success_count


async def submit(items: int, batch_size: int) -> int:
    processor = BatchProcessor(batch_size, give_back)
    answers = [processor.submit(item) for item in range(items)]
    await processor.close()
    return len([await answer for answer in answers])


async def submit_with_key(items: int, batch_size: int) -> int:
    processor = BatchProcessor(batch_size, give_back, key=lambda item: item)
    answers = [processor.submit(item) for item in range(items)]
    await processor.close()
    return len([await answer for answer in answers])


async def load(items: int, batch_size: int) -> int:
    loader = DataLoader(give_back, max_batch_size=batch_size, cache=False)
    answers = [loader.load(item) for item in range(items)]
    return len([await answer for answer in answers])


async def load_many(items: int, batch_size: int) -> int:
    loader = DataLoader(give_back, max_batch_size=batch_size, cache=False)
    return len(await loader.load_many(range(items)))


async def load_with_cache(items: int, batch_size: int) -> int:
    loader = DataLoader(give_back, max_batch_size=batch_size)
    answers = [loader.load(item) for item in range(items)]
    return len([await answer for answer in answers])


# each of ours with the one of theirs that does the same work
PAIRS: tuple[tuple[Way, Way], ...] = (
    (add, load),
    (add_batch, load_many),
    (submit, load),
    (submit_with_key, load_with_cache),
)


def rate(way: Way, items: int, batch_size: int) -> float:
    """Return the items a second of one run. Fails when an item gets no answer."""

    async def timed() -> float:
        gc.collect()
        started = time.process_time()
        answered = await way(items, batch_size)
        seconds = time.process_time() - started
        if answered != items:
            raise RuntimeError(f"{way.__name__} answered {answered} of {items} items")
        return items / seconds

    return asyncio.run(timed())


def measure(items: int, batch_size: int, repeat: int) -> dict[str, float]:
    ways = {way.__name__: way for pair in PAIRS for way in pair}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeat):
        for name, way in ways.items():
            rates[name].append(rate(way, items, batch_size))
    return {name: statistics.median(some) for name, some in rates.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=50_000, help="items a run (default 50,000)")
    parser.add_argument("--repeat", type=int, default=7, help="runs of which the median counts (default 7)")
    parser.add_argument("--batch-size", type=int, action="append", help="(default 50 and 1,000)")
    options = parser.parse_args()
    print("| batch of | BatchProcessor | items/s | aiodataloader | items/s | ratio |")
    print("|---:|---|---:|---|---:|---:|")
    for batch_size in options.batch_size or [50, 1000]:
        medians = measure(options.items, batch_size, options.repeat)
        for ours, theirs in PAIRS:
            mine, other = medians[ours.__name__], medians[theirs.__name__]
            print(
                f"| {batch_size:,} | {ours.__name__} | {mine:,.0f} "
                f"| {theirs.__name__} | {other:,.0f} | {mine / other:.2f} |"
            )


if __name__ == "__main__":
    main()
