"""The routes of the HTTP API: health, status, and the operations that they start."""

from __future__ import annotations

import asyncio
import gzip
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from soulspot.errors import DatabaseFull
from soulspot.models import MUSICBRAINZ, LookupState, Settlement
from soulspot.operations import kinds, runner
from soulspot.operations.reports.results import EnrichReport
from soulspot.pipeline import Postponed
from soulspot.pipeline.status import status_of
from soulspot.store import enriched, queue
from soulspot.store import operations as rows
from soulspot.web import bodies
from tests.imports.ern import message, recording
from tests.pipeline.test_intake import song
from tests.support.factories import NOW, add_lookups, claim
from tests.web.conftest import Running, Start
from tests.web.test_guards import is_problem


async def titles(running: Running) -> list[str | None]:
    rows = await running.service.database.read(lambda c: enriched.load(c, range(100)))
    return [rows[track_id].title for track_id in sorted(rows)]


async def accepted(running: Running, path: str, **how: Any) -> int:
    """Start an operation, wait for its end, and return its id."""
    async with running.http.post(path, **how) as answer:
        assert answer.status == 202, await answer.text()
        body = await answer.json()
    assert answer.headers["Location"] == body["url"] == f"/api/v1/operations/{body['operation_id']}"
    await running.finished()
    return int(body["operation_id"])


# --- health and status ----------------------------------------------------------------------------


async def test_a_process_that_stops_is_healthy_and_not_ready(running: Running) -> None:
    for state, expected in ((True, 200), (False, 503)):
        running.state["ready"] = state
        async with running.http.get("/readyz") as answer:
            assert answer.status == expected
        async with running.http.get("/healthz") as answer:
            assert answer.status == 200


async def test_status_says_who_answers_and_what_there_is(running: Running) -> None:
    async with running.http.get("/api/v1/status") as answer:
        said = await answer.json()
    assert (said["version"], said["pid"]) == ("1.2.3", os.getpid())
    assert said["tracks"] == {"total": 0, "unreadable": 0, "vanished": 0}
    assert said["operations"] == []


# --- scans ----------------------------------------------------------------------------------------


async def test_a_scan_of_the_library_is_an_operation_with_counts(running: Running) -> None:
    song(running.music / "a/1.flac", "One")
    (running.music / "2.mp3").write_bytes(b"no sound" * 100)
    number = await accepted(running, "/api/v1/scan")
    said = await running.operation(number)
    assert (said["kind"], said["status"], said["is_complete"], said["progress"]) == (
        "scan",
        "completed",
        True,
        100.0,
    )
    assert (said["total_items"], said["successful_items"], said["failed_items"]) == (2, 1, 1)
    async with running.http.get("/api/v1/operations") as answer:
        assert [one["id"] for one in (await answer.json())["operations"]] == [number]


async def test_a_scan_of_a_folder_in_the_library_looks_there_alone(running: Running) -> None:
    song(running.music / "a/1.flac", "One")
    song(running.music / "b/2.flac", "Two")
    await accepted(running, "/api/v1/scan", json={"paths": [str(running.music / "b")]})
    assert await titles(running) == ["Two"]


async def test_a_folder_whose_name_is_not_utf8_can_be_scanned(running: Running) -> None:
    folder = os.fsencode(running.music) + b"/caf\xe9"
    os.mkdir(folder)
    song(Path(os.fsdecode(folder + b"/1.flac")), "One")
    await accepted(running, "/api/v1/scan", json={"paths": [os.fsdecode(folder)]})
    assert await titles(running) == ["One"]


async def test_paths_outside_the_library_are_refused_however_they_are_written(running: Running, tmp_path: Path) -> None:
    outside = song(tmp_path / "private/a.flac")
    deep = running.music / "deep/er"
    deep.mkdir(parents=True)
    (running.music / "link").symlink_to(outside.parent)
    (running.music / "shortcut").symlink_to(deep)
    for path in (
        "/", "/etc", str(outside), str(outside.parent), f"{running.music}/../private", f"{running.music}/link",
        f"{running.music}/link/a.flac", f"{running.music}ian", "", "relative", "../..",
        f"{running.music}/shortcut/../../private",
    ):  # fmt: skip
        for route in ("/api/v1/scan", "/api/v1/enrich"):
            async with running.http.post(route, json={"paths": [str(running.music), path]}) as answer:
                assert "outside the configured library" in await is_problem(answer, 422)
    assert (await status_of(running.service))["operations"] == []


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "body",
    ['{"paths": "/music"}', '{"paths": [1]}', '{"paths": [null]}', '{"paths": {"a": 1}}', '{"paths": ["a\\u0000b"]}',
     '{"paths": ["\\ud800"]}', '{"path": []}', "[]", '"text"', "5", "null"],
)  # fmt: skip
async def test_a_body_that_is_not_what_is_asked_for_is_a_problem(running: Running, body: str) -> None:
    async with running.http.post("/api/v1/scan", data=body.encode(), headers=JSON) as answer:
        assert await is_problem(answer, 422)


