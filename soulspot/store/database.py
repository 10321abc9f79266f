"""The SQLite file: opening, migrating, and the one writer that every change goes through."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import quote

from soulspot.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseTooNew
from soulspot.store import enriched
from soulspot.store.ownership import read_owner

T = TypeVar("T")

BUSY_TIMEOUT_MS = 30_000
FOLD_WITHIN_MS = 200  # while a checkpoint waits for readers, nothing else is written
CHECKED_UP_TO = 256 << 20  # bytes; a larger file is checked only after a crash, because that takes minutes
APPLICATION_ID = 0x536F756C  # "Soul"; `file` and .dbinfo show it (https://sqlite.org/fileformat2.html)
_MAGIC = b"SQLite format 3\0"
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


class Database:
    """One writer connection in a thread of its own, one reader connection in another.

    `write` runs a function inside BEGIN IMMEDIATE ... COMMIT; whatever it raises rolls everything back."""

    def __init__(self, path: Path) -> None:
        """Open and migrate. Raises DatabaseDamaged, DatabaseTooNew or DatabaseError (another program's file, say);
        never recreates a file."""
        self.path = path
        self.is_full = False  # the last write found no room
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="soulspot-db-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="soulspot-db-read")
        self._open: list[sqlite3.Connection] = []
        try:
            trusted = _closed_in_order(path) and path.stat().st_size > CHECKED_UP_TO
            self._connection = self._connected(path)
            if not trusted:
                _check(self._connection, path)
            _migrate(self._connection, path)
            self._read_connection = self._connected(path)
            self._read_connection.execute("PRAGMA query_only = ON")
        except BaseException:
            self.close()
            raise

    def _connected(self, path: Path) -> sqlite3.Connection:
        self._open.append(connection := _connect(path))
        return connection

    @staticmethod
    def open_read_only(path: Path, *, long_running: bool = False) -> sqlite3.Connection:
        """A connection of its own that cannot write, for a short look at a database that others may be using.

        It leaves nothing beside the file. `long_running`: the look may take long, and somebody may begin to write
        meanwhile. Raises DatabaseDamaged or DatabaseError, as opening to write does."""
        # SQLite would make a write-ahead log, which a reader cannot remove again: it would look like a crash
        mode = "ro&immutable=1" if _closed_in_order(path) and not _in_use(path) else "ro"
        if long_running and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
            mode = "rw"  # heeds whoever writes, and whoever closes last takes the log away
        try:
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_MS / 1000,
                check_same_thread=False,
            )  # fmt: skip
        except sqlite3.DatabaseError as error:
            raise _explained(path, error) from error
        try:
            connection.execute("PRAGMA query_only = ON")
            _refuse_foreign(connection, path)
        except BaseException as error:
            connection.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise _explained(path, error) from error
            raise
        return connection

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change(connection)` in one transaction and commit it. Raises DatabaseFull when the disk is full.

        Once begun it is finished: cancelling the caller does not cut a transaction in two."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self.write_now, change)

    async def write_durably(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """`write` that is on the disk when it returns: not even a power failure takes it back. For what is done to files
        on the strength of it."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write_durably, change)

    def _write_durably(self, change: Callable[[sqlite3.Connection], T]) -> T:
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            return self.write_now(change)
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    def write_now(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """`write` for callers without an event loop; not to be mixed with running `write` calls."""
        try:
            with transaction(self._connection):
                result = change(self._connection)
        except DatabaseFull:
            self.is_full = True
            raise
        self.is_full = False
        return result

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Run `question(connection)` on the read-only connection, in one consistent snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._read_now, question)

    def _read_now(self, question: Callable[[sqlite3.Connection], T]) -> T:
        self._read_connection.execute("BEGIN")
        try:
            return question(self._read_connection)
        finally:
            self._read_connection.execute("COMMIT")

    def upkeep(self) -> None:
        """Fold the write-ahead log back into the file and refresh the planner's statistics."""
        # somebody may read for minutes, an export say: then as much is folded as can be, and nobody waits for the rest
        self._connection.execute(f"PRAGMA busy_timeout = {FOLD_WITHIN_MS}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        self._connection.execute("PRAGMA optimize")

    async def run_upkeep(self) -> None:
        """`upkeep` in the writer's thread."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self.upkeep)

    def close(self) -> None:
        """Finish what is under way and close both connections."""
        self._writer.shutdown(wait=True)
        self._reader.shutdown(wait=True)
        for connection in reversed(self._open):  # the writer last: it folds the log back into the file
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """BEGIN IMMEDIATE, and COMMIT at the end or ROLLBACK whatever is raised, KeyboardInterrupt included."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        if (
            isinstance(error, sqlite3.Error)
            and getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        ):
            raise DatabaseFull(f"the disk is full: {error}") from error
        raise


def _connect(path: Path) -> sqlite3.Connection:
    _refuse_stub(path)
    try:
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
        )
    except sqlite3.OperationalError as error:
        raise _explained(path, error) from error
    try:
        _refuse_foreign(connection, path)  # before anything is written to it
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 2000")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError):
            raise _explained(path, error) from error
        raise
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseError unless the file is ours or still empty. Only reads."""
    (whose,) = connection.execute("PRAGMA application_id").fetchone()
    (entries,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if whose == APPLICATION_ID or (not whose and not entries):
        return
    raise DatabaseError(
        f"{path}: this database belongs to another program; choose another file as database.path,"
        " SoulSpot leaves this one as it is"
    )


def _refuse_stub(path: Path) -> None:
    """Refuse what SQLite would take without a word: a file cut off below one page is a new database to it, and
    a last page that is cut off is filled up with zeros. With a write-ahead log, SQLite can mend both."""
    if not path.is_file() or not _closed_in_order(path):
        return
    with path.open("rb") as file:
        header = file.read(100)
    size = path.stat().st_size
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    written = int.from_bytes(header[28:32], "big") if header[24:28] == header[92:96] else 0
    if size and not header.startswith(_MAGIC):
        raise _damaged(path, "file is not a database")
    if size and (page < 512 or size % page or size < written * page):
        raise _damaged(path, f"the file is cut off: {size:,} bytes of {max(written * page, 512):,}")


def _closed_in_order(path: Path) -> bool:
    """SQLite removes the write-ahead log when the last connection closes; it is left behind by a crash."""
    return path.exists() and not path.with_name(path.name + "-wal").exists()


def _in_use(path: Path) -> bool:
    """Whether a process works on it; yes when that cannot be found out."""
    try:
        return read_owner(path) is not None
    except OSError:
        return True


def _check(connection: sqlite3.Connection, path: Path) -> None:
    try:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise _explained(path, error) from error
    if verdict != "ok":
        raise _damaged(path, verdict)


def _explained(path: Path, error: sqlite3.DatabaseError) -> DatabaseError:
    if isinstance(error, sqlite3.OperationalError):
        return DatabaseError(f"{path}: {error}")
    return _damaged(path, error)


def _damaged(path: Path, why: object) -> DatabaseDamaged:
    return DatabaseDamaged(
        f"{path}: {why}; set the file aside or restore a backup, SoulSpot leaves it as it is"
    )


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date; a migration and its version number commit together."""
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    steps = migrations()
    if done > len(steps):
        raise DatabaseTooNew(
            f"{path}: schema {done} is newer than this SoulSpot's {len(steps)}; upgrade SoulSpot"
        )
    for number, script in enumerate(steps[done:], start=done + 1):
        with transaction(connection):
            for statement in _statements(script):
                connection.execute(statement)
            enriched.create_table(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def require_current_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseTooNew or DatabaseError when this version cannot read these tables."""
    done = connection.execute("PRAGMA user_version").fetchone()[0]
    if done > len(migrations()):
        raise DatabaseTooNew(
            f"{path}: schema {done} is newer than this SoulSpot's {len(migrations())}; upgrade SoulSpot"
        )
    if done < len(migrations()):
        raise DatabaseError(
            f"{path}: an older SoulSpot wrote this database; `soulspot daemon` or `soulspot enrich` brings it up"
            " to date, then it can be read"
        )


def migrations() -> list[str]:
    """The numbered SQL scripts in order; number N is the step from schema N-1 to N.

    RuntimeError when a number is missing or there twice: a database would never see one of the two."""
    folder = resources.files("soulspot.store") / "schema"
    found = sorted(
        (entry.name, entry.read_text()) for entry in folder.iterdir() if _MIGRATION.fullmatch(entry.name)
    )
    if [int(name[:4]) for name, _ in found] != list(range(1, len(found) + 1)):
        raise RuntimeError(f"migrations are not numbered one by one: {', '.join(name for name, _ in found)}")
    return [script for _, script in found]


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the transaction we are in, so the script is fed statement by statement
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
