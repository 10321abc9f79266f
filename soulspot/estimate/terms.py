"""The terms on which services answer, read from the configuration and the database."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from soulspot.config import Config
from soulspot.deciding import Rules
from soulspot.estimate.cost import Tariff, Terms
from soulspot.limits import MemoryPort, StatePort
from soulspot.models import CATALOGUE, LISTENBRAINZ, MUSICBRAINZ, SPOTIFY
from soulspot.providers.listenbrainz import provider as listenbrainz
from soulspot.providers.musicbrainz import provider as musicbrainz
from soulspot.providers.spotify import provider as spotify
from soulspot.providers.spotify.capability import Capability

_ALONE: Mapping[str, float] = {"track": 1, "tracklist": 1}
"""Capacities of Spotify without its batch routes."""
_ALONE_AT_WORST: Mapping[str, float] = {"track": 0.8, "tracklist": 0.5}
"""The same at worst: a vain search for the album before the track, and an album of two pages."""
MOST = {MUSICBRAINZ: musicbrainz.CAPACITY, LISTENBRAINZ: listenbrainz.CAPACITY, SPOTIFY: spotify.CAPACITY}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The rules of a run, and the terms that may hold for it."""

    rules: Rules
    terms: tuple[Terms, ...]  # two while `spotify_unknown`, those without batches last
    spotify_unknown: bool = False  # whether Spotify answers this app in batches


class RememberedState(MemoryPort):
    """The state of the services in a database. Changes stay in memory and are lost."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        super().__init__()
        found = connection.execute("SELECT key, value FROM provider_state").fetchall() if connection else ()
        self.values.update((key, json.loads(value)) for key, value in found)


async def circumstances(
    config: Config, rules: Rules, capacities: Mapping[str, Mapping[str, int]], state: StatePort
) -> Circumstances:
    """Return the circumstances of a run with this configuration and these `rules`.

    `capacities` are the lookups a request carries, {provider: {kind: number}}; `state` is the
    remembered state of the services."""
    # None until a request has shown it: most apps of single persons get no batches from Spotify.
    batches: bool | None = True
    if SPOTIFY in capacities and config.providers.spotify.client_id:
        batches = await Capability(state, config.providers.spotify.client_id).are_batches_served()
    kinds = (True, False) if batches is None else (batches,)
    terms = tuple(_terms(config, rules, capacities, batches=one) for one in kinds)
    return Circumstances(rules, terms, spotify_unknown=batches is None)


def _terms(config: Config, decided: Rules, usual: Mapping[str, Mapping[str, int]], *, batches: bool) -> Terms:
    found: dict[str, dict[str, Tariff]] = {"best": {}, "usual": {}, "worst": {}}
    for name, capacity in usual.items():
        if name == CATALOGUE:
            continue  # a file on this machine: nothing is spent
        settings: Any = getattr(config.providers, name)
        alone = name == SPOTIFY and not batches
        # At best a batch is full, and an album's tracks come by one search even without batch
        # routes.
        by_quality: dict[str, Mapping[str, float]] = {
            "best": {kind: min(most, settings.batch_size) for kind, most in MOST[name].items()},
            "usual": {**capacity, **(_ALONE if alone else {})},
            "worst": {**capacity, **(_ALONE_AT_WORST if alone else {})},
        }
        for quality, carried in by_quality.items():
            found[quality][name] = Tariff(carried, settings.rate, getattr(settings, "daily_budget", None))
    return Terms(replace(decided.services, spotify_batches=batches), **found)
