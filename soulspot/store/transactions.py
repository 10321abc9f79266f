"""Transactions, and SQLite's errors in them as the DatabaseErrors that callers foresee."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from soulspot.errors import DatabaseBusy, DatabaseDamaged, DatabaseError, DatabaseFull
from soulspot.store.lock_holder import describe_lock_holder

# What failed in reading or flushing has not reached the disk, or does not come back from it. Other
# I/O errors (a quota, no memory) pass.
LASTING_IO_ERRORS = frozenset({
    sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA,
})  # fmt: skip
WAY_OUT = (
    "stop SoulSpot and keep the file; `soulspot recover` saves what can be read, and `soulspot restore FILE` puts"
    " that or a backup in its place"
)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run a block between BEGIN IMMEDIATE and COMMIT; roll back whatever it raises, Ctrl-C
    included. Raises DatabaseFull, DatabaseBusy or DatabaseDamaged for SQLite's errors of that
    kind."""
    with foreseen(connection):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def foreseen(connection: sqlite3.Connection) -> Iterator[None]:
    """Turn SQLite's errors about the file into DatabaseErrors; errors about the SQL pass."""
    try:
        yield
    except sqlite3.Error as error:
        if (described := _described(error, connection)) is None:
            raise
        raise described from error


def _described(error: sqlite3.Error, connection: sqlite3.Connection) -> DatabaseError | None:
    code = getattr(error, "sqlite_errorcode", 0)
    kind = code & 0xFF  # extended codes put more above the primary code
    if kind == sqlite3.SQLITE_FULL:
        return DatabaseFull(f"the disk is full: {error}")
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        path = _path_of(connection)
        return DatabaseBusy(
            f"{path}: {describe_lock_holder(path)} has locked the database, and nothing was changed; let it finish or"
            " end it, then try again"
        )
    if kind in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or code in LASTING_IO_ERRORS:
        return DatabaseDamaged(f"{_path_of(connection)}: {error}; {WAY_OUT}")
    if kind == sqlite3.SQLITE_IOERR:
        return DatabaseError(f"{_path_of(connection)}: {error}; nothing was changed")
    return None


def _path_of(connection: sqlite3.Connection) -> str:
    # This statement reads no page of the file, so it works whatever is wrong with the file.
    return str(next((row[2] for row in connection.execute("PRAGMA database_list")), "the database"))
