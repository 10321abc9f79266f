"""The first half of a build: the rows of the archives into the tables of a catalogue."""

import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from soulspot.errors import CatalogueError
from soulspot.providers.catalogue.building.archive import Archive
from soulspot.providers.catalogue.building.canonical import DATA, Insertion, canonical_rows
from soulspot.providers.catalogue.building.copy_text import read_rows
from soulspot.providers.catalogue.building.tables import SCHEMAS, TABLES

ROWS = 20_000  # rows of one transaction
_NOTES = ("TIMESTAMP", "SCHEMA_SEQUENCE", "REPLICATION_SEQUENCE")

# what is being done, and the share of the archives that was read, 0 to 1
Tell = Callable[[str, float], object]


def load_dumps(connection: sqlite3.Connection, dumps: Sequence[Path], tell: Tell) -> dict[str, str]:
    """Load every table that a catalogue is made of; return what the archives say of themselves.
    Raises CatalogueError for files that are no dump, of an unknown schema, or not whole."""
    archives = [Archive(path) for path in dumps]
    total, before = sum(archive.size for archive in archives), 0
    about: dict[str, str] = {}
    loaded: set[str] = set()
    for archive in archives:
        with closing(archive), archive.opened() as members:
            for member, file in members:
                name = member.rsplit("/", 1)[-1]
                if name in _NOTES:
                    about[name.lower()] = file.read(1000).decode("utf-8", "replace").strip()
                    _check_schema(about, archive.path)
                elif rows := _rows(name, file):
                    loaded.add(name)
                    _insert(connection, rows, lambda: tell(f"reading {name}", (before + archive.position) / total))  # noqa: B023
        before += archive.size
    _check_whole(loaded, dumps)
    names_only = "recording" not in loaded
    # the canonical dump has its date in its name alone
    dated = _date_in(dumps[0].name if names_only else about.get("timestamp", ""))
    (recordings,) = connection.execute("SELECT count(*) FROM recording").fetchone()
    return about | {"names_only": str(int(names_only)), "dated": str(dated), "recordings": str(recordings)}


def _date_in(text: str) -> float:
    """Return the first date in the text, as epoch seconds; now without any."""
    found = re.search(r"(20\d\d)-?(\d\d)-?(\d\d)", text)
    try:
        return (
            datetime.fromisoformat("-".join(found.groups())).replace(tzinfo=UTC).timestamp() if found else time.time()
        )
    except ValueError:
        return time.time()


def _rows(name: str, file: IO[bytes]) -> Iterator[Insertion] | None:
    if name == DATA:
        return canonical_rows(file, name)
    table = TABLES.get(name)
    if table is None:
        return None
    converted = map(table.convert, read_rows(file, name, table.widths))
    return ((table.into, values) for values in converted if values is not None)


def _insert(connection: sqlite3.Connection, rows: Iterable[Insertion], tell: Callable[[], object]) -> None:
    rows = iter(rows)
    while some := list(islice(rows, ROWS)):
        tell()
        of_table: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for table, values in some:
            of_table[table].append(values)
        connection.execute("BEGIN")
        for table, several in of_table.items():
            places = ", ".join("?" * len(several[0]))
            connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", several)
        connection.execute("COMMIT")


def _check_schema(about: dict[str, str], path: Path) -> None:
    schema = about.get("schema_sequence")
    if schema and schema not in map(str, SCHEMAS):
        known = " and ".join(map(str, SCHEMAS))
        raise CatalogueError(f"{path} has schema {schema}, and this SoulSpot reads {known}: update SoulSpot")


def _check_whole(loaded: set[str], dumps: Sequence[Path]) -> None:
    names = ", ".join(str(path) for path in dumps)
    if DATA in loaded:
        return
    if "recording" not in loaded:
        raise CatalogueError(f"{names}: no dump of MusicBrainz (mbdump.tar.bz2, or a canonical dump)")
    missing = [name for name, table in TABLES.items() if not table.optional and name not in loaded]
    if missing:
        raise CatalogueError(f"{names}: no table {', '.join(missing)}: is it the whole of mbdump.tar.bz2?")
