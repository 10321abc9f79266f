"""Do a command's work in the running daemon, else here under the lock a daemon would hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from soulspot.client.daemon_client import DaemonClient, DaemonUnreachable
from soulspot.client.daemon_search import running_daemon
from soulspot.config import Config, require_means
from soulspot.terminal.bars import Bars

if TYPE_CHECKING:
    from soulspot.operations.progress import Progress
    from soulspot.pipeline import EnrichmentService

T = TypeVar("T")

LOOK_SECONDS = 0.2  # between two looks at how far an operation of this process is


async def in_daemon_or_here(
    config: Config,
    in_daemon: Callable[[DaemonClient], Awaitable[T]],
    here: Callable[[EnrichmentService], Awaitable[T]],
    *,
    asks_services: bool = False,
    needs_library: bool = False,
) -> T:
    """Return `in_daemon(client)` if a daemon works on the database, else `here(service)`.

    The service of this process owns the database meanwhile. It only queues lookups, unless
    `asks_services`. With `needs_library`, its folders must exist here. Raises what
    `running_daemon` does, and DatabaseOwned while another command owns the database."""
    if client := await running_daemon(config):
        async with client:
            return await in_daemon(client)
    require_means(config, library=needs_library)
    # loads all that asks providers, which a command beside the daemon can do without
    from soulspot.assembly import open_service

    async with open_service(config, work=asks_services) as service:
        return await here(service)


@dataclass(frozen=True, slots=True)
class Operation:
    """Work with a row in `batch_operations`, in the form that either place needs.

    `kind` is a key of `operations.kinds.KINDS` and `request` is what its work starts from, also
    after a restart; `shown` is what people see of the request; `start` starts the same in the
    daemon and returns the operation's id there. `prepare`, if any, is awaited before the work in
    this process, and raises when that is impossible; the daemon does so by itself."""

    kind: str
    request: Mapping[str, Any]
    shown: Mapping[str, Any]
    start: Callable[[DaemonClient], Awaitable[int]]
    prepare: Callable[[EnrichmentService], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """An operation that was completed: its id, its report, and what goes with the report."""

    operation_id: int
    report: dict[str, Any]
    metadata: Mapping[str, Any]


async def run_operation(config: Config, operation: Operation, bars: Bars, *, needs_library: bool = False) -> Completed:
    """Run the operation in the daemon or here, with its progress and its notes shown."""
    return await in_daemon_or_here(
        config,
        lambda client: run_in_daemon(client, operation, bars),
        lambda service: run_here(service, operation, bars),
        needs_library=needs_library,
    )


async def run_in_daemon(client: DaemonClient, operation: Operation, bars: Bars) -> Completed:
    """Start the operation in the daemon and follow it to its end."""
    return await follow(client, await operation.start(client), bars)


async def follow(client: DaemonClient, operation_id: int, bars: Bars) -> Completed:
    """Show an operation of the daemon until it is completed; raises as `DaemonClient.wait_for`."""

    def show(operation: dict[str, Any]) -> None:
        done, total = operation["processed_items"], operation["total_items"] or None
        bars.show(operation["kind"], done, total, "in the daemon")

    # an older daemon may have no such keys
    metadata = (await client.wait_for(operation_id, show)).get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("report"), dict):
        raise report_of_other_version()
    for note in metadata.get("notes", ()):
        bars.note(note)
    return Completed(operation_id, metadata["report"], metadata)


def report_of_other_version() -> DaemonUnreachable:
    """Return the error for a report in another version's form."""
    return DaemonUnreachable(
        "the daemon did it, but its report is another version's; restart the daemon after an upgrade"
    )


async def run_here(service: EnrichmentService, operation: Operation, bars: Bars) -> Completed:
    """Run the operation in this process, with a row in `batch_operations` like the daemon's."""
    # not needed beside a daemon either, and as slow to load as the service
    from soulspot.operations.kinds import KINDS
    from soulspot.operations.local import record_operation

    if operation.prepare:
        await operation.prepare(service)
    async with record_operation(service, operation.kind, operation.request, operation.shown) as work:
        async with _shown(work.progress, operation.kind, bars):
            report, notes = await KINDS[operation.kind](service, operation.request, work.progress)
        work.set_result(report, notes)
    for note in notes:
        bars.note(note)
    return Completed(work.progress.operation_id, report, work.metadata)


@asynccontextmanager
async def _shown(progress: Progress, kind: str, bars: Bars) -> AsyncIterator[None]:
    def show() -> None:
        total, done, failed = progress.counts
        if done or total:
            bars.show(kind, done, total or None, f"{failed} failed" if failed else "")

    async with repeated(show, LOOK_SECONDS):
        yield
    show()


@asynccontextmanager
async def repeated(show: Callable[[], Awaitable[None] | None], seconds: float) -> AsyncIterator[None]:
    """Call `show` at once and every so many seconds while the `async with` lasts."""

    async def show_for_ever() -> None:
        while True:
            if (showing := show()) is not None:
                await showing
            await asyncio.sleep(seconds)

    task = asyncio.create_task(show_for_ever())
    try:
        yield
    finally:
        # gathered, so that a failure to show is neither raised nor reported as never retrieved
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
