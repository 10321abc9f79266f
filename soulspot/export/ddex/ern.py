"""Release messages of any records: `build_ern_batch` for programs, `build_releases` for streams."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soulspot.batch import BatchProcessor, BatchResult
from soulspot.config import load_config
from soulspot.errors import ReleaseRefused
from soulspot.export.ddex import grouping
from soulspot.export.ddex.grouping import Group, GroupBy
from soulspot.export.ddex.job import Job
from soulspot.export.ddex.outcome import ErnError, ErnMessage, Outcome
from soulspot.export.ddex.settings import SECTION, ErnSettings
from soulspot.export.ddex.workers import RETRIES, Workers

BATCH_SIZE = 50
OnBatch = Callable[[BatchResult[Group, Outcome]], object]


@dataclass(slots=True)
class ErnBatch:
    """The outcomes of a run in the order of the releases. Unpacks as `successes, errors`."""

    successes: list[ErnMessage] = field(default_factory=list)
    errors: list[ErnError] = field(default_factory=list)
    failed: int = 0  # releases, each of which may have several errors
    stopped: bool = False  # `max_failures` was reached; later releases were not looked at

    def __iter__(self) -> Iterator[Any]:
        return iter((self.successes, self.errors))


@dataclass(frozen=True, slots=True)
class Run:
    """The way in which `build_releases` works. Raises ValueError for numbers below 1."""

    job: Job
    batch_size: int = BATCH_SIZE
    processes: int = 1
    max_failures: int | None = None  # releases that may fail before the run stops
    retries: int = RETRIES
    on_batch: OnBatch | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "processes", "max_failures"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")


async def build_releases(groups: Iterable[Group], run: Run) -> AsyncGenerator[Outcome, None]:
    """Yield the outcome of every release in order, with a few batches in memory.

    Stops when `max_failures` releases have failed. Raises ConfigError when no message could be
    valid, and SchemaError for a bad schema."""
    failures, waiting = 0, iter(groups)
    under_way: deque[asyncio.Future[Outcome]] = deque()
    batch_size, most = run.batch_size, run.batch_size * (run.processes + 1)
    if run.max_failures is not None:
        # No more releases are under way than may still fail; each process gets its share of these.
        batch_size = min(batch_size, math.ceil(run.max_failures / run.processes))
    with closing(Workers(run.job, run.processes, run.retries)) as workers:
        processor = BatchProcessor[Group, Outcome](
            batch_size, workers.build, max_in_flight=run.processes, on_batch_complete=run.on_batch
        )
        try:
            while True:
                room = most if run.max_failures is None else min(most, run.max_failures - failures)
                # Refilling a small room one by one would make batches of one; wait for all.
                if room == most or not under_way:
                    while len(under_way) < room and (group := next(waiting, None)):
                        under_way.append(processor.submit(group))
                if not under_way:
                    return
                if len(under_way) < most:
                    await processor.flush()
                try:
                    yield await under_way.popleft()
                except ReleaseRefused as refused:
                    failures += 1
                    yield refused
        finally:
            # After an early end, nobody awaits the other answers.
            for answer in under_way:
                answer.cancel()
            await processor.close()


def build_ern_batch(
    records: Any,
    *,
    group_by: GroupBy = None,
    batch_size: int = BATCH_SIZE,
    validate: bool | str | Path = False,
    schema: str | Path | None = None,
    settings: ErnSettings | Mapping[str, Any] | None = None,
    created_at: datetime | None = None,
    processes: int = 1,
    max_failures: int | None = None,
    retries: int = RETRIES,
    presorted: bool = False,
    on_batch_complete: OnBatch | None = None,
    **terms: Any,
) -> ErnBatch:
    """Build one NewReleaseMessage (DDEX ERN 4.3) for every release among `records`.

    records      mappings, dataclasses, or a pandas, polars or other frame that narwhals knows, with
                 the columns of `enriched_tracks` (title, artist, album, isrc, duration_ms, ...) and
                 release_type, p_line, c_line
    group_by     what makes records one release: a column, several columns, or a callable of a
                 record; by default the release MBID, else the barcode, else label and catalogue
                 number, else album artist and album
    batch_size   releases in a batch; `processes` batches are built at a time
    validate     check messages with the schema: True, or the path of the schema
    schema       the path of the schema, a file or a folder; by default export.ddex.schema
    settings     an ErnSettings or a mapping; by default [export.ddex] of the configuration. Single
                 values can be given by name: sender="PADPIDA..."
    created_at   the time in the header, with a time zone; by default now
    max_failures releases that may fail before the run stops
    retries      attempts after a failure that may pass, a full disk say
    presorted    the records are sorted by release, and are streamed

    A script that uses several processes must call this below `if __name__ == "__main__":`.

    Raises ConfigError for missing or wrong settings, SchemaError for a bad schema, ValueError and
    TypeError for wrong arguments. A wrong record is an error of its release instead."""
    if isinstance(validate, (str, Path)):
        schema, validate = validate, True
    chosen = _settings(settings, terms)
    if validate and not (schema := schema or _configured().schema):
        raise ValueError(f"validate needs the schema: give its place as schema, or set {SECTION}.schema")
    created_at = created_at or datetime.now(UTC).replace(microsecond=0)
    if created_at.tzinfo is None:
        raise ValueError("created_at must have a time zone, such as datetime.now(UTC) has")
    key = grouping.grouping_key(group_by)
    grouping.refuse_absent_columns(records, group_by)
    run = Run(
        Job(chosen, created_at, Path(schema) if validate and schema else None),
        batch_size, processes, max_failures, retries, on_batch_complete,
    )  # fmt: skip
    gather = grouping.group_sorted_records if presorted else grouping.gather_records
    groups = gather(grouping.records_of(records), key)
    # A notebook has a running loop already, so the run gets a thread with a loop of its own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(_collected(groups, run))).result()


async def _collected(groups: Iterable[Group], run: Run) -> ErnBatch:
    batch = ErnBatch()
    async for outcome in build_releases(groups, run):
        if isinstance(outcome, ErnMessage):
            batch.successes.append(outcome)
        else:
            batch.errors += outcome.errors
            batch.failed += 1
    batch.stopped = run.max_failures is not None and batch.failed >= run.max_failures
    return batch


def _settings(given: ErnSettings | Mapping[str, Any] | None, terms: Mapping[str, Any]) -> ErnSettings:
    if given is None and not {"sender", "recipient"} <= terms.keys():
        given = _configured()
    return ErnSettings.of(given, **terms)


def _configured() -> Any:
    # No service is asked here, so a configuration without a contact for MusicBrainz will do.
    return load_config(overrides={"providers.musicbrainz.enabled": False}).export.ddex
