"""Answers given by hand to a service's queue: tracks come to review without pump and server."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from soulspot.models import (
    MUSICBRAINZ,
    Entity,
    Lookup,
    LookupState,
    PersonDecision,
    Settlement,
    TrackTags,
    Verdict,
)
from soulspot.pipeline.service import EnrichmentService
from soulspot.providers.listenbrainz import provider as listenbrainz
from soulspot.providers.musicbrainz import provider as musicbrainz
from soulspot.providers.spotify import provider as spotify
from soulspot.store import queue, tracks
from soulspot.store.times import iso
from tests.support.factories import DAY, add_tracks

KINDS = {kind for one in (musicbrainz, listenbrainz, spotify) for kind in one.CAPACITY}


async def bring_in(service: EnrichmentService, *known: TrackTags) -> list[int]:
    """Import tracks without files, decide each once, and return their ids."""
    made = await service.database.write(lambda c: add_tracks(c, *known))
    await service.decide_new()
    return made


async def answer_all(service: EnrichmentService, replies: Mapping[tuple[str, str], Sequence[Entity]]) -> list[Lookup]:
    """Answer lookups until none is queued, and return all of them.

    `replies` has the entities found by provider and kind; every other lookup is answered as
    missing."""
    asked: list[Lookup] = []
    while lookups := await service.database.write(lambda c: _claimed(c, service.now())):
        asked += lookups
        await service.settle([_settled(one, replies, service.now()) for one in lookups])
    return asked


async def decide_by_person(service: EnrichmentService, track_id: int, recording_id: str, verdict: Verdict) -> None:
    """Record what a person says of a MusicBrainz recording, and decide the track anew."""
    decision = PersonDecision(MUSICBRAINZ, recording_id, verdict, "a person", iso(service.now()))
    await service.decider.change(lambda c: tracks.save_decision(c, track_id, decision), track_id)


def _claimed(connection: sqlite3.Connection, now: float) -> list[Lookup]:
    found: list[Lookup] = []
    for provider in ("musicbrainz", "listenbrainz", "spotify"):
        while claim := queue.claim(connection, provider, dict.fromkeys(KINDS, 100), now).lookups:
            found += claim
    return found


def _settled(lookup: Lookup, replies: Mapping[tuple[str, str], Sequence[Entity]], now: float) -> Settlement:
    entities = tuple(replies.get((lookup.query.provider, lookup.query.kind), ()))
    state = LookupState.DONE if entities else LookupState.MISSING
    return Settlement(lookup, state, now + 90 * DAY, entities)
