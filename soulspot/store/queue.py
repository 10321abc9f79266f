"""The durable queue: lookups are enqueued, claimed, settled or released; every function runs in its caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from soulspot.models import Lookup, LookupState, Query, Settlement
from soulspot.store import facts
from soulspot.store.times import epoch_seconds, iso

SETTLED = "('done', 'missing', 'failed', 'buried')"
WOKEN_AT_ONCE = 5_000  # lookups looked at in one sweep: what was answered in one day comes due in one day
UNWANTED_REST = 86_400.0  # seconds until an aged answer that serves no track is looked at again
PATIENCE = 600.0  # seconds that a lookup lets fuller batches of other kinds go first
STILL_TRUE = 30 * 86_400.0  # seconds for which what any answer said of a track answers a question for it
ROUNDS = 10  # rounds of passing over what nobody wants in one claim: a claim must not hold up other writers

# whether any track that is still there waits for the lookup `l`
_WANTED = (
    "EXISTS (SELECT 1 FROM track_lookups AS link CROSS JOIN tracks USING (track_id)"
    " WHERE link.lookup_id = l.lookup_id AND tracks.vanished_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Lookups leased to us, all of one kind. `waited`: seconds since the first of them was due."""

    lookups: tuple[Lookup, ...]
    waited: float = 0.0


def enqueue(connection: sqlite3.Connection, wanted: Mapping[int, Sequence[Query]], now: float) -> set[int]:
    """Queue what tracks want, by track_id; equal queries share one lookup, and one that is content with what answers to
    other questions have told (hint `told`) is answered by those.

    Returns the tracks that were newly linked to a lookup answered earlier: they can be decided anew at once."""
    answered_already = set()
    stamp = iso(now)
    for track_id, queries in wanted.items():
        for query in queries:
            lookup_id, settled = _lookup_for(connection, query, stamp)
            if not settled and query.hinted("told") and _told(connection, lookup_id, query, now):
                answered_already.update(tracks_served(connection, [lookup_id]))
                settled = True
            linked = connection.execute(
                "INSERT OR IGNORE INTO track_lookups (track_id, lookup_id) VALUES (?, ?)",
                (track_id, lookup_id),
            )
            if linked.rowcount and settled:
                answered_already.add(track_id)
    return answered_already


def unlink_unwanted(connection: sqlite3.Connection, wanted: Mapping[int, Sequence[Query]]) -> None:
    """Unlink tracks from lookups that they were waiting for, that nobody has answered, and that they do not want any
    more: a cheaper answer has come first."""
    for track_id, queries in wanted.items():
        keys = {(query.provider, query.kind, query.key) for query in queries}
        waiting = connection.execute(
            "SELECT lookup_id, provider, kind, query FROM track_lookups CROSS JOIN lookups USING (lookup_id)"
            " WHERE track_id = ? AND state = 'pending' AND answered_at IS NULL",
            (track_id,),
        ).fetchall()
        connection.executemany(
            "DELETE FROM track_lookups WHERE track_id = ? AND lookup_id = ?",
            [(track_id, lookup_id) for lookup_id, *key in waiting if tuple(key) not in keys],
        )


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


def _told(connection: sqlite3.Connection, lookup_id: int, query: Query, now: float) -> bool:
    """Whether answers to other questions have described what this one asks for: then they are its answer. It is asked
    itself when that has aged."""
    ref = (query.provider, query.kind, query["id"])
    told = connection.execute(
        "SELECT fetched_at FROM facts WHERE provider = ? AND kind = ? AND entity_id = ? AND fetched_at >= ?",
        (*ref, iso(now - STILL_TRUE)),
    ).fetchone()
    if told is None:
        return False
    answered = connection.execute(
        "UPDATE lookups SET state = 'done', answer = ?, answered_at = ?, due_at = ? WHERE lookup_id = ?"
        " AND state = 'pending' AND answered_at IS NULL",
        (json.dumps([ref]), told[0], iso(epoch_seconds(told[0]) + STILL_TRUE), lookup_id),
    )
    return answered.rowcount > 0


def claim(
    connection: sqlite3.Connection,
    provider: str,
    capacity: Mapping[str, int],
    now: float,
    *,
    linger: float = 0.0,
    before_lease: Callable[[str, Sequence[int]], None] = lambda kind, lookup_ids: None,
) -> Claim:
    """Lease what is due, oldest first, of one kind only and at most that kind's capacity.

    `capacity` names the kinds that may be asked now, in the order in which one leads to the next. A kind that fills its
    capacity comes first; others only when they have waited `linger` seconds for that, the first of the order before
    later ones, which fill up meanwhile. Nothing lets others go first for more than PATIENCE seconds. What is due and
    serves no track any more leaves the queue. `before_lease` is told the kind and the lookups about to be leased, and may
    answer some, or make nobody want them: others take their place."""
    left = dict(capacity)
    while chosen := _kind_to_ask(connection, provider, left, now, linger):
        kind, since = chosen
        due = _due(connection, provider, kind, capacity[kind], now)
        looked_at: set[int] = set()
        while new := [one for one in due if one not in looked_at]:
            before_lease(kind, new)
            looked_at.update(new)
            due = _due(connection, provider, kind, capacity[kind], now)
        if due:
            return Claim(_leased(connection, provider, kind, due, now), max(0.0, now - since))
        del left[kind]  # nobody wants what seemed to be due
    return Claim(())


