"""A configuration made into the plain values that the packages take."""

import os
from collections.abc import Iterable

from soulspot.config import Config
from soulspot.config.sections import ListenBrainz, MusicBrainz, Spotify
from soulspot.deciding import Rules, Services
from soulspot.matching import MatchPolicy
from soulspot.pipeline import LibraryRules, LossLimits, PumpSettings, RetryPolicy
from soulspot.providers import spotify
from soulspot.providers.base import Provider
from soulspot.tagging.covers import CoverSources
from soulspot.tagging.file_copies import FilePolicy
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.rules import TagRules
from soulspot.telemetry import Thresholds


def provider_settings(config: Config, name: str) -> MusicBrainz | ListenBrainz | Spotify:
    """Return the [providers.*] section of a provider, by its name."""
    sections: dict[str, MusicBrainz | ListenBrainz | Spotify] = {
        "musicbrainz": config.providers.musicbrainz,
        "listenbrainz": config.providers.listenbrainz,
        "spotify": config.providers.spotify,
    }
    return sections[name]


def pump_settings(config: Config, name: str) -> PumpSettings:
    """Return how the pump of a provider gathers and repeats lookups."""
    section, retry, refresh = provider_settings(config, name), config.retry, config.refresh
    policy = RetryPolicy(retry.attempts, retry.base, retry.cap, refresh.after, refresh.missing_after)
    return PumpSettings(section.batch_size, section.max_wait_time, policy)


def rules(config: Config, providers: Iterable[Provider]) -> Rules:
    """Return the rules that tracks are decided by, with these providers to ask."""
    providers = list(providers)
    names = {provider.name for provider in providers}
    has_batches = not any(isinstance(one, spotify.Spotify) and one.are_batches_withheld for one in providers)
    matching = config.matching
    return Rules(
        Services("musicbrainz" in names, "listenbrainz" in names, "spotify" in names, has_batches),
        MatchPolicy(matching.accept, matching.review, matching.margin),
        config.merge.orders_by_field(),
    )


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
