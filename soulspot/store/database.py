"""The SQLite file: opening it safely, migrating it, and the one writer of every change."""

import asyncio
import math
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from soulspot.errors import DatabaseBusy, DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseTooNew
from soulspot.store import enriched
from soulspot.store.lock_holder import describe_lock_holder
from soulspot.store.ownership import read_owner
from soulspot.store.sql import fetch_value
from soulspot.store.transactions import foreseen, transaction
from soulspot.store.waiting_line import WaitingLine

T = TypeVar("T")

BUSY_TIMEOUT_MS = 30_000
ATTEMPT_MS = 1_000  # a write that finds the file locked for so long lines up again behind the others
# Seconds for which the writes of this task or thread wait while another program holds the write
# lock. A person at a command or a client of the API is told soon; what works by itself waits.
lock_patience = ContextVar("lock_patience", default=30.0)
LOCKED_FOR = 5.0  # seconds of another program's lock that are worth mentioning
HURRIED = 2.0  # seconds of patience at the end of the process
CHECKPOINT_TIMEOUT_MS = 200  # nothing else is written while a checkpoint waits for readers
CHECKED_UP_TO = 256 << 20  # bytes; larger files are checked only after a crash: it takes minutes
# "Soul": SQLite's mark of whose file it is (https://sqlite.org/fileformat2.html); `file` shows it.
APPLICATION_ID = 0x536F756C
_MAGIC = b"SQLite format 3\0"
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


