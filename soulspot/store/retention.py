"""Delete what has served its time, a piece at a time: no other writer waits long.

Decisions of people stay, with their tracks; so do facts that a track still uses."""

import json
import sqlite3
from collections.abc import Callable, Iterator

from soulspot.store.operations import KEEPS_UPLOAD
from soulspot.store.queue import SETTLED
from soulspot.store.sql import IN_ARRAY, fetch_column, to_array
from soulspot.store.times import iso

PIECE = 500  # rows deleted by one call
PAGE = 5_000  # rows that one call looks at
FactKey = tuple[str, str, str]


def prune_operations(connection: sqlite3.Connection, before: float) -> int:
    """Delete operations that ended before then (epoch seconds). Return how many; fewer than PIECE
    when all are done. Those whose tag writes can be taken back stay, and those that keep an
    upload: without its row nobody would know that the file is wanted."""
    # The newest stays, so that no number is ever given twice.
    return connection.execute(
        "DELETE FROM batch_operations WHERE id IN (SELECT id FROM batch_operations AS o WHERE completed_at < ?"
        f" AND id < (SELECT max(id) FROM batch_operations) AND ({KEEPS_UPLOAD}) IS NOT TRUE"
        " AND NOT EXISTS (SELECT 1 FROM tag_writes WHERE operation_id = o.id) LIMIT ?)",
        (iso(before), PIECE),
    ).rowcount


def prune_vanished(connection: sqlite3.Connection, before: float) -> int:
    """Delete tracks whose files vanished before then, and nobody has decided on. Return how many;
    fewer than PIECE when all are done."""
    gone = fetch_column(
        connection,
        "SELECT track_id FROM tracks AS t INDEXED BY tracks_vanished WHERE vanished_at < ?"
        " AND NOT EXISTS (SELECT 1 FROM decisions WHERE track_id = t.track_id)"
        " AND NOT EXISTS (SELECT 1 FROM tag_writes WHERE track_id = t.track_id) LIMIT ?",
        iso(before), PIECE,
    )  # fmt: skip
    for table in ("enriched_tracks", "tracks"):
        connection.execute(f"DELETE FROM {table} WHERE track_id {IN_ARRAY}", (to_array(gone),))
    return len(gone)


def prune_album_finds(connection: sqlite3.Connection) -> int:
    """Delete what is noted of albums that have no tracks any more. Return how many."""
    return connection.execute(
        "DELETE FROM album_finds WHERE NOT EXISTS (SELECT 1 FROM tracks AS t"
        " WHERE t.album_key = album_finds.album_key AND t.vanished_at IS NULL)"
    ).rowcount


def prune_lookups(connection: sqlite3.Connection, before: float, after: int) -> tuple[int, int | None]:
    """Delete settled lookups that no track is linked to and that were answered before then. Return
    how many of a page of lookups behind the id `after`, and the next `after`, None at the end."""
    ids = fetch_column(
        connection, "SELECT lookup_id FROM lookups WHERE lookup_id > ? ORDER BY lookup_id LIMIT ?", after, PAGE
    )
    deleted = connection.execute(
        f"DELETE FROM lookups WHERE lookup_id {IN_ARRAY} AND state IN {SETTLED}"
        " AND coalesce(answered_at, created_at) < ?"
        " AND NOT EXISTS (SELECT 1 FROM track_lookups AS l WHERE l.lookup_id = lookups.lookup_id)",
        (to_array(ids), iso(before)),
    ).rowcount
    return deleted, ids[-1] if len(ids) == PAGE else None


def entities_in_answers(connection: sqlite3.Connection, after: int) -> tuple[set[tuple[str, str]], int | None]:
    """Return (provider, entity_id) of what a page of lookups behind the id `after` was answered
    with, and the next `after`, None at the end."""
    rows = connection.execute(
        "SELECT lookup_id, answer FROM lookups WHERE lookup_id > ? ORDER BY lookup_id LIMIT ?", (after, PAGE)
    ).fetchall()
    used = {(ref[0], ref[2]) for _, answer in rows for ref in json.loads(answer)}
    return used, rows[-1][0] if len(rows) == PAGE else None


def entities_on_tracks(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Yield (provider, entity_id) of the candidates of tracks, and of people's decisions."""
    for table in ("candidates", "decisions"):
        yield from connection.execute(f"SELECT provider, entity_id FROM {table}")


def prune_facts(
    connection: sqlite3.Connection, before: float, after: FactKey, is_used: Callable[[tuple[str, str]], bool]
) -> tuple[int, FactKey | None]:
    """Delete facts that were fetched before then, and that nothing uses. Return how many of a page
    of facts behind the key `after`, and the next `after`, None at the end."""
    rows = connection.execute(
        "SELECT provider, kind, entity_id, fetched_at < ? FROM facts WHERE (provider, kind, entity_id) > (?, ?, ?)"
        " ORDER BY provider, kind, entity_id LIMIT ?",
        (iso(before), *after, PAGE // 10),
    ).fetchall()
    unused = [row[:3] for row in rows if row[3] and not is_used((row[0], row[2]))]
    connection.executemany("DELETE FROM facts WHERE provider = ? AND kind = ? AND entity_id = ?", unused)
    return len(unused), rows[-1][:3] if len(rows) == PAGE // 10 else None
