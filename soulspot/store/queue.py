"""The durable queue: lookups are enqueued, claimed, then settled or released.

A lookup is one query to one provider, and serves all tracks linked to it. Its states: `pending`
(due at `due_at`), `leased` (being asked), `done` or `missing` (answered; due again at `due_at`),
and `failed` or `buried` (given up)."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from soulspot.models import Lookup, LookupState, Query, Settlement
from soulspot.store import facts
from soulspot.store.sql import IN_ARRAY, fetch_column, fetch_value, insert, to_array
from soulspot.store.times import epoch_seconds, iso

SETTLED = "('done', 'missing', 'failed', 'buried')"
# Lookups that one sweep looks at: those answered on one day come due on one day.
WOKEN_AT_ONCE = 5_000
UNWANTED_REST = 86_400.0  # seconds until an aged answer that serves no track is looked at again
PATIENCE = 600.0  # seconds that a lookup lets fuller batches of other kinds go first
KNOWN_FOR = 30 * 86_400.0  # seconds that facts from other answers satisfy a lookup with the hint "told"
# Rounds of retiring unwanted lookups in one claim, which must not hold up other writers.
ROUNDS = 10

# True for a lookup `l` that serves a track which has not vanished.
_WANTED = (
    "EXISTS (SELECT 1 FROM track_lookups AS link CROSS JOIN tracks USING (track_id)"
    " WHERE link.lookup_id = l.lookup_id AND tracks.vanished_at IS NULL)"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Leased lookups, all of one kind."""

    lookups: tuple[Lookup, ...]
    waited: float = 0.0  # seconds since the first of them was due


def enqueue(connection: sqlite3.Connection, wanted: Mapping[int, Sequence[Query]], now: float) -> set[int]:
    """Link tracks to the lookups of the queries they want (by track_id), and queue new lookups.
    Equal queries share one lookup. A query with the hint "told" is satisfied by facts that other
    answers brought. Returns the tracks newly linked to a settled lookup: decide them anew."""
    answered_already = set()
    stamp = iso(now)
    for track_id, queries in wanted.items():
        for query in queries:
            lookup_id, settled = _find_or_add(connection, query, stamp)
            if not settled and query.hinted("told") and _settle_from_facts(connection, lookup_id, query, now):
                answered_already.update(tracks_served(connection, [lookup_id]))
                settled = True
            linked = connection.execute(
                "INSERT OR IGNORE INTO track_lookups (track_id, lookup_id) VALUES (?, ?)", (track_id, lookup_id)
            )
            if linked.rowcount and settled:
                answered_already.add(track_id)
    return answered_already


def unlink_unwanted(connection: sqlite3.Connection, wanted: Mapping[int, Sequence[Query]]) -> None:
    """Unlink tracks from pending lookups never answered and not `wanted` any more. That happens
    when another lookup, a cheaper one, has been answered first."""
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


def _find_or_add(connection: sqlite3.Connection, query: Query, stamp: str) -> tuple[int, bool]:
    """Return the lookup of a query, queued now if it is new, and whether it is settled."""
    found = connection.execute(
        f"SELECT lookup_id, answered_at IS NOT NULL OR state IN {SETTLED} FROM lookups"
        " WHERE provider = ? AND kind = ? AND query = ?",
        (query.provider, query.kind, query.key),
    ).fetchone()
    if found:
        return int(found[0]), bool(found[1])
    row = {
        "provider": query.provider, "kind": query.kind, "query": query.key,
        "hint": json.dumps(dict(query.hint), ensure_ascii=False), "due_at": stamp, "created_at": stamp,
    }  # fmt: skip
    return insert(connection, "lookups", row), False


def _settle_from_facts(connection: sqlite3.Connection, lookup_id: int, query: Query, now: float) -> bool:
    """Settle a pending lookup with facts from other answers. Returns whether there are such facts.
    The lookup comes due when the facts have aged, and is then asked itself."""
    ref = (query.provider, query.kind, query["id"])
    sql = "SELECT fetched_at FROM facts WHERE provider = ? AND kind = ? AND entity_id = ? AND fetched_at >= ?"
    fetched_at = fetch_value(connection, sql, *ref, iso(now - KNOWN_FOR))
    if fetched_at is None:
        return False
    answered = connection.execute(
        "UPDATE lookups SET state = 'done', answer = ?, answered_at = ?, due_at = ? WHERE lookup_id = ?"
        " AND state = 'pending' AND answered_at IS NULL",
        (json.dumps([ref]), fetched_at, iso(epoch_seconds(fetched_at) + KNOWN_FOR), lookup_id),
    )
    return answered.rowcount > 0


