"""Memory: above the limit work gets smaller and stops being claimed, and no MemoryError loses
anything."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from soulspot.assembly import open_service
from soulspot.config.loading import make_config
from soulspot.pipeline import wait_until_settled
from soulspot.pipeline.intake import CHUNK, Intake, LibraryRules
from soulspot.pipeline.status import status_of
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.store import library_counts, tracks
from soulspot.store.database import Database
from soulspot.telemetry import Telemetry
from soulspot.telemetry.memory_limit import (
    CALM,
    HOLD,
    LONGEST_HOLD,
    MemoryLimit,
    give_back_to_system,
    run_in_pieces,
)
from tests.pipeline.test_intake import song
from tests.support.factories import NOW
from tests.support.flow import settings, write_rows
from tests.support.reading import READER

MB = 1_000_000
CATALOGUE = invent_catalogue(3, 300)


class Machine:
    """A process whose memory and clock the test sets. `collectable` is what giving back frees."""

    def __init__(self, limit: int = 100 * MB) -> None:
        self.used, self.collectable, self.now = 50 * MB, 0, NOW
        self.said: list[tuple[str, bool]] = []
        self.relieved = 0
        self.memory = MemoryLimit(
            Telemetry(), limit, alarm=lambda name, why: self.said.append((name, why is not None)),
            rss=lambda: self.used, give_back=self.give_back, clock=lambda: self.now,
        )  # fmt: skip
        self.memory.on_relief = self.relieve

    def give_back(self) -> None:
        self.used -= self.collectable
        self.collectable = 0

    def relieve(self) -> None:
        self.relieved += 1

    def look(self, used: int | None = None, after: float = 5.0) -> None:
        self.now += after
        self.used = self.used if used is None else used
        self.memory.check()


# --- the limit ------------------------------------------------------------------------------------


def test_below_the_limit_nothing_changes() -> None:
    machine = Machine()
    machine.look(100 * MB)
    assert (machine.memory.is_over, machine.memory.current_hold(), machine.memory.piece_size(500)) == (
        False,
        None,
        500,
    )
    assert machine.said == []


def test_above_the_limit_pieces_are_smaller_and_nothing_is_claimed_until_it_falls() -> None:
    machine = Machine()
    machine.look(101 * MB)
    left, why = machine.memory.current_hold() or (0.0, "")
    assert left > 0
    assert why == "101 MB of memory are used, limits.memory_mb allows 100"
    assert machine.memory.piece_size(500) == 125
    assert machine.memory.piece_size(1) == 1
    machine.look(95 * MB)
    assert machine.memory.current_hold()  # not at once: it would only go up and down
    machine.look(90 * MB)
    assert (machine.memory.current_hold(), machine.relieved) == (None, 1)
    assert machine.said == [("memory_high", True), ("memory_high", True), ("memory_high", False)]


def test_what_can_be_given_back_is_given_back_before_anything_stops() -> None:
    machine = Machine()
    machine.collectable = 40 * MB
    machine.look(120 * MB)
    assert not machine.memory.is_over
    assert machine.said == []


def test_claiming_stops_for_as_long_as_it_lasts_and_looks_longer_ahead_each_time() -> None:
    machine = Machine()
    machine.look(200 * MB)
    ahead = []
    for _ in range(400):
        held = machine.memory.current_hold()
        assert held is not None
        ahead.append(held[0])
        machine.look()
    assert HOLD - 5 <= ahead[0] <= HOLD
    assert LONGEST_HOLD - 10 <= max(ahead) <= LONGEST_HOLD


def test_without_a_limit_any_amount_is_fine() -> None:
    machine = Machine(limit=0)
    machine.look(10**12)
    assert (machine.memory.is_over, machine.memory.piece_size(500)) == (False, 500)


def test_giving_back_harms_nothing() -> None:
    give_back_to_system()


# --- too little memory ----------------------------------------------------------------------------


def test_a_memory_error_halves_the_pieces_and_they_grow_again_when_it_is_calm() -> None:
    machine = Machine(limit=0)
    with capture_logs() as said:
        machine.memory.on_memory_error("scan")
        machine.memory.on_memory_error("scan")
    assert machine.memory.piece_size(500) == 125
    assert [(line["event"], line["halved"]) for line in said] == [("memory_short", 1), ("memory_short", 2)]
    machine.look(after=CALM - 1)
    assert machine.memory.piece_size(500) == 125
    machine.look(after=1)
    assert machine.memory.piece_size(500) == 250
    machine.look(after=1)
    assert machine.memory.piece_size(500) == 250
    machine.look(after=CALM)
    assert machine.memory.piece_size(500) == 500


def test_pieces_never_get_smaller_than_one() -> None:
    memory = Machine().memory
    for _ in range(50):
        memory.on_memory_error("scan")
    assert memory.piece_size(500) == 1


async def test_work_that_is_too_large_is_done_in_halves_each_item_once_and_in_order() -> None:
    done: list[int] = []

    async def work(piece: Sequence[int]) -> None:
        if len(piece) > 3:
            raise MemoryError
        done.extend(piece)

    await run_in_pieces(Machine().memory, range(20), work, "scan")
    assert done == list(range(20))


async def test_when_there_is_no_memory_for_one_item_that_is_said() -> None:
    async def work(piece: Sequence[int]) -> None:
        raise MemoryError("none at all")

    with pytest.raises(MemoryError):
        await run_in_pieces(Machine().memory, [1, 2], work, "scan")


# --- in the flow ----------------------------------------------------------------------------------


def failing_above(most: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose last positional argument may have `most` items; more is a MemoryError."""

    def limited(*arguments: Any, **more: Any) -> Any:
        if len(arguments[-1]) > most:
            raise MemoryError
        return real(*arguments, **more)

    return limited


