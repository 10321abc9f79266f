"""Save every readable row of a damaged database into a new one."""

import json
import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from soulspot.models import Identifiers, TrackTags
from soulspot.store import tags_json
from soulspot.store.copies import write_copy
from soulspot.store.migrations import apply, migrations
from soulspot.store.raw_pages import Damage, Pages, Record, Unreadable, Value
from soulspot.store.transactions import transaction

# Made of other tables by triggers, by SQLite itself, or anew for each database.
DERIVED = re.compile(r"lookup_totals|commit_count|track_search.*|sqlite_.*")
# A page that no tree leads to belongs to the table whose columns its rows fit. Rows of fewer
# columns fit the entries of some index just as well.
TELLING_COLUMNS = 5
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TIMES = re.compile(r".*_at|at|blocked_until|missing_until")
JSON = frozenset({
    "tags", "query", "hint", "answer", "fields", "said", "reasons", "metadata", "request", "payload", "value",
    "position", "changes", "early", "late", "artists", "genres", "mb_artist_ids", "spotify_artist_ids", "sources",
})  # fmt: skip
CLASSES: dict[str, tuple[type, ...]] = {"INTEGER": (int,), "TEXT": (str,), "BLOB": (bytes,), "REAL": (float, int),
                                        "FLOAT": (float, int)}  # fmt: skip


@dataclass(slots=True)
class Saved:
    """The rows of one table: how many were saved, and how many are known to be lost."""

    rows: int = 0
    lost: int = 0
    is_whole: bool = True  # all pages of the table could be read
    is_counted: bool = True  # `lost` is all that is lost

    @property
    def is_complete(self) -> bool:
        return self.is_counted and not self.lost


@dataclass(slots=True)
class Recovered:
    """The result of a recovery."""

    tables: dict[str, Saved] = field(default_factory=dict)
    bad_pages: int = 0

    @property
    def is_complete(self) -> bool:
        return all(saved.is_complete for saved in self.tables.values())


@dataclass(frozen=True, slots=True)
class Table:
    """A table, as the rows in its file are laid out."""

    name: str
    columns: tuple[tuple[str, str, bool], ...]  # name, type, NOT NULL; in the order of the stored values
    rowid_column: str | None  # an INTEGER PRIMARY KEY, which is stored as the rowid alone
    has_rowid: bool

    def row(self, record: Record) -> dict[str, Value] | None:
        """Return a record as a row by column; None when it cannot be one of this table."""
        if len(record.values) > len(self.columns) or (record.rowid is None) == self.has_rowid:
            return None
        # Values that are missing at the end belong to columns that were added later.
        row = dict(zip((name for name, _, _ in self.columns), record.values, strict=False))
        if self.rowid_column:
            row[self.rowid_column] = record.rowid
        is_sound = all(
            _fits(row[name], kind, is_needed) and _is_readable(name, row[name])
            for name, kind, is_needed in self.columns
            if name in row
        )
        return row if is_sound else None


class _SchemaRow(NamedTuple):
    """A row of sqlite_schema."""

    kind: str
    name: str
    table: str
    root: int
    sql: str | None


def recover(database: Path, target: Path) -> Recovered:
    """Save every readable row of `database` and its write-ahead log as a new database, `target`.

    The damaged files are only read. Raises OSError when they cannot be, and DatabaseFull."""
    with tempfile.TemporaryDirectory(prefix=".recover-", dir=target.parent) as folder:
        pages = Pages(database, database.with_name(database.name + "-wal"))
        with closing(pages), closing(sqlite3.connect(Path(folder) / "new.db", isolation_level=None)) as connection:
            for setting in ("journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF"):
                connection.execute(f"PRAGMA {setting}")
            result = _Recovery(pages, connection).run()
            write_copy(connection, target)
    return result


