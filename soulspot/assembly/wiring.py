"""The one place where a service is built out of a configuration, for the daemon, the command line and Python alike."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from soulspot.config import Config, load_config
from soulspot.config import model as config_model
from soulspot.deciding import Rules, Services
from soulspot.limits import Gates, LimitEvent, StatePort
from soulspot.matching import MatchPolicy
from soulspot.pipeline import Batching, EnrichmentService, LibraryRules, Patience
from soulspot.providers.base import Provider
from soulspot.providers.listenbrainz.provider import ListenBrainz
from soulspot.providers.musicbrainz.provider import MusicBrainz
from soulspot.providers.spotify.provider import Spotify
from soulspot.store import operations, queue
from soulspot.store.database import Database
from soulspot.store.ownership import Ownership
from soulspot.store.state import ProviderState
from soulspot.tagging.covers import CoverCache, CoverSources
from soulspot.tagging.file_copies import FilePolicy
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.rules import TagRules
from soulspot.telemetry import Alarms, Memory, Telemetry, Thresholds
from soulspot.version import __version__
from soulspot.webhooks import Outbox, Poster, Webhooks, signing_key

DRAIN_SECONDS = 10.0
LOOK_AT_MEMORY, LOOK_AT_WORK = 5.0, 10.0  # seconds
LAST_WORDS = 1.5  # seconds that the end waits for webhooks
EVENTS_KEPT = 30 * 86_400.0  # seconds

S = TypeVar("S", bound=EnrichmentService)


@asynccontextmanager
async def opened(
    config: Config | Path | str | None = None,
    *,
    kind: type[S],
    ownership: Ownership | None = None,
    drain: float = DRAIN_SECONDS,
    work: bool = True,
) -> AsyncIterator[S]:
    """A working service: the database owned and migrated, what was remembered restored, pumps and timers running.

    Without `work` it only queues: no provider is asked. At the end it drains for at most `drain` seconds.
    Raises ConfigError, DatabaseOwned and other DatabaseErrors."""
    if not isinstance(config, Config):
        config = load_config(Path(config) if config is not None else None)
    owned = ownership or Ownership(config.database.path)
    try:
        database = await asyncio.to_thread(Database, config.database.path)
        try:
            await database.write(_take_over)
            outbox = Outbox(database)
            service = await _build(config, database, kind, outbox)
            scheduler = timers(service, config)
            if work:
                scheduler.start()
                service.memory.look()
                service.start()
            async with telling(config, database, service.telemetry, outbox, work=work):
                try:
                    yield service
                finally:
                    await service.drain(
                        drain
                    )  # before the scheduler: its end would cut off a flush that it runs
                    if work:
                        scheduler.shutdown(wait=False)
        finally:
            await asyncio.to_thread(database.close)
    finally:
        if ownership is None:
            owned.release()


@asynccontextmanager
async def telling(
    config: Config, database: Database, telemetry: Telemetry, outbox: Outbox, *, work: bool
) -> AsyncIterator[None]:
    """Webhooks, if there are any, while this lasts; at its end what has just happened is told too, if that is quick."""
    hooks = _webhooks(config, database, telemetry) if work and config.webhooks.url else None
    running: asyncio.Task[None] | None = None
    if hooks:
        await hooks.start()
        running = asyncio.create_task(hooks.run(), name="webhooks")
    try:
        yield
    finally:
        if running:
            running.cancel()  # what is cut off here is sent again under the same id
            await asyncio.gather(running, return_exceptions=True)
        await outbox.close()
        if hooks:
            await hooks.finish(LAST_WORDS)


def _webhooks(config: Config, database: Database, telemetry: Telemetry) -> Webhooks:
    url, key = webhook_receiver(config)
    hooks = config.webhooks
    return Webhooks(
        database, telemetry, webhook_poster(config), url=url, key=key, types=hooks.events, rate=hooks.rate,
        give_up_after=hooks.give_up_after,
    )  # fmt: skip


def webhook_receiver(config: Config) -> tuple[str, bytes]:
    """Who is told (webhooks.url), and the key that it is signed with. The configuration has been checked for both."""
    hooks = config.webhooks
    assert hooks.url is not None
    assert hooks.secret is not None
    return hooks.url, signing_key(hooks.secret.reveal())


def webhook_poster(config: Config) -> Poster:
    """How it is told."""
    url, _ = webhook_receiver(config)
    return Poster(
        url, allow_private=config.webhooks.allow_private, timeout=config.webhooks.timeout,
        agent=f"SoulSpot/{__version__}",
    )  # fmt: skip


def _take_over(connection: sqlite3.Connection) -> None:
    """What an earlier process left: its leases go back into the queue, its operations have ended."""
    queue.release(connection)
    operations.interrupt(connection, time.time())


async def _build(config: Config, database: Database, kind: type[S], outbox: Outbox) -> S:
    telemetry = Telemetry()
    port = ProviderState(database)

    def on_limit(event: LimitEvent) -> None:
        telemetry.on_limit(event)
        outbox.on_limit(event)

    gates = Gates(port, on_request=telemetry.on_request, on_limit=on_limit)
    built = providers(config, gates, port)
    for provider in built:
        if isinstance(provider, Spotify):
            await provider.recall()

    def alarm(name: str, why: str | None) -> None:
        if telemetry.on_alarm(name, why):
            outbox.record("alarm.raised", alarm=name, why=why) if why else outbox.record(
                "alarm.over", alarm=name
            )

    memory = Memory(telemetry, memory_limit(config), alarm=alarm)
    judge = Alarms(telemetry, thresholds(config), alarm=alarm)
    service = kind(
        database, gates, built, telemetry, memory=memory, alarms=judge,
        rules=rules(config, built), patience=patience(config), library=library_rules(config),
        tags=tag_rules(config), covers=covers(config, database, gates),
    )  # fmt: skip
    await gates.restore()
    for provider in built:
        if isinstance(provider, Spotify):
            provider.on_learned = lambda: _plan_without_batches(service)
    return service


def memory_limit(config: Config) -> int:
    """In bytes; 0 for none."""
    return config.limits.memory_mb * 1_000_000


def thresholds(config: Config) -> Thresholds:
    """When an alarm is raised."""
    alarms = config.alarms
    return Thresholds(alarms.window, alarms.failure_rate, alarms.low_rate, alarms.stall_after)


def _plan_without_batches(service: EnrichmentService) -> None:
    services = replace(service.rules.services, spotify_batches=False)
    service.take_over(replace(service.rules, services=services))


def providers(config: Config, gates: Gates, port: StatePort) -> dict[Provider, Batching]:
    """The providers that are on, each with how its lookups are gathered."""
    found: dict[Provider, Batching] = {}
    mb, sp, lb = config.providers.musicbrainz, config.providers.spotify, config.providers.listenbrainz
    if mb.enabled:
        found[
            MusicBrainz(
                gates, base_url=mb.base_url, contact=mb.contact or "", rate=mb.rate, timeout=mb.timeout,
                batch_size=mb.batch_size,
            )
        ] = Batching(mb.batch_size, mb.max_wait_time)  # fmt: skip
    if lb.enabled:
        found[
            ListenBrainz(
                gates, base_url=lb.base_url, labs_url=lb.labs_url, token=lb.token.reveal() if lb.token else None,
                rate=lb.rate, timeout=lb.timeout, batch_size=lb.batch_size,
            )
        ] = Batching(lb.batch_size, lb.max_wait_time)  # fmt: skip
    if sp.enabled and sp.client_id and sp.client_secret:
        found[
            Spotify(
                gates, port, base_url=sp.base_url, token_url=sp.token_url, client_id=sp.client_id,
                client_secret=sp.client_secret.reveal(), rate=sp.rate, timeout=sp.timeout, batch_size=sp.batch_size,
                daily_budget=sp.daily_budget, market=sp.market,
            )
        ] = Batching(sp.batch_size, sp.max_wait_time)  # fmt: skip
    return found


def rules(config: Config, built: Iterable[Provider]) -> Rules:
    """What outcomes are decided by."""
    built = list(built)
    names = {provider.name for provider in built}
    batches = not any(isinstance(provider, Spotify) and provider.withheld for provider in built)
    matching = config.matching
    return Rules(
        Services("musicbrainz" in names, "listenbrainz" in names, "spotify" in names, batches),
        MatchPolicy(matching.accept, matching.review, matching.margin),
        config.merge.orders(),
    )


def patience(config: Config) -> Patience:
    """When lookups are asked again."""
    retry, refresh = config.retry, config.refresh
    return Patience(retry.attempts, retry.base, retry.cap, refresh.after, refresh.missing_after)


def library_rules(config: Config) -> LibraryRules:
    """Which files are the library."""
    library = config.library
    return LibraryRules(
        tuple(os.fsencode(path) for path in library.paths), library.include, library.exclude,
        library.follow_symlinks, config.limits.max_file_size,
    )  # fmt: skip


def covers(config: Config, database: Database, gates: Gates) -> CoverCache | None:
    """Where front covers come from, if any are to be fetched."""
    how = config.export.covers
    if not how.enabled:
        return None
    folder = how.folder or database.path.with_name(database.path.name + "-covers")
    return CoverCache(
        database, gates, folder, sources=cover_places(config), cache_bytes=how.cache_mb * 1_000_000,
        rate=how.rate, timeout=how.timeout, missing_after=how.missing_after,
    )  # fmt: skip


def cover_places(config: Config) -> CoverSources:
    """Where front covers lie."""
    how = config.export.covers
    return CoverSources(how.size, how.base_url, how.spotify_url)


def tag_rules(config: Config) -> TagRules:
    """How tags are written."""
    how = config.write_tags
    return TagRules(
        how.enabled, how.fields or FIELDS, how.policy, how.embed_covers, how.quiet, how.keep_undo,
        FilePolicy(how.mtime, how.keep_owner, how.hard_links),
    )  # fmt: skip


def scheduler_with_defaults() -> AsyncIOScheduler:
    """A scheduler whose late jobs run once, however late: a clock that jumped skips nothing."""
    return AsyncIOScheduler(job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1})


def timers(service: EnrichmentService, config: Config) -> AsyncIOScheduler:
    """The timers that every working service needs, in the daemon and in a single run."""
    scheduler = scheduler_with_defaults()
    scheduler.add_job(
        service.flush_if_needed, "interval", seconds=config.scheduler.flush_interval, id="flush_if_needed"
    )
    scheduler.add_job(service.sweep, "interval", seconds=config.scheduler.retry_sweep, id="sweep")
    scheduler.add_job(service.summarise, "interval", seconds=config.scheduler.summary, id="summary")
    scheduler.add_job(_look_at_memory, "interval", seconds=LOOK_AT_MEMORY, args=[service], id="memory")
    scheduler.add_job(_look, "interval", seconds=LOOK_AT_WORK, args=[service], id="alarms")
    scheduler.add_job(_upkeep, "interval", seconds=config.scheduler.upkeep, args=[service], id="upkeep")
    return scheduler


async def _look_at_memory(service: EnrichmentService) -> None:
    service.memory.look()  # in the loop: what it wakes belongs there


async def _look(service: EnrichmentService) -> None:
    service.alarms.look(busy=await service.has_work())


async def _upkeep(service: EnrichmentService) -> None:
    await service.database.write(lambda c: operations.prune(c, time.time() - EVENTS_KEPT))
    await service.tagging.prune()
    with contextlib.suppress(Exception):
        await service.database.keep_up()


def retune(service: EnrichmentService, config: Config) -> None:
    """Take over what can change while we work: rates, batch sizes, waits, matching and retry settings, alarms, memory."""
    settings: dict[str, config_model.MusicBrainz | config_model.ListenBrainz | config_model.Spotify] = {
        "musicbrainz": config.providers.musicbrainz,
        "listenbrainz": config.providers.listenbrainz,
        "spotify": config.providers.spotify,
    }
    for pump in service.pumps:
        mine = settings[pump.name]
        pump.provider.retune(
            rate=mine.rate, batch_size=mine.batch_size, timeout=mine.timeout,
            daily_budget=getattr(mine, "daily_budget", None),
        )  # fmt: skip
        pump.retune(batch_size=mine.batch_size, max_wait_time=mine.max_wait_time, patience=patience(config))
    service.tagging.rules = tag_rules(config)
    service.take_over(rules(config, [pump.provider for pump in service.pumps]))
    service.alarms.take_over(thresholds(config))
    service.memory.limit = memory_limit(config)
    service.memory.look()
