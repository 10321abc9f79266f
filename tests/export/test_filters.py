"""The rows of an export: their choice, their order, and the point in time that they show."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from soulspot.errors import DatabaseError, ExportError
from soulspot.export import export_table, table_rows, tables
from soulspot.models import Status
from soulspot.store import enriched, export_rows
from soulspot.store.database import Database
from tests.export.conftest import Fill, track
from tests.support.factories import DAY, NOW


@pytest.fixture
def library(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fill a database with seven tracks, exported two at a time."""
    monkeypatch.setattr(tables, "PAGE", 2)
    fill(
        track(1, title="Blue Hour", artist="The Lanterns", album="Night Shift"),
        track(2, title="Red", artist="Blue", status=Status.REVIEW),
        track(9, path=b"/music/07 blue.mp3", status=Status.FAILED),
        now=NOW - 2 * DAY,
    )
    return fill(
        track(4, title="Blue Monday", artist="New Order", status=Status.REVIEW),
        track(7, title="Temptation", artist="New Order"),
        track(5, status=Status.PENDING), track(6, title="Überall", artist="Blüte"),
    )  # fmt: skip


def ids(database: Path, **asked: Any) -> list[int]:
    return [row["track_id"] for row in table_rows(database, columns=["track_id"], **asked)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [1, 2, 4, 5, 6, 7, 9]),
        ({"status": "review"}, [2, 4]),
        ({"status": ["failed", "accepted", "failed"]}, [1, 6, 7, 9]),
        ({"query": "blue"}, [1, 2, 4, 9]),
        ({"query": "ORDER new"}, [4, 7]),
        ({"query": "uberall"}, [6]),
        ({"query": "blue", "status": ["review", "failed"]}, [2, 4, 9]),
        ({"query": "!!!"}, []),
        ({"query": ""}, [1, 2, 4, 5, 6, 7, 9]),
        ({"query": 'status : "review"'}, []),
        ({"since": NOW - DAY}, [4, 5, 6, 7]),
        ({"since": datetime.fromtimestamp(NOW - DAY, UTC)}, [4, 5, 6, 7]),
        ({"since": "2023-11-14T22:13:20Z"}, [4, 5, 6, 7]),
        ({"since": "1h"}, []),
        ({"since": "9999d", "query": "blue", "status": "review", "limit": 1}, [2]),
        ({"limit": 1}, [1]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 3}, [1, 2, 4]),
        ({"limit": 100}, [1, 2, 4, 5, 6, 7, 9]),
        ({"limit": 3, "query": "blue"}, [1, 2, 4]),
    ],
)
def test_the_rows_that_are_asked_for_come_in_the_order_of_their_track(
    library: Path, asked: dict[str, Any], expected: list[int]
) -> None:
    assert ids(library, **asked) == expected
    counted: list[tuple[int, int]] = []
    with open("/dev/null", "wb") as nothing:
        export_table(library, nothing, on_progress=lambda done, total: counted.append((done, total)), **asked)
    assert {total for _, total in counted} == ({len(expected)} if expected else set())


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (
            {"columns": ["titel"]},
            "there is no column 'titel' .did you mean title.*; there are track_id, path",
        ),
        ({"columns": []}, "no column is named"),
        ({"columns": ["title", "artist", "title"]}, "more than once: title"),
        ({"status": "good"}, "there is no status 'good'; there are pending, accepted"),
        ({"since": "last week"}, "neither a time back from now"),
        ({"limit": 0}, "1 or more"),
        ({"format": "xls"}, "there is no format 'xls'; there are csv"),
    ],
)
def test_what_cannot_be_asked_is_said_before_anything_is_written(
    library: Path, tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        export_table(library, tmp_path / "out.csv", **asked)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["soulspot.db", "soulspot.db-commits"]


def test_columns_come_as_they_are_named(library: Path) -> None:
    [row] = table_rows(library, columns=["title", "track_id", "artists"], limit=1)
    assert list(row.items()) == [("title", "Blue Hour"), ("track_id", 1), ("artists", [])]


@pytest.mark.parametrize("format_", ["csv", "ndjson", "json"])
def test_two_exports_of_the_same_rows_are_the_same_bytes(library: Path, tmp_path: Path, format_: str) -> None:
    for name in ("a", "b"):
        export_table(library, tmp_path / f"{name}.{format_}")
    assert (tmp_path / f"a.{format_}").read_bytes() == (tmp_path / f"b.{format_}").read_bytes()


# --- while others write ---


def change(connection: sqlite3.Connection) -> None:
    enriched.save(connection, [track(7, title="changed"), track(8, title="new")], NOW + DAY)


def test_the_rows_are_those_of_one_moment_while_a_daemon_writes(library: Path) -> None:
    with Database(library) as daemon:
        found = table_rows(library, columns=["track_id", "title"])
        first = next(found)
        daemon.write_now(change)
        rest = list(found)
    assert [row["track_id"] for row in (first, *rest)] == [1, 2, 4, 5, 6, 7, 9]
    assert rest[4]["title"] == "Temptation"


def test_a_daemon_that_begins_in_the_middle_disturbs_nothing(library: Path) -> None:
    found = table_rows(library, columns=["track_id", "title"])
    first = next(found)
    with Database(library) as daemon:
        daemon.write_now(change)
        daemon.upkeep()
    rest = list(found)
    assert [row["track_id"] for row in (first, *rest)] == [1, 2, 4, 5, 6, 7, 9]
    assert sorted(path.name for path in library.parent.iterdir()) == ["soulspot.db", "soulspot.db-commits"]
    assert ids(library) == [1, 2, 4, 5, 6, 7, 8, 9]


def test_a_snapshot_that_lasts_too_long_makes_way_for_another_and_no_row_is_lost(library: Path) -> None:
    clock = iter(range(0, 1000, 60))
    snapshots = export_rows.Snapshots()
    with Database(library) as daemon, closing(Database.open_read_only(library, long_running=True)) as reader:
        pages = export_rows.pages(
            reader, ["title"], export_rows.RowFilter(), 2, snapshots=snapshots, snapshot_seconds=100.0,
            now=lambda: float(next(clock)),
        )  # fmt: skip
        found = next(pages)
        daemon.write_now(change)
        for page in pages:
            found += page
    assert [row[0] for row in found] == [1, 2, 4, 5, 6, 7, 8, 9]
    assert dict(found)[7] == "changed"
    assert (snapshots.began, snapshots.count) == (0.0, 3)


def test_an_export_leaves_nothing_beside_a_database_that_nobody_uses(library: Path) -> None:
    ids(library)
    assert sorted(path.name for path in library.parent.iterdir()) == ["soulspot.db", "soulspot.db-commits"]


def test_what_reads_cannot_write(library: Path) -> None:
    with (
        closing(Database.open_read_only(library, long_running=True)) as reader,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        reader.execute("DELETE FROM enriched_tracks")


# --- databases that cannot be read ---


def test_without_a_database_it_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no database yet at .*soulspot enrich"):
        export_table(tmp_path / "none.db", tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("version", "words"), [(1, "an older SoulSpot"), (9999, "upgrade SoulSpot")])
def test_a_database_of_another_version_says_what_to_do(library: Path, version: int, words: str) -> None:
    with closing(sqlite3.connect(library)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(DatabaseError, match=words):
        ids(library)


def test_a_list_that_is_no_json_names_its_track(library: Path) -> None:
    with closing(sqlite3.connect(library)) as connection:
        connection.execute("UPDATE enriched_tracks SET genres = '[' WHERE track_id = 5")
        connection.commit()
    with pytest.raises(ExportError, match="track 5: genres is no JSON"):
        list(table_rows(library))


def test_half_a_surrogate_pair_is_exported_as_it_was_escaped(library: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(library)) as connection:
        connection.execute("""UPDATE enriched_tracks SET genres = '["\\ud83c", "ok"]', sources = '{"a\\uDC00": "b"}'""")
        connection.commit()
    [row] = table_rows(library, limit=1)
    assert row["genres"] == ["\\ud83c", "ok"]
    assert row["sources"] == {"a\\udc00": "b"}
    for name in ("x.parquet", "x.json", "x.csv", "x.sqlite"):
        assert export_table(library, tmp_path / name).rows == 7
