"""The periodic care of the database: delete what has served its time, fold the log back."""

import contextlib
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass

from soulspot.config import Config
from soulspot.pipeline import EnrichmentService
from soulspot.store import events, retention
from soulspot.store.database import Database
from soulspot.store.queue import KNOWN_FOR

EVENTS_KEPT = 30 * 86_400.0  # seconds


@dataclass(slots=True)
class Pruned:
    """The numbers of rows that were deleted."""

    operations: int = 0
    tracks: int = 0
    lookups: int = 0
    facts: int = 0


async def upkeep(service: EnrichmentService, config: Config) -> None:
    """Prune the database by [retention], and fold its log back; the scheduler calls this."""
    database, now, keep = service.database, service.now(), config.retention
    await database.write(lambda c: events.prune(c, now - EVENTS_KEPT))
    await service.parts.tagging.prune()
    pruned = Pruned()
    if keep.operations:
        pruned.operations = await _in_pieces(database, lambda c: retention.prune_operations(c, now - keep.operations))
    if keep.vanished:
        pruned.tracks = await _in_pieces(database, lambda c: retention.prune_vanished(c, now - keep.vanished))
        await database.write(retention.prune_album_finds)
    if keep.answers:
        # A lookup may be satisfied by facts of that age without being sent.
        before = now - max(keep.answers, KNOWN_FOR)
        pruned.lookups = await _prune_lookups(database, before)
        pruned.facts = await _prune_facts(database, before)
    service.telemetry.event(
        "pruned", operations=pruned.operations, tracks=pruned.tracks, lookups=pruned.lookups, facts=pruned.facts
    )
    with contextlib.suppress(Exception):
        await database.run_upkeep()


async def _in_pieces(database: Database, prune: Callable[..., int]) -> int:
    total = piece = await database.write(prune)
    while piece == retention.PIECE:
        piece = await database.write(prune)
        total += piece
    return total


async def _prune_lookups(database: Database, before: float) -> int:
    total, after = 0, 0
    while True:
        count, following = await database.write(lambda c: retention.prune_lookups(c, before, after))  # noqa: B023
        total += count
        if following is None:
            return total
        after = following


async def _prune_facts(database: Database, before: float) -> int:
    # Eight bytes an entity: there may be millions. Where two of them have one hash, both stay.
    used, after = array("q"), 0
    while True:
        found, following = await database.read(lambda c: retention.entities_in_answers(c, after))  # noqa: B023
        used.extend(map(hash, found))
        if following is None:
            break
        after = following
    used.extend(map(hash, await database.read(lambda c: list(retention.entities_on_tracks(c)))))
    used = array("q", sorted(used))

    def is_used(entity: tuple[str, str]) -> bool:
        place = bisect_left(used, hash(entity))
        return place < len(used) and used[place] == hash(entity)

    total, key = 0, ("", "", "")
    while True:
        count, next_key = await database.write(lambda c: retention.prune_facts(c, before, key, is_used))  # noqa: B023
        total += count
        if next_key is None:
            return total
        key = next_key