def _leased(
    connection: sqlite3.Connection, provider: str, kind: str, due: Sequence[int], now: float
) -> tuple[Lookup, ...]:
    rows = connection.execute(
        "UPDATE lookups SET state = 'leased', leased_at = ? WHERE lookup_id IN (SELECT value FROM json_each(?))"
        " RETURNING lookup_id, query, hint, attempts, misses",
        (iso(now), json.dumps(due)),
    ).fetchall()
    return tuple(
        Lookup(row[0], Query.of(provider, kind, json.loads(row[2]), **json.loads(row[1])), row[3], row[4])
        for row in sorted(rows)
    )


def _kind_to_ask(
    connection: sqlite3.Connection, provider: str, capacity: Mapping[str, int], now: float, linger: float
) -> tuple[str, float] | None:
    """The kind to ask next, and since when (epoch seconds) its first lookup is due."""
    due = {
        kind: (count, epoch_seconds(first))
        for kind, most in capacity.items()
        for count, first in connection.execute(
            "SELECT count(*), min(due_at) FROM ("
            " SELECT due_at FROM lookups INDEXED BY lookups_waiting"
            " WHERE provider = ? AND kind = ? AND state = 'pending' AND due_at <= ?"
            " ORDER BY due_at, lookup_id LIMIT ?)",
            (provider, kind, iso(now), most),
        )
        if count
    }
    if not due:
        return None
    first, oldest = min((first, kind) for kind, (_, first) in due.items())
    if first < now - PATIENCE:
        return oldest, first
    full = [kind for kind, (count, _) in due.items() if count >= capacity[kind]]
    patient = [kind for kind, (_, since) in due.items() if since <= now - linger]
    return next(((kind, due[kind][1]) for kind in [*full, *patient]), None)


def _due(connection: sqlite3.Connection, provider: str, kind: str, most: int, now: float) -> list[int]:
    """The first lookups of this kind that are due and wanted; those in their way that nobody wants are retired."""
    wanted: list[int] = []
    for _ in range(ROUNDS):
        found = connection.execute(
            f"SELECT lookup_id, {_WANTED} FROM ("
            # left to itself, SQLite prefers the index by state, and steps over all that waits for other providers
            " SELECT lookup_id FROM lookups INDEXED BY lookups_waiting"
            " WHERE provider = ? AND kind = ? AND state = 'pending' AND due_at <= ?"
            " ORDER BY due_at, lookup_id LIMIT ?) AS l",
            (provider, kind, iso(now), most),
        ).fetchall()
        wanted = [lookup_id for lookup_id, is_wanted in found if is_wanted]
        if len(wanted) == len(found):
            break
        _retire(connection, [lookup_id for lookup_id, is_wanted in found if not is_wanted], now)
    return wanted


def _retire(connection: sqlite3.Connection, unwanted: Sequence[int], now: float) -> None:
    """Take lookups that wait for nobody out of the queue: an answer from before stays for whoever may ask; one
    without an answer is as if never asked, so that a track that wants it (again) queues it anew."""
    ids = json.dumps(unwanted)
    connection.execute(
        "DELETE FROM lookups WHERE lookup_id IN (SELECT value FROM json_each(?)) AND answered_at IS NULL",
        (ids,),
    )
    connection.execute(
        "UPDATE lookups SET state = CASE answer WHEN '[]' THEN 'missing' ELSE 'done' END, due_at = ?"
        " WHERE lookup_id IN (SELECT value FROM json_each(?))",
        (iso(now + UNWANTED_REST), ids),
    )


def next_due_by_kind(connection: sqlite3.Connection, provider: str, kinds: Iterable[str]) -> dict[str, float]:
    """When the first waiting lookup of each of these kinds is due, in epoch seconds; kinds without one are absent."""
    firsts = ((kind, _first(connection, provider, kind)) for kind in kinds)
    return {kind: epoch_seconds(first[0]) for kind, first in firsts if first}


def _first(connection: sqlite3.Connection, provider: str, kind: str) -> tuple[str] | None:
    found: tuple[str] | None = connection.execute(
        "SELECT due_at FROM lookups INDEXED BY lookups_waiting"
        " WHERE provider = ? AND kind = ? AND state = 'pending'"
        " ORDER BY due_at, lookup_id LIMIT 1",
        (provider, kind),
    ).fetchone()
    return found


@dataclass(frozen=True, slots=True)
class WaitingLookups:
    """Lookups of one kind that are still to be answered; `due_at` (epoch seconds) of the first."""

    kind: str
    leased: bool
    lookups: int
    due_at: float


