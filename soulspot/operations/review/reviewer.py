"""A person's actions in review, each in a transaction that re-decides the track."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from soulspot.deciding import BY_HAND
from soulspot.models import MUSICBRAINZ, SPOTIFY, LookupState, PersonDecision, Query, Verdict
from soulspot.operations.review import cases
from soulspot.store import queue, review, tracks
from soulspot.store.times import iso

if TYPE_CHECKING:
    from soulspot.pipeline import EnrichmentService

# (provider, id) of a MusicBrainz recording or a Spotify track
EntityKey = tuple[str, str]


class UnknownTrack(LookupError):
    """There is no track of this number."""


class Reviewer:
    """A person who reviews the tracks of a service; `by` is the person's name in the decisions.
    Every method raises UnknownTrack when there is no such track."""

    def __init__(self, service: EnrichmentService, *, by: str, now: Callable[[], float] = time.time) -> None:
        self._service = service
        self._by = by
        self._now = now

    async def accept(self, track_id: int, entity: EntityKey, reason: str | None = None) -> dict[str, Any]:
        """Accept the entity, whatever the scores say. Return the case as it is then."""
        return await self._decide(track_id, [entity], Verdict.ACCEPTED, reason)

    async def reject(self, track_id: int, entities: Iterable[EntityKey], reason: str | None = None) -> dict[str, Any]:
        """Reject the entities: they are not proposed again. Return the case as it is then."""
        return await self._decide(track_id, list(entities), Verdict.REJECTED, reason)

    async def undo(self, track_id: int, provider: str | None = None) -> dict[str, Any]:
        """Forget the decisions of people about the track, of this provider's entities if given.
        Return the case as it is then, with the number of decisions as "taken_back"."""

        def forget(connection: sqlite3.Connection) -> int:
            _require_track(connection, track_id)
            return review.withdraw_decisions(connection, track_id, provider)

        taken_back = await self._service.decider.change(forget, track_id)
        return {**await self.case(track_id), "taken_back": taken_back}

    async def search(self, track_id: int, words: str, provider: str | None = None) -> int:
        """Search for the track by words, "artist - title" or any. Return the lookup's id. Results
        become candidates. ValueError when the provider is off, or without words."""
        query = manual_query(words, provider or self.searchable()[0])
        if query.provider not in self.searchable():
            raise ValueError(f"{query.provider} is off")

        def enqueue(connection: sqlite3.Connection) -> int:
            _require_track(connection, track_id)
            queue.enqueue(connection, {track_id: [query]}, self._now())
            lookup_id = review.find_lookup(connection, query)
            assert lookup_id is not None
            # An equal lookup may have been answered before: the person asks for the answer of now.
            review.requeue_lookup(connection, lookup_id, self._now())
            return lookup_id

        return await self._service.decider.change(enqueue, track_id)

    def searchable(self) -> list[str]:
        """Return the providers that a person can search. ValueError when none is on."""
        on = [pump.name for pump in self._service.pumps if pump.name in cases.PROVIDERS]
        if not on:
            raise ValueError("neither musicbrainz nor spotify is on")
        return sorted(on)

    async def case(self, track_id: int) -> dict[str, Any]:
        """Return the track as `cases.load_case` describes it."""
        found = await self._service.database.read(lambda c: cases.load_case(c, track_id))
        if found is None:
            raise UnknownTrack(f"there is no track {track_id}")
        return found

    async def _decide(
        self, track_id: int, entities: list[EntityKey], verdict: Verdict, reason: str | None
    ) -> dict[str, Any]:
        at = iso(self._now())

        def record(connection: sqlite3.Connection) -> None:
            _require_track(connection, track_id)
            for provider, entity_id in entities:
                if verdict is Verdict.ACCEPTED:
                    review.withdraw_accepted(connection, track_id, provider)
                decision = PersonDecision(provider, entity_id, verdict, self._by, at, reason)
                tracks.save_decision(connection, track_id, decision)

        await self._service.decider.change(record, track_id)
        return await self.case(track_id)


def manual_query(words: str, provider: str) -> Query:
    """Return the search lookup for the words of a person. ValueError when there are none."""
    artist, dash, title = (part.strip() for part in words.partition(" - "))
    if not (artist or title):
        raise ValueError("give the words to search for")
    # Without " - " nobody knows which words are the artist's. MusicBrainz finds any of the words in
    # both fields; Spotify wants all words of a field, so they all go into the title.
    if not (dash and artist and title):
        title = artist or title
        artist = title if provider == MUSICBRAINZ else ""
    return Query.of(provider, "text", title=title, artist=artist or None, scope=BY_HAND)


def is_unknown_entity(connection: sqlite3.Connection, track_id: int, entity_id: str) -> bool:
    """Whether every lookup of the track for this id has been answered with "not known"."""
    rows = connection.execute(
        "SELECT DISTINCT state FROM track_lookups JOIN lookups USING (lookup_id)"
        " WHERE track_id = ? AND instr(query, ?) > 0",
        (track_id, entity_id),
    )
    return {state for (state,) in rows} == {LookupState.MISSING}


def default_candidates(case: dict[str, Any], provider: str | None = None) -> list[EntityKey]:
    """Return a case's candidates, of this provider if given: MusicBrainz first, best first."""
    found = [(candidate["provider"], candidate["entity_id"]) for candidate in case["candidates"]]
    # The sort is stable, so that the best candidate of a provider stays its first.
    return sorted((key for key in found if provider in (None, key[0])), key=lambda key: key[0] == SPOTIFY)


def _require_track(connection: sqlite3.Connection, track_id: int) -> None:
    if not review.track_exists(connection, track_id):
        raise UnknownTrack(f"there is no track {track_id}")
