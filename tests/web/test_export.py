"""Exports over HTTP: started, followed, fetched and removed."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import json
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from soulspot.export import tables
from soulspot.models import Status
from soulspot.operations import exports
from soulspot.operations.exports import KEPT, Exports
from soulspot.operations.runner import Operations
from soulspot.pipeline.status import status_of
from soulspot.store import enriched
from soulspot.store import operations as rows
from tests.export.conftest import track
from tests.support.factories import DAY, NOW
from tests.web.conftest import Running, Start
from tests.web.test_guards import TOKEN, is_problem

ALL: dict[str, Any] = {"format": "csv", "columns": None, "gzip": False, "spreadsheet": False}
OCTOBER, NOVEMBER = NOW - 30 * DAY, NOW  # 2023


async def fill(running: Running) -> None:
    def write(connection: Any) -> None:
        old = [
            track(1, title="Blue Hour", artist="The Lanterns"),
            track(2, title="Red", status=Status.REVIEW),
        ]
        new = [track(3, title="Blue Monday", status=Status.REVIEW), track(4, status=Status.FAILED)]
        enriched.save(connection, old, OCTOBER)
        enriched.save(connection, new, NOVEMBER)

    await running.service.database.write(write)


async def exported(running: Running, **body: Any) -> dict[str, Any]:
    """Start an export, wait for its end, and return the operation."""
    async with running.http.post("/api/v1/export", json=body) as answer:
        assert answer.status == 202, await answer.text()
        started = await answer.json()
    await running.finished()
    return await running.operation(started["operation_id"])


async def fetched(running: Running, operation: dict[str, Any]) -> tuple[bytes, Any]:
    async with running.http.get(f"/api/v1/operations/{operation['id']}/file") as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read(), answer.headers


async def test_a_table_is_asked_for_followed_and_fetched(running: Running) -> None:
    await fill(running)
    ended = await exported(running, format="csv")
    assert (ended["kind"], ended["status"], ended["progress"]) == ("export", "completed", 100.0)
    assert (ended["total_items"], ended["processed_items"], ended["failed_items"]) == (4, 4, 0)
    report = ended["metadata"]["report"]
    assert (report["rows"], report["format"], report["out"]) == (4, "csv", ended["metadata"]["file"])
    body, headers = await fetched(running, ended)
    assert len(body) == report["bytes"]
    assert headers["Content-Type"].partition(";")[0] == "text/csv"
    assert headers["Content-Disposition"] == f'attachment; filename="{report["out"]}"'
    assert [row["title"] for row in csv.DictReader(io.StringIO(body.decode(), newline=""))] == [
        "Blue Hour", "Red", "Blue Monday", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4]),
        ({"status": ["review", "failed"]}, [2, 3, 4]),
        ({"since": "2023-11-01"}, [3, 4]),
        ({"query": "blu"}, [1, 3]),
        ({"query": "blu", "status": ["accepted", "failed"], "since": None}, [1]),
        ({"limit": 2}, [1, 2]),
        ({"since": "1d"}, []),
    ],
)
async def test_filters_and_columns_narrow_it(running: Running, filters: dict[str, Any], expected: list[int]) -> None:
    await fill(running)
    ended = await exported(running, format="json", filters=filters, columns=["track_id"])
    body, _ = await fetched(running, ended)
    assert json.loads(body) == [{"track_id": track_id} for track_id in expected]


async def test_binary_and_packed_files_arrive_whole(running: Running) -> None:
    await fill(running)
    body, headers = await fetched(running, await exported(running, format="parquet"))
    assert pq.read_table(io.BytesIO(body)).num_rows == 4
    assert headers["Content-Type"] == "application/vnd.apache.parquet"
    async with running.http.get("/api/v1/operations/1/file", headers={"Range": "bytes=0-3"}) as answer:
        assert (answer.status, await answer.read()) == (206, b"PAR1")
    body, headers = await fetched(running, await exported(running, format="ndjson", gzip=True))
    assert len(gzip.decompress(body).splitlines()) == 4
    assert (headers["Content-Type"], "Content-Encoding" in headers) == ("application/gzip", False)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"columns": ["titel"]}, "did you mean title?"),
        ({"columns": ["title", "title"]}, "more than once"),
        ({"columns": []}, "columns"),
        ({"format": "xls"}, "format"),
        ({"filters": {"since": "yesterday"}}, "neither a time back"),
        ({"filters": {"status": ["good"]}}, "filters.status"),
        ({"filters": {"limit": 0}}, "filters.limit"),
        ({"format": "parquet", "gzip": True}, "compressed already"),
        ({"format": "json", "spreadsheet": True}, "only csv"),
        ({"file": "/etc/passwd"}, "file"),
    ],
)
async def test_what_cannot_be_meant_is_refused_with_words_and_starts_nothing(
    running: Running, body: dict[str, Any], words: str
) -> None:
    async with running.http.post("/api/v1/export", json=body) as answer:
        assert words in await is_problem(answer, 422)
    assert (await status_of(running.service))["operations"] == []


async def test_what_has_no_file_says_why(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def why(number: int) -> str:
        async with running.http.get(f"/api/v1/operations/{number}/file") as answer:
            return await is_problem(answer, 404)

    assert "there is no operation 1" in await why(1)
    await running.operations.scan()
    await running.finished()
    assert "of kind scan" in await why(1)
    await running.service.database.write(lambda c: rows.start(c, "export", {"file": "x.csv", "format": "csv"}, NOW))
    assert "not done yet (0 %)" in await why(2)
    ended = await exported(running)
    running.operations.exports.file_of(ended).unlink()  # type: ignore[union-attr]
    assert "has been removed (export.keep)" in await why(3)

    # not a full disk: that pauses the export until there is room
    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(exports, "export_table", refused)
    assert (await exported(running))["status"] == "failed"
    assert "Permission denied" in await why(4)


class Slow:
    """Replace the pages of a table: the second page waits until the test releases it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.go_on = asyncio.Event(), threading.Event()
        loop, pages = asyncio.get_running_loop(), tables.export_rows.pages

        def slow(*positional: Any, **named: Any) -> Any:
            for number, page in enumerate(pages(*positional, **named)):
                if number == 1:
                    loop.call_soon_threadsafe(self.begun.set)
                    self.go_on.wait(30)
                yield page

        monkeypatch.setattr(tables.export_rows, "pages", slow)
        monkeypatch.setattr(tables, "PAGE", 2)

    async def ended(self, ending: Coroutine[Any, Any, Any]) -> Any:
        """Release the held page while `ending` waits for it; return what `ending` returns."""
        task = asyncio.create_task(ending)
        await asyncio.sleep(0)
        self.go_on.set()
        return await task


