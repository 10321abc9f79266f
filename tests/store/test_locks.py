"""Another program's lock: writes wait, callers with little patience are told, nothing is lost."""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.errors import DatabaseBusy
from soulspot.store import database as module
from soulspot.store.database import Database, lock_patience
from tests.support.factories import add_lookups, add_tracks, tags
from tests.support.until import until


@pytest.fixture
def other(database: Database, path: Path) -> Iterator[sqlite3.Connection]:
    """Another program's connection that holds the write lock."""
    database._connection.execute("PRAGMA busy_timeout = 10")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


async def test_a_write_that_the_lock_outlasts_says_who_holds_it_and_changes_nothing(
    database: Database, other: sqlite3.Connection
) -> None:
    lock_patience.set(0.0)
    with pytest.raises(DatabaseBusy, match=rf"soulspot\.db: .*process {os.getpid()}\) has locked the database") as busy:
        await database.write(lambda c: add_tracks(c, tags()))
    assert "nothing was changed" in str(busy.value)
    assert database.locked_for > 0
    other.execute("ROLLBACK")
    assert await database.write(lambda c: c.execute("SELECT count(*) FROM tracks").fetchone()) == (0,)
    assert database.locked_for == 0.0


async def test_a_patient_write_waits_while_requests_behind_it_are_refused_and_goes_on_when_it_can(
    database: Database, other: sqlite3.Connection
) -> None:
    async def patient() -> int:
        lock_patience.set(math.inf)
        return await database.write(add_lookups)

    async def request() -> None:
        lock_patience.set(0.0)
        await database.write(lambda c: add_tracks(c, tags()))

    waiting = asyncio.create_task(patient())
    for _ in range(3):
        with pytest.raises(DatabaseBusy):
            await asyncio.create_task(request())
    assert not waiting.done()
    assert database.write_age >= database.locked_for > 0
    other.execute("ROLLBACK")
    assert await waiting == 1
    assert (database.write_age, database.locked_for) == (0.0, 0.0)


async def test_at_the_end_of_the_process_no_write_waits_for_the_lock(
    database: Database, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HURRIED", 0.0)
    lock_patience.set(math.inf)
    waiting = asyncio.create_task(database.write(add_lookups))
    await until(lambda: database.locked_for)
    database.hurry()
    with pytest.raises(DatabaseBusy):
        await waiting


def test_a_write_without_a_loop_is_told_too(database: Database, other: sqlite3.Connection) -> None:
    token = lock_patience.set(0.0)
    try:
        with pytest.raises(DatabaseBusy):
            database.write_now(add_lookups)
    finally:
        lock_patience.reset(token)


async def test_the_writer_tells_any_thread_how_long_the_oldest_write_takes_and_when_it_last_committed(
    database: Database,
) -> None:
    before = database.last_commit
    assert database.write_age == 0.0
    ages: list[float] = []
    first = database.write(lambda c: ages.append(database.write_age))
    await asyncio.gather(first, database.write(lambda c: ages.append(database.write_age)))
    assert all(age > 0 for age in ages)
    assert database.write_age == 0.0
    assert database.last_commit > before
