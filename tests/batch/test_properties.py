"""Each item is answered once, in any order of adds, flushes, cancellations and failures."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soulspot.batch import BatchCancelled, BatchProcessor, BatchResult
from soulspot.errors import ProcessorClosed
from tests.support.virtual_time import run_virtual


class Spoiled(Exception):
    """Raised by a call that one of its items spoils."""


class Bad(Exception):
    """The failure of one item alone."""


class Outage(Exception):
    """The failure of a whole call."""


@dataclass(frozen=True)
class Item:
    """An item whose `kind` decides its fate; `name` is its key."""

    number: int
    name: int
    kind: str


@dataclass(frozen=True)
class Settings:
    batch_size: int
    max_in_flight: int
    room: int | None
    auto_flush: bool
    folds: bool
    trouble: tuple[str, ...]  # what happens to the n-th call
    delay: float


@dataclass
class World:
    """A processor under test, with observations of it."""

    settings: Settings
    offered: dict[int, Item] = field(default_factory=dict)
    doubtful: set[int] = field(default_factory=set)  # offered by a caller that was cancelled or refused
    callers: list[tuple[asyncio.Task[Any], tuple[Item, ...]]] = field(default_factory=list)
    answers: list[tuple[Item, asyncio.Future[Item]]] = field(default_factory=list)
    reported: list[BatchResult[Item, Item]] = field(default_factory=list)
    asked: Counter[Item] = field(default_factory=Counter)
    calls: int = 0
    busy: int = 0
    from_inside: bool = False

    def __post_init__(self) -> None:
        s = self.settings
        self.processor: BatchProcessor[Item, Item] = BatchProcessor(
            s.batch_size,
            self.answer,
            2.0,
            s.auto_flush,
            max_pending=None if s.room is None else s.batch_size + s.room,
            max_in_flight=s.max_in_flight,
            key=(lambda item: item.name) if s.folds else None,
            split_on=(Spoiled,),
            on_batch_complete=self.reported.append,
        )

    def item(self, name: int, kind: str) -> Item:
        item = Item(len(self.offered), name, kind)
        self.offered[item.number] = item
        return item

    async def answer(self, items: list[Item]) -> list[Item | Exception]:
        call, self.calls = self.calls, self.calls + 1
        self.busy += 1
        try:
            assert self.busy <= self.settings.max_in_flight
            assert 1 <= len(items) <= self.settings.batch_size
            self.asked.update(items)
            if any(item.kind == "recursive" for item in items) and not self.from_inside:
                self.from_inside = True
                await self.call_from_inside()
            await asyncio.sleep(self.settings.delay)
            trouble = self.settings.trouble[call] if call < len(self.settings.trouble) else "none"
            if trouble == "outage":
                raise Outage
            if trouble == "cancelled":
                raise asyncio.CancelledError
            if trouble == "short":
                return list(items[1:])
            if any(item.kind == "spoiling" for item in items):
                raise Spoiled
            return [Bad() if item.kind == "bad" else item for item in items]
        finally:
            self.busy -= 1

    async def call_from_inside(self) -> None:
        added, submitted = self.item(90, "good"), self.item(91, "good")
        try:
            assert await self.processor.add(added) is None
            self.answers.append((submitted, self.processor.submit(submitted)))
            assert (await self.processor.flush()).total_items == 0
        except ProcessorClosed:
            self.doubtful |= {added.number, submitted.number}

    def start(self, call: Coroutine[Any, Any, Any], *items: Item) -> None:
        self.callers.append((asyncio.get_running_loop().create_task(call), items))

    async def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("add", name, kind):
                item = self.item(name, kind)
                self.start(self.processor.add(item), item)
            case ("add_batch", *pairs):
                items = tuple(self.item(name, kind) for name, kind in pairs)
                self.start(self.processor.add_batch(items), *items)
            case ("submit", name, kind):
                item = self.item(name, kind)
                self.answers.append((item, self.processor.submit(item)))
            case ("flush",):
                self.start(self.processor.flush())
            case ("timer",):
                self.start(self.processor.flush_if_needed())
            case ("sleep", seconds):
                await asyncio.sleep(seconds)
            case ("cancel caller", number) if self.callers:
                task, items = self.callers[number % len(self.callers)]
                if task.cancel():
                    self.doubtful.update(item.number for item in items)
            case ("cancel answer", number) if self.answers:
                item, answer = self.answers[number % len(self.answers)]
                if answer.cancel():
                    self.doubtful.add(item.number)
        # Items that `close` let in or that come from inside a call may exceed the room; no others.
        if self.settings.room is not None and not self.from_inside:
            assert self.processor.get_pending_count() <= self.settings.batch_size + self.settings.room

    async def run(self, steps: list[tuple[Any, ...]], close_after: float | None) -> None:
        for step in steps:
            await self.take(step)
        await asyncio.sleep(0)  # every caller has made its first step
        if close_after is None and self.settings.auto_flush:
            await asyncio.sleep(1000)
            assert self.processor.get_pending_count() < self.settings.batch_size, "a full batch did not run"
            assert self.processor.in_flight_count() == 0
        closing = asyncio.create_task(self.processor.close())
        if close_after is not None:
            await asyncio.sleep(close_after)
            closing.cancel()
        await asyncio.wait([closing])
        returned = [closing.result()] if not closing.cancelled() else []
        # the virtual loop raises where these would never end
        for task, items in self.callers:
            await asyncio.wait([task])
            if task.cancelled():
                continue
            if isinstance(task.exception(), ProcessorClosed):
                self.doubtful.update(item.number for item in items)
            else:
                outcome = task.result()
                returned += outcome if isinstance(outcome, list) else [outcome] if outcome else []
        self.check(returned)

    def check(self, returned: list[BatchResult[Item, Item]]) -> None:
        assert self.processor.get_pending_count() == self.processor.in_flight_count() == self.busy == 0
        for item, answer in self.answers:
            assert answer.done(), f"{item} was never answered"
            if answer.cancelled() or answer.exception() is not None:
                continue
            assert answer.result().name == item.name if self.settings.folds else answer.result() == item
        answered = _items(self.reported)
        assert max(answered.values(), default=1) == 1
        assert _items(returned) <= answered, "a batch was returned twice, or never reported"
        sure = {item for item in self.offered.values() if item.number not in self.doubtful}
        if self.settings.folds:
            assert {item.name for item in sure} <= {item.name for item in answered}
        else:
            assert sure <= set(answered)
        for result in self.reported:
            for item, error in result.failed:
                assert isinstance(error, Bad | Spoiled | Outage | ValueError | BatchCancelled)
                if isinstance(error, Bad):
                    assert item.kind == "bad"
                if isinstance(error, Spoiled):
                    assert item.kind == "spoiling"
            for item in result.successful:
                assert item.kind in ("good", "recursive")
        if not any(item.kind == "spoiling" for item in self.offered.values()):
            assert max(self.asked.values(), default=1) == 1, "an item was asked about twice"


def _items(results: list[BatchResult[Item, Item]]) -> Counter[Item]:
    return Counter(item for result in results for item in (*result.successful, *(item for item, _ in result.failed)))


pairs = st.tuples(st.integers(0, 5), st.sampled_from(["good", "good", "good", "bad", "spoiling", "recursive"]))
steps = st.one_of(
    st.tuples(st.just("add"), pairs).map(lambda t: (t[0], *t[1])),
    st.tuples(st.just("submit"), pairs).map(lambda t: (t[0], *t[1])),
    st.lists(pairs, max_size=7).map(lambda some: ("add_batch", *some)),
    st.just(("flush",)),
    st.just(("timer",)),
    st.tuples(st.just("sleep"), st.sampled_from([0.0, 0.0, 0.5, 1.0, 3.0])),
    st.tuples(st.just("cancel caller"), st.integers(0, 30)),
    st.tuples(st.just("cancel answer"), st.integers(0, 30)),
)
worlds = st.builds(
    Settings,
    batch_size=st.integers(1, 4),
    max_in_flight=st.integers(1, 3),
    room=st.none() | st.integers(0, 4),
    auto_flush=st.booleans(),
    folds=st.booleans(),
    trouble=st.lists(st.sampled_from(["none", "none", "outage", "cancelled", "short"]), max_size=6).map(tuple),
    delay=st.sampled_from([0.0, 1.0]),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds, st.lists(steps, max_size=25), st.none() | st.sampled_from([0.0, 0.5, 1.5]))
def test_every_item_is_answered_exactly_once(
    world: Settings, story: list[tuple[Any, ...]], close_after: float | None
) -> None:
    async def main() -> None:
        await World(world).run(story, close_after)

    run_virtual(main())


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 70), st.sets(st.integers(0, 69)), st.integers(1, 70))
def test_halving_finds_exactly_the_bad_items_however_they_lie(count: int, bad: set[int], size: int) -> None:
    async def spoiled_by_one(items: list[int]) -> list[int]:
        if bad & set(items):
            raise Spoiled
        return items

    async def main() -> None:
        processor = BatchProcessor(size, spoiled_by_one, auto_flush=False, split_on=(Spoiled,))
        await processor.add_batch(range(count))
        result = await processor.flush()
        assert result.successful == [item for item in range(count) if item not in bad]
        assert [item for item, _ in result.failed] == [item for item in range(count) if item in bad]

    run_virtual(main())
