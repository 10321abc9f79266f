"""The results of a stream, the values that its callbacks get, and a safe way to call them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from soulspot.models import EnrichedTrack
from soulspot.telemetry import get_logger

log = get_logger(__name__)


async def call_back(callback: Callable[..., Any] | None, *arguments: Any) -> None:
    """Call a caller's function, if there is one, and await what it returns if that is awaitable.
    Its exceptions are logged: the failure of a listener must not end the work."""
    if callback is None:
        return
    try:
        answer = callback(*arguments)
        if inspect.isawaitable(answer):
            await answer
    except Exception:
        log.exception("callback_failed", callback=getattr(callback, "__name__", type(callback).__name__))


@dataclass(frozen=True, slots=True)
class StreamResult:
    """The result of one item; `number` counts the items of the producer from 0."""

    number: int
    item: Any
    track: EnrichedTrack | None  # None where the item never became a track
    # Why there is no result. LookupPostponed: there is none yet; what the track lacks stays queued.
    error: Exception | None = None
    remarks: tuple[str, ...] = ()  # values of the item that could not be used


class StreamProgress(NamedTuple):
    """Items taken from the producer, done, and of these without a result, or with none yet."""

    taken: int
    done: int
    failed: int
    pending: int


class StreamBatch(NamedTuple):
    """A batch that has ended. `ms` is its duration; `rss` the memory of this process in bytes."""

    number: int
    items: int
    ms: float
    items_per_second: float
    rss: int


class StreamSummary(NamedTuple):
    """A stream that has ended. `error_rate` is the share of items without a result, 0 to 1;
    `peak_rss` the most memory of this process, in bytes; `error` what the producer raised."""

    items: int
    succeeded: int
    failed: int
    pending: int
    batches: int
    seconds: float
    items_per_second: float
    peak_rss: int
    error_rate: float
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class StreamCallbacks:
    """The functions that a stream calls; each may be async, and is optional."""

    on_progress: Callable[[StreamProgress], Any] | None = None
    on_error: Callable[[Any, Exception], Any] | None = None
    on_batch_complete: Callable[[StreamBatch], Any] | None = None
    on_complete: Callable[[StreamSummary], Any] | None = None
