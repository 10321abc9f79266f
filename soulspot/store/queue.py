"""The durable queue: lookups are enqueued, claimed, settled or released; every function runs in its caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.models import Entity, Lookup, LookupState, Query, Settlement
from soulspot.store.times import iso, seconds

SETTLED = "('done', 'missing', 'failed', 'buried')"


@dataclass(frozen=True, slots=True)
class Claim:
    """Lookups leased to us, all of one kind. `emptied`: nothing else of this provider is due."""

    lookups: tuple[Lookup, ...]
    emptied: bool


def enqueue(connection: sqlite3.Connection, wanted: Mapping[int, Sequence[Query]], now: float) -> set[int]:
    """Queue what tracks want, by track_id; equal queries share one lookup.

    Returns the tracks that were newly linked to a lookup answered earlier: they can be decided anew at once."""
    answered_already = set()
    stamp = iso(now)
    for track_id, queries in wanted.items():
        for query in queries:
            lookup_id, settled = _lookup_for(connection, query, stamp)
            linked = connection.execute(
                "INSERT OR IGNORE INTO track_lookups (track_id, lookup_id) VALUES (?, ?)",
                (track_id, lookup_id),
            )
            if linked.rowcount and settled:
                answered_already.add(track_id)
    return answered_already


def _lookup_for(connection: sqlite3.Connection, query: Query, stamp: str) -> tuple[int, bool]:
    key = (query.provider, query.kind, query.key)
    found = connection.execute(
        f"SELECT lookup_id, answered_at IS NOT NULL OR state IN {SETTLED} FROM lookups"
        " WHERE provider = ? AND kind = ? AND query = ?",
        key,
    ).fetchone()
    if found:
        return int(found[0]), bool(found[1])
    made = connection.execute(
        "INSERT INTO lookups (provider, kind, query, hint, due_at, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (*key, json.dumps(dict(query.hint), ensure_ascii=False), stamp, stamp),
    )
    assert made.lastrowid is not None
    return made.lastrowid, False


def claim(connection: sqlite3.Connection, provider: str, capacity: Mapping[str, int], now: float) -> Claim:
    """Lease what is due, oldest first, of one kind only and at most that kind's capacity.

    `capacity` names the kinds that may be asked now."""
    stamp = iso(now)
    due = [
        (found[0], kind)
        for kind in capacity
        if (found := _first(connection, provider, kind)) and found[0] <= stamp
    ]
    if not due:
        return Claim((), emptied=True)
    _, kind = min(due)
    rows = connection.execute(
        "UPDATE lookups SET state = 'leased', leased_at = ? WHERE lookup_id IN ("
        # left to itself, SQLite prefers the index by state, and steps over all that waits for other providers
        " SELECT lookup_id FROM lookups INDEXED BY lookups_waiting"
        " WHERE provider = ? AND kind = ? AND state = 'pending' AND due_at <= ?"
        " ORDER BY due_at, lookup_id LIMIT ?) RETURNING lookup_id, query, hint, attempts, misses",
        (stamp, provider, kind, stamp, capacity[kind]),
    ).fetchall()
    lookups = tuple(
        Lookup(row[0], Query.of(provider, kind, json.loads(row[2]), **json.loads(row[1])), row[3], row[4])
        for row in sorted(rows)
    )
    left = any((found := _first(connection, provider, other)) and found[0] <= stamp for other in capacity)
    return Claim(lookups, emptied=not left)


def next_due(connection: sqlite3.Connection, provider: str, kinds: Iterable[str]) -> dict[str, float]:
    """When the first waiting lookup of each of these kinds is due, in epoch seconds; kinds without one are absent."""
    firsts = ((kind, _first(connection, provider, kind)) for kind in kinds)
    return {kind: seconds(first[0]) for kind, first in firsts if first}


def _first(connection: sqlite3.Connection, provider: str, kind: str) -> tuple[str] | None:
    found: tuple[str] | None = connection.execute(
        "SELECT due_at FROM lookups INDEXED BY lookups_waiting"
        " WHERE provider = ? AND kind = ? AND state = 'pending'"
        " ORDER BY due_at, lookup_id LIMIT 1",
        (provider, kind),
    ).fetchone()
    return found


@dataclass(frozen=True, slots=True)
class Waiting:
    """Lookups of one kind that are still to be answered; `due_at` (epoch seconds) of the first."""

    kind: str
    leased: bool
    lookups: int
    due_at: float


def waiting(
    connection: sqlite3.Connection, provider: str, track_ids: Sequence[int] | None = None
) -> list[Waiting]:
    """What of this provider is still to be answered, by kind; only what serves `track_ids`, if given."""
    mine = "" if track_ids is None else (
        " AND lookup_id IN (SELECT lookup_id FROM track_lookups WHERE track_id IN (SELECT value FROM json_each(?)))"
    )  # fmt: skip
    rows = connection.execute(
        "SELECT kind, state = 'leased', count(*), min(due_at) FROM lookups WHERE provider = ?"
        f" AND state IN ('pending', 'leased'){mine}"
        " GROUP BY kind, state",
        (provider,) if track_ids is None else (provider, json.dumps(list(track_ids))),
    )
    return [Waiting(kind, bool(leased), count, seconds(due_at)) for kind, leased, count, due_at in rows]


def tracks_waiting(connection: sqlite3.Connection) -> list[int]:
    """The tracks that a lookup which is still to be answered serves, ascending."""
    rows = connection.execute(
        "SELECT DISTINCT track_id FROM track_lookups JOIN lookups USING (lookup_id)"
        " WHERE state IN ('pending', 'leased') ORDER BY 1"
    )
    return [track_id for (track_id,) in rows]


def settle(connection: sqlite3.Connection, settlements: Iterable[Settlement], now: float) -> None:
    """Write what the lookups brought and acknowledge them, in the caller's transaction."""
    stamp = iso(now)
    for one in settlements:
        if one.state is LookupState.PENDING and not one.counts:
            # whatever keeps us from asking is known to the gate; the lookup's own due time stays as it was
            connection.execute(
                "UPDATE lookups SET state = 'pending', leased_at = NULL, last_error = ? WHERE lookup_id = ?",
                (one.error, one.lookup.lookup_id),
            )
            continue
        for entity in one.entities:
            _remember(connection, entity, stamp)
        answered = one.state in (LookupState.DONE, LookupState.MISSING)
        connection.execute(
            "UPDATE lookups SET state = ?, due_at = ?, last_error = ?, leased_at = NULL,"
            " attempts = CASE WHEN ? THEN 0 ELSE attempts + ? END, misses = CASE ? WHEN 'missing' THEN misses + 1"
            " WHEN 'done' THEN 0 ELSE misses END, answer = CASE WHEN ? THEN ? ELSE answer END,"
            " answered_at = CASE WHEN ? THEN ? ELSE answered_at END WHERE lookup_id = ?",
            (
                one.state.value, iso(one.due_at), one.error,
                answered, int(not answered), one.state.value,
                answered, json.dumps([entity.ref for entity in one.entities]),
                answered, stamp, one.lookup.lookup_id,
            ),
        )  # fmt: skip