async def test_a_scan_goes_on_in_smaller_pieces_and_counts_every_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    music = tmp_path / "music"
    music.mkdir()
    for number in range(30):
        song(music / f"{number:02}.flac", title=f"t{number}")
    monkeypatch.setattr(Intake, "_read", failing_above(8, Intake._read))

    async def decided() -> None:
        return

    with Database(tmp_path / "s.db") as database:
        memory = MemoryLimit(Telemetry())
        rules = LibraryRules((os.fsencode(music),))
        taking = Intake(database, rules, decided, reader=READER, now=lambda: NOW, memory=memory)
        report = await taking.scan()
        assert (report.found, report.read, report.unreadable) == (30, 30, 0)
        assert memory.piece_size(CHUNK) < CHUNK


async def test_an_import_goes_on_in_smaller_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("key,title\n" + "".join(f"k{n},t{n}\n" for n in range(50)))
    monkeypatch.setattr(Intake, "_save_rows", failing_above(10, Intake._save_rows))

    async def decided() -> None:
        return

    with Database(tmp_path / "s.db") as database:
        report = await Intake(
            database, LibraryRules(), decided, reader=READER, memory=MemoryLimit(Telemetry()), now=lambda: NOW
        ).import_file(rows)
        assert (report.rows, report.queued) == (50, 50)
        ids = await database.read(lambda c: c.execute("SELECT source_key FROM tracks ORDER BY track_id").fetchall())
        assert [row[0] for row in ids] == [f"k{n}" for n in range(50)]


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(CATALOGUE, Behaviour(limits=False)) as running:
        yield running


def twenty_tracks(folder: Path) -> Path:
    found = [one for one in CATALOGUE.recordings if one.isrcs][:20]
    return write_rows(folder / "rows.csv", [{"key": str(n), "isrc": one.isrcs[0]} for n, one in enumerate(found)])


async def test_everything_is_answered_although_memory_is_short_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    rows = twenty_tracks(tmp_path)
    real = tracks.load_states
    monkeypatch.setattr("soulspot.pipeline.pump.STORE_HOLD", 0.01)
    monkeypatch.setattr("soulspot.pipeline.troubles.FIRST_HOLD", 0.01)
    failures = iter(range(6))

    def sometimes(connection: sqlite3.Connection, track_ids: Sequence[int], **more: Any) -> Any:
        if len(track_ids) > 4 and next(failures, None) is not None:
            raise MemoryError
        return real(connection, track_ids, **more)

    monkeypatch.setattr(tracks, "load_states", sometimes)
    config = make_config(settings(sandbox, tmp_path / "s.db"))
    async with open_service(config) as service:
        await service.import_file(rows)
        await wait_until_settled(service, 5.0)
        counts = await service.database.read(library_counts.count_tracks_by_status)
        assert counts["total"] == 20
        assert counts.get("pending", 0) == counts.get("failed", 0) == 0
        assert service.telemetry.events["memory_short", "warning"] > 0


async def test_a_service_above_its_limit_asks_for_nothing_and_says_why(tmp_path: Path, sandbox: Sandbox) -> None:
    rows = twenty_tracks(tmp_path)
    config = make_config(settings(sandbox, tmp_path / "s.db") | {"limits.memory_mb": 1})
    async with open_service(config) as service:
        await service.import_file(rows)
        postponed = await wait_until_settled(service, 1.0)
        assert sum(one.lookups for one in postponed) > 10
        assert "limits.memory_mb allows 1" in postponed[0].why
        assert service.telemetry.requests.total() == 0
        found = await status_of(service)
        assert [one["alarm"] for one in found["alarms"]] == ["memory_high"]
        service.parts.memory.limit = 10**15
        service.parts.memory.check()
        await wait_until_settled(service, 1.0)
        assert service.telemetry.requests.total() > 0
        assert (await status_of(service))["alarms"] == []
