"""A configuration made into the plain values that the packages take."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from soulspot.config import Config
from soulspot.config.sections import ListenBrainz, MusicBrainz, Spotify
from soulspot.deciding import OfflineSource, Rules, Services
from soulspot.matching import MatchPolicy
from soulspot.models import CATALOGUE
from soulspot.pipeline import LibraryRules, LossLimits, PumpSettings, RetryPolicy
from soulspot.providers import spotify
from soulspot.providers.base import Provider
from soulspot.providers.catalogue import CatalogueProvider
from soulspot.tagging.covers import CoverSources
from soulspot.tagging.file_copies import FilePolicy
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.rules import TagRules
from soulspot.telemetry import Thresholds


def provider_settings(config: Config, name: str) -> MusicBrainz | ListenBrainz | Spotify:
    """Return the [providers.*] section of a service, by its name."""
    sections: dict[str, MusicBrainz | ListenBrainz | Spotify] = {
        "musicbrainz": config.providers.musicbrainz,
        "listenbrainz": config.providers.listenbrainz,
        "spotify": config.providers.spotify,
    }
    return sections[name]


def pump_settings(config: Config, name: str) -> PumpSettings:
    """Return how the pump of a provider gathers and repeats lookups."""
    retry, refresh = config.retry, config.refresh
    policy = RetryPolicy(retry.attempts, retry.base, retry.cap, refresh.after, refresh.missing_after)
    if name == CATALOGUE:
        return PumpSettings(config.providers.catalogue.batch_size, 0.0, policy)  # nothing is saved by waiting
    section = provider_settings(config, name)
    return PumpSettings(section.batch_size, section.max_wait_time, policy)


def catalogue_path(config: Config) -> Path:
    """Return the file of the catalogue, which need not exist."""
    return config.providers.catalogue.path or config.database.path.with_name("catalogue.db")


def rules(config: Config, providers: Iterable[Provider]) -> Rules:
    """Return the rules that tracks are decided by, with these providers to ask now."""
    providers = list(providers)
    names = {provider.name for provider in providers}
    has_batches = not any(isinstance(one, spotify.Spotify) and one.are_batches_withheld for one in providers)
    matching = config.matching
    return Rules(
        Services(
            "musicbrainz" in names, "listenbrainz" in names, "spotify" in names, has_batches,
            offline_source(config, providers),
        ),
        MatchPolicy(matching.accept, matching.review, matching.margin),
        config.merge.orders_by_field(),
        tuple(os.fsencode(path) for path in config.library.paths),
    )  # fmt: skip


def offline_source(config: Config, providers: Iterable[Provider]) -> OfflineSource | None:
    """Return the catalogue among these providers, as plans see it now; None without one."""
    about = next((one.describe() for one in providers if isinstance(one, CatalogueProvider)), None)
    if about is None:
        return None
    section = config.providers.catalogue
    is_fresh = about.age(time.time()) < section.fresh_for
    return OfflineSource(about.names_only, is_fresh, section.online, about.built_at)


def library_rules(config: Config) -> LibraryRules:
    """Return which files are the library."""
    library = config.library
    return LibraryRules(
        tuple(os.fsencode(path) for path in library.paths), library.include, library.exclude,
        library.follow_symlinks, config.limits.max_file_size,
        LossLimits(library.vanished_share, library.vanished_tracks),
    )  # fmt: skip


def tag_rules(config: Config) -> TagRules:
    """Return how tags are written."""
    section = config.write_tags
    return TagRules(
        section.enabled, section.fields or FIELDS, section.policy, section.embed_covers, section.quiet,
        section.keep_undo, FilePolicy(section.mtime, section.keep_owner, section.hard_links),
    )  # fmt: skip


def cover_sources(config: Config) -> CoverSources:
    """Return where front covers are fetched from, and how large."""
    section = config.export.covers
    return CoverSources(section.size, section.base_url, section.spotify_url, section.rate, section.timeout)


def memory_limit(config: Config) -> int:
    """Return the most memory to use, in bytes; 0 for no limit."""
    return config.limits.memory_mb * 1_000_000


def alarm_thresholds(config: Config) -> Thresholds:
    """Return when alarms are raised."""
    section = config.alarms
    return Thresholds(section.window, section.failure_rate, section.low_rate, section.stall_after)
