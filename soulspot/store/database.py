"""The SQLite file: opening it safely, migrating it, and the one writer of every change."""

import asyncio
import math
import os
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, suppress
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TypeVar

from soulspot.errors import DatabaseBusy, DatabaseDamaged, DatabaseError, DatabaseFull
from soulspot.store.commit_mark import RESCUED, CommitMark
from soulspot.store.copies import write_copy
from soulspot.store.lock_holder import describe_lock_holder
from soulspot.store.migrations import migrate
from soulspot.store.open_files import OpenFiles
from soulspot.store.opening import (
    CHECKED_UP_TO,
    LOG_LIMIT,
    check,
    connect,
    connect_read_only,
    connect_to_look,
    count_commits,
    examine,
)
from soulspot.store.sql import fetch_value
from soulspot.store.transactions import WAY_OUT, foreseen, transaction
from soulspot.store.waiting_line import WaitingLine

T = TypeVar("T")

ATTEMPT_MS = 1_000  # a write that finds the file locked for so long lines up again behind the others
# Seconds for which the writes of this task or thread wait while another program holds the write
# lock. A person at a command or a client of the API is told soon; what works by itself waits.
lock_patience = ContextVar("lock_patience", default=30.0)
LOCKED_FOR = 5.0  # seconds of another program's lock that are worth mentioning
HURRIED = 2.0  # seconds of patience at the end of the process
CHECKPOINT_TIMEOUT_MS = 200  # nothing else is written while a checkpoint waits for readers


