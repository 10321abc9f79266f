"""Tracks that wait for a person: their candidates, what is known of each, and decisions."""

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from soulspot.models import Entity, LookupState, PersonDecision, Query, Status, TrackTags, Verdict
from soulspot.store import tags_json, tracks
from soulspot.store.sql import fetch_value
from soulspot.store.times import iso
from soulspot.text import as_on_disk, spellings

FIRST_IN_QUEUE = "1970-01-01T00:00:00.000Z"  # due before everything else: a person waits for it
LISTED_KINDS = ("recording", "track")
# A track that was accepted on Spotify alone has its question about MusicBrainz still open.
_OPEN = (
    "vanished_at IS NULL AND (status = 'review' OR status = 'accepted' AND mb_recording_id IS NULL AND EXISTS ("
    "SELECT 1 FROM candidates AS c WHERE c.track_id = enriched_tracks.track_id"
    " AND c.provider = 'musicbrainz' AND c.verdict = 'review'))"
)


@dataclass(frozen=True, slots=True)
class ReviewedTrack:
    """A track as review shows it."""

    track_id: int
    path: bytes | None
    source_key: str | None
    tags: TrackTags
    status: Status
    confidence: float
    # (provider, entity_id, score, verdict, reasons), by provider and rank
    candidates: tuple[tuple[str, str, float, Verdict, tuple[str, ...]], ...]
    entities: dict[str, Entity]  # candidates and decided entities by id, as `describe_entity` has them
    decisions: tuple[PersonDecision, ...]
    waiting: int  # lookups without an answer yet
    ids: tuple[str | None, str | None]  # accepted (MusicBrainz recording, Spotify track)


def list_tracks(
    connection: sqlite3.Connection, *, after: int, limit: int, wanted: Callable[[bytes | None, TrackTags], bool]
) -> list[int]:
    """Return at most `limit` tracks that wait for a person, with track_id greater than `after`,
    ascending, of which `wanted(path, tags)` is true."""
    found = []
    for track_id, path, tags in connection.execute(
        "SELECT track_id, tracks.path, tags FROM enriched_tracks JOIN tracks USING (track_id)"
        f" WHERE track_id > ? AND {_OPEN} ORDER BY track_id",
        (after,),
    ):
        if wanted(path, tags_json.decode(tags)):
            found.append(track_id)
            if len(found) == limit:
                break
    return found


def count_tracks(connection: sqlite3.Connection) -> int:
    """Return the number of tracks that wait for a person and have not vanished."""
    sql = f"SELECT count(*) FROM enriched_tracks JOIN tracks USING (track_id) WHERE {_OPEN}"
    return int(fetch_value(connection, sql))


def load_track(connection: sqlite3.Connection, track_id: int) -> ReviewedTrack | None:
    """Return a track whatever its status; None when there is no such track."""
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
    decisions = tuple(tracks.load_decisions(connection, [track_id]).get(track_id, ()))
    shown = dict.fromkeys([*(one[1] for one in candidates), *(one.entity_id for one in decisions)])
    entities = {one: entity for one in shown if (entity := describe_entity(connection, one))}
    waiting = fetch_value(
        connection,
        "SELECT count(*) FROM track_lookups JOIN lookups USING (lookup_id) WHERE track_id = ?"
        " AND state IN ('pending', 'leased') AND answered_at IS NULL",
        track_id,
    )
    return ReviewedTrack(
        track_id, path, source_key, tags_json.decode(tags), Status(status or "pending"), confidence or 0.0,
        candidates, entities, decisions, waiting, (ids[0], ids[1]),
    )  # fmt: skip


def describe_entity(connection: sqlite3.Connection, entity_id: str) -> Entity | None:
    """Return a recording or Spotify track with the facts of all providers united, if known."""
    found: Entity | None = None
    # In the order of names MusicBrainz follows ListenBrainz: its fields replace ListenBrainz's.
    for provider, kind, text in connection.execute(
        "SELECT provider, kind, fields FROM facts WHERE entity_id = ? AND kind IN ('recording', 'track')"
        " AND provider IN ('listenbrainz', 'musicbrainz', 'spotify') ORDER BY provider",
        (entity_id,),
    ):
        fields = json.loads(text)
        found = Entity(provider, kind, entity_id, {**found.fields, **fields} if found else fields)
    return found