def claim(
    connection: sqlite3.Connection, provider: str, capacity: Mapping[str, int], now: float, *, linger: float = 0.0,
    before_lease: Callable[[str, Sequence[int]], None] = lambda kind, lookup_ids: None,
) -> Claim:  # fmt: skip
    """Lease the oldest due lookups of one kind, at most that kind's capacity.

    `capacity` maps the kinds that may be asked now to their batch sizes, in the order of the
    plan. A kind with a full batch is chosen first, then the first kind that has waited `linger`
    seconds; a kind that has waited PATIENCE seconds comes before both. Due lookups that serve no
    track leave the queue. `before_lease(kind, lookup_ids)` may settle or unlink some of the
    lookups: others take their place."""
    left = dict(capacity)
    while chosen := _choose_kind(connection, provider, left, now, linger):
        kind, since = chosen
        due = _list_due(connection, provider, kind, capacity[kind], now)
        looked_at: set[int] = set()
        while new := [lookup_id for lookup_id in due if lookup_id not in looked_at]:
            before_lease(kind, new)
            looked_at.update(new)
            due = _list_due(connection, provider, kind, capacity[kind], now)
        if due:
            return Claim(_lease(connection, provider, kind, due), max(0.0, now - since))
        # All that was due of this kind has turned out to be unwanted.
        del left[kind]
    return Claim(())


def _lease(connection: sqlite3.Connection, provider: str, kind: str, due: Sequence[int]) -> tuple[Lookup, ...]:
    rows = connection.execute(
        f"UPDATE lookups SET state = 'leased' WHERE lookup_id {IN_ARRAY}"
        " RETURNING lookup_id, query, hint, attempts, misses",
        (to_array(due),),
    ).fetchall()
    return tuple(
        Lookup(lookup_id, Query.of(provider, kind, json.loads(hint), **json.loads(query)), attempts, misses)
        for lookup_id, query, hint, attempts, misses in sorted(rows)
    )


