"""What the database has seen already: answers to questions that others ask again, and how questions have turned out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from soulspot.models import Entity, LookupState, Query, TrackLookup
from soulspot.store.times import iso

ENOUGH = 200  # answers of a kind from which they say more than anybody's guess
LATEST = 20_000  # tracks that are looked at for how questions have turned out
# the questions who a recording is, in the order in which they are asked; those of one row take turns
IDENTIFYING = (
    (("musicbrainz", "recording"),),
    (("musicbrainz", "isrc"), ("musicbrainz", "release")),
    (("musicbrainz", "url"),),
    (("listenbrainz", "text"),),
    (("musicbrainz", "text"),),
    (("musicbrainz", "loose"),),
    (("musicbrainz", "by_artist"),),
    (("musicbrainz", "redirect"),),
)
# those whose answer is used, or is of no use, whatever comes of it
ANSWERED = (
    ("musicbrainz", "album"), ("musicbrainz", "artist"), ("listenbrainz", "redirect"), ("listenbrainz", "spotify_ids"),
    ("listenbrainz", "spotify_names"), ("spotify", "track"), ("spotify", "album"), ("spotify", "isrc"), ("spotify", "text"),
)  # fmt: skip


def load_answer(connection: sqlite3.Connection, query: Query) -> TrackLookup | None:
    """How this question stands, whoever asked it; None when nobody has."""
    row = connection.execute(
        "SELECT state, answered_at, last_error, answer FROM lookups WHERE provider = ? AND kind = ? AND query = ?",
        (query.provider, query.kind, query.key),
    ).fetchone()
    if row is None:
        return None
    entities = []
    for provider, kind, entity_id in json.loads(row[3]):
        fact = connection.execute(
            "SELECT fields FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?",
            (provider, kind, entity_id),
        ).fetchone()
        if fact:
            entities.append(Entity(provider, kind, entity_id, json.loads(fact[0])))
    return TrackLookup(query, LookupState(row[0]), row[1] is not None, tuple(entities), row[2])


def aged_lookups(
    connection: sqlite3.Connection, track_ids: Sequence[int], now: float
) -> list[tuple[str, str, str]]:
    """(provider, kind, key) of the answers to these tracks' questions that are to be asked again now (epoch seconds):
    misses and old answers whose time has come, and what is in the queue for that."""
    rows = connection.execute(
        "SELECT DISTINCT provider, kind, query FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        " WHERE track_id IN (SELECT value FROM json_each(?)) AND answered_at IS NOT NULL"
        " AND (state IN ('pending', 'leased') OR (state IN ('done', 'missing') AND due_at <= ?))",
        (json.dumps(list(track_ids)), iso(now)),
    )
    return rows.fetchall()


def unfinished_tracks(connection: sqlite3.Connection, track_ids: Sequence[int]) -> list[int]:
    """Those of these tracks that are still to be decided, wait for a first answer, or are of unreadable files."""
    rows = connection.execute(
        "SELECT track_id FROM tracks AS one WHERE track_id IN (SELECT value FROM json_each(?))"
        " AND (undecided OR unreadable IS NOT NULL OR EXISTS ("
        " SELECT 1 FROM track_lookups AS link CROSS JOIN lookups USING (lookup_id) WHERE link.track_id = one.track_id"
        " AND state IN ('pending', 'leased') AND answered_at IS NULL)) ORDER BY track_id",
        (json.dumps(list(track_ids)),),
    )
    return [track_id for (track_id,) in rows]


def count_waiting_for_others(connection: sqlite3.Connection, track_ids: Sequence[int]) -> int:
    """How many lookups wait in the queue that serve none of these tracks."""
    ours = connection.execute(
        "SELECT count(DISTINCT lookup_id) FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        " WHERE track_id IN (SELECT value FROM json_each(?)) AND state IN ('pending', 'leased')",
        (json.dumps(list(track_ids)),),
    ).fetchone()[0]
    (waiting,) = connection.execute(
        "SELECT coalesce(sum(lookups), 0) FROM lookup_totals WHERE state IN ('pending', 'leased')"
    ).fetchone()
    return int(waiting - ours)


def outcome_shares(connection: sqlite3.Connection) -> dict[str, float]:
    """How often a question of each "provider kind" was the last one of its sort, 0 to 1, where enough have been
    answered to tell."""
    shares = {}
    for provider, kind in ANSWERED:
        counts = dict(
            connection.execute(
                "SELECT state, lookups FROM lookup_totals WHERE provider = ? AND kind = ? AND state IN ('done', 'missing')",
                (provider, kind),
            ).fetchall()
        )
        if (total := sum(counts.values())) >= ENOUGH:
            shares[f"{provider} {kind}"] = counts.get("done", 0) / total
    return shares | _ended(connection)


def _ended(connection: sqlite3.Connection) -> dict[str, float]:
    """The share of the tracks asked about in some way that were accepted and asked about in no later way."""
    place = {one: number for number, row in enumerate(IDENTIFYING) for one in row}
    asked: dict[int, set[tuple[str, str]]] = {}
    for track_id, provider, kind in connection.execute(
        "SELECT DISTINCT track_id, provider, kind FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
        " WHERE track_id > (SELECT coalesce(max(track_id), 0) FROM tracks) - ? AND answered_at IS NOT NULL",
        (LATEST,),
    ):
        if (provider, kind) in place:
            asked.setdefault(track_id, set()).add((provider, kind))
    accepted = {
        track_id
        for (track_id,) in connection.execute(
            "SELECT track_id FROM enriched_tracks WHERE mb_recording_id IS NOT NULL"
            " AND track_id > (SELECT coalesce(max(track_id), 0) FROM tracks) - ?",
            (LATEST,),
        )
    }
    shares = {}
    for one, number in place.items():
        those = [track_id for track_id, kinds in asked.items() if one in kinds]
        if len(those) >= ENOUGH:
            last = [t for t in those if t in accepted and max(place[other] for other in asked[t]) <= number]
            shares[" ".join(one)] = len(last) / len(those)
    return shares