@pytest.mark.parametrize("body", ["not json", "{", "{'paths': []}", "[" * 50_000])
async def test_a_body_that_is_not_json_is_a_problem(running: Running, body: str) -> None:
    async with running.http.post("/api/v1/scan", data=body.encode(), headers=JSON) as answer:
        assert "not JSON" in await is_problem(answer, 400)


@pytest.mark.parametrize("kind", ["application/json; charset=klingon", "application/json; charset=utf-16"])
async def test_a_body_in_a_charset_that_does_not_fit_is_a_problem(running: Running, kind: str) -> None:
    async with running.http.post("/api/v1/scan", data=b"\xff{}", headers={"Content-Type": kind}) as answer:
        assert "not JSON" in await is_problem(answer, 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_that_calls_itself_something_else_is_refused(running: Running, kind: str) -> None:
    """Refuse content types that a form on another site's page could send."""
    async with running.http.post("/api/v1/scan", data=b"{}", headers={"Content-Type": kind}) as answer:
        assert "application/json" in await is_problem(answer, 415)


async def test_a_body_that_is_far_too_large_is_refused(running: Running) -> None:
    body = b'{"paths": [' + b" " * (2 << 20) + b"]}"
    async with running.http.post("/api/v1/scan", data=body, headers=JSON) as answer:
        await is_problem(answer, 413)


async def test_without_a_library_there_is_nothing_to_scan(start: Start) -> None:
    running = await start(library=False)
    async with running.http.post("/api/v1/scan") as answer:
        assert "library.paths is empty" in await is_problem(answer, 422)


async def test_an_enrichment_waits_for_the_next_daemon_when_this_one_stops(running: Running) -> None:
    song(running.music / "a.flac")
    async with running.http.post("/api/v1/enrich", json={}) as answer:
        assert answer.status == 202
    await running.operations.stop()
    said = await running.operation()
    assert (said["kind"], said["status"], said["is_complete"]) == ("enrich", "pending", False)


# --- imports --------------------------------------------------------------------------------------

CSV = "key,title,artist\na,One,A\nb,Two,B\n,,\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", CSV.encode()),
        ("ROWS.CSV", CSV.encode()),
        ("itunes.txt", b"Name\tArtist\tTime\nOne\tA\t150\nTwo\tB\t150\n"),
        ("rows.csv.gz", gzip.compress(CSV.encode(), mtime=0)),
        ("rows.ndjson", b'{"key":"a","title":"One","artist":"A"}\n{"key":"b","title":"Two","artist":"B"}\n'),
        ("../../etc/rows.json", b'[{"title":"One","artist":"A"},{"title":"Two","artist":"B"}]'),
    ],
)
async def test_an_uploaded_file_is_imported_and_not_kept(running: Running, name: str, content: bytes) -> None:
    number = await accepted(running, "/api/v1/import", params={"name": name}, data=content)
    said = await running.operation(number)
    assert (said["status"], said["metadata"]["file"]) == ("completed", Path(name).name)
    assert said["metadata"]["report"]["queued"] == 2
    assert await titles(running) == ["One", "Two"]
    assert list(running.operations.uploads.folder.iterdir()) == []


async def test_headings_that_are_not_known_come_with_the_file(running: Running) -> None:
    given = {"name": "rows.csv", "columns": '{"title": "Lied", "artist": "Wer"}'}
    number = await accepted(running, "/api/v1/import", params=given, data=b"Lied,Wer\nOne,A\nTwo,B\n")
    assert (await running.operation(number))["metadata"]["report"]["queued"] == 2
    assert await titles(running) == ["One", "Two"]
    for columns in ("title=Lied", "[]", '{"name": "Lied"}', '{"title": 7}'):
        async with running.http.post("/api/v1/import", params={**given, "columns": columns}, data=b"") as answer:
            assert "columns" in await is_problem(answer, 422)


@pytest.mark.parametrize("name", ["rows.xlsx", "rows", ".csv", "..", "rows.gz", "a" * 300, "rows.csv\0.exe", ".gz"])
async def test_a_file_of_another_kind_is_refused(running: Running, name: str) -> None:
    async with running.http.post("/api/v1/import", params={"name": name}, data=b"x") as answer:
        assert "must end in one of .csv" in await is_problem(answer, 422)


