"""`enrich_stream`: items of an asynchronous iterator in, their results out, with bounded memory.

producer ── reader ──> batches ── workers ──> results ── consumer
              └─ takes an item only while fewer than `queue_size` are between producer and consumer
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from soulspot.assembly import EnrichmentService
from soulspot.config import Config
from soulspot.dataframes.callbacks import StreamBatch, StreamCallbacks, StreamProgress, StreamResult, StreamSummary
from soulspot.dataframes.stream_flow import Flow, FlowLimits
from soulspot.pipeline.items import require_at_least_one

BATCH = 100
CONCURRENCY = 4


async def enrich_stream(
    items: AsyncIterable[Any] | Iterable[Any], *, config: Config | Path | str | None = None,
    service: EnrichmentService | None = None, max_concurrency: int = CONCURRENCY, queue_size: int | None = None,
    batch_size: int = BATCH, max_wait_time: float = 1.0, wait: float = 60.0, ordered: bool = False,
    on_progress: Callable[[StreamProgress], Any] | None = None, on_error: Callable[[Any, Exception], Any] | None = None,
    on_batch_complete: Callable[[StreamBatch], Any] | None = None,
    on_complete: Callable[[StreamSummary], Any] | None = None,
) -> AsyncGenerator[StreamResult, None]:  # fmt: skip
    """Enrich the items of an iterator as they come; yield one StreamResult for each.

    items            mappings with columns of an import file (`soulspot import --help`) or `path`,
                     or paths of audio files; may be endless. A plain iterable is read in a thread
    config, service  an open service that does the work, or the configuration of a service to open
                     for the stream; without both, the configuration is found
    max_concurrency  batches worked on at the same time
    queue_size       the most items between producer and consumer: a slow consumer slows the
                     producer. Without, one batch more than are worked on
    batch_size       the most items that are added and waited for together
    max_wait_time    seconds that an item waits for its batch to fill
    wait             an item whose lookups are postponed for longer, in seconds, comes back
                     `pending`, with LookupPostponed; what it lacks stays queued
    ordered          results in the order of the items; without, as they come
    on_progress      gets a StreamProgress after each batch
    on_error         gets (item, exception) for each item without a result
    on_batch_complete, on_complete   get a StreamBatch, and a StreamSummary once, when the producer
                     has ended

    Callbacks may be async; their exceptions are logged and harm nothing. An exception of the
    producer is raised here after the results of everything it gave before. When the consumer
    stops (`aclose`, which `contextlib.aclosing` calls, or cancelling it), the producer is
    closed, and every item taken from it is in the durable queue. Raises ValueError for numbers
    below 1, ConfigError, DatabaseOwned."""
    require_at_least_one("max_concurrency", max_concurrency)
    require_at_least_one("batch_size", batch_size)
    most = batch_size * (max_concurrency + 1) if queue_size is None else queue_size
    require_at_least_one("queue_size", most)
    if config is not None and service is not None:
        raise ValueError("give a config or a service, not both: a service has its configuration already")
    opening = contextlib.nullcontext(service) if service is not None else EnrichmentService.open(config)
    source = items if isinstance(items, AsyncIterable) else _read_in_thread(items)
    limits = FlowLimits(most, min(batch_size, most), max_wait_time, wait)
    callbacks = StreamCallbacks(on_progress, on_error, on_batch_complete, on_complete)
    async with opening as working:
        flow = Flow(working, source, limits, callbacks)
        flow.start(max_concurrency)
        try:
            while (result := await flow.next(ordered=ordered)) is not None:
                yield result
            await flow.complete()
        finally:
            await flow.stop()


async def _read_in_thread(items: Iterable[Any]) -> AsyncIterator[Any]:
    # The next item of a plain iterable may take a while, and must not hold up the event loop.
    iterator, end = iter(items), object()
    while (item := await asyncio.to_thread(next, iterator, end)) is not end:
        yield item
