"""Rows of enriched_tracks for exports: by track_id, one page after the other, each page a seek by key."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.store.browse import match_expression
from soulspot.store.times import iso

TABLE = "enriched_tracks"
Row = tuple[Any, ...]

SNAPSHOT_SECONDS = 600.0
"""A read transaction keeps SQLite from folding its write-ahead log back into the file. One that lasts this long makes
way for a new one, which goes on behind the last row."""


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows: of these statuses (none: of all), written since then (epoch seconds), found by these words, and
    how many at most."""

    statuses: tuple[str, ...] = ()
    since: float | None = None
    words: str | None = None
    limit: int | None = None


@dataclass(slots=True)
class Snapshots:
    """When the first read transaction began (epoch seconds), and how many there were."""

    began: float | None = None
    count: int = 0


def count(connection: sqlite3.Connection, wanted: RowFilter) -> int:
    """How many rows there are now."""
    source, conditions, values = _source(wanted)
    if source is None:
        return 0
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    found = int(connection.execute(f"SELECT count(*) FROM {source}{where}", values).fetchone()[0])
    return found if wanted.limit is None else min(found, wanted.limit)


def pages(
    connection: sqlite3.Connection,
    columns: Sequence[str],
    wanted: RowFilter,
    size: int,
    *,
    snapshots: Snapshots,
    snapshot_seconds: float = SNAPSHOT_SECONDS,
    now: Callable[[], float] = time.time,
) -> Generator[list[Row], None, None]:
    """Pages of at most `size` rows by track_id: track_id first, then these columns as the table has them.

    No row comes twice or is left out, however many read transactions it takes; `snapshots` is kept up to date."""
    source, conditions, values = _source(wanted)
    if source is None:
        return
    chosen = ", ".join(f"e.{name}" for name in ("track_id", *columns))
    if wanted.words is None:
        source += " NOT INDEXED"  # in the order of its key: what another index finds would have to be sorted
    where = " AND ".join([*conditions, f"{_key(wanted)} > ?"])
    sql = f"SELECT {chosen} FROM {source} WHERE {where} ORDER BY {_key(wanted)} LIMIT ?"
    after, left, ends = -(2**63), wanted.limit, 0.0
    try:
        while left is None or left > 0:
            moment = now()
            if moment >= ends:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                connection.execute("BEGIN")
                ends = moment + snapshot_seconds
                snapshots.count += 1
                snapshots.began = moment if snapshots.began is None else snapshots.began
            ask = size if left is None else min(size, left)
            found = connection.execute(sql, (*values, after, ask)).fetchall()
            if found:
                yield found
            if len(found) < ask:
                return
            after = found[-1][0]
            left = None if left is None else left - len(found)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _key(wanted: RowFilter) -> str:
    return "e.track_id" if wanted.words is None else "track_search.rowid"


def _source(wanted: RowFilter) -> tuple[str | None, list[str], list[Any]]:
    """The FROM, the conditions and their values; no FROM where nothing can match."""
    conditions: list[str] = []
    values: list[Any] = []
    source = f"{TABLE} AS e"
    if wanted.words is not None:
        match = match_expression(wanted.words, wanted.statuses)
        if match is None:
            return None, [], []
        # CROSS: the search leads, in the order of its rowid, which is the track_id
        source = f"track_search CROSS JOIN {TABLE} AS e ON e.track_id = track_search.rowid"
        conditions.append("track_search MATCH ?")
        values.append(match)
    elif wanted.statuses:
        conditions.append(f"e.status IN ({', '.join('?' * len(wanted.statuses))})")
        values += wanted.statuses
    if wanted.since is not None:
        conditions.append("e.updated_at >= ?")
        values.append(iso(wanted.since))
    return source, conditions, values