async def test_odd_names_harm_nothing(running: Running) -> None:
    for name in ("a" * 400 + ".csv", "x.\0.csv", "☂.csv", "a.b.c.d.csv", "rows.csv/"):
        await accepted(running, "/api/v1/import", params={"name": name}, data=CSV.encode())
    assert await titles(running) == ["One", "Two"]


async def test_an_upload_that_is_too_large_is_refused_and_not_kept(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MAX_IMPORT", 1000)
    async with running.http.post("/api/v1/import", data=b"x" * 5000) as answer:
        await is_problem(answer, 413)
    assert list(running.operations.uploads.folder.iterdir()) == []


async def test_an_upload_that_breaks_off_is_not_kept(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = asyncio.Event()
    real = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        real(path, missing_ok=missing_ok)
        removed.set()

    monkeypatch.setattr(Path, "unlink", unlink)
    _, writer = await asyncio.open_connection(running.http.server.host, running.http.server.port)
    writer.write(
        b"POST /api/v1/import?name=rows.csv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nkey,title\n"
    )
    await writer.drain()
    writer.close()
    await removed.wait()
    assert list(running.operations.uploads.folder.iterdir()) == []
    assert (await status_of(running.service))["operations"] == []


async def test_a_damaged_upload_is_an_operation_that_says_so(running: Running) -> None:
    number = await accepted(running, "/api/v1/import", params={"name": "rows.csv.gz"}, data=b"\x1f\x8b broken")
    said = await running.operation(number)
    assert (said["total_items"], said["failed_items"]) == (1, 1)


# --- operations and retry -------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["1", "999999999999999999", "9" * 30, "0", "-1", "x", "1/cancel/now"])
async def test_an_operation_that_does_not_exist_is_a_problem(running: Running, number: str) -> None:
    async with running.http.get(f"/api/v1/operations/{number}") as answer:
        await is_problem(answer, 404)


async def test_what_was_given_up_is_queued_again(running: Running) -> None:
    def give_up(connection: Any) -> None:
        add_lookups(connection, 1)
        [lookup] = claim(connection)
        queue.settle(connection, [Settlement(lookup, LookupState.BURIED, NOW, error="500")], NOW)

    await running.service.database.write(give_up)
    number = await accepted(running, "/api/v1/retry", json={"states": ["failed"], "provider": "musicbrainz"})
    assert (await running.operation(number))["total_items"] == 1
    counts = (await status_of(running.service))["lookups"]
    assert counts[MUSICBRAINZ]["pending"] >= 1
    assert "buried" not in counts[MUSICBRAINZ]


@pytest.mark.parametrize(
    "body",
    [{"states": ["done"]}, {"states": "failed"}, {"states": [{}]}, {"states": [["failed"]]}, {"states": {"failed": 1}},
     {"states": None}, {"states": []},
     {"provider": "napster"}, {"provider": "spotify"}, {"provider": 5}, {"provider": ["musicbrainz"]}, {"provider": ""}],
)  # fmt: skip
async def test_a_retry_of_what_there_is_not_is_a_problem(running: Running, body: dict[str, Any]) -> None:
    async with running.http.post("/api/v1/retry", json=body) as answer:
        await is_problem(answer, 422)


async def test_an_operation_that_fails_says_why(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scan(*_: object, **__: object) -> None:
        raise RuntimeError("the disk went away")

    monkeypatch.setattr(running.service, "scan", scan)
    said = await running.operation(await accepted(running, "/api/v1/scan"))
    assert (said["status"], said["is_complete"]) == ("failed", True)
    assert said["error_message"] == "RuntimeError: the disk went away"


# --- reports --------------------------------------------------------------------------------------


async def test_a_finished_operation_reports_what_the_command_line_reports(running: Running) -> None:
    song(running.music / "1.flac", "One")
    (running.music / "2.mp3").write_bytes(b"no sound" * 100)
    said = await running.operation(await accepted(running, "/api/v1/scan"))
    assert said["metadata"]["report"] == {
        "found": 2, "unchanged": 0, "read": 2, "unreadable": 1, "vanished": 0, "unconfirmed": 0, "problems": 0,
        "links_passed": 0,
    }  # fmt: skip
    said = await running.operation(
        await accepted(running, "/api/v1/import", params={"name": "a.csv"}, data=(CSV + "c,,,\n").encode())
    )
    assert said["metadata"]["report"] == {
        "rows": 3, "queued": 2, "bad": 1,
        "bad_rows": [{"line": 5, "words": "neither a title nor an identifier"}],
    }  # fmt: skip
    assert said["metadata"]["notes"][0].startswith("line ")
    delivery = message(recording()).encode()
    said = await running.operation(await accepted(running, "/api/v1/import", params={"name": "m.xml"}, data=delivery))
    assert said["metadata"]["report"] == {"rows": 1, "queued": 1, "bad": 0}
    said = await running.operation(await accepted(running, "/api/v1/retry", json={}))
    assert said["metadata"]["report"] == {"queued": 0}


async def test_an_enrichment_names_what_it_postponed_and_honours_the_wait(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def settled(service: object, wait: float, track_ids: object) -> list[Postponed]:
        waits.append(wait)
        return [Postponed("spotify", 7, NOW + 3600, "the quota is spent")]

    monkeypatch.setattr(kinds, "wait_until_settled", settled)
    said = await running.operation(await accepted(running, "/api/v1/enrich", json={"wait": 3}))
    assert waits == [3.0]
    report = EnrichReport.from_json(said["metadata"]["report"])
    assert report.postponed == [Postponed("spotify", 7, NOW + 3600, "the quota is spent")]
    assert not report.complete


@pytest.mark.parametrize("wait", ["60", -1, True, None, float("nan"), 1e9, [60]])
async def test_a_wait_that_is_no_number_of_seconds_is_a_problem(running: Running, wait: Any) -> None:
    async with running.http.post("/api/v1/enrich", json={"wait": wait}) as answer:
        assert "wait: " in await is_problem(answer, 422)


async def test_the_end_of_an_operation_is_written_although_the_database_is_busy_for_a_while(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = (
        rows.finish,
        [sqlite3.OperationalError("database is locked"), DatabaseFull("the disk is full")],
    )

    def finish(*positional: Any, **named: Any) -> None:
        if left:
            raise left.pop()
        real(*positional, **named)

    monkeypatch.setattr(rows, "finish", finish)
    monkeypatch.setattr(runner, "TRY_AGAIN", 0.0)
    said = await running.operation(await accepted(running, "/api/v1/scan"))
    assert (said["status"], left) == ("completed", [])


async def test_an_end_that_cannot_be_written_does_not_keep_the_daemon_from_stopping(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = asyncio.Event()
    loop = asyncio.get_running_loop()

    def finish(*_: Any, **__: Any) -> None:
        loop.call_soon_threadsafe(tried.set)
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(rows, "finish", finish)
    async with running.http.post("/api/v1/scan") as answer:
        assert answer.status == 202
    await tried.wait()
    await running.operations.stop()
    assert not running.operations._endings


# --- bodies that dribble --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/import?name=rows.csv", "/api/v1/scan"])
async def test_a_body_that_does_not_come_is_given_up_and_not_kept(
    running: Running, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "CHUNK_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection(running.http.server.host, running.http.server.port)
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n".encode()
    writer.write(head + b'{"key,title')
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    assert [*running.operations.uploads.folder.glob("*")] == []


async def test_an_upload_that_dribbles_is_given_up_although_something_always_comes(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "CHUNK_SECONDS", 0.2)
    monkeypatch.setattr(bodies, "SLOWEST", 1 << 30)

    async def dribble() -> AsyncIterator[bytes]:
        while True:
            yield b"a,b\n"
            await asyncio.sleep(0.01)

    async with running.http.post("/api/v1/import?name=rows.csv", data=dribble()) as answer:
        assert "too slowly" in await is_problem(answer, 408)


@pytest.mark.parametrize(
    ("paths", "why"),
    [
        (["/a" * 3000], "longer than a path can be"),
        (["/music\0"], "NUL"),
        (["/music"] * 1001, "1000 items"),
        ([7] * 900, "more faults"),
    ],
)
async def test_paths_that_can_be_no_files_or_are_too_many_are_refused_before_anything_looks_at_them(
    running: Running, paths: list[Any], why: str
) -> None:
    for kind in ("scan", "enrich", "enrich/cost", "write-tags"):
        async with running.http.post(f"/api/v1/{kind}", json={"paths": paths}) as answer:
            assert answer.status == 422
            detail = (await answer.json())["detail"]
            assert why in detail
            assert len(detail) < 4000


async def test_a_body_of_too_many_items_is_refused_unread(running: Running) -> None:
    async with running.http.post("/api/v1/scan", json={str(number): 0 for number in range(30_000)}) as answer:
        assert (answer.status, "20,000 items" in (await answer.json())["detail"]) == (413, True)
