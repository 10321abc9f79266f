"""What a stream says: the result of each item, and the numbers that its callbacks hear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from soulspot.models import EnrichedTrack


@dataclass(frozen=True, slots=True)
class StreamResult:
    """What became of one item. `number` counts from 0 in the order in which items were taken.

    `track` is None where the item never became one. `error` says why there is no result, or not yet
    (errors.LookupPostponed: the track is `pending`, and what it lacks stays queued). `remarks` name values that could
    not be used."""

    number: int
    item: Any
    track: EnrichedTrack | None
    error: Exception | None = None
    remarks: tuple[str, ...] = ()


class StreamProgress(NamedTuple):
    """How far it is: items taken from the producer, answered, and of these without a result or with none yet."""

    taken: int
    done: int
    failed: int
    pending: int


class StreamBatch(NamedTuple):
    """One batch that has ended. `rss` is the memory of this process in bytes."""

    number: int
    items: int
    ms: float
    items_per_second: float
    rss: int


class StreamSummary(NamedTuple):
    """A stream that has ended. `error_rate` is the share of items without a result, 0 to 1; `peak_rss` is in bytes,
    of all the time this process has lived. `error` is what the producer raised, if it did."""

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
