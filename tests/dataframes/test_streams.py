"""`enrich_stream` over a real database, without any service: results, bounds and clean-up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
import structlog

from soulspot import EnrichmentService, enrich_stream
from soulspot.config.loading import Config, make_config
from soulspot.dataframes.callbacks import StreamBatch, StreamProgress, StreamResult, StreamSummary
from soulspot.pipeline import items
from soulspot.pipeline.status import why_not_alive
from tests.library.audio import flac
from tests.support.flow import rows


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(
        {
            "database.path": str(tmp_path / "db"),
            "providers.musicbrainz.enabled": False,
            "providers.listenbrainz.enabled": False,
        }
    )


class Producer:
    """A source of endless songs, or of `count`; `taken` counts those it gave."""

    def __init__(self, count: int | None = None, error: Exception | None = None) -> None:
        self.taken = 0
        self.closed = False
        self._count, self._error = count, error

    async def songs(self) -> AsyncIterator[dict[str, Any]]:
        try:
            while self._count is None or self.taken < self._count:
                self.taken += 1
                yield {"title": f"Song {self.taken}", "artist": "Somebody"}
                await asyncio.sleep(0)
            if self._error:
                raise self._error
        finally:
            self.closed = True


async def quiet(rounds: int = 200) -> None:
    """Let every task run until all of them wait."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def titles(config: Config) -> list[str]:
    sql = "SELECT tags ->> 'title' AS title FROM tracks ORDER BY track_id"
    return [row["title"] for row in rows(config.database.path, sql)]


async def test_every_item_comes_out_once_with_its_track(config: Config) -> None:
    found = [one async for one in enrich_stream(Producer(25).songs(), config=config, batch_size=10)]
    assert sorted(one.number for one in found) == list(range(25))
    for one in found:
        assert one.error is None
        assert one.track is not None
        assert one.track.title == one.item["title"] == f"Song {one.number + 1}"


async def test_nothing_is_said_on_standard_output_where_nobody_has_set_up_a_log(
    config: Config, capfd: pytest.CaptureFixture[str]
) -> None:
    structlog.reset_defaults()
    assert len([one async for one in enrich_stream([{"title": "Song"}], config=config)]) == 1
    assert capfd.readouterr().out == ""
    assert not structlog.is_configured()


