"""Every readable row of a damaged database is saved, and what is lost is told."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.models import PersonDecision, Verdict
from soulspot.store import operations, queue, tracks
from soulspot.store.database import Database
from soulspot.store.recovery import Recovered, recover
from tests.support.factories import NOW, add_tracks, claim, decide, found, mbid, recording, tags

# Made anew, or without rows of their own.
DERIVED = ("lookup_totals", "commit_count", "track_search", "sqlite_")
PAGE = 4096
TRACKS = 160


def fill(connection: sqlite3.Connection) -> None:
    ids = add_tracks(connection, *(tags(title=f"Song {n} " * 5, isrcs=[n]) for n in range(TRACKS)))
    decide(connection, ids)
    for lookup in claim(connection, most=TRACKS // 2):
        # some are longer than a page
        title = "x" * (50 if lookup.lookup_id % 50 else 9000)
        queue.settle(connection, [found(lookup, recording(lookup.lookup_id, title=title))], NOW)
    for track_id in ids[:20]:
        said = PersonDecision("musicbrainz", mbid(track_id), Verdict.ACCEPTED, "me", "2026-01-01T00:00:00.000Z", None)
        tracks.save_decision(connection, track_id, said)
    for number in range(30):
        operations.finish(connection, operations.start(connection, "scan", {"places": [number]}, NOW), NOW)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "soulspot.db"
    with Database(path) as database:
        database.write_now(fill)
    return path.read_bytes()


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in found
            if not name.startswith(DERIVED)
        }


def counts(path: Path) -> dict[str, int]:
    return {name: len(found) for name, found in rows(path).items()}


def recovered(path: Path, content: bytes) -> tuple[Recovered, dict[str, int]]:
    path.write_bytes(content)
    target = path.with_name("saved.db")
    done = recover(path, target)
    assert path.read_bytes() == content
    return done, counts(target)


def test_nothing_is_lost_of_a_sound_database(path: Path, content: bytes) -> None:
    done, _ = recovered(path, content)
    assert (done.is_complete, done.bad_pages) == (True, 0)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE tracks SET undecided = 1")  # what follows is worked out again
        connection.commit()
    assert rows(path.with_name("saved.db")) == rows(path)


def flip(content: bytes, page: int) -> bytes:
    start = page * PAGE + (100 if page == 0 else 0)
    return content[:start] + bytes(byte ^ 0xFF for byte in content[start : start + 64]) + content[start + 64 :]


def zero(content: bytes, page: int) -> bytes:
    return content[: page * PAGE] + bytes(PAGE) + content[(page + 1) * PAGE :]


def scatter(content: bytes, page: int) -> bytes:
    damaged, rng = bytearray(content), random.Random(page)
    for place in rng.sample(range(page * PAGE, (page + 1) * PAGE), 40):
        damaged[place] ^= 0xFF
    return bytes(damaged)


@pytest.mark.parametrize("harm", [flip, zero, scatter], ids=lambda harm: harm.__name__)
def test_a_damaged_page_costs_its_own_rows_and_they_are_counted(
    path: Path, content: bytes, harm: Callable[[bytes, int], bytes]
) -> None:
    whole, pages = counts_of(content, path), len(content) // PAGE
    for page in [*range(20), *range(20, pages, 13)]:
        done, saved = recovered(path, harm(content, page))
        path.with_name("saved.db").unlink()
        for name, saved_rows in saved.items():
            told, lost = done.tables[name], whole[name] - saved_rows
            assert told.rows == saved_rows, (page, name)
            assert not told.is_counted or told.lost == lost, (page, name, told)
            # Links are narrow: all of them are on one page here. They come again by deciding.
            assert lost <= 40 or name in ("track_lookups", "events"), (page, name, lost)


def counts_of(content: bytes, path: Path) -> dict[str, int]:
    whole = path.with_name("whole.db")
    whole.write_bytes(content)
    return counts(whole)


@pytest.mark.parametrize("keep", [0.6, 0.9])
def test_a_database_that_is_cut_off_gives_the_rows_that_are_there(path: Path, content: bytes, keep: float) -> None:
    done, saved = recovered(path, content[: int(len(content) * keep)])
    assert not done.is_complete
    assert sum(saved.values()) > TRACKS * keep


def test_what_is_no_database_at_all_gives_an_empty_one(path: Path) -> None:
    done, saved = recovered(path, b"my favourite songs\n" * 1000)
    assert not done.is_complete
    assert sum(saved.values()) == 0


def test_a_saved_database_works_and_asks_for_no_answer_again(path: Path, content: bytes) -> None:
    recovered(path, zero(content, 1))
    with Database(path.with_name("saved.db")) as database:
        undecided = database.write_now(lambda c: tracks.list_undecided(c, 1000))
        assert len(undecided) == TRACKS
        database.write_now(lambda c: decide(c, undecided))
        states = dict(
            database.write_now(lambda c: c.execute("SELECT state, count(*) FROM lookups GROUP BY 1").fetchall())
        )
        assert states["done"] == TRACKS // 2


def test_a_person_decided_and_that_outlives_the_row_of_the_track(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection:
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tracks'").fetchone()
    damaged = content
    for page in range(1, len(content) // PAGE):
        found = content[page * PAGE : (page + 1) * PAGE]
        if page + 1 != root and found[0] == 0x0D and b'"title": "Song' in found:
            damaged = zero(damaged, page)
    assert damaged != content
    done, saved = recovered(path, damaged)
    assert saved["decisions"] == 20
    assert saved["tracks"] == TRACKS
    assert done.tables["decisions"].is_complete


def test_rows_that_only_the_log_has_are_saved_and_those_behind_a_damaged_frame_too(path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys\n"
        "from soulspot.store.database import Database\n"
        "database = Database(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    database.write_now(lambda c: c.execute('INSERT INTO counters VALUES (?, 1)', (f'n{n}',)))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -signal.SIGKILL
    log = path.with_name(path.name + "-wal")
    for damage in (False, True):
        if damage:
            content = bytearray(log.read_bytes())
            frame = 24 + PAGE
            middle = 32 + (len(content) - 32) // frame // 2 * frame
            content[middle + 100] ^= 0xFF
            log.write_bytes(content)
        target = path.with_name(f"saved {damage}.db")
        recover(path, target)
        assert counts(target)["counters"] == 20


def test_a_database_of_an_older_schema_is_saved_as_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from soulspot.store import migrations

    steps = migrations.migrations()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "migrations", lambda: steps[:7])
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            migrations.migrate(connection, path)
            # today's code, which fills the tables, needs a column and a table that came later
            connection.execute("ALTER TABLE tracks ADD COLUMN has_result INTEGER NOT NULL DEFAULT 0")
            connection.execute("CREATE TABLE named_places (path BLOB PRIMARY KEY)")
            fill(connection)
            connection.execute("DROP TABLE named_places")
            connection.execute("ALTER TABLE tracks DROP COLUMN has_result")
    target = path.with_name("saved.db")
    assert recover(path, target).is_complete
    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (7,)
    with Database(target) as database:
        assert database.write_now(lambda c: c.execute("SELECT count(*) FROM facts").fetchone()) == (TRACKS // 2,)
    assert os.path.exists(f"{target}.before-schema-{len(steps)}")
