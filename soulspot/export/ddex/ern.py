"""Release messages of any records: `build_ern_batch` for programs, `outcomes` for whoever streams."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soulspot.batch import BatchProcessor, BatchResult
from soulspot.errors import ReleaseRefused
from soulspot.export.ddex.frames import records_of, refuse_absent
from soulspot.export.ddex.grouping import Group, GroupBy, gathered, key_of, sorted_groups
from soulspot.export.ddex.job import Job
from soulspot.export.ddex.outcome import ErnError, ErnMessage
from soulspot.export.ddex.settings import SECTION, ErnSettings
from soulspot.export.ddex.workers import RETRIES, Workers

BATCH_SIZE = 50
OnBatch = Callable[[BatchResult[Group, ErnMessage]], object]


@dataclass(slots=True)
class ErnBatch:
    """What became of the releases, in their order. Unpacks as `successes, errors`.

    `failed` counts releases, of which one may have several errors. `stopped`: `max_failures` was reached, and
    what comes after was not looked at."""

    successes: list[ErnMessage] = field(default_factory=list)
    errors: list[ErnError] = field(default_factory=list)
    failed: int = 0
    stopped: bool = False

    def __iter__(self) -> Iterator[Any]:
        return iter((self.successes, self.errors))


@dataclass(frozen=True, slots=True)
class Run:
    """How `outcomes` goes about it. `max_failures`: releases that may fail before the rest is given up."""

    job: Job
    batch_size: int = BATCH_SIZE
    processes: int = 1
    max_failures: int | None = None
    retries: int = RETRIES
    on_batch: OnBatch | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "processes", "max_failures"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number from 1 on, not {value!r}")


async def outcomes(groups: Iterable[Group], run: Run) -> AsyncGenerator[ErnMessage | ReleaseRefused, None]:
    """The outcome of every release in order. Held at a time: a few batches, however many there are.

    Ends early when `max_failures` have failed: never are more under way than may still fail. Raises ConfigError
    when no message at all could be right, and SchemaError when the schema is of no use."""
    failures, waiting = 0, iter(groups)
    under_way: deque[asyncio.Future[ErnMessage]] = deque()
    batch_size, most = run.batch_size, run.batch_size * (run.processes + 1)
    if run.max_failures is not None:  # every process shall have its share of what may be under way
        batch_size = min(batch_size, math.ceil(run.max_failures / run.processes))
    with Workers(run.job, run.processes, run.retries) as workers:
        processor = BatchProcessor[Group, ErnMessage](
            batch_size, workers.build, max_in_flight=run.processes, on_batch_complete=run.on_batch
        )
        try:
            while True:
                room = most if run.max_failures is None else min(most, run.max_failures - failures)
                # little room is filled when it is empty: one by one, the batches would be of one
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
            for answer in under_way:  # nobody waits for them any more
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
    """One NewReleaseMessage (ERN 4.3) for every release among `records`.

    records      mappings, dataclasses, or a pandas, polars or other frame that narwhals knows; the columns are
                 those of `enriched_tracks`: title artist artists album album_artist track_number disc_number
                 duration_ms isrc release_date genres label catalog_number barcode explicit mb_release_id ..., and
                 release_type p_line c_line
    group_by     what makes records one release: a column, several, or a callable of a record; without, the release
                 MBID, else the barcode, else label and catalogue number, else album artist and album
    batch_size   releases in a batch; `processes` batches are built at a time (from a script that starts more
                 than one process, call this below `if __name__ == "__main__":`)
    validate     against the schema: True, or its place; `schema` is the place too, a file or a folder
    settings     sender, recipient, deals ... as ErnSettings has them; without, [export.ddex] of the configuration.
                 Single ones may be given by name: sender="PADPIDA..."
    created_at   the time in the header, with a time zone; now, when not given
    max_failures releases that may fail before the rest is given up
    presorted    the records come sorted by what groups them, and need not be held all at once

    Raises ConfigError when sender, recipient or terms are missing or wrong, SchemaError for a schema of
    no use, ValueError and TypeError for wrong arguments; what is wrong with a record is an error of its release."""
    if isinstance(validate, (str, Path)):
        schema, validate = validate, True
    chosen = _settings(settings, terms)
    if validate and not (schema := schema or _configured().schema):
        raise ValueError(f"validate needs the schema: give its place as schema, or set {SECTION}.schema")
    created_at = created_at or datetime.now(UTC).replace(microsecond=0)
    if created_at.tzinfo is None:
        raise ValueError("created_at must have a time zone, such as datetime.now(UTC) has")
    key = key_of(group_by)
    refuse_absent(records, group_by)
    run = Run(
        Job(chosen, created_at, Path(schema) if validate and schema else None),
        batch_size, processes, max_failures, retries, on_batch_complete,
    )  # fmt: skip
    groups = (sorted_groups if presorted else gathered)(records_of(records), key)
    return _without_loop(lambda: _collected(groups, run))


async def _collected(groups: Iterable[Group], run: Run) -> ErnBatch:
    batch = ErnBatch()
    async for outcome in outcomes(groups, run):
        if isinstance(outcome, ErnMessage):
            batch.successes.append(outcome)
        else:
            batch.errors += outcome.errors
            batch.failed += 1
    batch.stopped = run.max_failures is not None and batch.failed >= run.max_failures
    return batch


def _without_loop(work: Callable[[], Coroutine[Any, Any, ErnBatch]]) -> ErnBatch:
    """Run it to its end, within a running loop (a notebook has one) in a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


def _settings(given: ErnSettings | Mapping[str, Any] | None, terms: Mapping[str, Any]) -> ErnSettings:
    if given is None and not {"sender", "recipient"} <= terms.keys():
        given = _configured()
    return ErnSettings.of(given, **terms)


def _configured() -> Any:
    """[export.ddex] of the configuration; no service is asked, so theirs need not be complete."""
    from soulspot.config import load_config

    return load_config(overrides={"providers.musicbrainz.enabled": False}).export.ddex
