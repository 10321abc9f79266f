"""Accepted tracks in the order of their releases, however many there are. The order is in a
temporary SQLite database, which SQLite moves to disk when it grows and deletes by itself. Nothing
is written to the library's database; no transaction outlasts a page."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from typing import Any

from soulspot.models import Status
from soulspot.store.export_rows import RowFilter, Snapshots, pages
from soulspot.store.sql import IN_ARRAY, fetch_value, to_array

PAGE = 1_000  # rows in memory at a time
RELEASE_KEY = "release_key"  # the key of a row's release in the rows handed out
_ACCEPTED = (Status.ACCEPTED.value,)


class ReleaseOrder(AbstractContextManager["ReleaseOrder"]):
    """The accepted tracks of every release of which `wanted` finds at least one track."""

    def __init__(
        self, connection: sqlite3.Connection, wanted: RowFilter, columns: Sequence[str],
        key: Callable[[Mapping[str, Any]], str],
    ) -> None:  # fmt: skip
        """Read and order all accepted tracks; `key` tells a track's release from these columns."""
        self._connection = connection
        self._order = sqlite3.connect("", isolation_level=None)
        try:
            self._gather(wanted, columns, key)
        except BaseException:
            self._order.close()
            raise

    def _gather(self, wanted: RowFilter, columns: Sequence[str], key: Callable[[Mapping[str, Any]], str]) -> None:
        order = self._order
        order.execute("CREATE TABLE tracks (key TEXT, track_id INTEGER, PRIMARY KEY (key, track_id)) WITHOUT ROWID")
        order.execute("CREATE TABLE wanted (track_id INTEGER PRIMARY KEY)")
        order.execute("CREATE TABLE releases (key TEXT PRIMARY KEY) WITHOUT ROWID")
        order.execute("BEGIN")
        for page in self._pages(columns, RowFilter(_ACCEPTED)):
            keyed = [(key(dict(zip(columns, row[1:], strict=True))), row[0]) for row in page]
            order.executemany("INSERT INTO tracks VALUES (?, ?)", keyed)
        if wanted.since is None and wanted.words is None:
            order.execute("INSERT INTO releases SELECT DISTINCT key FROM tracks")
        else:
            for page in self._pages((), RowFilter(_ACCEPTED, wanted.since, wanted.words)):
                order.executemany("INSERT INTO wanted VALUES (?)", page)
            order.execute("INSERT INTO releases SELECT DISTINCT key FROM tracks JOIN wanted USING (track_id)")
        order.execute("COMMIT")

    def _pages(self, columns: Sequence[str], wanted: RowFilter) -> Iterator[list[tuple[Any, ...]]]:
        with closing(pages(self._connection, columns, wanted, PAGE, snapshots=Snapshots())) as found:
            yield from found

    def count(self) -> int:
        """Return the number of releases."""
        return int(fetch_value(self._order, "SELECT count(*) FROM releases"))

    def rows(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield these columns and the RELEASE_KEY of each still accepted track, by release."""
        cursor = self._order.execute(
            "SELECT key, track_id FROM releases JOIN tracks USING (key) ORDER BY key, track_id"
        )
        sql = f"SELECT {', '.join(('track_id', *names))} FROM enriched_tracks WHERE status = ? AND track_id {IN_ARRAY}"
        while page := cursor.fetchmany(PAGE):
            ids = to_array(track_id for _, track_id in page)
            found = {row[0]: row for row in self._connection.execute(sql, (*_ACCEPTED, ids))}
            for key, track_id in page:
                if track_id in found:
                    yield dict(zip(names, found[track_id][1:], strict=True)) | {RELEASE_KEY: key}

    def __exit__(self, *_: object) -> None:
        self._order.close()