class Database(AbstractContextManager["Database"]):
    """A connection that writes, in a thread of its own, and one that reads, in another."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it if it is missing, and migrate it to the current schema. Raises
        DatabaseDamaged, DatabaseTooNew, or DatabaseError (for another program's file, say)."""
        self.path = path
        self.is_full = False  # the last write found the disk full
        self.last_commit = time.monotonic()  # when the last transaction was committed, or the file opened
        self._locked_since: float | None = None  # since when another program has kept us from writing
        self._is_hurried = False
        self._writes, self._reads = WaitingLine(), WaitingLine()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="soulspot-db-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="soulspot-db-read")
        self._open: list[sqlite3.Connection] = []
        try:
            trusted = _was_closed_in_order(path) and path.stat().st_size > CHECKED_UP_TO
            self._connection = self._connected(path)
            if not trusted:
                _check(self._connection, path)
            _migrate(self._connection, path)
            self._connection.execute(f"PRAGMA busy_timeout = {ATTEMPT_MS}")
            self._read_connection = self._connected(path)
            self._read_connection.execute("PRAGMA query_only = ON")
            self._writes.watch(self._connection)
            self._reads.watch(self._read_connection)
        except BaseException:
            self.close()
            raise

    def _connected(self, path: Path) -> sqlite3.Connection:
        self._open.append(connection := _connect(path))
        return connection

    @staticmethod
    def open_read_only(path: Path, *, long_running: bool = False) -> sqlite3.Connection:
        """Return a connection that cannot write, to a database that other processes may be using.
        It leaves no file beside the database. `long_running` is for reads of minutes, during which
        another process may begin to write. Raises DatabaseDamaged or DatabaseError."""
        # A plain reader of an unused database makes a write-ahead log and cannot remove it again,
        # which would look like a crash: `immutable` makes SQLite read the file alone.
        mode = "ro&immutable=1" if _was_closed_in_order(path) and not _is_in_use(path) else "ro"
        # `immutable` is wrong as soon as somebody writes. With `rw`, SQLite heeds the writer, and
        # whichever process closes last removes the log.
        if long_running and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
            mode = "rw"
        with _explained(path):
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_MS / 1000,
                check_same_thread=False,
            )  # fmt: skip
            try:
                connection.execute("PRAGMA query_only = ON")
                _refuse_foreign(connection, path)
            except BaseException:
                connection.close()
                raise
        return connection

    @property
    def write_age(self) -> float:
        """Seconds for which the oldest unfinished write has waited and run; 0.0 when there is none.
        May be asked in any thread."""
        return self._writes.age

    @property
    def stuck_for(self) -> float:
        """Seconds for which reads or writes have waited and nothing has moved; a statement that
        takes long moves while it runs. May be asked in any thread."""
        return max(self._writes.stuck_for, self._reads.stuck_for)

    @property
    def locked_for(self) -> float:
        """Seconds for which another program's lock has kept us from writing; 0.0 when none does.
        May be asked in any thread."""
        since = self._locked_since
        return time.monotonic() - since if since is not None else 0.0

    def trouble(self) -> str | None:
        """Return why nothing can be written now, for people; None while all is well. May be asked
        in any thread."""
        if self.is_full:
            return "the disk is full"
        if (seconds := self.locked_for) >= LOCKED_FOR:
            holder = describe_lock_holder(self.path)
            return f"{holder} has kept the lock of {self.path} for {seconds:.0f} seconds: let it finish, or end it"
        return None

    async def look(self) -> None:
        """Find out whether the lock that kept us from writing has gone, for times without other
        writes."""
        if self._locked_since is not None:
            token = lock_patience.set(0.0)
            try:
                await self.write(lambda connection: None)
            except DatabaseError:
                return
            finally:
                lock_patience.reset(token)

    def hurry(self) -> None:
        """Let no write wait long for another program's lock from now on: the process ends."""
        self._is_hurried = True

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change(connection)` in one transaction, commit it, and return its result. Whatever
        it raises rolls everything back; cancelling the caller does not stop it. Raises DatabaseFull
        when the disk is full, and DatabaseBusy when another program has held the write lock for
        `lock_patience` seconds."""
        return await self._write_in_turn(partial(self._attempt, change))

    async def write_durably(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change(connection)` as `write` does, so that not even a power failure undoes it: for
        records of changes that are about to be made to files."""
        return await self._write_in_turn(partial(self._attempt_durably, change))

    async def _write_in_turn(self, attempt: Callable[[], T]) -> T:
        with self._writes.counted() as asked_at:
            while True:
                try:
                    return await asyncio.get_running_loop().run_in_executor(self._writer, attempt)
                except DatabaseBusy:
                    if self._is_late(asked_at):
                        raise

    def write_now(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change(connection)` as `write` does, in the calling thread. For callers without an
        event loop; no `write` may be running meanwhile."""
        with self._writes.counted() as asked_at:
            while True:
                try:
                    return self._attempt(change)
                except DatabaseBusy:
                    if self._is_late(asked_at):
                        raise

    def _is_late(self, asked_at: float) -> bool:
        patience = min(lock_patience.get(), HURRIED if self._is_hurried else math.inf)
        return time.monotonic() - asked_at >= patience

    def _attempt(self, change: Callable[[sqlite3.Connection], T]) -> T:
        try:
            with transaction(self._connection):
                self._locked_since = None
                self._writes.move()
                result = change(self._connection)
        except DatabaseBusy:
            self._locked_since = self._locked_since or time.monotonic()
            raise
        except DatabaseFull:
            self.is_full = True
            raise
        self.is_full = False
        self.last_commit = time.monotonic()
        self._writes.move()
        return result

    def _attempt_durably(self, change: Callable[[sqlite3.Connection], T]) -> T:
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            return self._attempt(change)
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query(connection)` in one consistent snapshot, and return its result. Raises
        DatabaseDamaged, or DatabaseBusy while another program locks even readers out."""
        with self._reads.counted():
            return await asyncio.get_running_loop().run_in_executor(self._reader, self._read_now, query)

    def _read_now(self, query: Callable[[sqlite3.Connection], T]) -> T:
        with foreseen(self._read_connection):
            self._reads.move()
            self._read_connection.execute("BEGIN")
            try:
                return query(self._read_connection)
            finally:
                if self._read_connection.in_transaction:
                    self._read_connection.execute("COMMIT")

    def upkeep(self) -> None:
        """Fold the write-ahead log back into the file, and refresh the planner's statistics."""
        # A reader may take minutes (an export, say). With a short timeout as much of the log is
        # folded as can be, and no writer waits for the rest.
        self._connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_TIMEOUT_MS}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {ATTEMPT_MS}")
        self._connection.execute("PRAGMA optimize")

    async def run_upkeep(self) -> None:
        """Run `upkeep` in the writer's thread, between two transactions."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self.upkeep)

    def close(self) -> None:
        """Finish the transactions that are under way or waiting, and close both connections."""
        self._writer.shutdown(wait=True)
        self._reader.shutdown(wait=True)
        # The writer comes last: the connection that closes last folds the log back into the file.
        for connection in reversed(self._open):
            connection.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def _connect(path: Path) -> sqlite3.Connection:
    _refuse_truncated(path)
    with _explained(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            # Before the pragmas: the first of them already writes to the file.
            _refuse_foreign(connection, path)
            for setting in (
                "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "wal_autocheckpoint = 2000",
                "temp_store = MEMORY",
            ):  # fmt: skip
                connection.execute(f"PRAGMA {setting}")
        except BaseException:
            connection.close()
            raise
    return connection


def _refuse_foreign(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseError unless the file is ours or still empty. Only reads."""
    application_id = fetch_value(connection, "PRAGMA application_id")
    if application_id == APPLICATION_ID:
        return
    if application_id or fetch_value(connection, "SELECT count(*) FROM sqlite_master"):
        raise DatabaseError(
            f"{path}: this database belongs to another program; choose another file as database.path,"
            " SoulSpot leaves this one as it is"
        )


def _refuse_truncated(path: Path) -> None:
    """Raise DatabaseDamaged for a file that is cut off, or no SQLite file at all."""
    # SQLite takes a file shorter than a page for a new database, and fills up a shortened last page
    # with zeros. With a write-ahead log it can mend both.
    if not path.is_file() or not _was_closed_in_order(path):
        return
    with path.open("rb") as file:
        header = file.read(100)
    size = path.stat().st_size
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    # The header's page count holds only if it was written together with the change counter.
    pages = int.from_bytes(header[28:32], "big") if header[24:28] == header[92:96] else 0
    if size and not header.startswith(_MAGIC):
        raise _damaged(path, "file is not a database")
    if size and (page < 512 or size % page or size < pages * page):
        raise _damaged(path, f"the file is cut off: {size:,} bytes of {max(pages * page, 512):,}")


def _was_closed_in_order(path: Path) -> bool:
    # A crash leaves the write-ahead log behind, beside the file itself and not beside a link to it.
    real = Path(os.path.realpath(path))
    return real.exists() and not real.with_name(real.name + "-wal").exists()


def _is_in_use(path: Path) -> bool:
    """Whether a process works on the database; true when that cannot be found out."""
    with suppress(OSError):
        return read_owner(path) is not None
    return True


def _check(connection: sqlite3.Connection, path: Path) -> None:
    with _explained(path):
        verdict = fetch_value(connection, "PRAGMA quick_check(1)")
    if verdict != "ok":
        raise _damaged(path, verdict)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into DatabaseErrors that name the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise DatabaseError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, why: object) -> DatabaseDamaged:
    return DatabaseDamaged(f"{path}: {why}; set the file aside or restore a backup, SoulSpot leaves it as it is")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run the migrations that the file lacks; each commits together with its number."""
    scripts = migrations()
    done = _schema_version(connection, path, len(scripts))
    for number, script in enumerate(scripts[done:], start=done + 1):
        with transaction(connection):
            for statement in _statements(script):
                connection.execute(statement)
            enriched.create_table(connection)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def _schema_version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    """Return the number of migrations the file has had. Raises DatabaseTooNew above `newest`."""
    done = int(fetch_value(connection, "PRAGMA user_version"))
    if done > newest:
        raise DatabaseTooNew(f"{path}: schema {done} is newer than this SoulSpot's {newest}; upgrade SoulSpot")
    return done


def require_current_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseTooNew or DatabaseError when the tables are not those of this version."""
    newest = len(migrations())
    if _schema_version(connection, path, newest) < newest:
        raise DatabaseError(
            f"{path}: an older SoulSpot wrote this database; `soulspot daemon` or `soulspot enrich` brings it up"
            " to date, then it can be read"
        )


def migrations() -> list[str]:
    """Return the SQL scripts of the schema: script N leads from schema N-1 to N. Raises
    RuntimeError when a number is missing or used twice: databases would never see one of them."""
    folder = resources.files("soulspot.store") / "schema"
    found = sorted((entry.name, entry.read_text()) for entry in folder.iterdir() if _MIGRATION.fullmatch(entry.name))
    if [int(name[:4]) for name, _ in found] != list(range(1, len(found) + 1)):
        raise RuntimeError(f"migrations are not numbered one by one: {', '.join(name for name, _ in found)}")
    return [script for _, script in found]


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the transaction we are in.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
