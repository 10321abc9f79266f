"""The terms on which services answer: who is on, what a request of each can carry, by the configuration and by what the
database remembers of them. Nobody is asked."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from soulspot.config import Config
from soulspot.deciding import Rules
from soulspot.estimate.cost import Tariff, Terms
from soulspot.limits import MemoryPort, StatePort
from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, SPOTIFY
from soulspot.providers.listenbrainz import provider as listenbrainz
from soulspot.providers.musicbrainz import provider as musicbrainz
from soulspot.providers.spotify import provider as spotify
from soulspot.providers.spotify.capability import Capability

ONE_BY_ONE: Mapping[str, float] = {"track": 1, "tracklist": 1}
"""Without the batch routes; at best an album's tracks come by one search."""
AT_WORST: Mapping[str, float] = {"track": 0.8, "tracklist": 0.5}
"""Now and then a search for the album that leads nowhere before the track; an album of more than a page."""
MOST = {MUSICBRAINZ: musicbrainz.CAPACITY, LISTENBRAINZ: listenbrainz.CAPACITY, SPOTIFY: spotify.CAPACITY}


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is decided by and asked on which terms: two, where it is not known whether Spotify answers this app in
    batches (`spotify_unknown`); those without come last."""

    rules: Rules
    terms: tuple[Terms, ...]
    spotify_unknown: bool = False


class RememberedState(MemoryPort):
    """What a database remembers of the services; what is set is forgotten."""

    def __init__(self, connection: sqlite3.Connection | None) -> None:
        super().__init__()
        found = connection.execute("SELECT key, value FROM provider_state").fetchall() if connection else ()
        self.values.update((key, json.loads(value)) for key, value in found)


async def circumstances(
    config: Config, rules: Rules, capacities: Mapping[str, Mapping[str, int]], state: StatePort
) -> Circumstances:
    """Return what holds for a run with this configuration, decided by these `rules`.

    `capacities` has, by provider and kind of lookup, how many lookups a request carries; `state` what is remembered
    of the services."""
    batches: bool | None = True
    if SPOTIFY in capacities and config.providers.spotify.client_id:
        batches = await Capability(state, config.providers.spotify.client_id).are_batches_served()
    kinds = (True, False) if batches is None else (batches,)
    terms = tuple(_terms(config, rules, capacities, batches=one) for one in kinds)
    return Circumstances(rules, terms, spotify_unknown=batches is None)


def _terms(config: Config, decided: Rules, usual: Mapping[str, Mapping[str, int]], *, batches: bool) -> Terms:
    found: dict[str, dict[str, Tariff]] = {"best": {}, "usual": {}, "worst": {}}
    for name, capacity in usual.items():
        settings: Any = getattr(config.providers, name)
        alone = name == SPOTIFY and not batches
        by_quality: dict[str, Mapping[str, float]] = {
            "best": {kind: min(most, settings.batch_size) for kind, most in MOST[name].items()},
            "usual": {**capacity, **(ONE_BY_ONE if alone else {})},
            "worst": {**capacity, **(AT_WORST if alone else {})},
        }
        for quality, carried in by_quality.items():
            found[quality][name] = Tariff(carried, settings.rate, getattr(settings, "daily_budget", None))
    return Terms(replace(decided.services, spotify_batches=batches), **found)
