"""Connections to the database file: whose it is and whether it is sound is seen before it is
written to."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from soulspot.errors import DatabaseDamaged, DatabaseError
from soulspot.store.commit_mark import CommitMark
from soulspot.store.migrations import APPLICATION_ID, schema_version
from soulspot.store.ownership import read_owner
from soulspot.store.sql import fetch_value
from soulspot.store.transactions import WAY_OUT

BUSY_TIMEOUT_MS = 30_000
CHECKED_UP_TO = 256 << 20  # bytes; larger files are checked only after a crash: it takes minutes
LOG_LIMIT = 64 << 20  # bytes of the log that stay on the disk when it begins anew after a long reader
_MAGIC = b"SQLite format 3\0"


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection that can write, and makes the file if there is none."""
    with explained(path):
        connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
        )
        try:
            for setting in (
                "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "wal_autocheckpoint = 2000",
                f"journal_size_limit = {LOG_LIMIT}", "temp_store = MEMORY",
            ):  # fmt: skip
                connection.execute(f"PRAGMA {setting}")
        except BaseException:
            connection.close()
            raise
    return connection


def connect_read_only(path: Path, mode: str = "ro") -> sqlite3.Connection:
    """Return a connection that cannot write. With the mode "ro" it leaves the log alone, also when
    it is closed last. "ro&immutable=1" reads the file alone, "rw" heeds and removes the log.
    Raises DatabaseError unless the file is ours."""
    with explained(path):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_MS / 1000,
            check_same_thread=False, isolation_level=None,
        )  # fmt: skip
        try:
            connection.execute("PRAGMA query_only = ON")
            _refuse_foreign(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def connect_to_look(path: Path, *, long_running: bool = False) -> sqlite3.Connection:
    """Return a connection that cannot write, to a database that other processes may be using.
    It leaves no file beside the database. `long_running` is for reads of minutes, during which
    another process may begin to write. Raises DatabaseDamaged or DatabaseError."""
    # A plain reader of an unused database makes a write-ahead log and cannot remove it again,
    # which would look like a crash: `immutable` makes SQLite read the file alone.
    mode = "ro&immutable=1" if was_closed_in_order(path) and not _is_in_use(path) else "ro"
    # `immutable` is wrong as soon as somebody writes. With `rw`, SQLite heeds the writer, and
    # whichever process closes last removes the log.
    if long_running and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        mode = "rw"
    return connect_read_only(path, mode)


def examine(path: Path, mark: CommitMark) -> int:
    """Raise DatabaseDamaged, DatabaseTooNew or DatabaseError when this database cannot be used. It
    and its log stay as they are. Return how many commits it has lost without being damaged."""
    mark.require_file()
    # What is no file at all, the connection to come says best.
    if not path.is_file() or not path.stat().st_size:
        return 0
    is_closed = was_closed_in_order(path)
    if is_closed:
        _refuse_truncated(path)
    with closing(connect_read_only(path, "ro&immutable=1" if is_closed else "ro")) as connection:
        if not is_closed or path.stat().st_size <= CHECKED_UP_TO:
            check(connection, path)
        with explained(path):
            schema_version(connection, path)
            lost, has_rebooted = mark.lost(count_commits(connection))
    if lost and not has_rebooted:
        raise damaged(
            path,
            f"the last {lost:,} changes are missing: {path.name}-wal was removed, cut off or overwritten after SoulSpot"
            f" had been killed. Put it back, or delete {mark.path.name} to go on without them",
        )
    return lost


def count_commits(connection: sqlite3.Connection) -> int:
    """Return the number of commits of a database; 0 before it had such a count."""
    has_count = fetch_value(connection, "SELECT 1 FROM sqlite_master WHERE name = 'commit_count'")
    return int(fetch_value(connection, "SELECT commits FROM commit_count") or 0) if has_count else 0


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseDamaged when SQLite finds any fault in the structure of the file."""
    with explained(path):
        verdict = fetch_value(connection, "PRAGMA quick_check(1)")
    if verdict != "ok":
        raise damaged(path, verdict)


def check_within(connection: sqlite3.Connection, path: Path, seconds: float) -> bool:
    """Do what `check` does for at most so long. Return whether it came to the end."""
    end = time.monotonic() + seconds
    connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)
    try:
        check(connection, path)
    except DatabaseError:
        if time.monotonic() > end:
            return False
        raise
    finally:
        connection.set_progress_handler(None, 0)
    return True


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
    with path.open("rb") as file:
        header = file.read(100)
    size = path.stat().st_size
    page = int.from_bytes(header[16:18], "big")
    page = 65_536 if page == 1 else page
    # The header's page count holds only if it was written together with the change counter.
    pages = int.from_bytes(header[28:32], "big") if header[24:28] == header[92:96] else 0
    if not header.startswith(_MAGIC):
        raise damaged(path, "file is not a database")
    if page < 512 or size % page or size < pages * page:
        raise damaged(path, f"the file is cut off: {size:,} bytes of {max(pages * page, 512):,}")


def was_closed_in_order(path: Path) -> bool:
    """Whether the database exists and no log of it does, which every crash leaves behind."""
    # beside the file itself, and not beside a link to it
    real = Path(os.path.realpath(path))
    return real.exists() and not real.with_name(real.name + "-wal").exists()


def _is_in_use(path: Path) -> bool:
    """Whether a process works on the database; true when that cannot be found out."""
    with suppress(OSError):
        return read_owner(path) is not None
    return True


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into DatabaseErrors that name the file."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise DatabaseError(f"{path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise damaged(path, error) from error


def damaged(path: Path, why: object) -> DatabaseDamaged:
    """Return the error for a database that is damaged, with the ways out."""
    return DatabaseDamaged(f"{path}: {why}; {WAY_OUT}")
