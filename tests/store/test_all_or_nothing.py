"""Facts, acknowledgement, decision, row, event and new lookups commit together, wherever it is
that something breaks."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from soulspot.deciding.outcome import Rules
from soulspot.deciding.plan_state import Services
from soulspot.limits import Gates, MemoryPort
from soulspot.models import MUSICBRAINZ, LookupState, Query, Settlement, Verdict
from soulspot.operations.refetch import queue_again
from soulspot.pipeline import Parts
from soulspot.pipeline.intake import LibraryRules
from soulspot.pipeline.service import EnrichmentService
from soulspot.store import queue, tracks
from soulspot.store.database import Database
from soulspot.tagging.writer import TagWriter
from soulspot.telemetry import Alarms, MemoryLimit, Telemetry, Thresholds
from tests.support.answering import decide_by_person
from tests.support.factories import (
    DAY,
    NOW,
    add_tracks,
    claim,
    decide,
    found,
    isrc_query,
    mbid,
    recording,
    tags,
)
from tests.support.reading import READER


class Breaker:
    """A connection whose statement after `after` others raises an error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._left = 0
        self._last = ""
        self._inside = False  # of a statement that the search makes for itself: it may get over what breaks there
        self.seen = 0

    def arm(self, after: int | None) -> None:
        self._left, self.seen = (-1 if after is None else after), 0
        self._connection.set_trace_callback(self._count)
        self._connection.set_progress_handler(self._breaks, 1)

    def disarm(self) -> None:
        self._connection.set_trace_callback(None)
        self._connection.set_progress_handler(None, 1)

    def _count(self, statement: str) -> None:
        # a trigger's own statements are reported as the statement that set it off, once more
        if statement != self._last and not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "--")):
            self.seen += 1
        self._last = statement
        self._inside = statement.startswith("--")

    def _breaks(self) -> bool:
        # SQLite asks at jumps alone: a statement may be over before it has asked, then the next one
        # breaks
        if self._left < 0 or self.seen - 1 < self._left or self._inside:
            return False
        self._left = -1  # once is enough: the rollback must get through
        return True


def dump(database: Database) -> list[str]:
    return list(database._connection.iterdump())


async def breaks_cleanly_everywhere(database: Database, work: Callable[[], Awaitable[object]]) -> int:
    """Break `work` at its first statement, at its second ... until it passes. Returns how often
    it broke."""
    before = dump(database)
    breaker = Breaker(database._connection)
    for after in range(2_000):
        breaker.arm(after)
        try:
            await work()
        except sqlite3.OperationalError as error:
            broken = "interrupted" in str(error)
        else:
            broken = False
        finally:
            breaker.disarm()
        if not broken:
            assert breaker.seen <= after, "a statement was to break and did not"
            return after
        assert not database._connection.in_transaction
        assert dump(database) == before
    raise AssertionError("it never passed")


@pytest.fixture
def service(database: Database) -> EnrichmentService:
    telemetry = Telemetry()
    parts = Parts(
        telemetry, Gates(MemoryPort()), MemoryLimit(telemetry), Alarms(telemetry, Thresholds()),
        TagWriter(database, telemetry, reader=READER, now=lambda: NOW), READER,
    )  # fmt: skip
    return EnrichmentService(database, {}, parts, rules=Rules(), library=LibraryRules(), now=lambda: NOW)


async def test_an_answer_commits_with_all_that_follows_from_it_or_not_at_all(
    database: Database, service: EnrichmentService
) -> None:
    def prepare(connection: sqlite3.Connection) -> None:
        decide(connection, add_tracks(connection, tags(isrcs=[1]), tags("Second", isrcs=[1, 2])))

    await database.write(prepare)
    one, two = await database.write(claim)
    answers = [
        found(one, recording(1, isrcs=["DEAB10000001"])),
        Settlement(two, LookupState.MISSING, NOW + DAY),
    ]
    broken = await breaks_cleanly_everywhere(database, lambda: service.settle(answers))
    assert broken > 20
    connection = database._connection
    assert connection.execute("SELECT state FROM lookups WHERE kind = 'isrc' ORDER BY 1").fetchall() == [
        ("done",), ("missing",),
    ]  # fmt: skip
    assert connection.execute("SELECT count(*) FROM facts").fetchone() == (1,)
    assert connection.execute("SELECT status, mb_recording_id FROM enriched_tracks WHERE track_id = 1").fetchone() == (
        "accepted", mbid(1),
    )  # fmt: skip
    assert connection.execute("SELECT kind FROM events").fetchall() == [("track.accepted",)]
    assert connection.execute("SELECT provider FROM lookups WHERE kind = 'recording'").fetchall() == [("listenbrainz",)]


