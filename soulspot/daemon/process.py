"""The daemon: one service, its timers, its HTTP address, and the signals it lives by."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import cast

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from soulspot.assembly import apply_config, new_scheduler, open_service
from soulspot.config import Config, load_config, reloadable_differences
from soulspot.daemon import systemd as notify
from soulspot.errors import ConfigError
from soulspot.library.watch import watch
from soulspot.operations.exports import FOLDER, Exports
from soulspot.operations.runner import Operations
from soulspot.pipeline import EnrichmentService
from soulspot.pipeline.status import is_alive
from soulspot.store.ownership import Ownership
from soulspot.telemetry import configure_logging
from soulspot.version import __version__
from soulspot.web.app import make_application
from soulspot.web.server import serve

log = structlog.get_logger()

DRAIN_SECONDS = 12.0
EXIT_AT_ONCE = 130
WATCH_AGAIN, WATCH_AGAIN_CAP = 10.0, 3600.0  # seconds
WRITE_TAGS = 30.0  # seconds between two looks for tags to write


class Daemon:
    """Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. A second SIGTERM exits at once."""

    def __init__(self, config: Config, config_path: Path | None) -> None:
        self.config = config
        self._started_with = config
        self._path = config_path
        self._stop = asyncio.Event()
        self._reload = asyncio.Event()
        self._is_ready = False

    async def run(self) -> None:
        """The whole life. Raises DatabaseOwned, DatabaseError, or OSError when the address cannot be bound."""
        self._listen_for_signals()  # before anything slow: a SIGTERM during the start must not be lost
        with Ownership(self.config.database.path) as ownership:
            async with AsyncExitStack() as stack:
                service = await stack.enter_async_context(
                    open_service(self.config, ownership=ownership, drain_seconds=DRAIN_SECONDS)
                )
                operations = Operations(service, exports=self._exports())
                stack.push_async_callback(operations.stop)
                resumed = await operations.resume()  # before anybody can ask for more: that is no remnant
                address = await stack.enter_async_context(self._serving(service, operations))
                ownership.announce(address)
                scheduler = self._schedule(service, operations)
                stack.callback(scheduler.shutdown, wait=False)
                await stack.enter_async_context(self._background(service, operations, resumed))
                self._is_ready = True
                notify.ready(f"listening on {address}")
                if sys.stderr.isatty():  # to a person, whatever the log is made for
                    print(f"soulspot: the page is at {address}/; Ctrl-C stops the daemon", file=sys.stderr)
                service.telemetry.event("daemon_ready", address=address, pid=os.getpid(), version=__version__)
                await self._stop.wait()
                self._is_ready = False
                notify.stopping()
        service.telemetry.event("daemon_stopped", pid=os.getpid())

    def _exports(self) -> Exports:
        export = self.config.export
        return Exports(
            export.directory or self.config.database.path.with_name(FOLDER),
            keep=export.keep,
            ddex=export.ddex,
        )

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)

    def _on_stop(self) -> None:
        if self._stop.is_set():
            os._exit(EXIT_AT_ONCE)
        self._stop.set()

    def _serving(
        self, service: EnrichmentService, operations: Operations
    ) -> AbstractAsyncContextManager[str]:
        http = self.config.http
        application = make_application(
            service, operations, ready=lambda: self._is_ready, version=__version__,
            token=http.token.reveal() if http.token else None, allowed_hosts=(http.host, *http.allowed_hosts),
        )  # fmt: skip
        return serve(application, http.host, http.port)

    def _schedule(self, service: EnrichmentService, operations: Operations) -> AsyncIOScheduler:
        scheduler = new_scheduler()
        if service.has_library:
            every = self.config.library.rescan_interval
            scheduler.add_job(operations.rescan, "interval", seconds=every, id="rescan")
        every = self.config.scheduler.retry_sweep
        scheduler.add_job(operations.watch_refresh, "interval", seconds=every, id="watch_refresh")
        every = self.config.scheduler.upkeep
        scheduler.add_job(operations.sweep_exports, "interval", seconds=every, id="sweep_exports")
        scheduler.add_job(operations.write_due_tags, "interval", seconds=WRITE_TAGS, id="write_tags")
        if beat := notify.watchdog_seconds():
            scheduler.add_job(self._beat, "interval", seconds=beat / 3, args=[service], id="watchdog")
        scheduler.start()
        return scheduler

    @staticmethod
    async def _beat(service: EnrichmentService) -> None:
        """Tell systemd that we live: only when the loop runs, the database answers and no pump has died."""
        if await is_alive(service):
            notify.notify("WATCHDOG=1")

    @asynccontextmanager
    async def _background(
        self, service: EnrichmentService, operations: Operations, resumed: Collection[str]
    ) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._reload_when_told(service), name="reload")]
        if service.has_library:
            if self.config.library.watch:  # before the scan, so that no change falls between the two
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
            lambda: cast(
                AsyncGenerator[set[bytes], None], watch(roots, stop=self._stop, on_unwatchable=_say_blind)
            ),
            lambda changed: service.scan(sorted(changed)),
            operations.scan,
            self._stop,
        )

    async def _reload_when_told(self, service: EnrichmentService) -> None:
        while True:
            await self._reload.wait()
            self._reload.clear()
            notify.reloading()
            try:
                self._take_over(service, load_config(self._path))
            except ConfigError as error:
                log.error("reload_failed", problems=error.problems, kept="the old configuration")
            except Exception as error:  # whatever it was, the next SIGHUP must find somebody who listens
                log.exception("reload_failed", problems=[str(error)], kept="parts of the old configuration")
            finally:
                notify.ready("configuration read again")

    def _take_over(self, service: EnrichmentService, new: Config) -> None:
        """Work by a new configuration. ConfigError when its log file cannot be opened; nothing has changed then."""
        applied, _ = reloadable_differences(self.config, new)
        _, needs_restart = reloadable_differences(
            self._started_with, new
        )  # also what an earlier reload has named
        try:
            configure_logging(new.log.format, new.log.level, new.log.file)
        except OSError as error:
            raise ConfigError([f"log.file: {error}"]) from error
        apply_config(service, new)
        self.config = new
        log.info("reloaded", applied=applied, needs_restart=needs_restart)


async def keep_watching(
    watching: Callable[[], AsyncGenerator[set[bytes], None]],
    scan: Callable[[set[bytes]], Awaitable[object]],
    rescan: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
) -> None:
    """Scan what changes until `stop`, whatever goes wrong: after a pause, look through everything and watch again.

    Pauses grow from `WATCH_AGAIN` seconds to an hour while it keeps failing: a library is not looked through
    every few seconds for want of a setting."""
    pause = WATCH_AGAIN
    while not stop.is_set():
        try:
            async with aclosing(watching()) as changes:
                async for changed in changes:
                    await scan(changed)
                    pause = WATCH_AGAIN
            return
        except Exception as error:
            log.warning("watch_failed", error=f"{type(error).__name__}: {error}", hint=_hint(error),
                        again_in_seconds=pause)  # fmt: skip
        await _wait(stop, pause)
        pause = min(pause * 2, WATCH_AGAIN_CAP)
        if not stop.is_set():
            try:
                await rescan()  # starts it: the watch is there before it has looked everywhere
            except Exception as error:
                log.warning("rescan_failed", error=f"{type(error).__name__}: {error}")


def _say_blind(why: str, seconds: float) -> None:
    log.warning("watch_blind", error=why, hint="rename it, then changes are seen at once again",
                looked_through_every_seconds=seconds)  # fmt: skip


def _hint(error: Exception) -> str:
    # watchfiles says it in words only
    if isinstance(error, OSError) and ("inotify" in str(error).lower() or error.errno == errno.ENOSPC
                                       or "no space" in str(error).lower()):  # fmt: skip
        return "sysctl fs.inotify.max_user_watches=1048576"
    return "library.rescan_interval finds what is missed meanwhile"


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def run_daemon(config: Config, config_path: Path | None) -> None:
    """Run in this process until stopped. Raises what `Daemon.run` raises."""
    asyncio.run(Daemon(config, config_path).run())