def _remember(connection: sqlite3.Connection, entity: Entity, stamp: str) -> None:
    # what one question leaves out (an album's track has no ISRC, a hit no genres) another has perhaps answered
    fields = dict(entity.fields)
    if "releases" in fields:
        fields["releases"] = _all_releases(connection, entity)
    connection.execute(
        "INSERT INTO facts (provider, kind, entity_id, fields, fetched_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET fields = json_patch(fields, excluded.fields),"
        " fetched_at = excluded.fetched_at",
        (*entity.ref, json.dumps(fields, ensure_ascii=False), stamp),
    )


def _all_releases(connection: sqlite3.Connection, entity: Entity) -> list[dict[str, Any]]:
    """The releases that this answer names, and after them those that only earlier answers did: a looked-up release
    names itself alone, a looked-up recording 25 at most."""
    row = connection.execute(
        "SELECT json_extract(fields, '$.releases') FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?",
        entity.ref,
    ).fetchone()
    named: list[dict[str, Any]] = list(entity.fields["releases"])
    places = {_place(one) for one in named}
    earlier = json.loads(row[0]) if row and row[0] else []
    return [*named, *(one for one in earlier if _place(one) not in places)]


def _place(release: Mapping[str, Any]) -> tuple[Any, ...]:
    return release.get("id"), release.get("disc_number"), release.get("track_number")


def release(connection: sqlite3.Connection, lookup_ids: Iterable[int] | None = None) -> int:
    """Give leases back, attempts untouched; without ids every lease (after a crash). Returns how many."""
    if lookup_ids is None:
        return connection.execute(
            "UPDATE lookups SET state = 'pending', leased_at = NULL WHERE state = 'leased'"
        ).rowcount
    return connection.execute(
        "UPDATE lookups SET state = 'pending', leased_at = NULL WHERE state = 'leased'"
        " AND lookup_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(lookup_ids)),),
    ).rowcount


def wake_due(connection: sqlite3.Connection, now: float) -> int:
    """Put answers and misses whose time has come back into the queue. Returns how many."""
    return connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0 WHERE state IN ('done', 'missing') AND due_at <= ?",
        (iso(now),),
    ).rowcount


def retry(connection: sqlite3.Connection, states: Sequence[str], provider: str | None, now: float) -> int:
    """Queue given-up lookups again at once. `failed` takes the buried along. Returns how many."""
    wanted = {*states, *(["buried"] if "failed" in states else [])}
    return connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0, due_at = ? WHERE state IN (SELECT value FROM json_each(?))"
        " AND (? IS NULL OR provider = ?)",
        (iso(now), json.dumps(sorted(wanted)), provider, provider),
    ).rowcount


def tracks_served(connection: sqlite3.Connection, lookup_ids: Iterable[int]) -> list[int]:
    """The tracks linked to any of these lookups, ascending."""
    rows = connection.execute(
        "SELECT DISTINCT track_id FROM track_lookups WHERE lookup_id IN (SELECT value FROM json_each(?)) ORDER BY 1",
        (json.dumps(list(lookup_ids)),),
    )
    return [track_id for (track_id,) in rows]
