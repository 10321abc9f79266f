"""Rows of `enriched_tracks` for exports, in pages by track_id; each page is found by its key."""

import sqlite3
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from soulspot.store.browse import match_expression
from soulspot.store.sql import fetch_value
from soulspot.store.times import iso

Row = tuple[Any, ...]

# A read transaction keeps SQLite from folding its write-ahead log back into the file. One that has
# lasted this long (seconds) makes way for a new one, which continues behind the last row.
SNAPSHOT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class RowFilter:
    """The rows that an export wants; the default is all of them."""

    statuses: tuple[str, ...] = ()  # none: every status
    since: float | None = None  # written since then, in epoch seconds
    words: str | None = None  # search words, as in `browse.page`
    limit: int | None = None


@dataclass(slots=True)
class Snapshots:
    """Read transactions that an export took: when the first began (epoch seconds), and how many."""

    began: float | None = None
    count: int = 0


def count(connection: sqlite3.Connection, wanted: RowFilter) -> int:
    """Return the number of rows that an export would have now."""
    source, conditions, values = _source(wanted)
    if source is None:
        return 0
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    found = int(fetch_value(connection, f"SELECT count(*) FROM {source}{where}", *values))
    return found if wanted.limit is None else min(found, wanted.limit)


def pages(
    connection: sqlite3.Connection, columns: Sequence[str], wanted: RowFilter, size: int, *, snapshots: Snapshots,
    snapshot_seconds: float = SNAPSHOT_SECONDS, now: Callable[[], float] = time.time,
) -> Generator[list[Row], None, None]:  # fmt: skip
    """Yield pages of at most `size` rows by track_id: the track_id, then these columns as stored.
    No row comes twice or is left out, however many read transactions are taken; `snapshots` is
    updated with each. The connection must not be in a transaction."""
    source, conditions, values = _source(wanted)
    if source is None:
        return
    key = "e.track_id"
    if wanted.words is None:
        # Rows found by another index would have to be sorted by key, all of them for each page.
        source += " NOT INDEXED"
    else:
        key = "track_search.rowid"
    chosen = ", ".join(f"e.{name}" for name in ("track_id", *columns))
    where = " AND ".join([*conditions, f"{key} > ?"])
    sql = f"SELECT {chosen} FROM {source} WHERE {where} ORDER BY {key} LIMIT ?"
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
            page_size = size if left is None else min(size, left)
            found = connection.execute(sql, (*values, after, page_size)).fetchall()
            if found:
                yield found
            if len(found) < page_size:
                return
            after = found[-1][0]
            left = None if left is None else left - len(found)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _source(wanted: RowFilter) -> tuple[str | None, list[str], list[Any]]:
    """Return the FROM clause, the conditions and their values; no clause when nothing can match."""
    conditions: list[str] = []
    values: list[Any] = []
    source = "enriched_tracks AS e"
    if wanted.words is not None:
        match = match_expression(wanted.words, wanted.statuses)
        if match is None:
            return None, [], []
        # CROSS JOIN makes SQLite begin with the search, whose rowids (= track_ids) come in order.
        source = "track_search CROSS JOIN enriched_tracks AS e ON e.track_id = track_search.rowid"
        conditions.append("track_search MATCH ?")
        values.append(match)
    elif wanted.statuses:
        conditions.append(f"e.status IN ({', '.join('?' * len(wanted.statuses))})")
        values += wanted.statuses
    if wanted.since is not None:
        conditions.append("e.updated_at >= ?")
        values.append(iso(wanted.since))
    return source, conditions, values
