"""The schema: its numbered scripts, and bringing a database up to date by them."""

import re
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from soulspot.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseTooNew
from soulspot.store import enriched
from soulspot.store.copies import write_copy
from soulspot.store.sql import fetch_value
from soulspot.store.transactions import transaction

# "Soul": SQLite's mark of whose file it is (https://sqlite.org/fileformat2.html); `file` shows it.
APPLICATION_ID = 0x536F756C
COPY = ".before-schema-"  # followed by the schema that was migrated to
_MIGRATION = re.compile(r"(\d{4})_\w+\.sql")


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Run the migrations that the file at `path` lacks, in one transaction. A database with tracks
    is copied first; older such copies go afterwards. Raises DatabaseTooNew, or DatabaseFull when
    there is no room for the copy: the database is as it was."""
    scripts = migrations()
    done = schema_version(connection, path)
    if done == len(scripts):
        return
    copy = path.with_name(f"{path.name}{COPY}{len(scripts)}")
    if done and fetch_value(connection, "SELECT EXISTS (SELECT 1 FROM tracks)"):
        _copy_first(connection, path, copy)
    with transaction(connection):
        for script in scripts[done:]:
            apply(connection, script)
        connection.execute(f"PRAGMA user_version = {len(scripts)}")
    for older in path.parent.glob(f"{path.name}{COPY}*"):
        if older != copy:
            older.unlink(missing_ok=True)


def _copy_first(connection: sqlite3.Connection, path: Path, copy: Path) -> None:
    try:
        write_copy(connection, copy)
    except DatabaseDamaged:
        raise
    except (OSError, DatabaseError) as error:
        raise DatabaseFull(
            f"{path}: this SoulSpot changes the schema of the database, and has to copy it first: {error}. Make room"
            " and start again; nothing was changed"
        ) from error


def apply(connection: sqlite3.Connection, script: str) -> None:
    """Run one migration in the transaction that is open."""
    for statement in _statements(script):
        connection.execute(statement)
    enriched.create_table(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of migrations the file has had. Raises DatabaseTooNew above ours."""
    done, newest = int(fetch_value(connection, "PRAGMA user_version")), len(migrations())
    if done > newest:
        raise DatabaseTooNew(f"{path}: schema {done} is newer than this SoulSpot's {newest}; upgrade SoulSpot")
    return done


def require_current_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise DatabaseTooNew or DatabaseError when the tables are not those of this version."""
    if schema_version(connection, path) < len(migrations()):
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