async def test_a_cancelled_export_leaves_no_half_file(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(running)
    slow = Slow(monkeypatch)
    number = await running.operations.export(**ALL)
    await slow.begun.wait()
    folder = running.operations.exports.folder
    assert [path.suffix for path in folder.iterdir()] == [".part"]
    assert await slow.ended(running.operations.cancel(number))
    assert (await running.operation(number))["status"] == "cancelled"
    assert list(folder.iterdir()) == []


async def test_an_export_that_is_cut_off_begins_again_under_its_id_and_name(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(running)
    before = Operations(running.service)
    with monkeypatch.context() as patched:
        slow = Slow(patched)
        number = await before.export(**ALL | {"columns": ["track_id"]}, since="3650d")
        await slow.begun.wait()
        await slow.ended(before.stop())
    waiting = await running.operation(number)
    assert waiting["status"] == "pending"
    assert waiting["metadata"]["since"] == pytest.approx(time.time() - 3650 * DAY, abs=60)
    assert await running.operations.resume() == {"export"}
    await running.finished()
    ended = await running.operation(number)
    assert ended["metadata"]["file"] == waiting["metadata"]["file"]
    assert (await fetched(running, ended))[0].split() == [b"track_id", b"1", b"2", b"3", b"4"]


async def test_files_go_when_they_are_old_or_many_and_nobody_elses_do(running: Running, tmp_path: Path) -> None:
    clock = [NOW]
    exports = Exports(tmp_path / "exports", keep=7 * DAY, now=lambda: clock[0])
    operations = Operations(running.service, exports=exports, now=lambda: clock[0])
    for _ in range(KEPT + 2):
        await operations.export(**ALL)
        await operations.idle()
    mine = exports.folder / "mine.csv"
    mine.write_text("left alone")
    await operations.sweep_exports()
    assert len(list(exports.folder.iterdir())) == KEPT + 1
    clock[0] += 8 * DAY
    half = await running.service.database.read(rows.list_exports)
    (exports.folder / f".{half[-1][0]}.part").write_text("of a process that was killed")
    await operations.sweep_exports()
    assert list(exports.folder.iterdir()) == [mine]


async def test_the_folder_is_made_for_its_owner_alone_and_its_files_need_the_token(start: Start) -> None:
    running = await start(token=TOKEN)
    await running.operations.export(**ALL)
    await running.finished()
    assert running.operations.exports.folder.stat().st_mode & 0o777 == 0o700
    async with running.http.get("/api/v1/operations/1/file") as answer:
        await is_problem(answer, 401)
