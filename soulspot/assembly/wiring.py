"""Build the providers, the parts and the service of a configuration."""

import time
from dataclasses import replace
from typing import TypeVar

from soulspot.assembly import settings
from soulspot.config import Config
from soulspot.library.reader import FileReader
from soulspot.limits import Gates, LimitEvent, StatePort
from soulspot.models import CATALOGUE
from soulspot.pipeline import EnrichmentService, Parts
from soulspot.providers.base import Provider
from soulspot.providers.catalogue import CatalogueProvider
from soulspot.providers.listenbrainz import ListenBrainz
from soulspot.providers.musicbrainz import MusicBrainz
from soulspot.providers.spotify import Spotify, SpotifyApp
from soulspot.store.database import Database
from soulspot.store.provider_state import ProviderState
from soulspot.tagging.covers import CoverCache
from soulspot.tagging.writer import TagWriter
from soulspot.telemetry import Alarms, MemoryLimit, Telemetry
from soulspot.webhooks import Outbox

S = TypeVar("S", bound=EnrichmentService)


async def build_service(kind: type[S], config: Config, database: Database, outbox: Outbox) -> S:
    """Build a service of this class and let its gates remember their limits; nothing runs yet."""
    telemetry = Telemetry()
    state = ProviderState(database)

    def on_limit(event: LimitEvent) -> None:
        telemetry.on_limit(event)
        outbox.on_limit(event)

    def on_alarm(name: str, why: str | None) -> None:
        if telemetry.on_alarm(name, why):
            outbox.record("alarm.raised", alarm=name, why=why) if why else outbox.record("alarm.over", alarm=name)

    gates = Gates(state, on_request=telemetry.on_request, on_limit=on_limit)
    providers = build_providers(config, gates, state)
    for provider in providers:
        if isinstance(provider, Spotify):
            await provider.load_capability()
    covers = _covers(config, database, gates)
    library, reader = settings.library_rules(config), FileReader()
    parts = Parts(
        telemetry,
        gates,
        MemoryLimit(telemetry, settings.memory_limit(config), alarm=on_alarm),
        Alarms(telemetry, settings.alarm_thresholds(config), alarm=on_alarm),
        TagWriter(
            database, telemetry, settings.tag_rules(config), reader=reader, covers=covers,
            max_file_size=library.max_file_size, now=time.time,
        ),
        reader,
        covers,
    )  # fmt: skip
    service = kind(
        database,
        {provider: settings.pump_settings(config, provider.name) for provider in providers},
        parts,
        rules=settings.rules(config, providers),
        library=library,
    )
    await gates.restore()
    for provider in providers:
        if isinstance(provider, Spotify):
            provider.on_batches_withheld = lambda: _plan_without_batches(service)
    return service


def _plan_without_batches(service: EnrichmentService) -> None:
    rules = service.decider.rules
    service.decider.use_rules(replace(rules, services=replace(rules.services, spotify_batches=False)))


def build_providers(config: Config, gates: Gates, state: StatePort) -> list[Provider]:
    """Build the providers that are switched on; Spotify only where it has credentials."""
    mb, sp, lb = config.providers.musicbrainz, config.providers.spotify, config.providers.listenbrainz
    providers: list[Provider] = []
    if config.providers.catalogue.enabled:
        size = config.providers.catalogue.batch_size
        providers.append(CatalogueProvider(settings.catalogue_path(config), batch_size=size))
    if mb.enabled:
        providers.append(
            MusicBrainz(
                gates, base_url=mb.base_url, contact=mb.contact or "", rate=mb.rate, timeout=mb.timeout,
                batch_size=mb.batch_size,
            )
        )  # fmt: skip
    if lb.enabled:
        providers.append(
            ListenBrainz(
                gates, base_url=lb.base_url, labs_url=lb.labs_url, token=lb.token.reveal() if lb.token else None,
                rate=lb.rate, timeout=lb.timeout, batch_size=lb.batch_size,
            )
        )  # fmt: skip
    if sp.enabled and sp.client_id and sp.client_secret:
        providers.append(
            Spotify(
                gates, state,
                SpotifyApp(sp.base_url, sp.token_url, sp.client_id, sp.client_secret.reveal(), sp.market),
                rate=sp.rate, timeout=sp.timeout, batch_size=sp.batch_size, daily_budget=sp.daily_budget,
            )
        )  # fmt: skip
    return providers


def _covers(config: Config, database: Database, gates: Gates) -> CoverCache | None:
    section = config.export.covers
    if not section.enabled:
        return None
    folder = section.folder or database.path.with_name(database.path.name + "-covers")
    return CoverCache(
        database, gates, folder, sources=settings.cover_sources(config), cache_bytes=section.cache_mb * 1_000_000,
        missing_after=section.missing_after,
    )  # fmt: skip


def apply_config(service: EnrichmentService, config: Config) -> None:
    """Apply to a working service what can change while it works: rates, batch sizes, waits,
    matching, retry and tag settings, alarms and the memory limit."""
    for pump in service.pumps:
        if pump.name != CATALOGUE:
            section = settings.provider_settings(config, pump.name)
            pump.provider.retune(
                rate=section.rate, batch_size=section.batch_size, timeout=section.timeout,
                daily_budget=getattr(section, "daily_budget", None),
            )  # fmt: skip
        pump.retune(settings.pump_settings(config, pump.name))
    parts = service.parts
    parts.tagging.rules = settings.tag_rules(config)
    service.decider.use_rules(settings.rules(config, [pump.provider for pump in service.pumps]))
    parts.alarms.set_thresholds(settings.alarm_thresholds(config))
    parts.memory.limit = settings.memory_limit(config)
    parts.memory.check()
