"""`enrich_dataframe`: pandas, polars and Arrow tables in, the same rows with what was found about them out."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import narwhals as nw
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from soulspot.assembly import EnrichmentService, with_temporary_database
from soulspot.config import Config, load_config
from soulspot.dataframes.callbacks import told
from soulspot.dataframes.columns import Results, names_beside
from soulspot.dataframes.rows import Rows, column_names
from soulspot.pipeline.items import enrich_items, require_at_least_one
from soulspot.telemetry import warnings_only

F = TypeVar("F")
T = TypeVar("T")

PREFIX = "enriched_"
BATCH = 500  # rows brought in, and waited for, together


def enrich_dataframe(
    df: F,
    group_by: str | Sequence[str] | None = None,
    batch_size: int = BATCH,
    *,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    prefix: str = PREFIX,
    config: Config | Path | str | None = None,
    wait: float = 60.0,
    on_progress: Callable[[int, int], object] | None = None,
) -> F:
    """The same frame with what the services know of each row: a column for each of `enriched_tracks`, and `error`.

    df           pandas or polars data frame, or an Arrow table; a lazy frame is collected first. Rows, order, index
                 and the columns that are there stay as they are
    group_by     column(s) whose equal values make one album; without, the same artist and album name do
    batch_size   rows brought in and waited for together
    columns      which of your columns is which: {"title": "track_name", "artist": "artist_name"}. Columns called
                 like those of an import file (`soulspot import --help`), or `path` (an audio file), need none
    key          the column with your own name of each row, which comes back as `source_key`. Without it a column
                 `key` is taken, if no two different rows share a value
    prefix       put before a new column's name while another has it
    config       a Config or a config.toml: its database is worked on, and what that knows is not asked again.
                 Without, the configuration is found as by every command, and the database is a temporary one
    wait         rows whose answers are postponed for longer than these seconds come back as they stand, `pending`
    on_progress  is called with (rows done, rows)

    May be called while an event loop runs, as in a notebook; from a coroutine, `enrich_dataframe_async` is the one to
    await. Raises TypeError and ValueError for a frame or columns that cannot be used, ConfigError, DatabaseOwned."""
    work = enrich_dataframe_async(
        df, group_by, batch_size, columns=columns, key=key, prefix=prefix, config=config, wait=wait,
        on_progress=on_progress,
    )  # fmt: skip
    return _run(work)


async def enrich_dataframe_async(
    df: F,
    group_by: str | Sequence[str] | None = None,
    batch_size: int = BATCH,
    *,
    columns: Mapping[str, str] | None = None,
    key: str | None = None,
    prefix: str = PREFIX,
    config: Config | Path | str | None = None,
    service: EnrichmentService | None = None,
    wait: float = 60.0,
    on_progress: Callable[[int, int], object] | None = None,
) -> F:
    """`enrich_dataframe` for a running event loop. With `service` an open one does the work, in its own database."""
    require_at_least_one("batch_size", batch_size)
    if config is not None and service is not None:
        raise ValueError("give a config or a service, not both: a service has its configuration already")
    if not prefix:
        raise ValueError("prefix is empty: two columns would have one name")
    frame = _eager(df)
    rows = Rows(frame, column_names(group_by), columns or {}, key)
    results = Results()
    if len(frame):
        with warnings_only(), _shown(len(frame), on_progress) as tell:
            done = 0
            await tell(done)
            async with _service(config, service) as working:
                async for outcomes in enrich_items(working, rows.batches(batch_size), wait):
                    results.add(outcomes)
                    done += len(outcomes)
                    await tell(done)
    made = frame.with_columns(*results.series(names_beside(frame.columns, prefix), frame))
    return made.to_native()  # type: ignore[no-any-return]


def _eager(df: Any) -> nw.DataFrame[Any]:
    try:
        frame: Any = nw.from_native(df)
    except TypeError:
        kind = f"{type(df).__module__.partition('.')[0]}.{type(df).__name__}"
        raise TypeError(
            f"enrich_dataframe takes a data frame of pandas or polars, or an Arrow table, not {kind}"
        ) from None
    if isinstance(frame, nw.LazyFrame):
        return frame.collect()
    assert isinstance(frame, nw.DataFrame)
    return frame


@contextlib.asynccontextmanager
async def _service(
    config: Config | Path | str | None, service: EnrichmentService | None
) -> AsyncIterator[EnrichmentService]:
    if service is not None:
        yield service
    elif config is not None:
        async with EnrichmentService.open(config) as opened:
            yield opened
    else:
        found = await asyncio.to_thread(load_config)
        async with with_temporary_database(found) as apart, EnrichmentService.open(apart) as opened:
            yield opened


Tell = Callable[[int], Awaitable[None]]


@contextlib.contextmanager
def _shown(total: int, on_progress: Callable[[int, int], object] | None) -> Iterator[Tell]:
    """Yield a function that tells how many rows are done: to `on_progress` if there is one, else on a terminal."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        disable=on_progress is not None or not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("rows", total=total)

        async def tell(done: int) -> None:
            bar.update(task, completed=done)
            await told(on_progress, done, total)

        yield tell


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from a function, in a thread of its own where this one has a loop that runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    return _run_in_thread(work)


def _run_in_thread(work: Coroutine[Any, Any, T]) -> T:
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []
    ended: list[T] = []
    failed: list[BaseException] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        loops.append((asyncio.get_running_loop(), task))
        return await work

    def target() -> None:
        try:
            ended.append(asyncio.run(main()))
        except BaseException as error:
            failed.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(target), name="soulspot-frame")
    thread.start()
    try:
        thread.join()
    except BaseException:  # Ctrl-C, or "interrupt the kernel"
        for loop, task in loops:
            with contextlib.suppress(RuntimeError):  # it has ended
                loop.call_soon_threadsafe(task.cancel)
        thread.join()
        raise
    if failed:
        raise failed[0]
    return ended[0]
