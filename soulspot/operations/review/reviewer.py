"""What a person does in review: accept, reject, take back, search. Each is a transaction that decides the track anew."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from soulspot.deciding import BY_HAND
from soulspot.models import MUSICBRAINZ, SPOTIFY, LookupState, PersonDecision, Query, Verdict
from soulspot.operations.review import cases
from soulspot.store import queue, tracks
from soulspot.store import review as rows
from soulspot.store.times import iso

if TYPE_CHECKING:
    from soulspot.pipeline import EnrichmentService

EntityKey = tuple[str, str]
"""(provider, id) of a MusicBrainz recording or a Spotify track."""


class UnknownTrack(LookupError):
    """There is no track of this number."""


class Reviewer:
    """What persons may do with the tracks of a service. `by` names who does it.

    Every method raises UnknownTrack when there is no such track."""

    def __init__(self, service: EnrichmentService, *, by: str, now: Callable[[], float] = time.time) -> None:
        self._service = service
        self._by = by
        self._now = now

    async def accept(self, track_id: int, named: EntityKey, reason: str | None = None) -> dict[str, Any]:
        """The track is this recording or Spotify track, whatever the scores say. Returns the case as it is then."""
        return await self._say(track_id, [named], Verdict.ACCEPTED, reason)

    async def reject(
        self, track_id: int, named: Iterable[EntityKey], reason: str | None = None
    ) -> dict[str, Any]:
        """The track is none of these; they are not proposed again."""
        return await self._say(track_id, list(named), Verdict.REJECTED, reason)

    async def undo(self, track_id: int, provider: str | None = None) -> dict[str, Any]:
        """Forget what persons said of the track. The case says under "taken_back" how many decisions that were."""

        def forget(connection: sqlite3.Connection) -> int:
            _refuse_absent(connection, track_id)
            return rows.withdraw_decisions(connection, track_id, provider)

        taken_back = await self._service.decider.change(forget, track_id)
        return {**await self.case(track_id), "taken_back": taken_back}

    async def search(self, track_id: int, words: str, provider: str | None = None) -> int:
        """Search for the track by these words ("artist - title", or any words). Returns the lookup's id.

        What is found are candidates of the track from then on. ValueError when the provider is off, or without words."""
        query = query_by_hand(words, provider or self.searchable()[0])
        if query.provider not in self.searchable():
            raise ValueError(f"{query.provider} is off")

        def ask(connection: sqlite3.Connection) -> int:
            _refuse_absent(connection, track_id)
            queue.enqueue(connection, {track_id: [query]}, self._now())
            lookup_id = rows.find_lookup(connection, query)
            assert lookup_id is not None
            rows.requeue_lookup(connection, lookup_id, self._now())
            return lookup_id

        return await self._service.decider.change(ask, track_id)

    def searchable(self) -> list[str]:
        """The services that can be searched by hand. ValueError when none is on."""
        on = [pump.name for pump in self._service.pumps if pump.name in cases.PROVIDERS]
        if not on:
            raise ValueError("neither musicbrainz nor spotify is on")
        return sorted(on)

    async def case(self, track_id: int) -> dict[str, Any]:
        """The track as it stands, as `review.case` has it."""
        found = await self._service.database.read(lambda c: cases.load_case(c, track_id))
        if found is None:
            raise UnknownTrack(_absent(track_id))
        return found

    async def _say(
        self, track_id: int, named: Sequence[EntityKey], verdict: Verdict, reason: str | None
    ) -> dict[str, Any]:
        at = iso(self._now())

        def record(connection: sqlite3.Connection) -> None:
            _refuse_absent(connection, track_id)
            for provider, entity_id in named:
                if verdict is Verdict.ACCEPTED:
                    rows.withdraw_accepted(connection, track_id, provider)
                said = PersonDecision(provider, entity_id, verdict, self._by, at, reason)
                tracks.save_decision(connection, track_id, said)

        await self._service.decider.change(record, track_id)
        return await self.case(track_id)


def query_by_hand(words: str, provider: str) -> Query:
    """The search for these words. ValueError when there are none.

    Without " - " nobody knows which of them are the artist's: MusicBrainz is asked for any of them in both, Spotify
    for all of them in the title."""
    artist, dash, title = (part.strip() for part in words.partition(" - "))
    if not (artist or title):
        raise ValueError("give the words to search for")
    if not (dash and artist and title):
        title = artist or title
        artist = title if provider == MUSICBRAINZ else ""
    return Query.of(provider, "text", title=title, artist=artist or None, scope=BY_HAND)


def is_unknown_entity(connection: sqlite3.Connection, track_id: int, entity_id: str) -> bool:
    """Whether every lookup of the track that asks for this id has been answered, each with "not known"."""
    states = {
        state
        for (state,) in connection.execute(
            "SELECT state FROM track_lookups JOIN lookups USING (lookup_id)"
            " WHERE track_id = ? AND instr(query, ?) > 0",
            (track_id, entity_id),
        )
    }
    return states == {LookupState.MISSING}


def default_candidates(case: dict[str, Any], provider: str | None = None) -> list[EntityKey]:
    """The candidates of a case, of this provider if given, the one to accept first: MusicBrainz' best, else
    Spotify's."""
    found = [(one["provider"], one["entity_id"]) for one in case["candidates"]]
    return sorted(
        (one for one in found if provider in (None, one[0])), key=lambda one: one[0] == SPOTIFY
    )  # stable: best first


def _refuse_absent(connection: sqlite3.Connection, track_id: int) -> None:
    if not rows.track_exists(connection, track_id):
        raise UnknownTrack(_absent(track_id))


def _absent(track_id: int) -> str:
    return f"there is no track {track_id}"
