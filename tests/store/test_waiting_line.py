"""How long the database has stood still, as the watchdog asks."""

from __future__ import annotations

import asyncio
import threading

from soulspot.store.database import Database

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE ended() = 0) SELECT count(*) FROM n"


async def wait_until_older(database: Database, seconds: float) -> None:
    while database.write_age < seconds:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_write_that_waits_behind_one_that_hangs_is_stuck(database: Database) -> None:
    free = threading.Event()
    assert database.stuck_for == 0.0
    hanging = asyncio.ensure_future(database.write(lambda connection: free.wait()))
    waiting = asyncio.ensure_future(database.write(lambda connection: None))
    await wait_until_older(database, 0.3)
    assert database.stuck_for > 0.2
    free.set()
    await asyncio.gather(hanging, waiting)
    assert database.stuck_for == 0.0


async def test_a_statement_that_takes_long_is_not_stuck(database: Database) -> None:
    ended = threading.Event()
    database._connection.create_function("ended", 0, ended.is_set)
    running = asyncio.ensure_future(database.write(lambda connection: connection.execute(LONG).fetchone()))
    began = database._writes.moved_at
    await wait_until_older(database, 0.05)
    moved = database._writes.moved_at
    while database._writes.moved_at == moved:  # noqa: ASYNC110 - the statement itself says that it moves
        await asyncio.sleep(0.01)
    assert not running.done()
    assert database.stuck_for < database.write_age
    ended.set()
    await running
    assert began <= moved