class _Recovery:
    """One recovery, from the pages of the damaged file into an empty database."""

    def __init__(self, pages: Pages, connection: sqlite3.Connection) -> None:
        self._pages = pages
        self._connection = connection
        self._result = Recovered()

    def run(self) -> Recovered:
        """Save what can be read."""
        schema = self._schema()
        with transaction(self._connection):
            self._create(self._pages.schema_version)
            self._columns = {
                name: {column for column, _, _ in table.columns} for name, table in self._layouts().items()
            }
            tables = self._layouts() | _layouts_of(schema)
            for name in self._columns:
                self._save_table(tables[name], [row for row in schema if row.kind == "table" and row.name == name])
            damaged = [tables[name] for name, saved in self._result.tables.items() if not saved.is_whole]
            if damaged:
                expected = self._count_entries(schema)
                self._save_orphans(damaged)
                self._count_lost(expected)
            self._complete_tracks()
            self._drop_unattached()
            # All that follows from what was lost is worked out again, without asking anybody twice.
            self._connection.execute("UPDATE tracks SET undecided = 1")
        return self._result

    def _schema(self) -> list[_SchemaRow]:
        damage = Damage()
        found = [*self._pages.records(1, damage)]
        if damage.pages:
            # The tables are where they are, even if the first page does not lead to their list.
            found += [record for records in self._pages.orphans() for record in records]
        kinds: tuple[type | tuple[type, ...], ...] = (str, str, str, int, (str, type(None)))
        return [
            _SchemaRow(*record.values)  # type: ignore[arg-type]
            for record in found
            if len(record.values) == len(kinds)
            and all(isinstance(*pair) for pair in zip(record.values, kinds, strict=True))
            and record.values[0] in ("table", "index")
        ]  # fmt: skip

    def _create(self, version: int) -> None:
        scripts = migrations()
        version = version if 0 < version <= len(scripts) else len(scripts)
        for script in scripts[:version]:
            apply(self._connection, script)
        self._connection.execute(f"PRAGMA user_version = {version}")

    def _layouts(self) -> dict[str, Table]:
        return {table.name: table for table in _layouts(self._connection)}

    def _save_table(self, table: Table, found: list[_SchemaRow]) -> None:
        saved, damage = self._result.tables.setdefault(table.name, Saved()), Damage()
        for row in found[:1]:
            self._insert(table, self._pages.records(row.root, damage), saved)
        saved.lost += damage.cells
        saved.is_whole = bool(found) and not damage.pages
        self._result.bad_pages += damage.pages

    def _count_entries(self, schema: Iterable[_SchemaRow]) -> dict[str, int]:
        """Read everything else, so that it is not looked at as orphans. Return the number of rows
        of the tables that have an index which is whole."""
        counts: dict[str, int] = {}
        for row in schema:
            if row.kind == "table" and row.name in self._columns:
                continue
            damage = Damage()
            entries = sum(1 for _ in self._pages.records(row.root, damage))
            self._result.bad_pages += damage.pages
            is_partial = " WHERE " in (row.sql or "").upper()
            if row.kind == "index" and not is_partial and not damage.pages and not damage.cells:
                counts[row.table] = max(entries, counts.get(row.table, 0))
        with suppress(Unreadable, OSError):
            self._pages.pass_over_free_pages()
        return counts

    def _save_orphans(self, damaged: Iterable[Table]) -> None:
        """Save the rows of pages that nothing leads to any more."""
        telling = [table for table in damaged if len(table.columns) >= TELLING_COLUMNS]
        for records in self._pages.orphans():
            found = list(records)
            fitting = [table for table in telling if found and all(map(table.row, found))]
            if len(fitting) == 1:
                self._insert(fitting[0], found, self._result.tables[fitting[0].name])

    def _count_lost(self, expected: Mapping[str, int]) -> None:
        for name, saved in self._result.tables.items():
            if not saved.is_whole:
                saved.is_counted = name in expected
                saved.lost = max(saved.lost, expected.get(name, 0) - saved.rows)

    def _insert(self, table: Table, records: Iterable[Record], saved: Saved) -> None:
        for record in records:
            row = table.row(record)
            if row is not None and self._insert_row(table.name, row):
                saved.rows += 1
            else:
                saved.lost += 1

    def _insert_row(self, table: str, row: Mapping[str, Value]) -> bool:
        # A later migration may have dropped a column.
        known = {name: value for name, value in row.items() if name in self._columns[table]}
        sql = f"INSERT OR IGNORE INTO {table} ({', '.join(known)}) VALUES ({', '.join('?' * len(known))})"
        return self._connection.execute(sql, tuple(known.values())).rowcount > 0

    def _complete_tracks(self) -> None:
        """Make tracks of rows of results whose own row is lost: people's decisions hang on them."""
        lost = self._connection.execute(
            "SELECT track_id, path, source_key, updated_at, title, artist, album, duration_ms, isrc FROM enriched_tracks"
            " WHERE track_id NOT IN (SELECT track_id FROM tracks)"
        ).fetchall()
        for track_id, path, source_key, at, title, artist, album, duration_ms, isrc in lost:
            ids = Identifiers(isrcs=(isrc,) if isrc else ())
            tags = TrackTags(title=title, artist=artist, album=album, duration_ms=duration_ms, ids=ids)
            row: dict[str, Value] = {
                "track_id": track_id, "path": path, "source_key": source_key, "tags": tags_json.encode(tags),
                "added_at": at, "changed_at": at,
            }  # fmt: skip
            # No file has such a stamp, so the next scan reads the tags again.
            stamp: dict[str, Value] = {"size": -1, "mtime_ns": -1, "inode": -1, "scan_id": 0}
            if self._insert_row("tracks", row | stamp if path else row):
                saved = self._result.tables["tracks"]
                saved.rows, saved.lost = saved.rows + 1, max(0, saved.lost - 1)

    def _drop_unattached(self) -> None:
        """Drop rows that refer to a row which is lost."""
        # Twice, because a row may refer to one that refers to a lost one.
        for name, saved in [*self._result.tables.items()] * 2:
            keys = self._connection.execute(f"PRAGMA foreign_key_list({name})").fetchall()
            for _, _, parent, column, parent_column, *_ in keys:
                dropped = self._connection.execute(
                    f"DELETE FROM {name} WHERE {column} NOT IN (SELECT {parent_column} FROM {parent})"
                ).rowcount
                saved.rows, saved.lost = saved.rows - dropped, saved.lost + dropped


