"""A SQLite file of its own with one typed table in it, for whoever wants to query an export."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from soulspot.errors import ExportError


class TableFile:
    """The table `name` of a file, while it is being filled."""

    def __init__(
        self, connection: sqlite3.Connection, name: str, columns: Mapping[str, type], key: str
    ) -> None:
        from sqlite_utils import Database  # only now: it brings along pandas where that is installed
        from sqlite_utils.db import Table

        table = Database(connection)[name]
        assert isinstance(table, Table)
        table.create(dict(columns), pk=key if key in columns else None)
        self._connection = connection
        self._sql = f"INSERT INTO [{name}] VALUES ({', '.join('?' * len(columns))})"

    def insert(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows, each in the order of the columns. ExportError when they cannot be written."""
        with _explained():
            self._connection.executemany(self._sql, rows)


@contextmanager
def create_table_file(path: Path, name: str, columns: Mapping[str, type], key: str) -> Iterator[TableFile]:
    """A new file at `path`, which is empty or not there, with this table; whole only when nothing is raised."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # whoever asked for the file throws away what is half done, and makes sure of what is whole
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        yield TableFile(connection, name, columns, key)
        with _explained():
            connection.execute("COMMIT")


@contextmanager
def _explained() -> Iterator[None]:
    """Nobody is to take the file that is being written for the database that is read."""
    try:
        yield
    except sqlite3.Error as error:
        raise ExportError(f"the SQLite file cannot be written: {error}") from error
