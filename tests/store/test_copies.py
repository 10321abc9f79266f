"""Copies of a database: taken at one moment, checked, put in place; one before every migration."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from soulspot.errors import DatabaseDamaged, DatabaseError, DatabaseFull, DatabaseTooNew
from soulspot.store import copies, migrations, queue
from soulspot.store.copies import write_copy
from soulspot.store.database import Database
from soulspot.store.restoring import restore
from tests.support.factories import add_lookups, add_tracks, decide, tags


def filled(path: Path, tracks: int = 100) -> Path:
    with Database(path) as database:
        database.write_now(
            lambda c: decide(c, add_tracks(c, *(tags(title=f"Song {n}", isrcs=[n]) for n in range(tracks))))
        )
    return path


def count(path: Path, table: str = "tracks") -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


# --- copies ---------------------------------------------------------------------------------------


def test_a_copy_has_what_was_committed_when_it_was_taken_and_nothing_else(path: Path) -> None:
    copy = path.with_name("copy.db")
    with Database(path) as database:
        database.write_now(lambda c: add_tracks(c, tags()))  # in the log alone
        with closing(Database.open_read_only(path, long_running=True)) as reader:
            size = write_copy(reader, copy)
        database.write_now(lambda c: add_tracks(c, tags(), tags()))
    assert (count(copy), copy.stat().st_size) == (1, size)
    assert copy.stat().st_mode & 0o077 == 0
    assert [name for name in names(path) if "copy" in name] == ["copy.db"]


def test_a_copy_of_a_damaged_database_is_refused_and_an_earlier_copy_kept(path: Path) -> None:
    copy = path.with_name("copy.db")
    content = bytearray(filled(path).read_bytes())
    copy.write_bytes(b"earlier")
    content[-4096:-4032] = bytes(64 * [0xAA])
    path.write_bytes(content)
    with closing(Database.open_read_only(path)) as reader, pytest.raises(DatabaseDamaged, match="the copy is damaged"):
        write_copy(reader, copy)
    assert copy.read_bytes() == b"earlier"
    assert [name for name in names(path) if "part" in name] == []


def test_a_copy_that_has_no_room_leaves_nothing_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    monkeypatch.setattr(copies.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with closing(Database.open_read_only(path)) as reader, pytest.raises(DatabaseFull, match="no room"):
        write_copy(reader, path.with_name("copy.db"))
    assert [name for name in names(path) if "copy" in name] == []


# --- restoring ------------------------------------------------------------------------------------


def test_a_copy_is_put_in_place_and_what_was_there_is_kept(path: Path) -> None:
    filled(path, tracks=3)
    copy = path.with_name("copy.db")
    with closing(Database.open_read_only(path)) as reader:
        write_copy(reader, copy)
    with Database(path) as database:
        database.write_now(lambda c: add_tracks(c, *(tags() for _ in range(9))))
    done = restore(copy, path, "now")
    assert (done.tracks, done.kept) == (3, path.with_name("soulspot.db.replaced-now"))
    assert (count(path), count(copy), count(path.with_name("soulspot.db.replaced-now"))) == (3, 3, 9)
    with Database(path) as database:
        database.write_now(add_lookups)


def test_the_log_of_the_database_that_was_there_is_kept_with_it_and_not_taken_for_the_copys(path: Path) -> None:
    copy = filled(path.with_name("copy.db"), tracks=3)
    with Database(path) as database:
        database.write_now(lambda c: add_tracks(c, *(tags() for _ in range(9))))
        crashed = {suffix: path.with_name(path.name + suffix).read_bytes() for suffix in ("", "-wal")}
    for suffix, content in crashed.items():
        path.with_name(path.name + suffix).write_bytes(content)
    restore(copy, path, "now")
    assert count(path) == 3
    with closing(sqlite3.connect(path.with_name("soulspot.db.replaced-now"))) as kept:
        assert kept.execute("SELECT count(*) FROM tracks").fetchone() == (9,)


@pytest.mark.parametrize("why", ["damaged", "foreign", "newer", "no database"])
def test_what_is_no_sound_copy_is_refused_and_the_database_left_as_it_is(path: Path, why: str) -> None:
    before = filled(path).read_bytes()
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    if why == "damaged":
        content = bytearray(before)
        content[-4096:-4032] = bytes(64 * [0xAA])
        copy.write_bytes(content)
    elif why == "no database":
        copy.write_text("my favourite songs\n" * 100, encoding="utf-8")
    else:
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(f"PRAGMA {'application_id = 7' if why == 'foreign' else 'user_version = 999'}")
            connection.commit()
    with pytest.raises(DatabaseTooNew if why == "newer" else DatabaseError, match=r"copy\.db"):
        restore(copy, path, "now")
    assert path.read_bytes() == before
    assert not [name for name in names(path) if "replaced" in name or "restored" in name]


def test_a_copy_is_restored_where_there_is_no_database_any_more(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(filled(path), copy)
    path.unlink()
    with pytest.raises(DatabaseDamaged, match="gone or empty"):
        Database(path)
    assert restore(copy, path, "now").kept is None
    with Database(path) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()) == (100,)


# --- before migrations ----------------------------------------------------------------------------


def with_one_more_step(monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    steps = [*migrations.migrations(), *more]
    monkeypatch.setattr(migrations, "migrations", lambda: steps)
    return len(steps)


def test_a_database_is_copied_once_before_a_migration_and_older_copies_go(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path)
    for number in range(3):
        schema = with_one_more_step(monkeypatch, f"CREATE TABLE more{number} (x);\n")
        for _ in range(2):
            with Database(path) as database:
                database.write_now(queue.release_leases)
        assert [name for name in names(path) if "before" in name] == [f"soulspot.db.before-schema-{schema}"]
        copy = path.with_name(f"soulspot.db.before-schema-{schema}")
        assert count(copy) == 100
        with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (schema - 1,)


def test_a_database_without_tracks_is_migrated_without_a_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Database(path):
        pass
    with_one_more_step(monkeypatch, "CREATE TABLE more (x);\n")
    with Database(path):
        pass
    assert not [name for name in names(path) if "before" in name]


def test_no_migration_begins_without_room_for_the_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(path).read_bytes()
    schema = with_one_more_step(monkeypatch, "CREATE TABLE more (x);\n")
    with monkeypatch.context() as patch:
        patch.setattr(copies.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        with pytest.raises(DatabaseFull, match=r"has to copy it first.*no room.*Make room"):
            Database(path)
    assert path.read_bytes() == before
    with Database(path) as database:
        assert database.write_now(lambda c: c.execute("PRAGMA user_version").fetchone()) == (schema,)


def test_all_steps_of_a_migration_are_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(path)
    known = len(migrations.migrations())
    with monkeypatch.context() as patch:
        with_one_more_step(patch, "CREATE TABLE more (x);\n", "CREATE TABLE tracks (x);\n")
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            Database(path)
    with Database(path) as database:
        assert database.write_now(lambda c: c.execute("PRAGMA user_version").fetchone()) == (known,)
    assert os.path.exists(f"{path}.before-schema-{known + 2}")
