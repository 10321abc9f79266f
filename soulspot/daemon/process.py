"""Run the daemon: a service with its timers, its HTTP address, and the signals it obeys."""

import asyncio
import contextlib
import errno
import math
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from soulspot.assembly import add_timer, apply_config, new_scheduler, open_service
from soulspot.config import Config, load_config, reloadable_differences
from soulspot.daemon import ending, systemd
from soulspot.errors import ConfigError
from soulspot.library.watch import Blindness, watch
from soulspot.operations.exports import FOLDER, Exports
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import why_not_alive
from soulspot.store.database import lock_patience
from soulspot.store.ownership import Ownership
from soulspot.telemetry import configure_logging, get_logger
from soulspot.version import __version__
from soulspot.web.app import make_application
from soulspot.web.server import serve

log = get_logger(__name__)

# well below TimeoutStopSec= of the unit: systemd would kill in the middle of a write
DRAIN_SECONDS = 12.0
OPERATIONS_END_WITHIN = 3.0  # seconds; the next process resumes an operation that takes longer
START_EXTENSION, START_AT_MOST = 30, 3600  # seconds
WATCH_RETRY_SECONDS, WATCH_RETRY_CAP = 10.0, 3600.0
WRITE_TAGS_SECONDS = 30.0  # between two looks for tags to write
OWN_WORK_SECONDS = 10.0  # between two looks for work that no operation reports


class Daemon:
    """A process that runs until SIGTERM or SIGINT, and reads its configuration again on SIGHUP.

    It ends within `ending.ENDS_WITHIN` seconds, at the second signal at once. `config_path` is the
    file that SIGHUP reads again; None is the first of the default files that exists."""

    def __init__(self, config: Config, config_path: Path | None) -> None:
        self.config = config
        self._started_with = config
        self._path = config_path
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._is_ready = False
        self._is_stuck = False  # the watchdog was not pinged

    async def run(self) -> None:
        """Run until stopped. Raises DatabaseError, or ConfigError for the address to listen at."""
        # before anything slow: a SIGTERM during the start must not be lost
        loop = asyncio.get_running_loop()
        ending.obey(self._stop_soon)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        # every task of the daemon inherits this; requests have less patience
        lock_patience.set(math.inf)
        with Ownership(self.config.database.path) as ownership:
            async with AsyncExitStack() as stack:
                opened = open_service(self.config, ownership=ownership, drain_seconds=DRAIN_SECONDS)
                async with _more_time_to_start():
                    service = await stack.enter_async_context(opened)
                export = self.config.export
                folder = export.directory or self.config.database.path.with_name(FOLDER)
                operations = Operations(service, exports=Exports(folder, keep=export.keep, ddex=export.ddex))
                stack.push_async_callback(_stop_operations, operations)
                # before the API is up: an operation that is started by it is nothing to resume
                resumed = await operations.resume()
                address = await stack.enter_async_context(self._serving(service, operations))
                ownership.announce(address)
                scheduler = self._schedule(service, operations)
                stack.callback(scheduler.shutdown, wait=False)
                await stack.enter_async_context(self._background(service, operations, resumed))
                self._is_ready = True
                systemd.ready(f"listening on {address}")
                # a person is told in any case; the log may be JSON, or only hold errors
                if sys.stderr.isatty():
                    print(f"soulspot: the page is at {address}/; Ctrl-C stops the daemon", file=sys.stderr)
                service.telemetry.event("daemon_ready", address=address, pid=os.getpid(), version=__version__)
                await self._stop.wait()
                self._is_ready = False
                systemd.stopping()
                service.database.hurry()
        service.telemetry.event("daemon_stopped", pid=os.getpid())

    def _stop_soon(self) -> None:
        log.info("daemon_stopping", pid=os.getpid(), is_ready=self._is_ready, within_seconds=ending.ENDS_WITHIN)
        self._stop.set()

    def _serving(self, service: EnrichmentService, operations: Operations) -> AbstractAsyncContextManager[str]:
        http = self.config.http
        application = make_application(
            service, operations, ready=lambda: self._is_ready, version=__version__,
            token=http.token.reveal() if http.token else None, allowed_hosts=(http.host, *http.allowed_hosts),
        )  # fmt: skip
        return serve(application, http.host, http.port)

    def _schedule(self, service: EnrichmentService, operations: Operations) -> AsyncIOScheduler:
        config, scheduler = self.config, new_scheduler()
        jobs: list[tuple[str, Callable[[], Awaitable[object]], float]] = [
            ("watch_refresh", operations.watch_refresh, config.scheduler.retry_sweep),
            ("sweep_exports", operations.sweep_exports, config.scheduler.upkeep),
            ("write_tags", operations.write_due_tags, WRITE_TAGS_SECONDS),
            ("own_work", operations.report_own_work, OWN_WORK_SECONDS),
        ]
        if service.has_library:
            jobs.append(("rescan", operations.rescan, config.library.rescan_interval))
        if interval := systemd.watchdog_seconds():
            # three times in the interval, so that one late beat kills nobody
            jobs.append(("watchdog", partial(self._beat, service), interval / 3))
        for name, job, seconds in jobs:
            add_timer(scheduler, name, job, seconds)
        scheduler.start()
        return scheduler

    async def _beat(self, service: EnrichmentService) -> None:
        """Send systemd's watchdog a sign of life, unless only a restart lets work go on."""
        if (why := why_not_alive(service)) is None:
            systemd.notify("WATCHDOG=1")
        elif not self._is_stuck:
            log.error("watchdog_not_pinged", why=why, hint="systemd ends and restarts a service that stays so")
        self._is_stuck = why is not None

    @asynccontextmanager
    async def _background(
        self, service: EnrichmentService, operations: Operations, resumed: Collection[str]
    ) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._reload_on_sighup(service), name="reload")]
        if service.has_library:
            # before the scan, so that no change falls between the two
            if self.config.library.watch:
                tasks.append(asyncio.create_task(self._watch(service, operations), name="watch"))
            if "scan" not in resumed:
                await operations.scan()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, service: EnrichmentService, operations: Operations) -> None:
        roots = [os.fsencode(path) for path in self.config.library.paths]
        await keep_watching(
            lambda: cast(AsyncGenerator[set[bytes], None], watch(roots, stop=self._stop, on_blind=_log_blindness)),
            lambda changed: service.scan(sorted(changed)),
            operations.scan,
            self._stop,
        )

    async def _reload_on_sighup(self, service: EnrichmentService) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            systemd.reloading()
            said = "configuration read again"
            try:
                self._apply(service, load_config(self._path))
            except ConfigError as error:
                said = f"reload failed: {'; '.join(error.problems)}"
                log.error("reload_failed", problems=error.problems, kept="the old configuration")
            except Exception as error:
                # whatever it was, this task must live to serve the next SIGHUP
                said = f"reload failed: {error}"
                log.exception("reload_failed", problems=[str(error)], kept="parts of the old configuration")
            finally:
                systemd.ready(said)

    def _apply(self, service: EnrichmentService, new: Config) -> None:
        """Apply the reloadable keys of a new configuration, and log which others need a restart.

        Raises ConfigError when its log file cannot be opened; nothing has changed then."""
        applied, _ = reloadable_differences(self.config, new)
        # against the start, not the last reload: such a key is named until there is a restart
        _, needs_restart = reloadable_differences(self._started_with, new)
        try:
            configure_logging(new.log.format, new.log.level, new.log.file)
        except OSError as error:
            raise ConfigError([f"log.file: {error}"]) from error
        apply_config(service, new)
        self.config = new
        log.info("reloaded", applied=applied, needs_restart=needs_restart)


