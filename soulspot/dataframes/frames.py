"""`enrich_dataframe`: pandas, polars and Arrow tables in, the same rows with new columns out."""

import asyncio
import contextlib
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import narwhals as nw
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from soulspot.assembly import EnrichmentService, with_temporary_database
from soulspot.config import Config, load_config
from soulspot.dataframes.callbacks import call_back
from soulspot.dataframes.columns import Results, column_names
from soulspot.dataframes.rows import Rows
from soulspot.pipeline.items import enrich_items, require_at_least_one

F = TypeVar("F")
T = TypeVar("T")

PREFIX = "enriched_"
BATCH = 500  # rows that are added and waited for together


def enrich_dataframe(
    df: F, group_by: str | Sequence[str] | None = None, batch_size: int = BATCH, *,
    columns: Mapping[str, str] | None = None, key: str | None = None, prefix: str = PREFIX,
    config: Config | Path | str | None = None, wait: float = 60.0,
    on_progress: Callable[[int, int], object] | None = None,
) -> F:  # fmt: skip
    """Return the same frame with a new column for each of `enriched_tracks`, and `error`.

    df           pandas or polars data frame, or an Arrow table; a lazy frame is collected first.
                 Rows, order, index and columns stay as they are
    group_by     column(s) whose equal values make one album; without, artist and album name do
    batch_size   rows that are added and waited for together
    columns      which of your columns is which: {"title": "track_name", "artist": "artist_name"}.
                 Columns named as in an import file (`soulspot import --help`), or `path` (an audio
                 file), need none
    key          the column with your own name of each row, which comes back as `source_key`;
                 without, a column `key`, if no two different rows share a value
    prefix       put before a new column's name while the frame has a column of this name
    config       a Config or a config.toml, whose database is used: what it knows is not looked up
                 again. Without, the configuration is found, and the database is a temporary one
    wait         rows whose lookups are postponed for longer, in seconds, come back `pending`
    on_progress  is called with (rows done, rows in all)

    May be called while an event loop runs, as in a notebook; a coroutine awaits
    `enrich_dataframe_async`. Raises TypeError and ValueError for a frame or columns that cannot
    be used, ConfigError, DatabaseOwned."""
    work = enrich_dataframe_async(
        df, group_by, batch_size, columns=columns, key=key, prefix=prefix, config=config, wait=wait,
        on_progress=on_progress,
    )  # fmt: skip
    return _run(work)


async def enrich_dataframe_async(
    df: F, group_by: str | Sequence[str] | None = None, batch_size: int = BATCH, *,
    columns: Mapping[str, str] | None = None, key: str | None = None, prefix: str = PREFIX,
    config: Config | Path | str | None = None, service: EnrichmentService | None = None, wait: float = 60.0,
    on_progress: Callable[[int, int], object] | None = None,
) -> F:  # fmt: skip
    """Do what `enrich_dataframe` does, in a running event loop; with `service`, in its database."""
    require_at_least_one("batch_size", batch_size)
    if config is not None and service is not None:
        raise ValueError("give a config or a service, not both: a service has its configuration already")
    if not prefix:
        raise ValueError("prefix is empty: two columns would have one name")
    frame = _eager(df)
    group_columns = [group_by] if isinstance(group_by, str) else list(group_by or ())
    rows = Rows(frame, group_columns, columns or {}, key)
    results = Results()
    if len(frame):
        with _progress(len(frame), on_progress) as show:
            done = 0
            await show(done)
            async with _service(config, service) as working:
                async for outcomes in enrich_items(working, rows.batches(batch_size), wait):
                    results.add(outcomes)
                    done += len(outcomes)
                    await show(done)
    enriched = frame.with_columns(*results.series(column_names(frame.columns, prefix), frame))
    return enriched.to_native()  # type: ignore[no-any-return]


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
        # A database of its own: without a configuration named, nothing is to be left behind.
        found = await asyncio.to_thread(load_config)
        async with with_temporary_database(found) as apart, EnrichmentService.open(apart) as opened:
            yield opened


@contextlib.contextmanager
def _progress(
    total: int, on_progress: Callable[[int, int], object] | None
) -> Iterator[Callable[[int], Awaitable[None]]]:
    """Yield a function that shows the rows done: by `on_progress`, or else on a terminal."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        disable=on_progress is not None or not console.is_terminal,
    )  # fmt: skip
    with bar:
        task = bar.add_task("rows", total=total)

        async def show(done: int) -> None:
            bar.update(task, completed=done)
            await call_back(on_progress, done, total)

        yield show


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, in another thread where this thread's loop is running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    tasks: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any] | None]] = []

    async def main() -> T:
        tasks.append((asyncio.get_running_loop(), asyncio.current_task()))
        return await work

    with ThreadPoolExecutor(1, "soulspot-frame") as thread:
        result = thread.submit(contextvars.copy_context().run, asyncio.run, main())
        try:
            return result.result()
        except BaseException:
            # Ctrl-C, or "interrupt the kernel", comes to this thread alone: pass it on and wait.
            for loop, task in tasks:
                # RuntimeError: the loop is closed, because the work itself has raised.
                with contextlib.suppress(RuntimeError):
                    if task:
                        loop.call_soon_threadsafe(task.cancel)
            raise
