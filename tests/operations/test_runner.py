"""Operations: they survive a restart, can be cancelled, and report their rate."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from soulspot.errors import DatabaseFull
from soulspot.imports.files import ImportFile
from soulspot.library.reader import FileReader
from soulspot.operations import kinds, runner
from soulspot.operations.progress import Counts, Progress
from soulspot.operations.runner import CUT_OFF_AT_MOST, SUSPECT_AFTER, Operations
from soulspot.pipeline import intake
from soulspot.store import enriched, queue
from soulspot.store import operations as rows
from tests.pipeline.test_intake import song
from tests.support.factories import NOW, add_lookups, claim, found, recording
from tests.web.conftest import Running
from tests.web.conftest import running as running
from tests.web.conftest import start as start
from tests.web.test_guards import is_problem


def locked() -> sqlite3.OperationalError:
    """The error of a database that another process keeps locked."""
    with contextlib.closing(sqlite3.connect("file:locked?mode=memory&cache=shared", uri=True)) as one:
        one.execute("CREATE TABLE t (x)")
        one.execute("BEGIN IMMEDIATE")
        with contextlib.closing(sqlite3.connect("file:locked?mode=memory&cache=shared", uri=True, timeout=0)) as two:
            try:
                two.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                return error
    raise AssertionError


class Held:
    """Work of an operation that reports progress and waits until the test releases it."""

    def __init__(self) -> None:
        self.requests: list[Mapping[str, Any]] = []
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self, service: Any, request: Any, progress: Progress) -> tuple[dict[str, Any], list[str]]:
        self.requests.append(request)
        progress.advance(10, max(4, progress.counts[1]), 1)
        self.begun.set()
        await self.go_on.wait()
        progress.advance(10, 10, 1)
        return {"done": 10}, []


async def row(operations: Operations, number: int) -> dict[str, Any]:
    found = await operations._service.database.read(lambda c: rows.find(c, number))
    assert found is not None
    return operations.live(found)


async def test_what_was_not_finished_goes_on_in_the_next_daemon_with_its_id_and_counts(
    running: Running,
) -> None:
    held = Held()
    before = Operations(running.service, kinds={"held": held})
    number = await before.start("held", {"what": "all"}, {"shown": True})
    await held.begun.wait()
    await before.stop()
    waiting = await row(before, number)
    assert (waiting["status"], waiting["processed_items"], waiting["is_complete"]) == ("pending", 4, False)
    after = Operations(running.service, kinds={"held": held})
    held.go_on.set()
    assert await after.resume() == {"held"}
    await after.idle()
    ended = await row(after, number)
    assert (ended["status"], ended["processed_items"], ended["failed_items"]) == ("completed", 10, 1)
    assert ended["metadata"].items() >= {"shown": True, "report": {"done": 10}, "notes": []}.items()
    assert held.requests == [{"what": "all"}] * 2
    assert await after.resume() == set()


async def test_an_operation_that_is_cut_off_again_and_again_at_the_same_place_is_given_up(
    running: Running,
) -> None:
    database, held = running.service.database, Held()
    number = await database.write(lambda c: rows.start(c, "held", {}, NOW, request={}))
    for _ in range(CUT_OFF_AT_MOST):
        await database.write(lambda c: rows.resume(c, number, NOW))
        await database.write(lambda c: rows.mark_interrupted(c, NOW))
    operations = Operations(running.service, kinds={"held": held})
    assert await operations.resume() == set()
    ended = await row(operations, number)
    assert ended["status"] == "failed"
    assert "12 times in a row" in ended["error_message"]
    assert held.requests == []


async def test_lives_that_end_before_a_suspect_begins_say_nothing_about_it(running: Running) -> None:
    database, held = running.service.database, Held()
    number, other = [await database.write(lambda c: rows.start(c, "held", {}, NOW, request={})) for _ in range(2)]
    for _ in range(SUSPECT_AFTER + 2):
        await database.write(lambda c: [rows.resume(c, one, NOW) for one in (number, other)])
        await database.write(lambda c: rows.mark_interrupted(c, NOW))
    for _ in range(CUT_OFF_AT_MOST):
        operations = Operations(running.service, kinds={"held": held})
        assert await operations.resume() == {"held"}
        while (waiting := await row(operations, number))["paused"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert waiting["status"] == "pending"
        assert "cut off 5 times in a row; goes on by itself at" in waiting["paused"]
        await operations.stop()
        await database.write(lambda c: rows.mark_interrupted(c, NOW))
    assert held.requests == []
    assert (await row(operations, number))["metadata"]["cut_off"] == SUSPECT_AFTER + 2
    # a suspect can be cancelled while it waits
    assert await operations.resume() == {"held"}
    assert await operations.cancel(number)
    assert await operations.cancel(other)
    assert (await row(operations, number))["status"] == "cancelled"


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (DatabaseFull("full"), "the disk is full"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (locked(), "the database cannot be written: database"),
    ],
)
async def test_work_pauses_while_the_disk_is_full_and_goes_on_with_room(
    running: Running, monkeypatch: pytest.MonkeyPatch, trouble: Exception, why: str
) -> None:
    monkeypatch.setattr(runner, "TRY_AGAIN", 0.01)
    is_full = True

    async def work(service: Any, request: Any, progress: Progress) -> tuple[dict[str, Any], list[str]]:
        if is_full:
            raise trouble
        return {"done": 1}, []

    operations = Operations(running.service, kinds={"fills": work})
    number = await operations.start("fills", {}, {})
    while (paused := await row(operations, number))["paused"] is None:  # noqa: ASYNC110 - the row is what we wait for
        await asyncio.sleep(0)
    assert paused["paused"].startswith(f"paused: {why}")
    assert not paused["is_complete"]
    is_full = False
    await operations.idle()
    ended = await row(operations, number)
    assert (ended["status"], ended["paused"], ended["metadata"]["report"]) == ("completed", None, {"done": 1})


async def test_an_import_goes_on_behind_the_rows_that_a_full_database_has_room_for(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "TRY_AGAIN", 0.01)
    begun: list[int] = []
    real = ImportFile.rows_after

    def rows_after(file: ImportFile, count: int) -> Any:
        begun.append(count)
        return real(file, count)

    save_place = rows.save_place

    def fill_up_behind_the_first_rows(connection: sqlite3.Connection, number: int, place: Any) -> None:
        save_place(connection, number, place)
        if place["report"]["rows"] == 100:
            [(pages,)] = connection.execute("PRAGMA page_count").fetchall()
            connection.execute(f"PRAGMA max_page_count = {pages + 8}")

    monkeypatch.setattr(ImportFile, "rows_after", rows_after)
    monkeypatch.setattr(rows, "save_place", fill_up_behind_the_first_rows)
    monkeypatch.setattr(intake, "CHUNK", 100)
    file = tmp_path / "rows.csv"
    file.write_text("key,title\n" + "".join(f"{n},Song {n}\n" for n in range(1000)))
    number = await running.operations.import_file(file, name="rows.csv")
    while "the disk is full" not in ((await row(running.operations, number))["paused"] or ""):  # noqa: ASYNC110
        await asyncio.sleep(0)
    await running.service.database.write(lambda c: c.execute("PRAGMA max_page_count = 100000"))
    await running.operations.idle()
    ended = await row(running.operations, number)
    assert (ended["status"], ended["metadata"]["report"]) == ("completed", {"rows": 1000, "queued": 1000, "bad": 0})
    assert begun == sorted(begun)
    assert 0 < begun[-1] < 1000


async def test_the_upload_of_an_import_that_fails_is_kept_until_a_person_cancels_it(running: Running) -> None:
    async def fails(service: Any, request: Any, progress: Progress) -> Any:
        raise RuntimeError("a fault in SoulSpot")

    uploads = running.operations.uploads.folder
    uploads.mkdir()
    upload = uploads / "import-1.csv"
    upload.write_text("title\nOne\n")
    operations = Operations(running.service, kinds={"import": fails})
    number = await operations.import_file(upload, name="rows.csv", remove=True)
    await operations.idle()
    ended = await row(operations, number)
    assert (ended["status"], ended["is_complete"]) == ("failed", True)
    assert "a fault in SoulSpot (its file is kept until it is cancelled)" in ended["error_message"]
    assert await Operations(running.service).resume() == set()
    assert upload.exists()
    assert await operations.cancel(number)
    assert (await row(operations, number))["status"] == "cancelled"
    assert not upload.exists()
    assert not await operations.cancel(number)


async def test_what_is_asked_for_while_a_daemon_takes_up_the_rest_runs_once(running: Running) -> None:
    held = Held()
    operations = Operations(running.service, kinds={"held": held})
    number = await operations.start("held", {}, {})
    await held.begun.wait()
    assert await operations.resume() == set()
    held.go_on.set()
    await operations.idle()
    assert len(held.requests) == 1
    told = await running.service.database.read(
        lambda c: c.execute("SELECT count(*) FROM events WHERE kind = 'operation.finished'").fetchone()[0]
    )
    assert (told, (await row(operations, number))["status"]) == (1, "completed")


async def test_an_operation_that_is_cancelled_before_it_has_begun_has_ended_too(running: Running) -> None:
    held = Held()
    operations = Operations(running.service, kinds={"held": held})
    number = await operations.start("held", {}, {})
    assert await operations.cancel(number)
    assert (await row(operations, number))["status"] == "cancelled"
    assert operations.kinds_running() == set()


async def test_the_timer_starts_no_second_scan_while_one_runs(running: Running) -> None:
    held = Held()
    operations = Operations(running.service, kinds={"scan": held})
    await operations.rescan()
    await held.begun.wait()
    await operations.rescan()
    assert len(await running.service.database.read(lambda c: rows.list_latest(c, 10))) == 1
    held.go_on.set()
    await operations.idle()
    await operations.rescan()
    assert len(await running.service.database.read(lambda c: rows.list_latest(c, 10))) == 2
    await operations.idle()


async def test_what_is_given_up_at_the_start_is_counted_and_its_upload_is_kept(
    running: Running, tmp_path: Path
) -> None:
    upload = tmp_path / "rows.csv"
    upload.write_text("title\n")
    request = {"path": os.fsencode(upload).hex(), "remove": True}
    await running.service.database.write(lambda c: rows.start(c, "alchemy", {}, NOW, request=request))
    await running.operations.resume()
    assert running.service.telemetry.operations == {("alchemy", "failed"): 1}
    assert upload.exists()


async def test_what_failed_at_its_last_item_does_not_say_100_per_cent(running: Running) -> None:
    async def fails(service: Any, request: Any, progress: Progress) -> Any:
        progress.advance(10, 10, 0)
        raise RuntimeError("at the very end")

    operations = Operations(running.service, kinds={"fails": fails})
    number = await operations.start("fails", {}, {})
    await operations.idle()
    ended = await row(operations, number)
    assert (ended["status"], ended["progress"]) == ("failed", 99.9)


async def test_an_operation_of_a_kind_that_is_not_known_any_more_fails_with_the_reason(
    running: Running,
) -> None:
    number = await running.service.database.write(lambda c: rows.start(c, "alchemy", {}, NOW))
    assert await running.operations.resume() == set()
    assert "knows no alchemy" in (await row(running.operations, number))["error_message"]


async def test_a_cancelled_operation_has_ended_and_stays_so(running: Running) -> None:
    held = Held()
    operations = Operations(running.service, kinds={"held": held})
    number = await operations.start("held", {}, {})
    await held.begun.wait()
    assert await operations.cancel(number)
    ended = await row(operations, number)
    assert (ended["status"], ended["is_complete"], ended["progress"]) == ("cancelled", True, 40.0)
    assert "what was queued stays queued" in ended["error_message"]
    assert not await operations.cancel(number)
    assert await operations.resume() == set()


async def test_an_operation_is_cancelled_over_http_once(running: Running) -> None:
    song(running.music / "1.flac", "One")
    async with running.http.post("/api/v1/enrich", json={}) as answer:
        where = (await answer.json())["url"]
    async with running.http.post(f"{where}/cancel") as answer:
        assert answer.status == 200
        said = await answer.json()
    assert (said["status"], said["is_complete"]) == ("cancelled", True)
    async with running.http.post(f"{where}/cancel") as answer:
        assert "ended already" in await is_problem(answer, 409)
    async with running.http.post("/api/v1/operations/99/cancel") as answer:
        await is_problem(answer, 404)


async def test_an_upload_outlives_the_daemon_and_what_a_crash_left_behind_does_not(running: Running) -> None:
    uploads = running.operations.uploads.folder
    uploads.mkdir()
    kept, orphan = uploads / "import-1.csv", uploads / "import-2.csv"
    kept.write_text("key,title,artist\na,One,A\n")
    orphan.write_text("key")
    request = {"path": os.fsencode(kept).hex(), "remove": True}
    number = await running.service.database.write(
        lambda c: rows.start(c, "import", {"file": "a.csv"}, NOW, request=request)
    )
    assert await running.operations.resume() == {"import"}
    await running.operations.idle()
    assert (await row(running.operations, number))["metadata"]["report"]["queued"] == 1
    assert [*uploads.iterdir()] == []
    assert (await running.service.database.read(lambda c: enriched.load(c, [1])))[1].title == "One"


async def test_a_scan_of_a_folder_that_is_not_utf8_goes_on_there(running: Running) -> None:
    folder = os.fsencode(running.music) + b"/caf\xe9"
    os.mkdir(folder)
    song(Path(os.fsdecode(folder + b"/1.flac")), "One")
    song(running.music / "2.flac", "Two")
    await running.service.database.write(lambda c: rows.start(c, "scan", {}, NOW, request={"places": [folder.hex()]}))
    assert await running.operations.resume() == {"scan"}
    await running.operations.idle()
    assert (await row(running.operations, 1))["total_items"] == 1


async def test_a_first_scan_knows_how_much_there_is_to_read_before_it_has_read_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        song(running.music / f"{number}.flac", f"Song {number}")
    monkeypatch.setattr(intake, "CHUNK", 2)
    counted = asyncio.Event()
    totals: list[tuple[int, int]] = []
    advance, read = Progress.advance, FileReader.read

    def heard(progress: Progress, total: int, done: int, failed: int) -> None:
        totals.append((total, done))
        if total == 7:
            counted.set()
        advance(progress, total, done, failed)

    loop = asyncio.get_running_loop()

    def read_later(*positional: Any, **named: Any) -> Any:
        asyncio.run_coroutine_threadsafe(counted.wait(), loop).result()
        return read(*positional, **named)

    monkeypatch.setattr(Progress, "advance", heard)
    monkeypatch.setattr(FileReader, "read", read_later)
    number = await running.operations.scan()
    await running.operations.idle()
    assert (7, 0) in totals
    assert totals[-1] == (7, 7)
    assert (await row(running.operations, number))["status"] == "completed"


async def test_aged_answers_that_are_asked_again_are_one_operation(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "COUNT", 0.0)

    def answered(connection: Any) -> None:
        add_lookups(connection, 1, 2)
        lookups = claim(connection, most=2)
        queue.settle(connection, [found(one, recording(1), due_at=NOW) for one in lookups], NOW)

    database, operations = running.service.database, running.operations
    await database.write(answered)
    await operations.watch_refresh()
    assert operations.kinds_running() == set()
    await database.write(lambda c: queue.requeue_due(c, NOW + 1))
    await operations.watch_refresh()
    await operations.watch_refresh()
    assert operations.kinds_running() == {"refresh"}

    def again(connection: Any) -> None:
        lookups = claim(connection, most=2, now=NOW + 1)
        queue.settle(connection, [found(one, recording(1), due_at=NOW + 9) for one in lookups], NOW + 1)

    while (await row(operations, 1))["total_items"] != 2:  # noqa: ASYNC110 - the row is what we wait for
        await asyncio.sleep(0)
    await database.write(again)
    await operations.idle()
    ended = await row(operations, 1)
    assert (ended["status"], ended["processed_items"], ended["metadata"]["report"]) == (
        "completed", 2, {"refreshed": 2},
    )  # fmt: skip


async def test_the_rate_is_that_of_the_last_minute_and_tells_what_is_left() -> None:
    now = 100.0

    async def save(counts: Counts) -> None:
        saved.append(counts)

    saved: list[Counts] = []
    progress = Progress(save, clock=lambda: now)
    assert (progress.rate(), progress.remaining()) == (None, None)
    progress.advance(1000, 200, 0)  # what an earlier process did is no speed of ours
    assert progress.rate() is None
    for _ in range(10):
        now += 1
        progress.advance(1000, progress.counts[1] + 20, 0)
    assert progress.rate() == pytest.approx(20.0)
    assert progress.remaining() == pytest.approx(30.0)
    now += 120
    progress.advance(1000, 400, 0)
    assert progress.rate() is None
    await progress.settle()
    assert saved


async def test_an_operation_that_runs_tells_its_rate_and_one_that_has_ended_does_not(
    running: Running,
) -> None:
    held = Held()
    operations = Operations(running.service, kinds={"held": held})
    number = await operations.start("held", {}, {})
    await held.begun.wait()
    operations._running[number].progress._samples.appendleft(
        (operations._running[number].progress._samples[0][0] - 2, 0)
    )
    said = await row(operations, number)
    assert said["rate"] > 0
    assert said["eta_seconds"] > 0
    held.go_on.set()
    await operations.idle()
    said = await row(operations, number)
    assert (said["rate"], said["eta_seconds"]) == (None, None)