def _layouts_of(schema: Iterable[_SchemaRow]) -> dict[str, Table]:
    """Return the tables as a damaged file has them: in an older file, columns may be in another
    order."""
    with closing(sqlite3.connect(":memory:")) as old:
        for row in schema:
            if row.kind == "table" and row.sql and not DERIVED.fullmatch(row.name):
                with suppress(sqlite3.Error):
                    old.execute(row.sql)
        return {table.name: table for table in _layouts(old)}


def _layouts(connection: sqlite3.Connection) -> Iterator[Table]:
    for _, name, kind, _, without_rowid, _ in connection.execute("PRAGMA table_list").fetchall():
        if kind != "table" or DERIVED.fullmatch(name):
            continue
        found = connection.execute(f"PRAGMA table_info({name})").fetchall()
        keys = sorted((row for row in found if row[5]), key=lambda row: row[5])
        alias = keys[0][1] if len(keys) == 1 and keys[0][2].upper() == "INTEGER" and not without_rowid else None
        if without_rowid:
            # The columns of the key are stored first.
            found = [*keys, *(row for row in found if not row[5])]
        columns = tuple(
            (row[1], row[2].upper(), bool(row[3] or (without_rowid and row[5])) and row[1] != alias) for row in found
        )
        yield Table(name, columns, alias, not without_rowid)


def _fits(value: Value, kind: str, is_needed: bool) -> bool:
    if value is None:
        return not is_needed
    return isinstance(value, CLASSES.get(kind, (object,)))


def _is_readable(column: str, value: Value) -> bool:
    """Whether SoulSpot can read this value again."""
    if not isinstance(value, str):
        return True
    if TIMES.fullmatch(column):
        return TIME.fullmatch(value) is not None
    if column in JSON:
        try:
            json.loads(value)
        except (ValueError, RecursionError):
            return False
    return True
