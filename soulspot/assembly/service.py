"""Open a working service from a configuration, for the daemon, the commands and Python programs."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from soulspot.assembly.timers import service_timers
from soulspot.assembly.webhook_delivery import delivering
from soulspot.assembly.wiring import build_service
from soulspot.config import Config, load_config, require_means
from soulspot.errors import DatabaseError
from soulspot.models import EnrichedTrack
from soulspot.pipeline import service
from soulspot.pipeline.items import enrich_files
from soulspot.pipeline.shutdown import drain
from soulspot.store import operations, queue
from soulspot.store.database import Database
from soulspot.store.file_systems import network_file_system
from soulspot.store.ownership import Ownership
from soulspot.webhooks import Outbox

DRAIN_SECONDS = 10.0  # that requests in flight get to finish at shutdown


class EnrichmentService(service.EnrichmentService):
    """The whole job over one database, opened from a configuration:
    `soulspot.EnrichmentService`."""

    @staticmethod
    @asynccontextmanager
    async def open(config: Config | Path | str | None = None) -> AsyncIterator[EnrichmentService]:
        """Open the service of this configuration and let it work until the end of the `async with`.

        `config` is a configuration, the path of one, or None for the one found. Raises ConfigError,
        or DatabaseOwned while a daemon works on the same database."""
        async with open_service(config) as opened:
            yield opened

    async def enrich_files_batch(
        self, paths: Iterable[str | bytes | os.PathLike[Any]], batch_size: int = 10, *, wait: float = 60.0
    ) -> dict[Any, EnrichedTrack | Exception]:
        """Enrich these files. Return one entry a path as it was given: the row, or an exception
        where a file failed. Raises ValueError when batch_size < 1.

        Files are read `batch_size` at a time; their lookups share requests across batches. A track
        whose answers are postponed for longer than `wait` seconds comes back as it stands,
        `pending`."""
        return await enrich_files(self, paths, batch_size, wait)


@asynccontextmanager
async def open_service(
    config: Config | Path | str | None = None,
    *,
    ownership: Ownership | None = None,
    drain_seconds: float = DRAIN_SECONDS,
    work: bool = True,
) -> AsyncIterator[EnrichmentService]:
    """Open a service: database owned and migrated, limits remembered, pumps and timers running.

    `config` is a configuration, the path of one, or None for the one found. Without `work` the
    service only queues: no provider is asked. Raises ConfigError, DatabaseOwned and other
    DatabaseErrors."""
    if not isinstance(config, Config):
        config = load_config(Path(config) if config is not None else None)
    require_means(config)
    owned = ownership or Ownership(config.database.path)
    try:
        database = await asyncio.to_thread(Database, config.database.path)
        try:
            if not owned.holds_current_file():
                raise DatabaseError(f"{database.path}: another file took its place while it was opened; try again")
            await database.write(_end_earlier_process)
            outbox = Outbox(database)
            service = await build_service(EnrichmentService, config, database, outbox)
            if database.commits_lost:
                service.telemetry.warning("commits_lost", database=str(database.path), commits=database.commits_lost)
            if kind := network_file_system(config.database.path):
                service.telemetry.warning("network_file_system", database=str(database.path), kind=kind)
            scheduler = service_timers(service, config)
            if work:
                scheduler.start()
                service.parts.memory.check()
                service.start()
            async with delivering(config, database, service.telemetry, outbox, is_on=work):
                try:
                    yield service
                finally:
                    # whatever still waits for a file ends without it
                    await asyncio.to_thread(service.parts.reader.close)
                    # before the scheduler, whose end would cut off a flush that it runs
                    await drain(service, drain_seconds)
                    if work:
                        scheduler.shutdown(wait=False)
        finally:
            await asyncio.to_thread(database.close)
    finally:
        if ownership is None:
            owned.release()


def _end_earlier_process(connection: sqlite3.Connection) -> None:
    # a process that was killed leaves leased lookups and operations that look as if they still ran
    queue.release_leases(connection)
    operations.mark_interrupted(connection, time.time())