async def test_results_come_in_the_order_of_the_items_when_that_is_asked_for(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled, later = items.wait_until_settled, asyncio.Event()

    async def first_batch_is_late(service: Any, wait: float, ids: Any) -> Any:
        if 1 in ids:
            await later.wait()
        return await settled(service, wait, ids)

    monkeypatch.setattr(items, "wait_until_settled", first_batch_is_late)
    for ordered, expected in ((True, list(range(9))), (False, [3, 4, 5, 6, 7, 8, 0, 1, 2])):
        later.clear()
        seen = asyncio.Event()

        def batch_ended(batch: StreamBatch, seen: asyncio.Event = seen) -> None:
            if batch.number == 1:
                later.set()
                seen.set()

        stream = enrich_stream(
            Producer(9).songs(), config=config, batch_size=3, ordered=ordered, on_batch_complete=batch_ended
        )
        assert [one.number async for one in stream] == expected
        assert seen.is_set()


async def test_a_slow_consumer_slows_the_producer(config: Config) -> None:
    producer = Producer()
    async with aclosing(
        enrich_stream(producer.songs(), config=config, queue_size=12, batch_size=4, max_concurrency=2)
    ) as stream:
        for handed_over in range(1, 30):
            await anext(stream)
            await quiet()
            assert producer.taken <= handed_over + 12


async def test_a_queue_smaller_than_a_batch_makes_the_batches_smaller(config: Config) -> None:
    sizes: list[int] = []
    stream = enrich_stream(
        Producer(7).songs(),
        config=config,
        queue_size=3,
        max_wait_time=0.01,
        on_batch_complete=lambda batch: sizes.append(batch.items),
    )
    assert len([one async for one in stream]) == 7
    assert max(sizes) <= 3


async def test_batches_are_worked_on_at_the_same_time_up_to_max_concurrency(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled, together, most, go_on = items.wait_until_settled, 0, 0, asyncio.Event()

    async def counted(service: Any, wait: float, ids: Any) -> Any:
        nonlocal together, most
        together += 1
        most = max(most, together)
        if together == 3:
            go_on.set()
        await go_on.wait()
        found = await settled(service, wait, ids)
        together -= 1
        return found

    monkeypatch.setattr(items, "wait_until_settled", counted)
    stream = enrich_stream(Producer(20).songs(), config=config, batch_size=2, max_concurrency=3)
    assert len([one async for one in stream]) == 20
    assert most == 3


async def test_callbacks_hear_of_batches_errors_progress_and_the_end(config: Config) -> None:
    batches: list[StreamBatch] = []
    progress: list[StreamProgress] = []
    errors: list[tuple[Any, Exception]] = []
    ends: list[StreamSummary] = []

    async def items() -> AsyncIterator[Any]:
        for number in range(7):
            yield {"title": f"Song {number}"}
        yield {"artist": "without anything to look up"}

    async def end(summary: StreamSummary) -> None:
        await asyncio.sleep(0)
        ends.append(summary)

    stream = enrich_stream(
        items(), config=config, batch_size=4, max_concurrency=1,
        on_batch_complete=batches.append, on_progress=progress.append, on_complete=end,
        on_error=lambda item, error: errors.append((item, error)),
    )  # fmt: skip
    found = [one async for one in stream]
    assert len(found) == 8
    assert [(one.number, one.items) for one in batches] == [(0, 4), (1, 4)]
    assert all(one.ms > 0 and one.items_per_second > 0 and one.rss > 1_000_000 for one in batches)
    assert progress[-1] == (8, 8, 1, 0)
    [(item, error)] = errors
    assert item == {"artist": "without anything to look up"}
    assert str(error) == "neither a title nor an identifier"
    [summary] = ends
    assert (summary.items, summary.succeeded, summary.failed, summary.batches) == (8, 7, 1, 2)
    assert summary.error_rate == 1 / 8
    assert summary.items_per_second > 0
    assert summary.peak_rss >= batches[-1].rss


async def test_a_callback_that_fails_harms_nothing(config: Config) -> None:
    def broken(*facts: Any) -> None:
        raise RuntimeError("broken callback")

    async def broken_later(*facts: Any) -> None:
        raise RuntimeError("broken callback")

    stream = enrich_stream(
        Producer(6).songs(), config=config, batch_size=2,
        on_progress=broken, on_batch_complete=broken_later, on_complete=broken,
    )  # fmt: skip
    assert len([one async for one in stream]) == 6


async def test_what_the_producer_raises_comes_after_everything_it_gave(config: Config) -> None:
    ends: list[StreamSummary] = []
    error = LookupError("the source is gone")
    stream = enrich_stream(Producer(5, error).songs(), config=config, batch_size=2, on_complete=ends.append)
    found = [await anext(stream) for _ in range(5)]
    assert sorted(one.number for one in found) == list(range(5))
    with pytest.raises(LookupError, match="the source is gone"):
        await anext(stream)
    assert ends[0].error is error
    assert ends[0].items == 5


def tasks_and_threads() -> tuple[set[str], set[str]]:
    tasks = {task.get_name() for task in asyncio.all_tasks()}
    threads = {one.name for one in threading.enumerate()}
    return {one for one in tasks if one.startswith("stream")}, {one for one in threads if "soulspot" in one}


Stop = Callable[[Any], Any]


async def stopped_early(stream: Any) -> None:
    async with aclosing(stream):
        async for one in stream:
            if one.number >= 1:
                break


async def cancelled(stream: Any) -> None:
    async def consume() -> None:
        async with aclosing(stream):
            async for _ in stream:
                seen.set()
                await asyncio.Event().wait()

    seen = asyncio.Event()
    task = asyncio.create_task(consume())
    await seen.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def failed(stream: Any) -> None:
    async def consume() -> None:
        async with aclosing(stream):
            async for _ in stream:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await consume()


@pytest.mark.parametrize("stop", [stopped_early, cancelled, failed])
async def test_when_the_consumer_stops_nothing_is_left_running_and_what_was_taken_is_queued(
    config: Config, stop: Stop
) -> None:
    before = tasks_and_threads()
    producer = Producer()
    await stop(enrich_stream(producer.songs(), config=config, batch_size=4, queue_size=22, max_concurrency=2))
    assert producer.closed
    assert tasks_and_threads() == before
    assert sorted(titles(config)) == sorted(f"Song {n + 1}" for n in range(producer.taken))


async def test_a_service_that_was_handed_in_stays_open(config: Config) -> None:
    async with EnrichmentService.open(config) as service:
        stream = enrich_stream(Producer().songs(), service=service, batch_size=4)
        await stopped_early(stream)
        assert len([one async for one in enrich_stream(Producer(3).songs(), service=service)]) == 3
        assert why_not_alive(service) is None


async def test_paths_rows_and_what_is_neither_may_be_mixed_and_come_from_a_plain_iterable(
    config: Config, tmp_path: Path
) -> None:
    song = flac(tmp_path / "song.flac", 1)
    given: list[Any] = [song, str(song), {"path": song}, {"title": "One"}, tmp_path / "gone.flac", 17, None]
    found = [one async for one in enrich_stream(given, config=config, ordered=True)]
    assert [one.item for one in found] == given
    assert {found[n].track.track_id for n in range(3) if found[n].track} == {1}
    assert found[3].error is None
    assert [type(one.error) for one in found[4:]] == [FileNotFoundError, TypeError, TypeError]


async def test_a_database_that_fails_ends_the_stream_with_its_error(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(service: Any, rows: Any) -> Any:
        raise OSError("the disk is gone")

    monkeypatch.setattr(EnrichmentService, "add_rows", broken)
    producer = Producer()
    with pytest.raises(OSError, match="the disk is gone"):
        async for _ in enrich_stream(producer.songs(), config=config, batch_size=2, queue_size=2):
            pass
    assert producer.closed


@pytest.mark.parametrize("name", ["batch_size", "max_concurrency", "queue_size"])
async def test_sizes_below_one_are_refused(config: Config, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1"):
        await anext(enrich_stream([], config=config, **{name: 0}))


async def test_memory_does_not_grow_with_an_endless_stream(config: Config) -> None:
    """Count the results that are alive: those handed over must be freed."""
    import gc

    held = 0
    async with aclosing(enrich_stream(Producer().songs(), config=config, batch_size=50)) as stream:
        async for one in stream:
            if one.number in (600, 1500):
                gc.collect()
                count = sum(isinstance(found, StreamResult) for found in gc.get_objects())
                assert count <= 50 * 5 + 2
                held += 1
            if held == 2:
                break
    assert held == 2
