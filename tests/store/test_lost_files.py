"""Files of a database that are lost or damaged: said at once while it is open, refused later."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.errors import DatabaseDamaged
from soulspot.store import commit_mark, queue
from soulspot.store.database import Database
from tests.support.factories import add_lookups, add_tracks, claim, decide, tags


def some_tracks(connection: sqlite3.Connection) -> None:
    decide(connection, add_tracks(connection, *(tags(title=f"Song {n}", isrcs=[n]) for n in range(200))))


def count_tracks(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM tracks").fetchone()[0])


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def bytes_beside(path: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in sorted(path.parent.iterdir()) if not one.name.endswith("-shm")}


# --- while it is open -----------------------------------------------------------------------------


def remove(path: Path) -> None:
    path.unlink()


def remove_log(path: Path) -> None:
    beside(path, "-wal").unlink()


def remove_all(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        beside(path, suffix).unlink()


def replace(path: Path) -> None:
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE x (y)")
    os.replace(other, path)


def move_away(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


def replace_log(path: Path) -> None:
    log = beside(path, "-wal")
    shutil.copy(log, beside(path, "-wal2"))
    os.replace(beside(path, "-wal2"), log)


GONE = [remove, remove_log, remove_all, replace, move_away, replace_log]


@pytest.mark.parametrize("harm", GONE, ids=lambda harm: harm.__name__)
async def test_a_file_that_is_removed_or_replaced_is_said_at_once_and_all_of_it_is_saved(
    path: Path, harm: Callable[[Path], None]
) -> None:
    with Database(path) as database:
        await database.write(some_tracks)
        await database.run_upkeep()
        await database.write(lambda c: claim(c))  # is in the log alone
        assert database.trouble() is None
        harm(path)
        assert "removed or replaced while SoulSpot works on it" in str(database.trouble())
        with pytest.raises(DatabaseDamaged, match="removed or replaced while SoulSpot works on it"):
            await database.write(add_lookups)
        await database.look()
        rescued = database.rescued
        assert rescued is not None
        assert f"soulspot restore {rescued}" in str(database.trouble())
        # who reads is still answered
        assert await database.read(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()) == (200,)
    with closing(sqlite3.connect(rescued)) as copy:
        assert copy.execute("SELECT count(*) FROM tracks").fetchone() == (200,)
        assert copy.execute("SELECT count(*) > 0 FROM lookups WHERE state = 'leased'").fetchone() == (1,)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert rescued.stat().st_mode & 0o077 == 0


def test_a_file_that_is_removed_just_before_the_end_is_saved_all_the_same(path: Path) -> None:
    with Database(path) as database:
        database.write_now(some_tracks)
        path.unlink()
    [rescued] = path.parent.glob("soulspot.db.rescued-*")
    assert count_tracks(rescued) == 200
    with pytest.raises(DatabaseDamaged, match=rf"gone or empty.*`soulspot restore {rescued}`"):
        Database(path)
    assert not path.exists()


def overwrite(path: Path) -> None:
    other = path.with_name("other.db")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE x (y)")
    shutil.copyfile(other, path)


def overwrite_with_an_earlier_copy(path: Path) -> None:
    shutil.copyfile(path.with_name("earlier.db"), path)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4096)


def garble_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(bytes([0xAA]) * 4096)


def empty_the_log(path: Path) -> None:
    os.truncate(beside(path, "-wal"), 0)


def cut_off_the_log(path: Path) -> None:
    os.truncate(beside(path, "-wal"), beside(path, "-wal").stat().st_size - 5000)


def overwrite_the_log(path: Path) -> None:
    log = beside(path, "-wal")
    log.write_bytes(bytes(log.stat().st_size))


OVERWRITTEN = [overwrite, overwrite_with_an_earlier_copy, empty, cut_off, garble_a_page, empty_the_log, cut_off_the_log,
               overwrite_the_log]  # fmt: skip


@pytest.mark.parametrize("harm", OVERWRITTEN, ids=lambda harm: harm.__name__)
async def test_a_file_that_is_overwritten_in_place_is_said_at_once_and_nothing_makes_it_worse(
    path: Path, harm: Callable[[Path], None]
) -> None:
    with Database(path) as database:
        await database.write(some_tracks)
        await database.run_upkeep()
        shutil.copyfile(path, path.with_name("earlier.db"))
        await database.write(lambda c: add_tracks(c, *(tags(title=f"More {n}") for n in range(200))))
        await database.run_upkeep()
        await database.write(claim)
        harm(path)
        harmed = bytes_beside(path)
        await database.look()
        assert "`soulspot recover` saves what can be read" in str(database.trouble())
        with pytest.raises(DatabaseDamaged, match="while SoulSpot works on it"):
            await database.write(add_lookups)
        with pytest.raises(DatabaseDamaged):
            await database.run_upkeep()
    assert bytes_beside(path) == harmed


async def test_a_damaged_page_that_is_read_ends_all_writing(path: Path) -> None:
    with Database(path) as database:
        await database.write(some_tracks)
        await database.run_upkeep()
        stamp = path.stat()
        content = bytearray(path.read_bytes())
        for page in range(2, len(content) // 4096):
            content[page * 4096 : page * 4096 + 64] = bytes([0xAA]) * 64
        path.write_bytes(content)
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # as a failing disk does it
        with pytest.raises(DatabaseDamaged, match="malformed"):
            await database.read(lambda c: c.execute("SELECT count(*), max(tags) FROM tracks").fetchone())
        with pytest.raises(DatabaseDamaged, match="malformed"):
            await database.write(add_lookups)
        assert "malformed" in str(database.trouble())


async def test_another_program_that_writes_by_way_of_sqlite_is_no_damage(path: Path) -> None:
    with Database(path) as database:
        await database.write(some_tracks)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("INSERT INTO counters VALUES ('theirs', 1)")
            await database.look()
            await database.write(add_lookups)
            for how in ("PASSIVE", "FULL", "RESTART", "TRUNCATE"):
                await database.write(lambda c: add_tracks(c, tags()))
                other.execute(f"PRAGMA wal_checkpoint({how})")
                await database.look()
                await database.write(queue.release_leases)
        os.utime(path)  # a `touch`
        await database.look()
        assert database.trouble() is None
        await database.write(lambda c: add_tracks(c, tags()))
    assert count_tracks(path) == 200


# --- at the next start ----------------------------------------------------------------------------

KILLED = """
import os, pathlib, signal, sys
from soulspot.store.database import Database
database = Database(pathlib.Path(sys.argv[1]))
database.write_now(lambda c: c.execute("INSERT INTO counters VALUES ('first', 1)"))
database.upkeep()
for n in range(20):
    database.write_now(lambda c: c.execute("INSERT INTO counters VALUES (?, 1)", (f"n{n}",)))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(path: Path) -> Path:
    """A database whose process was killed with twenty commits in the log."""
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False).returncode == -signal.SIGKILL
    return path


