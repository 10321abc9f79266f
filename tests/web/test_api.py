"""The routes: health, status, and the operations that they start."""

from __future__ import annotations

import asyncio
import gzip
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from soulspot.models import MUSICBRAINZ, LookupState, Settlement
from soulspot.store import enriched, queue
from soulspot.web import app as module
from tests.support.factories import NOW, add_lookups, claim
from tests.test_intake import song
from tests.web.conftest import Running, Start
from tests.web.test_guards import is_problem


async def titles(running: Running) -> list[str | None]:
    rows = await running.service.database.read(lambda c: enriched.load(c, range(100)))
    return [rows[track_id].title for track_id in sorted(rows)]


async def accepted(running: Running, path: str, **how: Any) -> int:
    """Start an operation, wait for its end. Returns its id."""
    async with running.http.post(path, **how) as answer:
        assert answer.status == 202, await answer.text()
        body = await answer.json()
    assert answer.headers["Location"] == body["url"] == f"/api/v1/operations/{body['operation_id']}"
    await running.finished()
    return int(body["operation_id"])


# --- health and status --------------------------------------------------------------------------------------------


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


# --- scans --------------------------------------------------------------------------------------------------------


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


async def test_paths_outside_the_library_are_refused_however_they_are_written(
    running: Running, tmp_path: Path
) -> None:
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
                assert "not inside the library" in await is_problem(answer, 400)
    assert (await running.service.status())["operations"] == []


@pytest.mark.parametrize(
    "body",
    ['{"paths": "/music"}', '{"paths": [1]}', '{"paths": [null]}', '{"paths": {"a": 1}}', '{"paths": ["a\\u0000b"]}',
     '{"paths": ["\\ud800"]}', "[]", '"text"', "5", "null", "not json", "{", "{'paths': []}", "[" * 50_000],
)  # fmt: skip
async def test_a_body_that_is_not_what_is_asked_for_is_a_problem(running: Running, body: str) -> None:
    async with running.http.post("/api/v1/scan", data=body.encode()) as answer:
        assert await is_problem(answer, 400)


@pytest.mark.parametrize(
    "kind", ["application/json; charset=klingon", "application/json; charset=utf-16", "text/plain"]
)
async def test_a_body_in_a_charset_that_does_not_fit_is_a_problem(running: Running, kind: str) -> None:
    async with running.http.post("/api/v1/scan", data=b"\xff{}", headers={"Content-Type": kind}) as answer:
        assert "not JSON" in await is_problem(answer, 400)


async def test_a_body_that_is_far_too_large_is_refused(running: Running) -> None:
    async with running.http.post("/api/v1/scan", data=b'{"paths": [' + b" " * (2 << 20) + b"]}") as answer:
        await is_problem(answer, 413)


async def test_without_a_library_there_is_nothing_to_scan(start: Start) -> None:
    running = await start(library=False)
    async with running.http.post("/api/v1/scan") as answer:
        assert "library.paths is empty" in await is_problem(answer, 400)


async def test_an_enrichment_can_be_started_and_is_cancelled_when_the_daemon_stops(running: Running) -> None:
    song(running.music / "a.flac")
    async with running.http.post("/api/v1/enrich", json={}) as answer:
        assert answer.status == 202
    await running.operations.stop()
    said = await running.operation()
    assert (said["kind"], said["status"], said["is_complete"]) == ("enrich", "cancelled", True)


# --- imports ------------------------------------------------------------------------------------------------------

CSV = "key,title,artist\na,One,A\nb,Two,B\n,,\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", CSV.encode()),
        ("ROWS.CSV", CSV.encode()),
        ("rows.csv.gz", gzip.compress(CSV.encode())),
        ("rows.ndjson", b'{"key":"a","title":"One","artist":"A"}\n{"key":"b","title":"Two","artist":"B"}\n'),
        ("../../etc/rows.json", b'[{"title":"One","artist":"A"},{"title":"Two","artist":"B"}]'),
    ],
)
async def test_an_uploaded_file_is_imported_and_not_kept(
    running: Running, name: str, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(uploads))
    number = await accepted(running, "/api/v1/import", params={"name": name}, data=content)
    said = await running.operation(number)
    assert (said["status"], said["metadata"]) == ("completed", {"file": Path(name).name})
    assert await titles(running) == ["One", "Two"]
    assert list(uploads.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["rows.xlsx", "rows", ".csv", "..", "rows.gz", "a" * 300, "rows.csv\0.exe", ".gz"]
)
async def test_a_file_of_another_kind_is_refused(running: Running, name: str) -> None:
    async with running.http.post("/api/v1/import", params={"name": name}, data=b"x") as answer:
        assert "a file ending in .csv" in await is_problem(answer, 400)


async def test_odd_names_harm_nothing(running: Running) -> None:
    for name in ("a" * 400 + ".csv", "x.\0.csv", "☂.csv", "a.b.c.d.csv", "rows.csv/"):
        await accepted(running, "/api/v1/import", params={"name": name}, data=CSV.encode())
    assert await titles(running) == ["One", "Two"]


async def test_an_upload_that_is_too_large_is_refused_and_not_kept(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(uploads))
    monkeypatch.setattr(module, "MAX_IMPORT", 1000)
    async with running.http.post("/api/v1/import", data=b"x" * 5000) as answer:
        await is_problem(answer, 413)
    assert list(uploads.iterdir()) == []


async def test_an_upload_that_breaks_off_is_not_kept(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(uploads))
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
    assert list(uploads.iterdir()) == []
    assert (await running.service.status())["operations"] == []


async def test_a_damaged_upload_is_an_operation_that_says_so(running: Running) -> None:
    number = await accepted(
        running, "/api/v1/import", params={"name": "rows.csv.gz"}, data=b"\x1f\x8b broken"
    )
    said = await running.operation(number)
    assert (said["total_items"], said["failed_items"]) == (1, 1)


# --- operations and retry -----------------------------------------------------------------------------------------


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
    counts = (await running.service.status())["lookups"]
    assert counts[MUSICBRAINZ]["pending"] >= 1
    assert "buried" not in counts[MUSICBRAINZ]


@pytest.mark.parametrize(
    "body",
    [{"states": ["done"]}, {"states": "failed"}, {"states": [{}]}, {"states": [["failed"]]}, {"states": {"failed": 1}},
     {"states": None}, {"provider": "napster"}, {"provider": 5}, {"provider": ["musicbrainz"]}, {"provider": ""}],
)  # fmt: skip
async def test_a_retry_of_what_there_is_not_is_a_problem(running: Running, body: dict[str, Any]) -> None:
    async with running.http.post("/api/v1/retry", json=body) as answer:
        await is_problem(answer, 400)


async def test_an_operation_that_fails_says_why(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scan(*_: object) -> None:
        raise RuntimeError("the disk went away")

    monkeypatch.setattr(running.service, "scan", scan)
    said = await running.operation(await accepted(running, "/api/v1/scan"))
    assert (said["status"], said["is_complete"]) == ("failed", True)
    assert said["error_message"] == "RuntimeError: the disk went away"