class Database(AbstractContextManager["Database"]):
    """A connection that writes, in a thread of its own, and one that reads, in another."""

    def __init__(self, path: Path) -> None:
        """Open the file, creating it if it is missing, and migrate it to the current schema. Raises
        DatabaseDamaged, DatabaseTooNew, or DatabaseError (for another program's file, say); the
        file is left as it is then."""
        self.path = path
        self.is_full = False  # the last write found the disk full
        self.last_commit = time.monotonic()  # when a transaction was committed, or the file opened
        self.commits_lost = 0  # with the power of the machine, which is no damage
        self.rescued: Path | None = None  # the copy that was made when the file was removed
        self._damage: str | None = None  # why nothing may be written any more; it never ends
        self._locked_since: float | None = None  # since when another program has kept us from writing
        self._is_hurried = False
        self._writes, self._reads = WaitingLine(), WaitingLine()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="soulspot-db-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="soulspot-db-read")
        self._open: list[sqlite3.Connection] = []
        self._files: OpenFiles | None = None  # once they are all open
        path.parent.mkdir(parents=True, exist_ok=True)
        self._real = Path(os.path.realpath(path))
        self._mark = CommitMark(self._real)
        try:
            self.commits_lost = examine(path, self._mark)
            self._connection = self._opened(connect(path))
            migrate(self._connection, path)
            self._connection.execute(f"PRAGMA busy_timeout = {ATTEMPT_MS}")
            self._read_connection = self._opened(connect_read_only(path))
            self._writes.watch(self._connection)
            self._reads.watch(self._read_connection)
            self._mark.begin(count_commits(self._connection))
            self._files = OpenFiles(self._real)
        except BaseException:
            self.close()
            raise

    def _opened(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        self._open.append(connection)
        return connection

    @staticmethod
    def open_read_only(path: Path, *, long_running: bool = False) -> sqlite3.Connection:
        """Return a connection as `opening.connect_to_look` does."""
        return connect_to_look(path, long_running=long_running)

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

    @property
    def damage(self) -> str | None:
        """Why nothing may be written any more, for people; None while nothing is damaged."""
        return self._damage

    def trouble(self) -> str | None:
        """Return why nothing can be written now, for people; None while all is well. May be asked
        in any thread."""
        if why := self._damage or (self._files and self._files.why_gone()):
            return why
        if self.is_full:
            return "the disk is full"
        if (seconds := self.locked_for) >= LOCKED_FOR:
            holder = describe_lock_holder(self.path)
            return f"{holder} has kept the lock of {self.path} for {seconds:.0f} seconds: let it finish, or end it"
        return None

    async def look(self) -> None:
        """Look after the files between the writes: whether somebody has damaged them, or whether
        the lock that kept us from writing has gone."""
        token = lock_patience.set(0.0)
        try:
            nothing: Callable[[], None] = partial(self._attempt, lambda connection: None)
            await self._write_in_turn(self._trim_log if self._locked_since is None else nothing)
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
        self._look_after()
        connection, commits = self._connection, None
        try:
            with transaction(connection):
                self._locked_since = None
                self._writes.move()
                before = connection.total_changes
                result = change(connection)
                if connection.total_changes != before:
                    commits = fetch_value(connection, "UPDATE commit_count SET commits = commits + 1 RETURNING commits")
        except DatabaseBusy:
            self._locked_since = self._locked_since or time.monotonic()
            raise
        except DatabaseFull:
            self.is_full = True
            raise
        except DatabaseDamaged as error:
            self._set_damage(str(error))
            raise
        self.is_full = False
        self.last_commit = time.monotonic()
        self._writes.move()
        if commits is not None:
            self._mark.note(commits)
        if self._files:
            self._files.note()
        return result

    def _look_after(self) -> None:
        """Raise DatabaseDamaged when the files are not what they should be; nothing is written then
        any more. Files that are gone are saved from the handles that are still open."""
        if self._files is None:
            return
        if self._damage is None and (why := self._files.why_gone() or self._files.why_changed(self._verdict)):
            self._set_damage(why)
        if self._damage is not None:
            if self.rescued is None and self._files.why_gone():
                self._rescue()
            raise DatabaseDamaged(self._damage)

    def _trim_log(self) -> None:
        """Look after the files, and shorten a log that grew while somebody read for long."""
        self._look_after()
        if os.stat(f"{self._real}-wal").st_size > LOG_LIMIT:
            self._fold_log(timeout_ms=0)

    def _rescue(self) -> None:
        gone = f"{self.path}: {self._files and self._files.why_gone()}"
        target = self._real.with_name(f"{self._real.name}{RESCUED}{time.strftime('%Y%m%d-%H%M%S')}")
        try:
            write_copy(self._connection, target)
        except (OSError, DatabaseError) as error:
            # SoulSpot still has the files open, and tries again as long as it lives.
            self._damage = f"{gone}; what it had cannot be saved: {error}. Do not stop SoulSpot before that is mended"
            return
        self.rescued = target
        self._damage = f"{gone}; everything was saved as {target}: stop SoulSpot, then `soulspot restore {target}`"

    def _set_damage(self, why: str) -> None:
        self._damage = why if str(self.path) in why else f"{self.path}: {why}; {WAY_OUT}"

    def _verdict(self) -> str | None:
        """Return what is wrong with the structure of the file as it is on the disk now."""
        if self.path.stat().st_size > CHECKED_UP_TO:
            return None
        try:
            with closing(connect_read_only(self.path)) as connection:
                check(connection, self.path)
        except DatabaseDamaged as error:
            return str(error)
        return None

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
        try:
            with foreseen(self._read_connection):
                self._reads.move()
                self._read_connection.execute("BEGIN")
                try:
                    return query(self._read_connection)
                finally:
                    if self._read_connection.in_transaction:
                        self._read_connection.execute("COMMIT")
        except DatabaseDamaged as error:
            if self._damage is None:
                self._set_damage(str(error))
            raise

    def upkeep(self) -> None:
        """Fold the write-ahead log back into the file, and refresh the planner's statistics."""
        self._look_after()
        self._fold_log(CHECKPOINT_TIMEOUT_MS)
        self._connection.execute("PRAGMA optimize")
        if self._files:
            self._files.note()

    def _fold_log(self, timeout_ms: int) -> None:
        # A reader may take minutes (an export, say). With a short timeout as much of the log is
        # folded as can be, and no writer waits for the rest.
        self._connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self._connection.execute(f"PRAGMA busy_timeout = {ATTEMPT_MS}")
        if self._files:
            self._files.note()

    async def run_upkeep(self) -> None:
        """Run `upkeep` in the writer's thread, between two transactions."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self.upkeep)

    def close(self) -> None:
        """Finish the transactions that are under way or waiting, and close both connections."""
        self._writer.shutdown(wait=True)
        self._reader.shutdown(wait=True)
        with suppress(DatabaseDamaged):
            self._look_after()
        in_order = self._files is not None and self._damage is None
        commits = count_commits(self._connection) if in_order else None
        # The connection that closes last folds the log back into the file: the writer. Where
        # something is wrong, that would make it worse: the reader cannot.
        for connection in reversed(self._open) if in_order else self._open:
            connection.close()
        self._mark.end(commits)

    def __exit__(self, *_: object) -> None:
        self.close()