@pytest.mark.process
def test_a_killed_process_loses_nothing_whatever_it_was_about(killed: Path) -> None:
    with Database(killed) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM counters").fetchone()) == (21,)


def flip_in_the_log(path: Path) -> None:
    log = beside(path, "-wal")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0xFF
    log.write_bytes(content)


def remove_log_and_index(path: Path) -> None:
    beside(path, "-wal").unlink()
    beside(path, "-shm").unlink()


@pytest.mark.process
@pytest.mark.parametrize(
    "harm", [remove_log, remove_log_and_index, empty_the_log, cut_off_the_log, flip_in_the_log, overwrite_the_log],
    ids=lambda harm: harm.__name__,
)  # fmt: skip
def test_commits_that_are_lost_with_the_log_after_a_crash_are_missed_at_the_next_start(
    killed: Path, harm: Callable[[Path], None]
) -> None:
    harm(killed)
    harmed = bytes_beside(killed)
    for _ in range(2):
        with pytest.raises(DatabaseDamaged, match=r"soulspot\.db: the last (20|1\d|\d) changes are missing") as refused:
            Database(killed)
    assert "soulspot recover" in str(refused.value)
    assert bytes_beside(killed) == harmed
    # a person who knows better can go on with what there is
    beside(killed, "-commits").unlink()
    with Database(killed) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) > 0 FROM counters").fetchone()) == (1,)


@pytest.mark.process
def test_a_shell_that_brings_the_log_home_after_a_crash_is_no_loss(killed: Path) -> None:
    with closing(sqlite3.connect(killed)) as shell:
        assert shell.execute("SELECT count(*) FROM counters").fetchone() == (21,)
    assert not beside(killed, "-wal").exists()
    with Database(killed) as database:
        assert database.trouble() is None


@pytest.mark.process
def test_a_power_failure_may_take_the_last_commits_and_the_database_opens_all_the_same(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside(killed, "-wal").unlink()
    (tmp_path / "boot").write_text("another boot")
    monkeypatch.setattr(commit_mark, "BOOT_ID", tmp_path / "boot")
    with Database(killed) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM counters").fetchone()) == (1,)


@pytest.mark.process
def test_an_earlier_copy_in_the_place_of_the_database_is_somebodys_wish(killed: Path) -> None:
    copy = killed.with_name("copy.db")
    with closing(sqlite3.connect(killed)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    with Database(killed) as database:
        database.write_now(some_tracks)
    shutil.copyfile(copy, killed)  # the same inode, after an end in order
    with Database(killed) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM counters").fetchone()) == (21,)


def test_an_emptied_database_is_refused_and_not_made_anew(path: Path) -> None:
    with Database(path) as database:
        database.write_now(some_tracks)
    os.truncate(path, 0)
    with pytest.raises(DatabaseDamaged, match=r"gone or empty.*delete soulspot\.db-commits"):
        Database(path)
    assert path.stat().st_size == 0
    beside(path, "-commits").unlink()
    with Database(path) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()) == (0,)