def _choose_kind(
    connection: sqlite3.Connection, provider: str, capacity: Mapping[str, int], now: float, linger: float
) -> tuple[str, float] | None:
    """Return the kind to ask next, and since when its first lookup is due; None when nothing is."""
    due = {
        kind: (count, epoch_seconds(first))
        for kind, limit in capacity.items()
        for count, first in connection.execute(
            "SELECT count(*), min(due_at) FROM ("
            " SELECT due_at FROM lookups INDEXED BY lookups_waiting"
            " WHERE provider = ? AND kind = ? AND state = 'pending' AND due_at <= ?"
            " ORDER BY due_at, lookup_id LIMIT ?)",
            (provider, kind, iso(now), limit),
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


def _list_due(connection: sqlite3.Connection, provider: str, kind: str, limit: int, now: float) -> list[int]:
    """Return the first due lookups of this kind that serve a track, retiring others on the way."""
    wanted: list[int] = []
    for _ in range(ROUNDS):
        found = connection.execute(
            f"SELECT lookup_id, {_WANTED} FROM ("
            # Left to itself SQLite takes the index by state, with all other providers' lookups.
            " SELECT lookup_id FROM lookups INDEXED BY lookups_waiting"
            " WHERE provider = ? AND kind = ? AND state = 'pending' AND due_at <= ?"
            " ORDER BY due_at, lookup_id LIMIT ?) AS l",
            (provider, kind, iso(now), limit),
        ).fetchall()
        wanted = [lookup_id for lookup_id, is_wanted in found if is_wanted]
        if len(wanted) == len(found):
            break
        _retire(connection, [lookup_id for lookup_id, is_wanted in found if not is_wanted], now)
    return wanted


def _retire(connection: sqlite3.Connection, unwanted: Sequence[int], now: float) -> None:
    ids = to_array(unwanted)
    # Without an answer a lookup is as if never queued: a track that wants it again queues it anew.
    connection.execute(f"DELETE FROM lookups WHERE lookup_id {IN_ARRAY} AND answered_at IS NULL", (ids,))
    # One that is being refreshed keeps its earlier answer, for tracks to come.
    connection.execute(
        "UPDATE lookups SET state = CASE answer WHEN '[]' THEN 'missing' ELSE 'done' END, due_at = ?"
        f" WHERE lookup_id {IN_ARRAY}",
        (iso(now + UNWANTED_REST), ids),
    )


def next_due_by_kind(connection: sqlite3.Connection, provider: str, kinds: Iterable[str]) -> dict[str, float]:
    """Return when the first pending lookup of each kind that has any is due (epoch seconds)."""
    firsts = ((kind, _first_due(connection, provider, kind)) for kind in kinds)
    return {kind: epoch_seconds(first) for kind, first in firsts if first}


def _first_due(connection: sqlite3.Connection, provider: str, kind: str) -> str | None:
    sql = (
        "SELECT due_at FROM lookups INDEXED BY lookups_waiting"
        " WHERE provider = ? AND kind = ? AND state = 'pending' ORDER BY due_at, lookup_id LIMIT 1"
    )
    first: str | None = fetch_value(connection, sql, provider, kind)
    return first


@dataclass(frozen=True, slots=True)
class WaitingLookups:
    """Lookups of one kind that are pending, or leased."""

    kind: str
    leased: bool
    lookups: int
    due_at: float  # of the first, in epoch seconds


def waiting_lookups(
    connection: sqlite3.Connection, provider: str, track_ids: Sequence[int] | None = None
) -> list[WaitingLookups]:
    """Return a provider's pending and leased lookups, counted by kind and state. With `track_ids`
    only those that serve one of these tracks."""
    if track_ids is None:
        return _all_waiting(connection, provider)
    rows = connection.execute(
        "SELECT kind, state = 'leased', count(*), min(due_at) FROM ("
        f" SELECT DISTINCT lookup_id FROM track_lookups WHERE track_id {IN_ARRAY}) AS mine"
        # CROSS keeps SQLite from beginning with all that waits for other tracks.
        " CROSS JOIN lookups USING (lookup_id) WHERE provider = ? AND state IN ('pending', 'leased')"
        " GROUP BY kind, state",
        (to_array(track_ids), provider),
    )
    return [WaitingLookups(kind, bool(leased), count, epoch_seconds(due)) for kind, leased, count, due in rows]


def _all_waiting(connection: sqlite3.Connection, provider: str) -> list[WaitingLookups]:
    found = []
    for kind, state, count in connection.execute(
        "SELECT kind, state, lookups FROM lookup_totals"
        " WHERE provider = ? AND state IN ('pending', 'leased') AND lookups > 0 ORDER BY kind, state DESC",
        (provider,),
    ).fetchall():
        if state == "pending":
            due_at = _first_due(connection, provider, kind)
        else:
            # Leases are few, so the index by state is short here.
            sql = (
                "SELECT min(due_at) FROM lookups INDEXED BY lookups_by_state"
                " WHERE state = 'leased' AND provider = ? AND kind = ?"
            )
            due_at = fetch_value(connection, sql, provider, kind)
        assert due_at is not None
        found.append(WaitingLookups(kind, state == "leased", count, epoch_seconds(due_at)))
    return found


def settle(connection: sqlite3.Connection, settlements: Iterable[Settlement], now: float) -> None:
    """Acknowledge lookups: merge the facts they brought, and write their new state and due time."""
    stamp = iso(now)
    for settlement in settlements:
        lookup = settlement.lookup
        if settlement.state is LookupState.PENDING and not settlement.is_attempt:
            # The gate knows until when a provider is not asked: a lookup's later due time stays.
            connection.execute(
                "UPDATE lookups SET state = 'pending', last_error = ?, due_at = max(due_at, ?) WHERE lookup_id = ?",
                (settlement.error, iso(settlement.due_at), lookup.lookup_id),
            )
            continue
        for entity in settlement.entities:
            facts.merge(connection, entity, lookup.query.kind, stamp)
        answered = settlement.state in (LookupState.DONE, LookupState.MISSING)
        connection.execute(
            "UPDATE lookups SET state = ?, due_at = ?, last_error = ?,"
            " attempts = CASE WHEN ? THEN 0 ELSE attempts + ? END, misses = CASE ? WHEN 'missing' THEN misses + 1"
            " WHEN 'done' THEN 0 ELSE misses END, answer = CASE WHEN ? THEN ? ELSE answer END,"
            " answered_at = CASE WHEN ? THEN ? ELSE answered_at END WHERE lookup_id = ?",
            (
                settlement.state.value, iso(settlement.due_at), settlement.error,
                answered, int(not answered), settlement.state.value,
                answered, json.dumps([entity.ref for entity in settlement.entities]),
                answered, stamp, lookup.lookup_id,
            ),
        )  # fmt: skip


def release_leases(connection: sqlite3.Connection, lookup_ids: Iterable[int] | None = None) -> int:
    """Set leased lookups, without ids all, to pending without an attempt. Returns how many."""
    sql = "UPDATE lookups SET state = 'pending' WHERE state = 'leased'"
    if lookup_ids is None:
        return connection.execute(sql).rowcount
    return connection.execute(f"{sql} AND lookup_id {IN_ARRAY}", (to_array(lookup_ids),)).rowcount


def requeue_due(connection: sqlite3.Connection, now: float, limit: int = WOKEN_AT_ONCE) -> int:
    """Queue answered lookups that are due again and serve a track. Returns how many were queued. A
    call looks at no more than `limit` lookups; the next call continues there."""
    due = connection.execute(
        f"SELECT lookup_id, {_WANTED} FROM (SELECT lookup_id FROM lookups INDEXED BY lookups_by_state"
        " WHERE state IN ('done', 'missing') AND due_at <= ? LIMIT ?) AS l",
        (iso(now), limit),
    ).fetchall()
    woken = [lookup_id for lookup_id, wanted in due if wanted]
    connection.execute(
        f"UPDATE lookups SET state = 'pending', attempts = 0 WHERE lookup_id {IN_ARRAY}", (to_array(woken),)
    )
    # A later due time keeps unwanted lookups out of the next sweeps.
    connection.execute(
        f"UPDATE lookups SET due_at = ? WHERE lookup_id {IN_ARRAY}",
        (iso(now + UNWANTED_REST), to_array(lookup_id for lookup_id, wanted in due if not wanted)),
    )
    return len(woken)


def clamp_due_times(connection: sqlite3.Connection, now: float, wait: float, rest: float) -> int:
    """Bring back due times that a clock which ran ahead has written. Returns how many lookups wait
    again. No lookup waits longer than `wait` seconds, and none that was answered in the future
    rests longer than `rest`. A call looks at no more than WOKEN_AT_ONCE lookups of each state."""
    waiting = connection.execute(
        "UPDATE lookups SET due_at = ? WHERE lookup_id IN (SELECT lookup_id FROM lookups INDEXED BY lookups_by_state"
        " WHERE state = 'pending' AND due_at > ? ORDER BY due_at DESC LIMIT ?)",
        (iso(now + wait), iso(now + wait), WOKEN_AT_ONCE),
    ).rowcount
    for state in ("done", "missing"):
        connection.execute(
            "UPDATE lookups SET due_at = ?, answered_at = ? WHERE lookup_id IN (SELECT lookup_id FROM lookups"
            " INDEXED BY lookups_by_state WHERE state = ? AND due_at > ? ORDER BY due_at DESC LIMIT ?)"
            " AND answered_at > ?",
            (iso(now + rest), iso(now), state, iso(now + max(rest, KNOWN_FOR)), WOKEN_AT_ONCE, iso(now)),
        )
    return waiting


def requeue_by_state(
    connection: sqlite3.Connection, states: Sequence[str], provider: str | None, now: float
) -> list[int]:
    """Queue lookups in these states that serve a track again at once; "failed" includes the buried.
    `provider` None means all. Returns their ids, ascending."""
    wanted = {*states, *(["buried"] if "failed" in states else [])}
    rows = connection.execute(
        "UPDATE lookups AS l SET state = 'pending', attempts = 0, due_at = ?"
        f" WHERE state {IN_ARRAY} AND (? IS NULL OR provider = ?) AND {_WANTED} RETURNING lookup_id",
        (iso(now), to_array(sorted(wanted)), provider, provider),
    )
    return sorted(lookup_id for (lookup_id,) in rows.fetchall())


def tracks_served(connection: sqlite3.Connection, lookup_ids: Iterable[int]) -> list[int]:
    """Return the tracks linked to any of these lookups, ascending."""
    sql = f"SELECT DISTINCT track_id FROM track_lookups WHERE lookup_id {IN_ARRAY} ORDER BY 1"
    return fetch_column(connection, sql, to_array(lookup_ids))
