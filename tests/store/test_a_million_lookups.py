"""A queue of a million lookups stays bounded: in memory, on disk, and in the work of a claim."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from soulspot.models import MUSICBRAINZ
from soulspot.store import queue
from soulspot.store.database import Database
from soulspot.store.times import iso
from soulspot.telemetry.resident_memory import read_rss_bytes
from tests.support.factories import NOW, add_tracks, found, recording, tags

MANY, FEW, BATCH, STEP = 1_000_000, 10_000, 100, 100


def fill(connection: sqlite3.Connection, first: int, last: int) -> None:
    add_tracks(connection, tags())
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO lookups (provider, kind, query, due_at, created_at)"
        """ SELECT ?, 'isrc', '{"isrc": "DEAB1' || printf('%07d', i) || '"}', ?, ? FROM n""",
        (first, last - 1, MUSICBRAINZ, iso(NOW), iso(NOW)),
    )
    connection.execute("INSERT OR IGNORE INTO track_lookups (track_id, lookup_id) SELECT 1, lookup_id FROM lookups")


def work_of_claims(database: Database, claims: int = 20) -> int:
    """Claim and settle batches. Return the most steps of SQLite's machine that one of them took."""
    worst = 0
    for _ in range(claims):
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += STEP
            return 0

        def ask(connection: sqlite3.Connection) -> int:
            connection.set_progress_handler(step, STEP)
            claimed = queue.claim(connection, MUSICBRAINZ, {"isrc": BATCH}, NOW).lookups
            queue.settle(connection, [found(one, recording(one.lookup_id)) for one in claimed], NOW)
            connection.set_progress_handler(None, STEP)
            return len(claimed)

        assert database.write_now(ask) == BATCH
        worst = max(worst, steps)
    return worst


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_million_queued_lookups_cost_no_more_memory_and_no_more_work_than_a_few(path: Path) -> None:
    with Database(path) as database:
        database.write_now(lambda c: fill(c, 0, FEW))
        few, before = work_of_claims(database), read_rss_bytes()
        for first in range(FEW, MANY, 90_000):
            database.write_now(lambda c: fill(c, first, min(first + 90_000, MANY)))  # noqa: B023
        many = work_of_claims(database)
        assert database.write_now(lambda c: c.execute("SELECT sum(lookups) FROM lookup_totals").fetchone()) == (MANY,)
        assert many <= 2 * few
        assert read_rss_bytes() - before < 100e6
        database.upkeep()
    assert path.stat().st_size < 400e6