def find_track_by_path(connection: sqlite3.Connection, path: bytes) -> int | None:
    """Return the track of a file, also of one that `path` reaches through links or in another
    Unicode form, if known."""
    for one in dict.fromkeys((*spellings(path), os.path.realpath(as_on_disk(path)))):
        if found := fetch_value(connection, "SELECT track_id FROM tracks WHERE path = ?", one):
            return int(found)
    return None


def track_exists(connection: sqlite3.Connection, track_id: int) -> bool:
    """Whether there is a track with this id."""
    return fetch_value(connection, "SELECT 1 FROM tracks WHERE track_id = ?", track_id) is not None


def withdraw_decisions(connection: sqlite3.Connection, track_id: int, provider: str | None) -> int:
    """Delete people's decisions on a track, all or a provider's. Returns how many were deleted. The
    track's status goes back to pending when there were any."""
    count = connection.execute(
        "DELETE FROM decisions WHERE track_id = ? AND (? IS NULL OR provider = ?)", (track_id, provider, provider)
    ).rowcount
    # A track accepted by a decision must not stay accepted while new lookups run.
    if count:
        connection.execute("UPDATE enriched_tracks SET status = 'pending' WHERE track_id = ?", (track_id,))
    return count


def withdraw_accepted(connection: sqlite3.Connection, track_id: int, provider: str) -> None:
    """Delete the acceptance of another entity of this provider: a track is one recording."""
    connection.execute(
        "DELETE FROM decisions WHERE track_id = ? AND provider = ? AND verdict = 'accepted'", (track_id, provider)
    )


def prioritize_lookups(connection: sqlite3.Connection, track_id: int) -> None:
    """Move the lookups that a track waits for to the head of the queue, except failed ones."""
    connection.execute(
        "UPDATE lookups SET due_at = ? WHERE state = 'pending' AND attempts = 0 AND answered_at IS NULL"
        " AND lookup_id IN (SELECT lookup_id FROM track_lookups WHERE track_id = ?)",
        (FIRST_IN_QUEUE, track_id),
    )


def find_lookup(connection: sqlite3.Connection, query: Query) -> int | None:
    """Return the id of this query's lookup; None before it was queued."""
    sql = "SELECT lookup_id FROM lookups WHERE provider = ? AND kind = ? AND query = ?"
    found: int | None = fetch_value(connection, sql, query.provider, query.kind, query.key)
    return found


def requeue_lookup(connection: sqlite3.Connection, lookup_id: int, now: float) -> None:
    """Queue a lookup that was missing or given up again; one with an answer stays as it is."""
    connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0, due_at = ?, answered_at = NULL"
        " WHERE lookup_id = ? AND state IN ('missing', 'failed', 'buried')",
        (iso(now), lookup_id),
    )


@dataclass(frozen=True, slots=True)
class SearchState:
    """The state of a search that a person asked for."""

    provider: str
    state: LookupState
    answered: bool
    due_at: str  # ISO 8601
    error: str | None  # of the last attempt
    entities: tuple[Entity, ...]  # recordings and Spotify tracks found, best first


def load_search(connection: sqlite3.Connection, track_id: int, lookup_id: int) -> SearchState | None:
    """Return the state of a track's lookup; None when the track has no such lookup."""
    row = connection.execute(
        "SELECT provider, state, answered_at IS NOT NULL, due_at, last_error, answer"
        " FROM lookups JOIN track_lookups USING (lookup_id) WHERE track_id = ? AND lookup_id = ?",
        (track_id, lookup_id),
    ).fetchone()
    if row is None:
        return None
    provider, state, answered, due_at, error, answer = row
    refs: Sequence[Sequence[str]] = json.loads(answer)
    found = (describe_entity(connection, entity_id) for _, kind, entity_id in refs if kind in LISTED_KINDS)
    entities = tuple(entity for entity in found if entity)
    return SearchState(provider, LookupState(state), bool(answered), due_at, error, entities)
