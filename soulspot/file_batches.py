"""Files enriched on request, from Python: an entry for each path that was given."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from soulspot.errors import UnreadableFile
from soulspot.models import EnrichedTrack
from soulspot.store import enriched, tracks

if TYPE_CHECKING:
    from soulspot.enrich import EnrichmentService

Found = Mapping[bytes, int | Exception]


async def enrich_files(
    service: EnrichmentService, paths: Iterable[Any], batch_size: int, wait: float
) -> dict[Any, EnrichedTrack | Exception]:
    """As `EnrichmentService.enrich_files_batch`."""
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    given = {path: _place(path) for path in paths}
    order = list(dict.fromkeys(place for place in given.values() if isinstance(place, bytes)))
    read: list[tuple[Found, float]] = []
    with service.expecting():
        for start in range(0, len(order), batch_size):
            began = time.monotonic()
            read.append((await service.bring_in(order[start : start + batch_size]), began))
        await service.decide_new()  # only now, so that albums are asked whole and requests are shared
    results: dict[bytes, EnrichedTrack | Exception] = {}
    for found, began in read:
        results |= await _finished(service, found, wait)
        service.telemetry.gauge(
            batch_processing_time_ms=round((time.monotonic() - began) * 1000, 1),
            batch_items_processed=len(found),
        )
    return {path: place if isinstance(place, Exception) else results[place] for path, place in given.items()}


def _place(path: Any) -> bytes | Exception:
    """The path made absolute; what no file system can hold is an error of this path alone."""
    try:
        place = os.path.abspath(os.fsencode(path))
    except (TypeError, ValueError) as error:
        return error
    return place if b"\0" not in place else ValueError(f"{path!r}: a path cannot have a NUL in it")


async def _finished(
    service: EnrichmentService, found: Found, wait: float
) -> dict[bytes, EnrichedTrack | Exception]:
    ids = [one for one in found.values() if isinstance(one, int)]
    await service.settled(wait, ids)
    rows = await service.database.read(lambda c: enriched.load(c, ids))
    reasons = await service.database.read(lambda c: tracks.unreadable_reasons(c, ids))
    entries: dict[bytes, EnrichedTrack | Exception] = {}
    for path, one in found.items():
        if isinstance(one, Exception):
            entries[path] = one
        else:
            entries[path] = UnreadableFile(path, reasons[one]) if one in reasons else rows[one]
    return entries
