"""What is handed in from Python, files and rows alike: brought in, decided and answered, with an outcome for each."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from soulspot.errors import LookupFailed, LookupPostponed, UnreadableFile
from soulspot.imports import cells
from soulspot.imports.rows import BadRow, parse_row
from soulspot.models import EnrichedTrack, Status
from soulspot.store import enriched, tracks
from soulspot.store.times import iso
from soulspot.store.unanswered import Unanswered, unanswered

if TYPE_CHECKING:
    from soulspot.pipeline.service import EnrichmentService, Postponed


@dataclass(frozen=True, slots=True)
class Item:
    """One file or row, or the `error` that makes it neither. Of a file that cannot be opened the `row`, if it has one
    as well, is taken instead. Items of one `group` are one album."""

    path: bytes | None = None
    row: tracks.ImportedTrack | None = None
    group: str | None = None
    error: Exception | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item. `track` is None where it never became one; `error` says why there is no result, or not
    yet (LookupPostponed). `remarks` name values that could not be used."""

    track: EnrichedTrack | None
    error: Exception | None = None
    remarks: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """There is no result yet, but there may be one later."""
        return isinstance(self.error, LookupPostponed)


Brought = tuple[int | Exception, tuple[str, ...]]  # its track, or why it is none, and the remarks


def item_of(given: Any, group: str | None = None) -> Item:
    """A path, or a mapping with columns of an import file, and `path`."""
    if not isinstance(given, Mapping):
        found = cells.absolute_path(given)
        return Item(error=found) if isinstance(found, Exception) else Item(found, group=group)
    named = cells.known_columns(name for name in given if isinstance(name, str))
    columns = {name: given[column] for name, column in named.items()}
    row = parse_row(0, cells.import_record(columns))
    imported = None if isinstance(row, BadRow) else tracks.ImportedTrack(row.key, row.tags, group)
    remarks = () if isinstance(row, BadRow) else row.remarks
    path = columns.get(cells.PATH_COLUMN)
    if isinstance(path, str | bytes | os.PathLike) and path:
        found = cells.absolute_path(path)
        if isinstance(found, bytes):
            return Item(found, imported, group, remarks=remarks)
        if isinstance(row, BadRow):
            return Item(error=found)
    if isinstance(row, BadRow):
        return Item(error=ValueError(row.reason))
    return Item(row=imported, group=group, remarks=remarks)


async def bring_in(service: EnrichmentService, items: Sequence[Item]) -> list[Brought]:
    """Make tracks of these items, without deciding them yet, or say why not; in their order."""
    paths = [item.path for item in items if item.path is not None]
    files = await service.bring_in(list(dict.fromkeys(paths))) if paths else {}
    brought: dict[int, Brought] = {}
    rows: list[tuple[int, tracks.ImportedTrack, tuple[str, ...]]] = []
    for number, item in enumerate(items):
        found = files[item.path] if item.path is not None else item.error
        if isinstance(found, int):
            brought[number] = found, ()
        elif item.row is not None:
            remarks = (f"path: {found}", *item.remarks) if found is not None else item.remarks
            rows.append((number, item.row, remarks))
        else:
            assert found is not None
            brought[number] = found, ()
    ids, _ = await service.bring_in_rows([row for _, row, _ in rows]) if rows else ([], 0)
    for (number, _, remarks), track_id in zip(rows, ids, strict=True):
        brought[number] = track_id, remarks
    groups: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        one = brought[number][0]
        if item.group is not None and isinstance(one, int):
            groups.setdefault(item.group, []).append(one)
    if groups:
        await service.group(groups)
    return [brought[number] for number in range(len(items))]


async def finished(service: EnrichmentService, brought: Sequence[Brought], wait: float) -> list[Outcome]:
    """Wait until these tracks have a result, or what they lack is postponed for longer than `wait` seconds."""
    ids = list(dict.fromkeys(one for one, _ in brought if isinstance(one, int)))
    postponed = {one.provider: one for one in await service.settled(wait, ids)}
    rows = await service.database.read(lambda c: enriched.load(c, ids))
    unreadable = await service.database.read(lambda c: tracks.unreadable_reasons(c, ids))
    open_ones = [one for one, row in rows.items() if row.status in (Status.PENDING, Status.FAILED)]
    found: dict[int, list[Unanswered]] = {}
    for one in await service.database.read(lambda c: unanswered(c, open_ones)) if open_ones else ():
        found.setdefault(one.track_id, []).append(one)

    def outcome(one: int | Exception, remarks: tuple[str, ...]) -> Outcome:
        if isinstance(one, Exception):
            return Outcome(None, one, remarks)
        row = rows.get(one)
        if one in unreadable:
            return Outcome(row, UnreadableFile(row.path or b"" if row else b"", unreadable[one]), remarks)
        if row is None or row.status is Status.PENDING:
            return Outcome(row, LookupPostponed(_waits(found.get(one, ()), postponed)), remarks)
        if row.status is Status.FAILED:
            return Outcome(row, LookupFailed(_failed(found.get(one, ()), remarks)), remarks)
        return Outcome(row, None, remarks)

    return [outcome(one, remarks) for one, remarks in brought]


def _waits(found: Sequence[Unanswered], postponed: Mapping[str, Postponed]) -> str:
    waiting = dict.fromkeys(one.provider for one in found if one.waits)
    words = [
        f"{name} until {iso(postponed[name].until)}: {postponed[name].why}" if name in postponed else name
        for name in waiting
    ]
    return f"not answered yet, and stays queued: {'; '.join(words) or 'it waits to be decided'}"


def _failed(found: Sequence[Unanswered], remarks: Sequence[str]) -> str:
    words = [f"{one.provider}: {one.error or 'no reason given'}" for one in found if not one.waits]
    return "; ".join(dict.fromkeys(words)) or "; ".join(remarks) or "nothing that could be asked found it"


async def enrich_items(
    service: EnrichmentService, batches: Iterable[Sequence[Item]], wait: float
) -> AsyncIterator[list[Outcome]]:
    """The outcomes of these batches, in order. All of them are brought in before the first is asked about, so that
    albums are asked whole and requests are shared. Emits the gauges of a batch."""
    read: list[tuple[list[Brought], float]] = []
    with service.expecting():
        for batch in batches:
            began = time.monotonic()
            read.append((await bring_in(service, batch), began))
        await service.decide_new()
    for brought, began in read:
        outcomes = await finished(service, brought, wait)
        service.telemetry.gauge(
            batch_processing_time_ms=round((time.monotonic() - began) * 1000, 1),
            batch_items_processed=len(brought),
        )
        yield outcomes


async def enrich_files(
    service: EnrichmentService, paths: Iterable[Any], batch_size: int, wait: float
) -> dict[Any, EnrichedTrack | Exception]:
    """As `EnrichmentService.enrich_files_batch`."""
    at_least_one("batch_size", batch_size)
    given = list(dict.fromkeys(paths))
    items = [item_of(path) for path in given]
    batches = (items[start : start + batch_size] for start in range(0, len(items), batch_size))
    found: list[EnrichedTrack | Exception] = []
    async for outcomes in enrich_items(service, batches, wait):
        found += [_file(one) for one in outcomes]
    return dict(zip(given, found, strict=True))


def _file(outcome: Outcome) -> EnrichedTrack | Exception:
    if outcome.track is None or isinstance(outcome.error, UnreadableFile):
        assert outcome.error is not None
        return outcome.error
    return outcome.track


def at_least_one(name: str, count: int) -> None:
    """ValueError when a number of things is below 1."""
    if count < 1:
        raise ValueError(f"{name} must be at least 1, got {count}")