def rows_to_import(tmp_path: Path) -> Path:
    file = tmp_path / "rows.csv"
    file.write_text(
        "key,title,artist,duration_ms,isrc\n"
        "a,Blue Hour,The Lanterns,201000,DEAB10000001\nb,Second,The Lanterns,190000,\n"
    )
    return file


async def test_rows_come_in_with_their_albums_or_not_at_all(
    tmp_path: Path, database: Database, service: EnrichmentService
) -> None:
    file = rows_to_import(tmp_path)

    async def nothing() -> None:
        """Decide in a second transaction, as the service does."""

    service._intake._decide_new = nothing
    assert await breaks_cleanly_everywhere(database, lambda: service.import_file(file)) > 5
    assert await database.read(lambda c: tracks.list_undecided(c, 10)) == [1, 2]


async def test_what_came_in_is_decided_with_all_it_asks_or_not_at_all(
    tmp_path: Path, database: Database, service: EnrichmentService
) -> None:
    await database.write(
        lambda c: tracks.save_imported(
            c, [tracks.ImportedTrack("a", tags(isrcs=[1])), tracks.ImportedTrack("b", tags("Second"))], NOW
        )
    )
    assert await breaks_cleanly_everywhere(database, service.decide_new) > 8
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM lookups").fetchone()) == (2,)
    assert await database.read(lambda c: tracks.list_undecided(c, 10)) == []


async def test_an_import_that_breaks_before_it_is_decided_loses_nothing(
    tmp_path: Path, database: Database, service: EnrichmentService
) -> None:
    file = rows_to_import(tmp_path)

    async def killed() -> None:
        raise KeyboardInterrupt

    decide_new, service._intake._decide_new = service._intake._decide_new, killed
    with pytest.raises(KeyboardInterrupt):
        await service.import_file(file)
    service._intake._decide_new = decide_new
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM lookups").fetchone()) == (0,)
    again = await service.import_file(file)  # the same rows: none is new, and still all are decided
    assert again.queued == 0
    assert await database.read(lambda c: c.execute("SELECT count(*) FROM lookups").fetchone()) == (2,)


async def test_what_a_person_says_commits_with_what_follows_or_not_at_all(
    database: Database, service: EnrichmentService
) -> None:
    await database.write(lambda c: decide(c, add_tracks(c, tags(isrcs=[1]))))
    [lookup] = await database.write(claim)
    await service.settle([found(lookup, recording(1, title="Something Else"))])

    def accept() -> Awaitable[None]:
        return decide_by_person(service, 1, mbid(1), Verdict.ACCEPTED)

    assert await breaks_cleanly_everywhere(database, accept) > 5
    row = await database.read(lambda c: c.execute("SELECT status FROM enriched_tracks").fetchone())
    assert row == ("accepted",)


async def test_a_retry_queues_all_and_has_their_tracks_decided_or_does_nothing(
    database: Database, service: EnrichmentService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.decider.rules = Rules(Services(spotify=False))
    only_isrc = tags(None, None, None, None, isrcs=[1])
    await database.write(lambda c: decide(c, add_tracks(c, only_isrc), rules=service.decider.rules))
    [lookup] = await database.write(claim)
    await service.settle([Settlement(lookup, LookupState.FAILED, NOW, error="400")])
    status = "SELECT status FROM enriched_tracks"
    assert await database.read(lambda c: c.execute(status).fetchone()) == ("failed",)

    async def later() -> None:
        """Decide in a second transaction, at the latest after the next start."""

    with monkeypatch.context() as patch:
        patch.setattr(service, "decide_new", later)
        assert await breaks_cleanly_everywhere(database, lambda: queue_again(service)) >= 3
    assert await database.read(lambda c: tracks.list_undecided(c, 10)) == [1]
    await service.decide_new()
    assert await database.read(lambda c: c.execute(status).fetchone()) == ("pending",)
    assert await database.read(lambda c: queue.next_due_by_kind(c, MUSICBRAINZ, ["isrc"])) == {"isrc": NOW}


async def test_an_answer_reaches_a_track_that_asks_later_without_a_request(
    database: Database, service: EnrichmentService
) -> None:
    await database.write(lambda c: decide(c, add_tracks(c, tags(isrcs=[1]))))
    [lookup] = await database.write(claim)
    await service.settle([found(lookup, recording(1))])

    def late(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
        [track_id] = add_tracks(connection, tags("x"), tags(isrcs=[1], album="Another Album"))[1:]
        service.decider.decide(connection, [track_id])
        return connection.execute("SELECT status FROM enriched_tracks WHERE track_id = ?", (track_id,)).fetchall()

    assert await database.write(late) == [("accepted",)]
    assert await database.read(lambda c: c.execute("SELECT state FROM lookups WHERE kind = 'isrc'").fetchall()) == [
        ("done",)
    ]
    assert isrc_query(1) == Query.of(MUSICBRAINZ, "isrc", isrc="DEAB10000001")
