"""Name the files that could not be read, with the reason, as scan, enrich and status do."""

from __future__ import annotations

import contextlib
import sqlite3
from contextlib import closing

from soulspot.cli.console import print_result
from soulspot.config import Config
from soulspot.errors import SoulSpotError
from soulspot.store.database import Database
from soulspot.store.failures import count_unreadable_files, list_unreadable_files

NAMED_FILES = 10  # files


def read_unreadable_files(config: Config, limit: int | None = None) -> tuple[list[tuple[str, str]], int]:
    """Return the files that could not be read, as (path, reason), `limit` at most, and how many there are."""
    if not config.database.path.exists():
        return [], 0
    with closing(Database.open_read_only(config.database.path)) as connection:
        return list_unreadable_files(connection, limit), count_unreadable_files(connection)


def print_unreadable_files(config: Config) -> None:
    """Print the first of the files that could not be read, and how to see the others."""
    # a daemon of another user keeps its database from us: then its log has the files
    with contextlib.suppress(SoulSpotError, OSError, sqlite3.Error):
        files, count = read_unreadable_files(config, NAMED_FILES)
        if count:
            print_result(f"{count} file{'' if count == 1 else 's'} could not be read:")
        for path, reason in files:
            print_result(f"  {path}: {reason}")
        if count > NAMED_FILES:
            print_result(f"  ... and {count - NAMED_FILES} more: soulspot status --unreadable")
