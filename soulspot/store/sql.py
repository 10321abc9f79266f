"""Helpers for the SQL of this package: single values, new rows, lists of ids, files in folders."""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# SQLite limits the number of parameters; a JSON array is one, however many ids are in it.
IN_ARRAY = "IN (SELECT value FROM json_each(?))"
AT_OR_BELOW = "(path = ? OR (path >= ? AND path < ?))"


def to_array(values: Iterable[int | str]) -> str:
    """Return these values as the JSON array that IN_ARRAY takes."""
    return json.dumps(list(values))


def path_bounds(path: bytes) -> tuple[bytes, bytes, bytes]:
    """Return the values that AT_OR_BELOW takes for the file `path` and all files below it."""
    # "0" follows "/" in ASCII: an index range, where LIKE or GLOB would read the whole table.
    folder = path.rstrip(b"/")
    return path, folder + b"/", folder + b"0"


def fetch_value(connection: sqlite3.Connection, sql: str, *values: Any) -> Any:
    """Return the first column of the first row that `sql` finds; None without rows."""
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None


def fetch_column(connection: sqlite3.Connection, sql: str, *values: Any) -> list[Any]:
    """Return the first column of all rows that `sql` finds."""
    return [row[0] for row in connection.execute(sql, values)]


def fetch_dicts(connection: sqlite3.Connection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return the rows that `sql` finds, each as a dictionary by column name."""
    cursor = connection.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any], conflict: str = "") -> int:
    """Insert a row by column name. Returns its rowid; `conflict` is an ON CONFLICT clause."""
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))}) {conflict}"
    return connection.execute(sql, tuple(row.values())).lastrowid or 0


def upsert_clause(columns: Sequence[str]) -> str:
    """Return the clause that lets an INSERT replace these columns of a row with the same key."""
    return "ON CONFLICT DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in columns)


def upsert(connection: sqlite3.Connection, table: str, key: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """Insert a row with this key into `table`, or replace these columns of the row that has it."""
    insert(connection, table, {**key, **row}, upsert_clause(list(row)))
