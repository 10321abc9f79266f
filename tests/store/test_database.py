"""The SQLite file: opening, refusing damaged or foreign files, and transactions."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseTooNew
from soulspot.store import enriched, library_counts, migrations, opening, queue
from soulspot.store.database import Database
from soulspot.store.ownership import Ownership
from tests.support.factories import add_lookups, add_tracks, claim, decide, tags


def filled(path: Path, tracks: int = 200) -> Path:
    """A database of some pages, closed in order."""
    with Database(path) as database:
        database.write_now(
            lambda c: decide(c, add_tracks(c, *(tags(title=f"Song {n}", isrcs=[n]) for n in range(tracks))))
        )
        database.upkeep()
    return path


def look(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


# --- opening --------------------------------------------------------------------------------------


def test_a_new_database_is_made_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "not there yet" / "soulspot.db"
    with Database(path) as database:
        tables = {row[0] for row in database._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"tracks", "lookups", "track_lookups", "facts", "candidates", "decisions", "batch_operations",
            "provider_state", "events", "enriched_tracks"} <= tables  # fmt: skip


def test_an_empty_file_is_a_new_database(path: Path) -> None:
    path.touch()
    with Database(path) as database:
        assert database._connection.execute("PRAGMA user_version").fetchone()[0] == len(migrations.migrations())


def test_the_columns_that_people_read_are_those_of_the_design(database: Database) -> None:
    names = [row[1] for row in database._connection.execute("PRAGMA table_info(enriched_tracks)")]
    assert names == list(enriched.COLUMNS)


def test_an_older_table_of_results_gets_the_columns_it_lacks(database: Database) -> None:
    connection = database._connection
    connection.execute("ALTER TABLE enriched_tracks DROP COLUMN popularity")
    enriched.create_table(connection)
    assert "popularity" in {row[1] for row in connection.execute("PRAGMA table_info(enriched_tracks)")}


def test_opening_again_changes_nothing(path: Path) -> None:
    filled(path)
    before = look(path, "SELECT * FROM enriched_tracks ORDER BY track_id")
    with Database(path):
        pass
    assert look(path, "SELECT * FROM enriched_tracks ORDER BY track_id") == before


@pytest.mark.parametrize("keep", [1, 99, 100, 4096, 4097, 20_000, -4096, -1])
def test_a_truncated_database_is_refused_and_left_as_it_is(path: Path, keep: int) -> None:
    whole = filled(path).read_bytes()
    path.write_bytes(whole[:keep])
    with pytest.raises(DatabaseError, match=r"soulspot\.db"):
        Database(path)
    assert path.read_bytes() == whole[:keep]


@pytest.mark.parametrize("page", [0, 1, 5, -1])
def test_a_database_with_flipped_bytes_is_refused_with_the_reason(path: Path, page: int) -> None:
    content = bytearray(filled(path).read_bytes())
    start = (page % (len(content) // 4096)) * 4096 + (100 if page == 0 else 0)
    for place in range(start, start + 64):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged, match="`soulspot restore FILE` puts"):
        Database(path)
    assert path.read_bytes() == bytes(content)


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path) -> None:
    path.write_text("my favourite songs\n" * 100, encoding="utf-8")
    with pytest.raises(DatabaseDamaged, match="not a database"):
        Database(path)
    assert path.read_text(encoding="utf-8").startswith("my favourite songs")


def test_a_damaged_database_that_was_not_closed_is_checked_however_large(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    monkeypatch.setattr(opening, "CHECKED_UP_TO", 0)
    with Database(path) as database:  # large and closed in order: opened without the long check
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()[0]) == 200
        database.write_now(queue.release_leases)
        copies = {name: path.with_name(path.name + name).read_bytes() for name in ("", "-wal")}
    other = path.with_name("crashed.db")
    damaged = bytearray(copies[""])
    damaged[-4096:-4032] = bytes(64 * [0xAA])
    other.write_bytes(damaged)
    other.with_name("crashed.db-wal").write_bytes(copies["-wal"])
    with pytest.raises(DatabaseDamaged):
        Database(other)


def test_a_folder_in_place_of_the_file_is_an_error_that_names_it(path: Path) -> None:
    path.mkdir()
    with pytest.raises(DatabaseError, match=r"soulspot\.db: unable to open database file"):
        Database(path)


def test_what_another_process_uses_can_be_looked_at_without_writing(path: Path) -> None:
    filled(path, tracks=3)
    with Database(path), closing(Database.open_read_only(path)) as reader:
        assert reader.execute("SELECT count(*) FROM tracks").fetchone()[0] == 3
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM tracks")


def test_looking_at_a_damaged_or_absent_database_is_explained(path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"soulspot\.db"):
        Database.open_read_only(path)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseDamaged, match="not a database"):
        Database.open_read_only(path)


def test_a_look_leaves_nothing_beside_a_database_that_nobody_uses(path: Path) -> None:
    filled(path, tracks=3)
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    with closing(Database.open_read_only(path)) as reader:
        assert reader.execute("SELECT count(*) FROM tracks").fetchone()[0] == 3
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before


def test_a_look_sees_what_a_crash_left_in_the_log(path: Path) -> None:
    with Database(path) as database:
        database.write_now(add_lookups)
        copies = {name: path.with_name(path.name + name).read_bytes() for name in ("", "-wal")}
    other = path.with_name("crashed.db")
    for name, content in copies.items():
        other.with_name(other.name + name).write_bytes(content)
    with closing(Database.open_read_only(other)) as reader:
        assert reader.execute("SELECT count(*) FROM tracks").fetchone()[0] == 1


def test_a_look_at_a_database_that_somebody_owns_sees_what_he_writes_later(path: Path) -> None:
    filled(path, tracks=3)
    with Ownership(path), closing(Database.open_read_only(path)) as reader, Database(path) as database:
        database.write_now(lambda c: c.execute("DELETE FROM tracks"))
        assert reader.execute("SELECT count(*) FROM tracks").fetchone()[0] == 0


# --- whose file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_database_of_another_program_is_refused_and_left_as_it_is(path: Path, version: int, mode: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE tracks (x)")
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    for opened in (Database, Database.open_read_only):
        with pytest.raises(DatabaseError, match=r"soulspot\.db: .*another program; choose another file"):
            opened(path)
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_an_empty_database_that_another_program_signed_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")
    with pytest.raises(DatabaseError, match="another program"):
        Database(path)


# --- migrations -----------------------------------------------------------------------------------


def test_a_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(migrations.migrations()) + 1}")
        connection.commit()
    with pytest.raises(DatabaseTooNew, match="upgrade SoulSpot"):
        Database(path)
    assert look(path, "PRAGMA user_version") == [(len(migrations.migrations()) + 1,)]


def test_two_migrations_of_one_number_are_refused_before_a_database_sees_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "schema"
    folder.mkdir()
    for name in ("0001_one.sql", "0002_two.sql", "0002_also.sql"):
        (folder / name).write_text("SELECT 1;\n")
    monkeypatch.setattr(migrations.resources, "files", lambda _: tmp_path)
    with pytest.raises(RuntimeError, match=r"0002_also\.sql, 0002_two\.sql"):
        migrations.migrations()


def test_a_migration_that_fails_leaves_nothing_behind_and_the_next_start_completes_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = migrations.migrations()
    filled(path)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "migrations", lambda: [*steps, "CREATE TABLE more (x);\nCREATE TABLE tracks (x);\n"])
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            Database(path)
    assert look(path, "SELECT count(*) FROM sqlite_master WHERE name = 'more'") == [(0,)]
    assert look(path, "PRAGMA user_version") == [(len(steps),)]
    monkeypatch.setattr(migrations, "migrations", lambda: [*steps, "CREATE TABLE more (x);\n"])
    with Database(path):
        pass
    assert look(path, "PRAGMA user_version") == [(len(steps) + 1,)]


@pytest.mark.process
def test_a_process_killed_in_the_middle_of_a_migration_leaves_the_next_start_to_complete_it(
    path: Path,
) -> None:
    script = (
        "import pathlib, sys\n"
        "from soulspot.store import enriched\n"
        "from soulspot.store.database import Database\n"
        "def stuck(connection):\n"
        "    assert connection.in_transaction\n"
        "    connection.execute('SELECT count(*) FROM lookups')\n"
        "    print('in the middle', flush=True)\n"
        "    sys.stdin.read()\n"
        "enriched.create_table = stuck\n"
        "Database(pathlib.Path(sys.argv[1]))\n"
    )
    arguments = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "in the middle\n"
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert look(path, "PRAGMA user_version") == [(0,)]
    assert look(path, "SELECT count(*) FROM sqlite_master") == [(0,)]
    with Database(path) as database:
        assert database.write_now(add_lookups) == 1
    assert look(path, "PRAGMA integrity_check") == [("ok",)]


# --- transactions ---------------------------------------------------------------------------------


def test_whatever_is_raised_rolls_everything_back(database: Database) -> None:
    class Interrupted(BaseException):
        pass

    def change(connection: sqlite3.Connection) -> None:
        decide(connection, add_tracks(connection, tags(isrcs=[1])))
        raise Interrupted

    with pytest.raises(Interrupted):
        database.write_now(change)
    connection = database._connection
    assert not connection.in_transaction
    for table in ("tracks", "lookups", "enriched_tracks"):
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0


async def test_a_write_waits_for_another_connections_lock(database: Database, path: Path) -> None:
    begun = threading.Event()
    database._connection.set_trace_callback(lambda statement: "BEGIN IMMEDIATE" in statement and begun.set())
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO counters (name, value) VALUES ('theirs', 1)")
        writing = asyncio.create_task(
            database.write(lambda c: c.execute("SELECT value FROM counters WHERE name = 'theirs'").fetchone())
        )
        await asyncio.to_thread(begun.wait)
        assert await database.read(lambda c: c.execute("SELECT count(*) FROM counters").fetchone()) == (0,)
        assert not writing.done()
        other.execute("COMMIT")
        assert await writing == (1,)


async def test_a_cancelled_caller_does_not_cut_a_transaction_in_two(database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def change(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO counters VALUES ('first', 1)")
        inside.set()
        go_on.wait()
        connection.execute("INSERT INTO counters VALUES ('second', 1)")

    writing = asyncio.create_task(database.write(change))
    await asyncio.to_thread(inside.wait)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    go_on.set()
    count = await database.write(lambda c: c.execute("SELECT count(*) FROM counters").fetchone())
    assert count == (2,)


async def test_a_read_sees_one_moment_even_while_somebody_writes(database: Database) -> None:
    looked, written = threading.Event(), threading.Event()

    def question(connection: sqlite3.Connection) -> list[int]:
        counts = [connection.execute("SELECT count(*) FROM tracks").fetchone()[0]]
        looked.set()
        written.wait()
        return [*counts, connection.execute("SELECT count(*) FROM tracks").fetchone()[0]]

    reading = asyncio.create_task(database.read(question))
    await asyncio.to_thread(looked.wait)
    await database.write(lambda c: add_tracks(c, tags()))
    written.set()
    assert await reading == [0, 0]
    assert await database.read(library_counts.count_tracks_by_status) == {
        "total": 0,
        "unreadable": 0,
        "vanished": 0,
    }


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read(lambda c: c.execute("DELETE FROM tracks"))


async def test_a_full_disk_raises_database_full_and_work_resumes_when_there_is_room(
    database: Database,
) -> None:
    await database.write(lambda c: add_lookups(c, 1))
    pages = database._connection.execute("PRAGMA page_count").fetchone()[0]
    database._connection.execute(f"PRAGMA max_page_count = {pages}")

    def much(connection: sqlite3.Connection) -> None:
        decide(
            connection,
            add_tracks(connection, *(tags(title=f"Song {n} " * 50, isrcs=[n]) for n in range(300))),
        )

    with pytest.raises(DatabaseFull, match="full"):
        await database.write(much)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()) == (1,)
    assert len(await database.write(claim)) == 1  # what needs no room goes on
    database._connection.execute("PRAGMA max_page_count = 1000000")
    await database.write(much)
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()) == (300,)
    assert await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchone()) == ("ok",)


def test_an_error_that_only_speaks_of_something_full_is_not_a_full_disk(database: Database) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table: full_moons"):
        database.write_now(lambda c: c.execute("SELECT * FROM full_moons"))


async def test_upkeep_folds_the_log_back_into_the_file(path: Path) -> None:
    with Database(path) as database:
        await database.write(add_lookups)
        assert os.stat(f"{path}-wal").st_size > 0
        await database.run_upkeep()
        assert os.stat(f"{path}-wal").st_size == 0


def test_a_refused_database_gives_its_file_back(path: Path) -> None:
    path.write_bytes(b"no database" * 100)
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(DatabaseDamaged):
        Database(path)
    threads = [thread.name for thread in threading.enumerate()]
    assert not any(name.startswith("soulspot-db") for name in threads)
    assert len(os.listdir("/proc/self/fd")) <= len(before)
