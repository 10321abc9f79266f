"""Accepted rows of enriched_tracks put in the order of the releases they belong to, however many there are.

The order is kept in a database of its own that SQLite puts on the disk and takes away again: nothing is written to
ours, and no transaction lasts longer than a page."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Self

from soulspot.models import Status
from soulspot.store.export_rows import RowFilter, Snapshots, pages

PAGE = 1_000  # rows that are Python objects at one time
RELEASE_KEY = "release_key"  # the name under which a row tells its release
_ACCEPTED = (Status.ACCEPTED.value,)


class ReleaseOrder:
    """The accepted tracks by release: those of every release of which at least one track is wanted."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        wanted: RowFilter,
        columns: Sequence[str],
        key: Callable[[Mapping[str, Any]], str],
    ) -> None:
        """`key(row)` tells the release from these columns."""
        self._connection = connection
        self._order = sqlite3.connect("", isolation_level=None)
        try:
            self._gather(wanted, columns, key)
        except BaseException:
            self._order.close()
            raise

    def _gather(
        self, wanted: RowFilter, columns: Sequence[str], key: Callable[[Mapping[str, Any]], str]
    ) -> None:
        order = self._order
        order.execute(
            "CREATE TABLE tracks (key TEXT, track_id INTEGER, PRIMARY KEY (key, track_id)) WITHOUT ROWID"
        )
        order.execute("CREATE TABLE wanted (track_id INTEGER PRIMARY KEY)")
        order.execute("CREATE TABLE releases (key TEXT PRIMARY KEY) WITHOUT ROWID")
        order.execute("BEGIN")
        everything = wanted.since is None and wanted.words is None
        for page in _pages(self._connection, columns, RowFilter(_ACCEPTED)):
            keyed = [(key(dict(zip(columns, row[1:], strict=True))), row[0]) for row in page]
            order.executemany("INSERT INTO tracks VALUES (?, ?)", keyed)
        if everything:
            order.execute("INSERT INTO releases SELECT DISTINCT key FROM tracks")
        else:
            only = RowFilter(_ACCEPTED, wanted.since, wanted.words)
            for page in _pages(self._connection, (), only):
                order.executemany("INSERT INTO wanted VALUES (?)", page)
            order.execute("INSERT INTO releases SELECT DISTINCT key FROM tracks JOIN wanted USING (track_id)")
        order.execute("COMMIT")

    def count(self) -> int:
        """How many releases there are."""
        return int(self._order.execute("SELECT count(*) FROM releases").fetchone()[0])

    def rows(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """These columns, release by release, with the `release_key`. What is no longer accepted is left out."""
        cursor = self._order.execute(
            "SELECT key, track_id FROM releases JOIN tracks USING (key) ORDER BY key, track_id"
        )
        chosen = ", ".join(("track_id", *names))
        while page := cursor.fetchmany(PAGE):
            found = {
                row[0]: row
                for row in self._connection.execute(
                    f"SELECT {chosen} FROM enriched_tracks WHERE status = ? AND track_id IN"
                    " (SELECT value FROM json_each(?))",
                    (*_ACCEPTED, json.dumps([track_id for _, track_id in page])),
                )
            }
            for key, track_id in page:
                if track_id in found:
                    yield dict(zip(names, found[track_id][1:], strict=True)) | {RELEASE_KEY: key}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._order.close()


def _pages(
    connection: sqlite3.Connection, columns: Sequence[str], wanted: RowFilter
) -> Iterator[list[tuple[Any, ...]]]:
    with closing(pages(connection, columns, wanted, PAGE, snapshots=Snapshots())) as found:
        yield from found
