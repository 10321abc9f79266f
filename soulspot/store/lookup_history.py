"""Answers in the database, and how often each kind of lookup ended a search: for estimates."""

import json
import sqlite3
from collections.abc import Sequence

from soulspot.models import LookupState, Query, TrackLookup
from soulspot.store import facts
from soulspot.store.sql import IN_ARRAY, fetch_column, fetch_value, to_array
from soulspot.store.times import iso

MIN_ANSWERS = 200  # answers of a kind from which its measured share is better than a guess
RECENT_TRACKS = 20_000  # tracks, the newest, that shares are measured over
# The lookups that identify a recording, in the order of the plan; those of one row take turns.
IDENTIFYING = (
    (("musicbrainz", "recording"),), (("musicbrainz", "isrc"), ("musicbrainz", "release")), (("musicbrainz", "url"),),
    (("listenbrainz", "text"),), (("musicbrainz", "text"),), (("musicbrainz", "loose"),),
    (("musicbrainz", "by_artist"),), (("musicbrainz", "redirect"),),
)  # fmt: skip
# The lookups whose answer ends their search whenever there is one.
CONCLUSIVE = (
    ("musicbrainz", "album"), ("musicbrainz", "artist"), ("listenbrainz", "redirect"), ("listenbrainz", "spotify_ids"),
    ("listenbrainz", "spotify_names"), ("spotify", "track"), ("spotify", "album"), ("spotify", "isrc"), ("spotify", "text"),
)  # fmt: skip
_IS_RECENT = "track_id > (SELECT coalesce(max(track_id), 0) FROM tracks) - ?"


def load_answer(connection: sqlite3.Connection, query: Query) -> TrackLookup | None:
    """Return the state and answer of this query's lookup for any track; None if never queued."""
    row = connection.execute(
        "SELECT state, answered_at, last_error, answer FROM lookups WHERE provider = ? AND kind = ? AND query = ?",
        (query.provider, query.kind, query.key),
    ).fetchone()
    if row is None:
        return None
    state, answered_at, error, answer = row
    entities = (facts.load(connection, (ref[0], ref[1], ref[2])) for ref in json.loads(answer))
    known = tuple(entity for entity in entities if entity)
    return TrackLookup(query, LookupState(state), answered_at is not None, known, error)


def aged_lookups(connection: sqlite3.Connection, track_ids: Sequence[int], now: float) -> list[tuple[str, str, str]]:
    """Return (provider, kind, key) of these tracks' answered lookups that are due again at `now`,
    those queued for that already included."""
    rows = connection.execute(
        "SELECT DISTINCT provider, kind, query FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        f" WHERE track_id {IN_ARRAY} AND answered_at IS NOT NULL"
        " AND (state IN ('pending', 'leased') OR (state IN ('done', 'missing') AND due_at <= ?))",
        (to_array(track_ids), iso(now)),
    )
    return rows.fetchall()


def unfinished_tracks(connection: sqlite3.Connection, track_ids: Sequence[int]) -> list[int]:
    """Return those of these tracks that are undecided, unreadable, or wait for a first answer."""
    return fetch_column(
        connection,
        f"SELECT track_id FROM tracks AS t WHERE track_id {IN_ARRAY}"
        " AND (undecided OR unreadable IS NOT NULL OR EXISTS ("
        " SELECT 1 FROM track_lookups AS link CROSS JOIN lookups USING (lookup_id) WHERE link.track_id = t.track_id"
        " AND state IN ('pending', 'leased') AND answered_at IS NULL)) ORDER BY track_id",
        to_array(track_ids),
    )


def count_waiting_for_others(connection: sqlite3.Connection, track_ids: Sequence[int]) -> int:
    """Return how many lookups in the queue serve none of these tracks."""
    own = fetch_value(
        connection,
        "SELECT count(DISTINCT lookup_id) FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        f" WHERE track_id {IN_ARRAY} AND state IN ('pending', 'leased')",
        to_array(track_ids),
    )
    sql = "SELECT coalesce(sum(lookups), 0) FROM lookup_totals WHERE state IN ('pending', 'leased')"
    return int(fetch_value(connection, sql) - own)


def outcome_shares(connection: sqlite3.Connection) -> dict[str, float]:
    """Return how often a lookup was the last of its search, 0 to 1, by "provider kind". For kinds
    in CONCLUSIVE that is the share with an answer, for kinds in IDENTIFYING the share of tracks
    accepted without a later lookup. Kinds with fewer than MIN_ANSWERS are left out."""
    shares = {}
    for provider, kind in CONCLUSIVE:
        rows = connection.execute(
            "SELECT state, lookups FROM lookup_totals WHERE provider = ? AND kind = ? AND state IN ('done', 'missing')",
            (provider, kind),
        )
        counts = dict(rows.fetchall())
        if (total := sum(counts.values())) >= MIN_ANSWERS:
            shares[f"{provider} {kind}"] = counts.get("done", 0) / total
    return shares | _identifying_shares(connection)


def _identifying_shares(connection: sqlite3.Connection) -> dict[str, float]:
    step_of = {kind: step for step, row in enumerate(IDENTIFYING) for kind in row}
    lookups: dict[int, set[tuple[str, str]]] = {}
    for track_id, provider, kind in connection.execute(
        "SELECT DISTINCT track_id, provider, kind FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        f" WHERE {_IS_RECENT} AND answered_at IS NOT NULL",
        (RECENT_TRACKS,),
    ):
        if (provider, kind) in step_of:
            lookups.setdefault(track_id, set()).add((provider, kind))
    sql = f"SELECT track_id FROM enriched_tracks WHERE mb_recording_id IS NOT NULL AND {_IS_RECENT}"
    accepted = set(fetch_column(connection, sql, RECENT_TRACKS))
    last_step = {track_id: max(step_of[kind] for kind in kinds) for track_id, kinds in lookups.items()}
    shares = {}
    for kind, step in step_of.items():
        tracks = [track_id for track_id, kinds in lookups.items() if kind in kinds]
        if len(tracks) >= MIN_ANSWERS:
            ended = sum(track_id in accepted and last_step[track_id] <= step for track_id in tracks)
            shares[" ".join(kind)] = ended / len(tracks)
    return shares
