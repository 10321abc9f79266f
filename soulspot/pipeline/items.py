"""Files and rows of Python programs: add them, decide them, and return an outcome for each.

A client of the service: the service does not know this module."""

import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.errors import LookupFailed, LookupPostponed, UnreadableFile
from soulspot.imports import cells
from soulspot.imports.rows import BadRow, parse_row
from soulspot.models import EnrichedTrack, Status
from soulspot.pipeline.service import EnrichmentService
from soulspot.pipeline.waiting import Postponed, wait_until_settled
from soulspot.store import enriched, tracks
from soulspot.store.failures import OpenLookup, load_open_lookups
from soulspot.store.times import iso
from soulspot.store.tracks import ImportedTrack


@dataclass(frozen=True, slots=True)
class Item:
    """One file or row, or the `error` that makes it neither. Where a file has a row as well, the
    row is used if the file cannot be read."""

    path: bytes | None = None
    row: ImportedTrack | None = None
    group: str | None = None  # items of one group are one album
    error: Exception | None = None
    remarks: tuple[str, ...] = ()  # values of the row that could not be used, in words


@dataclass(frozen=True, slots=True)
class AddedItem:
    """An item that was added: its track_id, or why it is no track."""

    track: int | Exception
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """The result of an item. `track` is None where it never became one; `error` says why there is
    no result, or not yet (LookupPostponed)."""

    track: EnrichedTrack | None
    error: Exception | None = None
    remarks: tuple[str, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether there is no result yet, but may be one later."""
        return isinstance(self.error, LookupPostponed)


def item_of(given: Any, group: str | None = None) -> Item:
    """Return the item of a path, or of a mapping with the columns of an import file and perhaps
    `path`.

    Example: `{"title": "Blue Hour", "artist": "The Lanterns", "duration_ms": 201000}`."""
    if not isinstance(given, Mapping):
        place = cells.absolute_path(given)
        return Item(error=place) if isinstance(place, Exception) else Item(place, group=group)
    named = cells.known_columns(name for name in given if isinstance(name, str))
    columns = {name: given[column] for name, column in named.items()}
    row = parse_row(0, cells.import_record(columns))
    imported = None if isinstance(row, BadRow) else ImportedTrack(row.key, row.tags, group)
    remarks = () if isinstance(row, BadRow) else row.remarks
    path = columns.get(cells.PATH_COLUMN)
    if isinstance(path, str | bytes | os.PathLike) and path:
        place = cells.absolute_path(path)
        if isinstance(place, bytes):
            return Item(place, imported, group, remarks=remarks)
        if isinstance(row, BadRow):
            return Item(error=place)
    if isinstance(row, BadRow):
        return Item(error=ValueError(row.reason))
    return Item(row=imported, group=group, remarks=remarks)


async def add_items(service: EnrichmentService, items: Sequence[Item]) -> list[AddedItem]:
    """Make tracks of these items, without deciding them yet; one entry an item, in order."""
    paths = [item.path for item in items if item.path is not None]
    files = await service.add_files(list(dict.fromkeys(paths))) if paths else {}
    added: dict[int, AddedItem] = {}
    rows: list[tuple[int, ImportedTrack, tuple[str, ...]]] = []
    for number, item in enumerate(items):
        found = files[item.path] if item.path is not None else item.error
        if isinstance(found, int):
            added[number] = AddedItem(found)
        elif item.row is not None:
            remarks = (f"path: {found}", *item.remarks) if found is not None else item.remarks
            rows.append((number, item.row, remarks))
        else:
            assert found is not None
            added[number] = AddedItem(found)
    ids, _ = await service.add_rows([row for _, row, _ in rows]) if rows else ([], 0)
    for (number, _, remarks), track_id in zip(rows, ids, strict=True):
        added[number] = AddedItem(track_id, remarks)
    groups: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        track = added[number].track
        if item.group is not None and isinstance(track, int):
            groups.setdefault(item.group, []).append(track)
    if groups:
        await service.group_albums(groups)
    return [added[number] for number in range(len(items))]


async def outcomes_of(service: EnrichmentService, added: Sequence[AddedItem], wait: float) -> list[ItemOutcome]:
    """Wait until these tracks have a result, or what they lack is postponed for longer than `wait`
    seconds; return the outcome of each, in order."""
    ids = list(dict.fromkeys(one.track for one in added if isinstance(one.track, int)))
    postponed = {one.provider: one for one in await wait_until_settled(service, wait, ids)}
    rows = await service.database.read(lambda c: enriched.load(c, ids))
    unreadable = await service.database.read(lambda c: tracks.unreadable_reasons(c, ids))
    unfinished = [one for one, row in rows.items() if row.status in (Status.PENDING, Status.FAILED)]
    open_lookups: dict[int, list[OpenLookup]] = {}
    for one in await service.database.read(lambda c: load_open_lookups(c, unfinished)) if unfinished else ():
        open_lookups.setdefault(one.track_id, []).append(one)

    def outcome(item: AddedItem) -> ItemOutcome:
        track, remarks = item.track, item.remarks
        if isinstance(track, Exception):
            return ItemOutcome(None, track, remarks)
        row = rows.get(track)
        error: Exception | None = None
        if track in unreadable:
            error = UnreadableFile(row.path or b"" if row else b"", unreadable[track])
        elif row is None or row.status is Status.PENDING:
            error = LookupPostponed(_why_waiting(open_lookups.get(track, ()), postponed))
        elif row.status is Status.FAILED:
            error = LookupFailed(_why_failed(open_lookups.get(track, ()), remarks))
        return ItemOutcome(row, error, remarks)

    return [outcome(item) for item in added]


def _why_waiting(lookups: Sequence[OpenLookup], postponed: Mapping[str, Postponed]) -> str:
    waiting = dict.fromkeys(one.provider for one in lookups if one.is_waiting)
    words = [
        f"{name} until {iso(postponed[name].until)}: {postponed[name].why}" if name in postponed else name
        for name in waiting
    ]
    return f"not answered yet, stays queued: {'; '.join(words) or 'waits to be decided'}"


def _why_failed(lookups: Sequence[OpenLookup], remarks: Sequence[str]) -> str:
    words = [f"{one.provider}: {one.error or 'no reason given'}" for one in lookups if not one.is_waiting]
    return "; ".join(dict.fromkeys(words)) or "; ".join(remarks) or "no lookup found it"


async def enrich_items(
    service: EnrichmentService, batches: Iterable[Sequence[Item]], wait: float
) -> AsyncIterator[list[ItemOutcome]]:
    """Yield the outcomes of these batches, in order. Emits the gauges of each batch.

    All batches are added before the first is decided, so that albums are asked whole and requests
    are shared. `wait` is as for `outcomes_of`."""
    added: list[tuple[list[AddedItem], float]] = []
    with service.activity.expecting():
        for batch in batches:
            began = time.monotonic()
            added.append((await add_items(service, batch), began))
        await service.decide_new()
    for items, began in added:
        outcomes = await outcomes_of(service, items, wait)
        service.telemetry.set_gauges(
            batch_processing_time_ms=round((time.monotonic() - began) * 1000, 1),
            batch_items_processed=len(items),
        )
        yield outcomes


async def enrich_files(
    service: EnrichmentService, paths: Iterable[Any], batch_size: int, wait: float
) -> dict[Any, EnrichedTrack | Exception]:
    """Enrich these files, read `batch_size` at a time; return a row, or why there is none, for each
    path."""
    require_at_least_one("batch_size", batch_size)
    given = list(dict.fromkeys(paths))
    items = [item_of(path) for path in given]
    batches = (items[start : start + batch_size] for start in range(0, len(items), batch_size))
    results: list[EnrichedTrack | Exception] = []
    async for outcomes in enrich_items(service, batches, wait):
        results += [_row_or_error(one) for one in outcomes]
    return dict(zip(given, results, strict=True))


def _row_or_error(outcome: ItemOutcome) -> EnrichedTrack | Exception:
    if outcome.track is None or isinstance(outcome.error, UnreadableFile):
        assert outcome.error is not None
        return outcome.error
    return outcome.track


def require_at_least_one(name: str, count: int) -> None:
    """Raise ValueError when a count is below 1."""
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {count}")
