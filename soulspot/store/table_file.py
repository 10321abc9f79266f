"""A SQLite file with one typed table in it, for people who want to query an export."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from soulspot.errors import ExportError


class TableFile:
    """The table of such a file while it is being filled."""

    def __init__(self, connection: sqlite3.Connection, name: str, columns: Mapping[str, type], key: str) -> None:
        # Imported here: sqlite-utils imports pandas where that is installed, which takes long.
        from sqlite_utils import Database
        from sqlite_utils.db import Table

        table = Database(connection)[name]
        assert isinstance(table, Table)
        table.create(dict(columns), pk=key if key in columns else None)
        self._connection = connection
        self._sql = f"INSERT INTO [{name}] VALUES ({', '.join('?' * len(columns))})"

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows in the order of the columns. Raises ExportError when they cannot be written."""
        with _as_export_error():
            self._connection.executemany(self._sql, rows)


@contextmanager
def create_table_file(path: Path, name: str, columns: Mapping[str, type], key: str) -> Iterator[TableFile]:
    """Create a file with the table `name` at `path`, and yield the table to be filled. `path` must
    be empty or missing; `key` names the primary key, if it is among the columns. The rows are
    committed when the block ends without an exception."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # The caller deletes a half-written file and syncs a whole one, so no journal is needed.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        yield TableFile(connection, name, columns, key)
        with _as_export_error():
            connection.execute("COMMIT")


@contextmanager
def _as_export_error() -> Iterator[None]:
    # They are no errors of our own database.
    try:
        yield
    except sqlite3.Error as error:
        raise ExportError(f"the SQLite file cannot be written: {error}") from error
