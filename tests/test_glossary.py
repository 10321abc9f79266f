"""The glossary explains every name that people meet in the database, the queue and the settings."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from soulspot.config.model import walk_keys
from soulspot.models import LookupState, Status, Verdict
from soulspot.providers.listenbrainz import provider as listenbrainz
from soulspot.providers.musicbrainz import provider as musicbrainz
from soulspot.providers.spotify import provider as spotify
from soulspot.store.database import Database

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
GLOSSARY = (REFERENCE / "glossary.md").read_text(encoding="utf-8")
CONFIGURATION = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
CAPACITIES = {
    "musicbrainz": musicbrainz.CAPACITY,
    "listenbrainz": listenbrainz.CAPACITY,
    "spotify": spotify.CAPACITY,
}


def explained(heading: str) -> set[str]:
    """Return the names in the first column of the table below a heading."""
    part = re.split(rf"^##+ {re.escape(heading)}$", GLOSSARY, flags=re.MULTILINE)[1]
    part = re.split(r"^##+ ", part, flags=re.MULTILINE)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", part, flags=re.MULTILINE))


def database_schema(path: Path) -> dict[str, str]:
    """Return {table: its SQL} of a migrated database, without the tables inside the search
    index."""
    with Database(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        tables = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall())
    searches = [name for name, sql in tables.items() if "VIRTUAL TABLE" in sql.upper()]
    return {
        name: sql
        for name, sql in tables.items()
        if not name.startswith(("sqlite_", *(f"{search}_" for search in searches)))
    }


def allowed_values(sql: str) -> set[str]:
    """Return the words of the first CHECK (column IN (...)) of a table."""
    return set(re.findall(r"'(\w+)'", re.search(r"CHECK \(\w+ IN \(([^)]*)\)", sql)[1]))  # type: ignore[index]


def test_every_table_is_explained_and_no_other(tmp_path: Path) -> None:
    assert explained("Tables") == database_schema(tmp_path / "soulspot.db").keys()


def test_every_status_of_a_track_a_lookup_and_a_verdict_is_explained_and_no_other() -> None:
    assert explained("Of a track (`enriched_tracks.status`)") == {*Status}
    assert explained("Of a lookup (`lookups.state`)") == {*LookupState}
    assert explained("Verdicts of matching") == {*Verdict}


def test_every_status_that_the_database_allows_is_explained_and_no_other(tmp_path: Path) -> None:
    schema = database_schema(tmp_path / "soulspot.db")
    assert explained("Of a lookup (`lookups.state`)") == allowed_values(schema["lookups"])
    assert explained("Of an operation (`batch_operations.status`)") == allowed_values(schema["batch_operations"])
    assert explained("Of a written file (`tag_writes.state`)") == allowed_values(schema["tag_writes"])


def test_every_kind_of_lookup_is_explained_and_no_other() -> None:
    kinds = {f"{provider} {kind}" for provider, capacity in CAPACITIES.items() for kind in capacity}
    assert explained("Lookup kinds") == kinds


def test_every_section_of_the_configuration_is_explained_and_no_other() -> None:
    sections = {f"[{key.rpartition('.')[0]}]" for key, _ in walk_keys()}
    assert explained("Configuration") == sections


def test_every_setting_is_found_in_the_glossary_or_the_configuration_reference() -> None:
    names = {key.rpartition(".")[2] for key, _ in walk_keys()}
    assert [name for name in sorted(names) if f"`{name}`" not in GLOSSARY + CONFIGURATION] == []


def test_every_entry_stands_alone() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*) \|$", GLOSSARY, flags=re.MULTILINE)
    assert [word for word, meaning in rows if not meaning.strip()] == []
