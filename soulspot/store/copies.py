"""Whole copies of a database: written beside their place, checked, and then renamed into it."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from soulspot.errors import DatabaseDamaged, DatabaseFull
from soulspot.store.sql import fetch_value
from soulspot.store.transactions import foreseen


def write_copy(source: sqlite3.Connection, target: Path) -> int:
    """Copy the database of this connection, as it is at this moment, to `target`, which is replaced
    if it exists. Return its size in bytes. Raises DatabaseDamaged when the copy is not sound,
    DatabaseFull or OSError; nothing is left behind then."""
    size = int(fetch_value(source, "PRAGMA page_count")) * int(fetch_value(source, "PRAGMA page_size"))
    if shutil.disk_usage(target.parent).free < size:
        raise DatabaseFull(f"{target}: there is no room for the {size / 1e6:,.0f} MB of a copy")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        # made by us, because SQLite would let everybody read it
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with closing(sqlite3.connect(part, isolation_level=None)) as copy, foreseen(copy):
            # All pages in one step: between steps every write would make it begin anew.
            source.backup(copy)
            # A copy is one file: nobody has to think of its log.
            copy.execute("PRAGMA journal_mode = DELETE")
            verdict = fetch_value(copy, "PRAGMA quick_check(1)")
        if verdict != "ok":
            raise DatabaseDamaged(f"{target}: the copy is damaged ({verdict}), because the database is")
        sync_path(part)
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_path(target.parent)
    return size


def sync_path(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
