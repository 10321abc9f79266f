"""What waits for a person: tracks in review, their candidates, what is known of each, and what persons said of them."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from soulspot.models import Entity, LookupState, PersonDecision, Query, Status, TrackTags, Verdict
from soulspot.store import tags_json
from soulspot.store.times import iso

AT_ONCE = "1970-01-01T00:00:00.000Z"  # before everything else that is due: somebody waits for it
LISTED = ("recording", "track")


@dataclass(frozen=True, slots=True)
class ReviewedTrack:
    """A track as review sees it. `entities` has what all sources together say of each candidate, by its id;
    `waiting` counts the lookups that it still waits for."""

    track_id: int
    path: bytes | None
    source_key: str | None
    tags: TrackTags
    status: Status
    confidence: float
    candidates: tuple[tuple[str, str, float, Verdict, tuple[str, ...]], ...]
    entities: dict[str, Entity]
    decisions: tuple[PersonDecision, ...]
    waiting: int
    ids: tuple[str | None, str | None]


def list_tracks(
    connection: sqlite3.Connection,
    *,
    after: int,
    limit: int,
    wanted: Callable[[bytes | None, TrackTags], bool],
) -> list[int]:
    """At most `limit` tracks in review behind `after`, by track_id, of which `wanted(path, tags)`."""
    found = []
    for track_id, path, tags in connection.execute(
        "SELECT track_id, tracks.path, tags FROM enriched_tracks JOIN tracks USING (track_id)"
        " WHERE status = ? AND track_id > ? AND vanished_at IS NULL ORDER BY track_id",
        (Status.REVIEW.value, after),
    ):
        if wanted(path, tags_json.decode(tags)):
            found.append(track_id)
            if len(found) == limit:
                break
    return found


def count_tracks(connection: sqlite3.Connection) -> int:
    """How many tracks are in review."""
    row = connection.execute(
        "SELECT count(*) FROM enriched_tracks JOIN tracks USING (track_id) WHERE status = ? AND vanished_at IS NULL",
        (Status.REVIEW.value,),
    ).fetchone()
    return int(row[0])


def load_track(connection: sqlite3.Connection, track_id: int) -> ReviewedTrack | None:
    """One track, whatever its status; None when there is none of this number."""
    row = connection.execute(
        "SELECT t.path, t.source_key, t.tags, e.status, e.confidence, e.mb_recording_id, e.spotify_track_id"
        " FROM tracks t LEFT JOIN enriched_tracks e USING (track_id) WHERE track_id = ?",
        (track_id,),
    ).fetchone()
    if row is None:
        return None
    path, source_key, tags, status, confidence, *ids = row
    candidates = tuple(
        (provider, entity_id, score, Verdict(verdict), tuple(json.loads(reasons)))
        for provider, entity_id, score, verdict, reasons in connection.execute(
            "SELECT provider, entity_id, score, verdict, reasons FROM candidates WHERE track_id = ?"
            " ORDER BY provider, rank",
            (track_id,),
        )
    )
    decisions = tuple(
        PersonDecision(provider, entity_id, Verdict(verdict), by, at, reason)
        for provider, entity_id, verdict, by, at, reason in connection.execute(
            "SELECT provider, entity_id, verdict, by, at, reason FROM decisions WHERE track_id = ? ORDER BY at",
            (track_id,),
        )
    )
    shown = dict.fromkeys([*(one[1] for one in candidates), *(one.entity_id for one in decisions)])
    described = {one: entity for one in shown if (entity := described_as(connection, one))}
    (open_lookups,) = connection.execute(
        "SELECT count(*) FROM track_lookups JOIN lookups USING (lookup_id) WHERE track_id = ?"
        " AND state IN ('pending', 'leased') AND answered_at IS NULL",
        (track_id,),
    ).fetchone()
    return ReviewedTrack(
        track_id, path, source_key, tags_json.decode(tags), Status(status or "pending"), confidence or 0.0,
        candidates, described, decisions, open_lookups, (ids[0], ids[1]),
    )  # fmt: skip


def described_as(connection: sqlite3.Connection, entity_id: str) -> Entity | None:
    """What all sources together say of a recording or Spotify track; MusicBrainz has the last word on a recording."""
    found: Entity | None = None
    for provider, kind, text in connection.execute(
        "SELECT provider, kind, fields FROM facts WHERE entity_id = ? AND kind IN ('recording', 'track')"
        " AND provider IN ('listenbrainz', 'musicbrainz', 'spotify') ORDER BY provider",
        (entity_id,),
    ):
        fields = json.loads(text)
        found = Entity(provider, kind, entity_id, {**found.fields, **fields} if found else fields)
    return found


def find_track_by_path(connection: sqlite3.Connection, path: bytes) -> int | None:
    """The track of this file, also when the path leads there by links."""
    for one in dict.fromkeys((path, os.path.realpath(path))):
        row = connection.execute("SELECT track_id FROM tracks WHERE path = ?", (one,)).fetchone()
        if row:
            return int(row[0])
    return None


def track_exists(connection: sqlite3.Connection, track_id: int) -> bool:
    """Whether there is a track of this number."""
    return bool(connection.execute("SELECT 1 FROM tracks WHERE track_id = ?", (track_id,)).fetchone())


def withdraw_decisions(connection: sqlite3.Connection, track_id: int, provider: str | None) -> int:
    """Forget what persons said of this track (of this provider's entities). Returns how many decisions that were."""
    gone = connection.execute(
        "DELETE FROM decisions WHERE track_id = ? AND (? IS NULL OR provider = ?)",
        (track_id, provider, provider),
    ).rowcount
    if gone:  # what was accepted by it does not stay while more is asked
        connection.execute("UPDATE enriched_tracks SET status = 'pending' WHERE track_id = ?", (track_id,))
    return gone


def withdraw_accepted(connection: sqlite3.Connection, track_id: int, provider: str) -> None:
    """Forget what a person accepted before: a track is one recording."""
    connection.execute(
        "DELETE FROM decisions WHERE track_id = ? AND provider = ? AND verdict = 'accepted'",
        (track_id, provider),
    )


def prioritize_lookups(connection: sqlite3.Connection, track_id: int) -> None:
    """Let the lookups that this track waits for, and that did not fail before, go first."""
    connection.execute(
        "UPDATE lookups SET due_at = ? WHERE state = 'pending' AND attempts = 0 AND answered_at IS NULL"
        " AND lookup_id IN (SELECT lookup_id FROM track_lookups WHERE track_id = ?)",
        (AT_ONCE, track_id),
    )


def find_lookup(connection: sqlite3.Connection, query: Query) -> int | None:
    """The lookup of this query, once it is queued."""
    row = connection.execute(
        "SELECT lookup_id FROM lookups WHERE provider = ? AND kind = ? AND query = ?",
        (query.provider, query.kind, query.key),
    ).fetchone()
    return int(row[0]) if row else None


def requeue_lookup(connection: sqlite3.Connection, lookup_id: int, now: float) -> None:
    """Queue a lookup again that was missing or given up; an answer that brought something stays the answer."""
    connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0, due_at = ?, answered_at = NULL"
        " WHERE lookup_id = ? AND state IN ('missing', 'failed', 'buried')",
        (iso(now), lookup_id),
    )


@dataclass(frozen=True, slots=True)
class SearchState:
    """A search as it stands. `entities` are what it found, best first."""

    provider: str
    state: LookupState
    answered: bool
    due_at: str
    error: str | None
    entities: tuple[Entity, ...]


def load_search(connection: sqlite3.Connection, track_id: int, lookup_id: int) -> SearchState | None:
    """How a lookup of this track stands; None when the track has none of this number."""
    row = connection.execute(
        "SELECT provider, state, answered_at IS NOT NULL, due_at, last_error, answer"
        " FROM lookups JOIN track_lookups USING (lookup_id) WHERE track_id = ? AND lookup_id = ?",
        (track_id, lookup_id),
    ).fetchone()
    if row is None:
        return None
    provider, state, answered, due_at, error, answer = row
    entities = tuple(_answers(connection, json.loads(answer)))
    return SearchState(provider, LookupState(state), bool(answered), due_at, error, entities)


def _answers(connection: sqlite3.Connection, refs: Sequence[Sequence[str]]) -> Iterator[Entity]:
    for _, kind, entity_id in refs:
        if kind in LISTED and (entity := described_as(connection, entity_id)):
            yield entity