def waiting_lookups(
    connection: sqlite3.Connection, provider: str, track_ids: Sequence[int] | None = None
) -> list[WaitingLookups]:
    """What of this provider is still to be answered, by kind; only what serves `track_ids`, if given."""
    if track_ids is None:
        return _all_waiting(connection, provider)
    rows = connection.execute(
        "SELECT kind, state = 'leased', count(*), min(due_at) FROM ("
        " SELECT DISTINCT lookup_id FROM track_lookups WHERE track_id IN (SELECT value FROM json_each(?))) AS mine"
        # CROSS keeps SQLite from turning it around and stepping over all that waits for other tracks
        " CROSS JOIN lookups USING (lookup_id) WHERE provider = ? AND state IN ('pending', 'leased')"
        " GROUP BY kind, state",
        (json.dumps(list(track_ids)), provider),
    )
    return [
        WaitingLookups(kind, bool(leased), count, epoch_seconds(due_at))
        for kind, leased, count, due_at in rows
    ]


def _all_waiting(connection: sqlite3.Connection, provider: str) -> list[WaitingLookups]:
    found = []
    for kind, state, count in connection.execute(
        "SELECT kind, state, lookups FROM lookup_totals"
        " WHERE provider = ? AND state IN ('pending', 'leased') AND lookups > 0 ORDER BY kind, state DESC",
        (provider,),
    ).fetchall():
        first = _first(connection, provider, kind) if state == "pending" else connection.execute(
            # leases are few: what is being asked now
            "SELECT min(due_at) FROM lookups INDEXED BY lookups_by_state"
            " WHERE state = 'leased' AND provider = ? AND kind = ?",
            (provider, kind),
        ).fetchone()  # fmt: skip
        assert first is not None
        found.append(WaitingLookups(kind, state == "leased", count, epoch_seconds(first[0])))
    return found


def settle(connection: sqlite3.Connection, settlements: Iterable[Settlement], now: float) -> None:
    """Write what the lookups brought and acknowledge them, in the caller's transaction."""
    stamp = iso(now)
    for one in settlements:
        if one.state is LookupState.PENDING and not one.is_attempt:
            # whatever keeps us from asking is known to the gate: the lookup's own due time is not brought forward
            connection.execute(
                "UPDATE lookups SET state = 'pending', leased_at = NULL, last_error = ?, due_at = max(due_at, ?)"
                " WHERE lookup_id = ?",
                (one.error, iso(one.due_at), one.lookup.lookup_id),
            )
            continue
        for entity in one.entities:
            facts.merge(connection, entity, one.lookup.query.kind, stamp)
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


def release_leases(connection: sqlite3.Connection, lookup_ids: Iterable[int] | None = None) -> int:
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


def requeue_due(connection: sqlite3.Connection, now: float, limit: int = WOKEN_AT_ONCE) -> int:
    """Put answers and misses whose time has come, and that serve a track, back into the queue; one call looks at no
    more than `limit`, the next goes on from there. Returns how many came back."""
    due = connection.execute(
        f"SELECT lookup_id, {_WANTED} FROM (SELECT lookup_id FROM lookups INDEXED BY lookups_by_state"
        " WHERE state IN ('done', 'missing') AND due_at <= ? LIMIT ?) AS l",
        (iso(now), limit),
    ).fetchall()
    woken = [lookup_id for lookup_id, wanted in due if wanted]
    connection.execute(
        "UPDATE lookups SET state = 'pending', attempts = 0 WHERE lookup_id IN (SELECT value FROM json_each(?))",
        (json.dumps(woken),),
    )
    connection.execute(  # out of the way of the next sweep
        "UPDATE lookups SET due_at = ? WHERE lookup_id IN (SELECT value FROM json_each(?))",
        (iso(now + UNWANTED_REST), json.dumps([lookup_id for lookup_id, wanted in due if not wanted])),
    )
    return len(woken)


def requeue_by_state(
    connection: sqlite3.Connection, states: Sequence[str], provider: str | None, now: float
) -> list[int]:
    """Queue given-up lookups that serve a track again at once. `failed` takes the buried along.

    Returns their ids, ascending: `tracks_served` tells which tracks to decide anew."""
    wanted = {*states, *(["buried"] if "failed" in states else [])}
    rows = connection.execute(
        "UPDATE lookups AS l SET state = 'pending', attempts = 0, due_at = ?"
        " WHERE state IN (SELECT value FROM json_each(?))"
        f" AND (? IS NULL OR provider = ?) AND {_WANTED} RETURNING lookup_id",
        (iso(now), json.dumps(sorted(wanted)), provider, provider),
    )
    return sorted(lookup_id for (lookup_id,) in rows.fetchall())


def tracks_served(connection: sqlite3.Connection, lookup_ids: Iterable[int]) -> list[int]:
    """The tracks linked to any of these lookups, ascending."""
    rows = connection.execute(
        "SELECT DISTINCT track_id FROM track_lookups WHERE lookup_id IN (SELECT value FROM json_each(?)) ORDER BY 1",
        (json.dumps(list(lookup_ids)),),
    )
    return [track_id for (track_id,) in rows]
