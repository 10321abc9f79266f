"""Upkeep deletes what has served its time, and nothing that a track or a person needs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from soulspot.assembly.upkeep import upkeep
from soulspot.config import Config, load_config
from soulspot.models import PersonDecision, Verdict
from soulspot.store import database as module
from soulspot.store import opening, operations, queue, retention, tracks
from soulspot.store.database import Database
from soulspot.store.times import iso
from tests.support.factories import DAY, NOW, add_tracks, claim, decide, found, mbid, recording, tags


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "soulspot.db") as opened:
        yield opened


def config(**keys: str) -> Config:
    return load_config(None, overrides={
        "providers.musicbrainz.contact": "tests@example.org", **{f"retention.{name}": value for name, value in keys.items()},
    })  # fmt: skip


async def kept(database: Database, after_days: float, **keys: str) -> dict[str, Any]:
    """Run the upkeep of that day, and return what it says it has deleted."""
    said: dict[str, Any] = {}

    async def prune() -> None:
        """Take back no tags."""

    service: Any = SimpleNamespace(
        database=database, now=lambda: NOW + after_days * DAY, parts=SimpleNamespace(tagging=SimpleNamespace(prune=prune)),
        telemetry=SimpleNamespace(event=lambda name, **facts: said.update(facts)),
    )  # fmt: skip
    await upkeep(service, config(**keys))
    return said


async def column(database: Database, sql: str) -> list[Any]:
    return [row[0] for row in await database.read(lambda c: c.execute(sql).fetchall())]


def answered_tracks(connection: sqlite3.Connection, count: int = 4) -> list[int]:
    """Store tracks with an answered lookup each."""
    ids = add_tracks(connection, *(tags(title=f"Song {n}", isrcs=[n]) for n in range(count)))
    decide(connection, ids)
    for number, lookup in enumerate(claim(connection)):
        queue.settle(connection, [found(lookup, recording(number + 1, title=f"Song {number}"))], NOW)
    decide(connection, ids)
    return ids


def vanish(connection: sqlite3.Connection, track_id: int) -> None:
    connection.execute(
        "UPDATE tracks SET path = ?, vanished_at = ? WHERE track_id = ?", (b"/m/%d" % track_id, iso(NOW), track_id)
    )


async def test_a_track_that_vanished_long_ago_goes_with_all_that_only_it_used(database: Database) -> None:
    ids = await database.write(answered_tracks)
    await database.write(lambda c: vanish(c, ids[0]))
    assert (await kept(database, 179))["tracks"] == 0
    assert await kept(database, 181) == {"operations": 0, "tracks": 1, "lookups": 1, "facts": 1}
    assert await column(database, "SELECT track_id FROM tracks") == ids[1:]
    assert await column(database, "SELECT track_id FROM enriched_tracks") == ids[1:]
    assert await column(database, "SELECT count(*) FROM lookups WHERE state = 'done'") == [3]
    assert await column(database, "SELECT entity_id FROM facts ORDER BY 1") == [mbid(n) for n in (2, 3, 4)]
    assert await column(database, "PRAGMA integrity_check") == ["ok"]


async def test_what_a_person_decided_is_never_pruned(database: Database) -> None:
    ids = await database.write(answered_tracks)
    said = PersonDecision("musicbrainz", mbid(1), Verdict.REJECTED, "me", iso(NOW), None)
    await database.write(lambda c: tracks.save_decision(c, ids[0], said))
    await database.write(lambda c: vanish(c, ids[0]))
    assert (await kept(database, 3000))["tracks"] == 0
    assert await column(database, "SELECT count(*) FROM decisions") == [1]
    assert await column(database, "SELECT count(*) FROM facts") == [4]


async def test_facts_that_a_track_uses_stay_however_old_they_are(database: Database) -> None:
    await database.write(answered_tracks)
    assert await kept(database, 3000) == {"operations": 0, "tracks": 0, "lookups": 0, "facts": 0}
    assert await column(database, "SELECT count(*) FROM facts") == [4]


async def test_an_answer_that_no_track_uses_any_more_goes_after_its_time_and_its_facts_with_it(
    database: Database,
) -> None:
    ids = await database.write(answered_tracks)
    await database.write(lambda c: tracks.unlink_lookups(c, ids[0]))
    await database.write(lambda c: c.execute("DELETE FROM candidates WHERE track_id = ?", (ids[0],)))
    assert (await kept(database, 29))["lookups"] == 0
    assert await kept(database, 31) == {"operations": 0, "tracks": 0, "lookups": 1, "facts": 1}
    assert await column(database, "SELECT count(*) FROM facts WHERE entity_id = '" + mbid(1) + "'") == [0]


async def test_a_lookup_that_waits_is_not_pruned_for_its_age(database: Database) -> None:
    [track_id] = await database.write(lambda c: add_tracks(c, tags(isrcs=[1])))
    await database.write(lambda c: decide(c, [track_id]))
    assert (await kept(database, 3000))["lookups"] == 0
    assert await column(database, "SELECT state FROM lookups") == ["pending"]


async def test_operations_go_after_their_time_but_for_the_newest_and_those_that_can_be_taken_back(
    database: Database,
) -> None:
    def some(connection: sqlite3.Connection) -> None:
        track_ids = add_tracks(connection, tags())
        for at in (NOW, NOW, NOW + 50 * DAY):
            operations.finish(connection, operations.start(connection, "scan", {}, at), at)
        connection.execute(
            "INSERT INTO tag_writes VALUES (1, 2, ?, x'00', 'written', '{}', '', x'', 0, 0, 0, 0, 0, ?, NULL)",
            (track_ids[0], iso(NOW)),
        )
        operations.start(connection, "scan", {}, NOW)
        operations.finish(connection, operations.start(connection, "scan", {}, NOW), NOW)

    await database.write(some)
    assert (await kept(database, 89))["operations"] == 0
    assert (await kept(database, 91))["operations"] == 1
    assert await column(database, "SELECT id FROM batch_operations") == [2, 3, 4, 5]
    assert (await kept(database, 3000, operations="0"))["operations"] == 0
    assert (await kept(database, 141))["operations"] == 1


async def test_an_import_that_failed_keeps_its_row_and_its_file_until_a_person_cancels_it(
    database: Database, tmp_path: Path
) -> None:
    ids: dict[str, int] = {}

    def some(connection: sqlite3.Connection) -> None:
        for status in ("failed", "completed", "cancelled"):
            request = {"path": os.fsencode(tmp_path / f"{status}.csv").hex(), "remove": True}
            ids[status] = operations.start(connection, "import", {}, NOW, request=request)
            operations.finish(connection, ids[status], NOW, status=status)
        operations.finish(connection, operations.start(connection, "scan", {}, NOW), NOW)

    await database.write(some)
    assert (await kept(database, 3000))["operations"] == 2
    assert await database.read(operations.load_kept_uploads) == {ids["failed"]: os.fsencode(tmp_path / "failed.csv")}
    await database.write(lambda c: operations.finish(c, ids["failed"], NOW, status="cancelled"))
    assert (await kept(database, 3000))["operations"] == 1


async def test_a_zero_keeps_everything_for_ever(database: Database) -> None:
    ids = await database.write(answered_tracks)
    await database.write(lambda c: vanish(c, ids[0]))
    await database.write(lambda c: tracks.unlink_lookups(c, ids[1]))
    said = await kept(database, 3000, operations="0", vanished="0", answers="0")
    assert said == {"operations": 0, "tracks": 0, "lookups": 0, "facts": 0}


async def test_a_large_clean_up_goes_in_pieces_between_which_others_write(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PIECE", 10)
    monkeypatch.setattr(retention, "PAGE", 20)
    ids = await database.write(lambda c: answered_tracks(c, 95))
    await database.write(lambda c: [vanish(c, track_id) for track_id in ids[:57]])
    sizes: list[int] = []
    write = database.write

    async def counted(change: Any) -> Any:
        def measured(connection: sqlite3.Connection) -> Any:
            count = "SELECT (SELECT count(*) FROM tracks) + (SELECT count(*) FROM lookups)"
            before = connection.execute(count).fetchone()[0]
            result = change(connection)
            sizes.append(before - connection.execute(count).fetchone()[0])
            return result

        return await write(measured)

    monkeypatch.setattr(database, "write", counted)
    assert await kept(database, 200) == {"operations": 0, "tracks": 57, "lookups": 57, "facts": 57}
    assert max(sizes) <= 20
    assert await column(database, "SELECT count(*) FROM facts") == [38]


async def test_a_log_that_grew_behind_a_long_reader_is_trimmed_when_the_reader_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOG_LIMIT", 100_000)
    log = database.path.with_name(database.path.name + "-wal")
    with closing(opening.connect_to_look(database.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tracks").fetchone()
        for _ in range(10):
            await database.write(lambda c: answered_tracks(c, 50))
        await database.look()
        assert log.stat().st_size > 100_000
    await database.look()
    assert log.stat().st_size == 0
    assert database.trouble() is None


async def test_room_of_deleted_rows_is_used_again(database: Database) -> None:
    pages = []
    for number in range(1, 9):
        ids = await database.write(lambda c: answered_tracks(c, 400))
        [count] = await column(database, "PRAGMA page_count")
        pages.append(count)
        await database.write(lambda c: [vanish(c, track_id) for track_id in ids])  # noqa: B023
        assert (await kept(database, 200 * number))["tracks"] == 400
    assert pages[-1] <= pages[3] * 1.1  # the index of words settles at some size
