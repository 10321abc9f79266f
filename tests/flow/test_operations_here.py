"""Commands without a daemon, and the demo: operations with a row, counts, reports and events."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from soulspot.cli import demo
from soulspot.cli.demo import DemoReport, demo_config, run_demo
from soulspot.cli.enrich import enrich_places
from soulspot.cli.import_files import import_listed
from soulspot.cli.retry import retry_lookups
from soulspot.cli.scan import scan_places
from soulspot.cli.status import read_status
from soulspot.config.loading import Config, load_config, make_config
from soulspot.operations.kinds import import_request, retry_request, scan_request
from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from soulspot.sandbox.servers.behaviour import Faults
from soulspot.store import operations
from soulspot.store.database import Database
from soulspot.terminal.bars import Bars
from tests.support.factories import NOW
from tests.support.flow import rows, settings, write_rows

OPERATIONS = "SELECT * FROM batch_operations ORDER BY id"
EVENTS = "SELECT kind, payload FROM events WHERE kind LIKE 'operation.%' ORDER BY event_id"


def offline(tmp_path: Path) -> Config:
    """Return a configuration for scan, import and retry, which only queue and ask no service."""
    music = tmp_path / "music"
    music.mkdir(exist_ok=True)
    return make_config(
        {
            "database.path": str(tmp_path / "db"),
            "library.paths": [str(music)],
            "providers.musicbrainz.contact": "tests@example.org",
        }
    )


async def test_each_command_is_an_operation_with_its_counts_and_reports(tmp_path: Path) -> None:
    catalogue, music = invent_catalogue(4, 1500), tmp_path / "music"
    write_sample_library(catalogue, music, seed=4, tracks=20)
    listed = write_rows(tmp_path / "songs.csv", [{"title": "One"}, {"title": "Two"}])
    quiet = Bars(quiet=True)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "db", library__paths=[str(music)]))
        await scan_places(config, [], quiet)
        await import_listed(config, [listed], listed, quiet)
        report = await enrich_places(config, [], 1.0, quiet)
        await retry_lookups(config, retry_request(["missing"], None), quiet)
    found = rows(tmp_path / "db", OPERATIONS)
    assert [(one["kind"], one["status"]) for one in found] == [
        ("scan", "completed"),
        ("import", "completed"),
        ("enrich", "completed"),
        ("retry", "completed"),
    ]
    scan, imported, enrich, _ = found
    assert (scan["total_items"], scan["processed_items"]) == (20, 20)
    assert (imported["total_items"], imported["processed_items"]) == (2, 2)
    assert enrich["processed_items"] == report.tracks["total"] - report.tracks.get("pending", 0) == 22
    assert enrich["failed_items"] == report.tracks["failed"]
    said = json.loads(enrich["metadata"])
    assert said["report"]["tracks"] == report.tracks
    assert said["performance"]["requests"] == sum(report.requests.values())
    assert {"lookups", "files"} <= set(said["errors"])
    told = [(one["kind"], json.loads(one["payload"])["kind"]) for one in rows(tmp_path / "db", EVENTS)]
    assert told == [
        (event, kind)
        for kind in ("scan", "import", "enrich", "retry")
        for event in ("operation.started", "operation.finished")
    ]


async def test_a_command_that_is_interrupted_says_so_in_its_row(tmp_path: Path) -> None:
    catalogue, music = invent_catalogue(4, 1500), tmp_path / "music"
    write_sample_library(catalogue, music, seed=4, tracks=20)
    slow = Faults(latency=1.0)
    async with Sandbox(catalogue, Behaviour(musicbrainz=slow, listenbrainz=slow, spotify=slow)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "db", library__paths=[str(music)]))
        bars, seen = Bars(quiet=True), asyncio.Event()
        bars.show = lambda name, *_: seen.set() if name == "tracks" else None  # type: ignore[method-assign]
        work = asyncio.create_task(enrich_places(config, [], 60.0, bars))
        await seen.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    [enrich] = rows(tmp_path / "db", OPERATIONS)
    assert (enrich["status"], enrich["completed_at"] is None) == ("cancelled", False)
    assert enrich["error_message"] == "interrupted; what was queued stays queued"


async def test_a_command_that_fails_says_why_in_its_row(tmp_path: Path) -> None:
    broken = tmp_path / "rows.xlsx"
    broken.write_text("colour,size\nred,10\n")
    with pytest.raises(ValueError, match="xlsx"):
        await import_listed(offline(tmp_path), [broken], broken, Bars(quiet=True))
    [found] = rows(tmp_path / "db", OPERATIONS)
    assert (found["kind"], found["status"]) == ("import", "failed")
    assert "xlsx" in found["error_message"]


async def test_the_same_command_resumes_the_operation_that_was_cut_off_under_its_number(
    tmp_path: Path,
) -> None:
    config, listed = offline(tmp_path), write_rows(tmp_path / "songs.csv", [{"title": "One"}])
    with Database(tmp_path / "db") as database:  # a scan and an import that a power cut has ended
        database.write_now(lambda c: operations.start(c, "scan", {}, NOW, request=scan_request([])))
        database.write_now(lambda c: operations.start(c, "import", {}, NOW, request=import_request(listed)))
    await import_listed(config, [listed], listed, Bars(quiet=True))
    found = [(one["id"], one["kind"], one["status"]) for one in rows(tmp_path / "db", OPERATIONS)]
    assert found == [(1, "scan", "pending"), (2, "import", "completed")]


async def test_the_demo_is_shown_on_the_page_which_stays_up_with_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quick(sandbox: Sandbox, library: Path, database: Path) -> Config:
        usual = demo_config(sandbox, library, database)
        return make_config(settings(sandbox, database, library__paths=list(map(str, usual.library.paths))))

    monkeypatch.setattr(demo, "demo_config", quick)
    monkeypatch.setattr(demo, "Behaviour", lambda: Behaviour(limits=False))
    bars, notes = Bars(quiet=True), asyncio.Queue[str]()
    bars.note = notes.put_nowait  # type: ignore[method-assign]
    shown: list[DemoReport] = []
    work = asyncio.create_task(run_demo(tmp_path / "demo", 20, bars, shown.append))
    while "the page: " not in (said := await notes.get()):
        pass
    async with aiohttp.ClientSession(said.removeprefix("the page: ")) as client:
        assert "SoulSpot" in await (await client.get("/")).text()
        while "stays" not in await notes.get():
            pass
        [enrich] = (await _json(client, "/api/v1/operations"))["operations"]
        status = await _json(client, "/api/v1/status")
    assert (enrich["kind"], enrich["status"], enrich["progress"]) == ("enrich", "completed", 100.0)
    assert status["tracks"] == shown[0].report.tracks
    work.cancel()
    assert (await work).is_right
    left = load_config(shown[0].config, environ={})
    seen = await read_status(left)
    assert seen is not None
    assert seen["tracks"] == shown[0].report.tracks
    assert not any(getattr(left.providers, name).enabled for name in ("musicbrainz", "spotify", "listenbrainz"))


async def _json(client: aiohttp.ClientSession, path: str) -> Any:
    async with client.get(path) as answer:
        return await answer.json()