@asynccontextmanager
async def _more_time_to_start() -> AsyncIterator[None]:
    """Keep systemd from ending a start that takes long: the migration of a large database, say."""

    async def ask() -> None:
        for _ in range(START_AT_MOST // START_EXTENSION):
            systemd.extend_start(2 * START_EXTENSION)
            await asyncio.sleep(START_EXTENSION)

    asking = asyncio.create_task(ask(), name="start")
    try:
        yield
    finally:
        asking.cancel()


async def _stop_operations(operations: Operations) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(OPERATIONS_END_WITHIN):
            await operations.stop()


async def keep_watching(
    open_watch: Callable[[], AsyncGenerator[set[bytes], None]],
    scan: Callable[[set[bytes]], Awaitable[object]],
    rescan: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
) -> None:
    """Scan every change that a watch yields until `stop` is set, whatever goes wrong meanwhile.

    After a failure: pause, rescan everything, and open the watch anew. Pauses grow from
    `WATCH_RETRY_SECONDS` to `WATCH_RETRY_CAP` while failures follow each other: a large library
    must not be rescanned every few seconds because the kernel refuses to watch it."""
    pause = WATCH_RETRY_SECONDS
    while not stop.is_set():
        try:
            async with aclosing(open_watch()) as changes:
                async for changed in changes:
                    await scan(changed)
                    pause = WATCH_RETRY_SECONDS
            return
        except Exception as error:
            log.warning("watch_failed", error=f"{type(error).__name__}: {error}", hint=_watch_hint(error),
                        again_in_seconds=pause)  # fmt: skip
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)
        pause = min(pause * 2, WATCH_RETRY_CAP)
        if not stop.is_set():
            try:
                # only starts the scan: the watch is open again long before it ends
                await rescan()
            except Exception as error:
                log.warning("rescan_failed", error=f"{type(error).__name__}: {error}")


def _log_blindness(blindness: Blindness) -> None:
    log.warning("watch_blind", error=blindness.error, hint=blindness.hint,
                looked_through_every_seconds=blindness.looked_through_every_seconds)  # fmt: skip


def _watch_hint(error: Exception) -> str:
    # watchfiles names the cause only in its message
    message = str(error).lower()
    if isinstance(error, OSError) and (error.errno == errno.ENOSPC or "inotify" in message or "no space" in message):
        return "sysctl fs.inotify.max_user_watches=1048576"
    if "os error 24" in message:
        return "sysctl fs.inotify.max_user_instances=1024"
    return "library.rescan_interval finds what is missed meanwhile"
