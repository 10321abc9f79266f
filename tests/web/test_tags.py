"""Tag write-back over HTTP, and by the command line with and without a daemon."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soulspot.cli import main as cli
from soulspot.models import EnrichedTrack, Status
from soulspot.pipeline.service import EnrichmentService
from soulspot.sandbox.audio.files import SILENCE
from soulspot.store import enriched, operations
from soulspot.store.database import Database
from soulspot.tagging import file_copies
from soulspot.tagging.rules import TagRules
from tests.library.audio import tags_of
from tests.support.factories import NOW, mbid
from tests.web.conftest import Running
from tests.web.conftest import running as running
from tests.web.conftest import start as start


async def song(service: EnrichmentService, path: Path) -> Path:
    """Add an accepted track with a file; return its path."""
    path.write_bytes(SILENCE[path.suffix](1000, 1000))
    await service.scan()
    await service.database.write(lambda c: accept(c, path))
    return path


def accept(connection: sqlite3.Connection, path: Path) -> None:
    raw = os.fsencode(path)
    (track_id,) = connection.execute("SELECT track_id FROM tracks WHERE path = ?", (raw,)).fetchone()
    row = EnrichedTrack(track_id, raw, None, Status.ACCEPTED, 0.9, title="Blue Hour", mb_recording_id=mbid(1))
    enriched.save(connection, [row], NOW)


async def post(running: Running, path: str, **body: Any) -> dict[str, Any]:
    async with running.http.post(f"/api/v1/{path}", json=body) as answer:
        assert answer.status == 202, await answer.text()
        number = int((await answer.json())["operation_id"])
    await running.finished()
    return await running.operation(number)


async def test_what_would_be_written_is_told_and_what_is_written_can_be_taken_back(running: Running) -> None:
    path = await song(running.service, running.music / "a.mp3")
    before = path.read_bytes()
    looked = await post(running, "write-tags", fields=["title"])
    [file] = looked["metadata"]["report"]["files"]
    assert file == {"path": str(path), "changes": {"title": {"old": [], "new": ["Blue Hour"]}}}
    assert path.read_bytes() == before
    written = await post(running, "write-tags", apply=True, paths=[str(running.music)])
    assert (written["kind"], written["status"], written["successful_items"]) == ("write_tags", "completed", 1)
    assert tags_of(path).ids.mb_recording_ids == (mbid(1),)
    async with running.http.get("/api/v1/write-tags") as answer:
        [listed] = (await answer.json())["operations"]
    assert (listed["operation"], listed["written"]) == (written["id"], 1)
    undone = await post(running, f"write-tags/{written['id']}/undo")
    assert (undone["kind"], undone["metadata"]["report"]["written"]) == ("undo_tags", 1)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("write-tags", {"fields": ["titel"]}, 422, "there is no titel"),
        ("write-tags", {"paths": ["/etc"]}, 422, "outside the configured library"),
        ("write-tags", {"policy": "all"}, 422, "policy"),
        ("write-tags", {"embed_covers": True}, 422, "set export.covers.enabled"),
        ("write-tags/99/undo", {}, 404, "has written no tags"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    running: Running, path: str, body: dict[str, Any], status: int, says: str
) -> None:
    async with running.http.post(f"/api/v1/{path}", json=body) as answer:
        assert answer.status == status
        assert says in (await answer.json())["detail"]


async def test_the_daemon_writes_by_itself_only_when_that_is_configured(running: Running) -> None:
    path = await song(running.service, running.music / "a.flac")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    await running.service.scan()
    await running.service.database.write(lambda c: accept(c, path))
    running.service.parts.tagging.rules = TagRules(enabled=True)
    await running.operations.write_due_tags()
    assert running.operations.kinds_running() == set()  # it still asks for the first time
    await running.service.database.write(
        lambda c: c.execute("UPDATE lookups SET state = 'missing', answered_at = '2026-01-01'")
    )
    running.service.parts.tagging.rules = TagRules()
    await running.operations.write_due_tags()
    assert running.operations.kinds_running() == set()
    running.service.parts.tagging.rules = TagRules(enabled=True)
    await running.operations.write_due_tags()
    await running.finished()
    assert tags_of(path).title == "Blue Hour"
    await running.operations.write_due_tags()
    assert running.operations.kinds_running() == set()


async def test_a_run_that_a_crash_cut_off_goes_on_under_its_number(running: Running) -> None:
    path = await song(running.service, running.music / "a.mp3")
    from soulspot.operations.runner import Operations
    from soulspot.tagging.request import request_to_json, tag_request

    request = request_to_json(tag_request(TagRules(), apply=True))
    number = await running.service.database.write(lambda c: operations.start(c, "write_tags", {}, NOW, request=request))
    await running.service.database.write(lambda c: operations.mark_interrupted(c, NOW))
    after = Operations(running.service)
    assert await after.resume() == {"write_tags"}
    await after.idle()
    assert tags_of(path).title == "Blue Hour"
    assert (await running.operation(number))["metadata"]["report"]["written"] == 1


# --- the command line, without a daemon -----------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Write a configuration over one accepted track; return its audio file."""
    path = tmp_path / "music" / "a.mp3"
    path.parent.mkdir()
    path.write_bytes(SILENCE[".mp3"](1000, 1000))
    (tmp_path / "config.toml").write_text(
        f'database.path = "{tmp_path}/soulspot.db"\nlibrary.paths = ["{path.parent}"]\n'
        'providers.musicbrainz.contact = "tests@example.org"\n'
    )
    assert soulspot(path, "scan", paths=False).exit_code == 0
    with Database(tmp_path / "soulspot.db") as database:
        database.write_now(lambda c: accept(c, path))
    return path


def soulspot(path: Path, *arguments: str, paths: bool = False) -> Any:
    config = path.parent.parent / "config.toml"
    return CliRunner().invoke(cli.app, [*arguments, *([str(path)] if paths else []), "--config", str(config)])


def test_the_command_shows_writes_lists_and_takes_back(library: Path) -> None:
    before = library.read_bytes()
    shown = soulspot(library, "write-tags", paths=True)
    assert shown.exit_code == 0
    assert f"{library}\n    title: (none) -> Blue Hour\n" in shown.output
    assert "1 files looked at, 1 to be written" in shown.output
    assert library.read_bytes() == before
    document = json.loads(soulspot(library, "write-tags", "--json").stdout)
    assert (document["applied"], document["written"], len(document["files"])) == (False, 1, 1)
    report = json.loads(soulspot(library, "write-tags", "--apply", "--json").stdout)
    assert (report["applied"], report["written"], report["failed"]) == (True, 1, 0)
    assert tags_of(library).title == "Blue Hour"
    listed = json.loads(soulspot(library, "write-tags", "--list", "--json").stdout)["operations"]
    assert [one["operation"] for one in listed] == [report["operation"]]
    undone = soulspot(library, "write-tags", "--undo", str(report["operation"]))
    assert (undone.exit_code, "1 taken back" in undone.output) == (0, True)
    assert library.read_bytes() == before
    again = soulspot(library, "write-tags", "--undo", str(report["operation"]))
    assert (again.exit_code, "has written no tags" in again.output) == (2, True)


def test_what_was_killed_among_its_first_files_can_be_taken_back_and_never_goes_on(library: Path) -> None:
    before = library.read_bytes()
    child = os.fork()
    if child == 0:
        try:
            file_copies.report_step = lambda name: os._exit(9) if name == "renamed" else None  # type: ignore[assignment]
            soulspot(library, "write-tags", "--apply")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert library.read_bytes() != before
    [listed] = json.loads(soulspot(library, "write-tags", "--list", "--json").stdout)["operations"]
    assert listed["written"] == 1
    undone = soulspot(library, "write-tags", "--undo", str(listed["operation"]))
    assert (undone.exit_code, "1 taken back" in undone.output) == (0, True)
    assert library.read_bytes() == before
    with Database(library.parent.parent / "soulspot.db") as database:
        assert database.write_now(operations.list_unfinished) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--fields", "titel"], "there is no titel"),
        (["--fields", ","], "names no field"),
        (["--policy", "all"], "'all' is not one of 'only-empty', 'overwrite'"),
        (["--apply", "--undo", "1"], "give one of"),
        (["--force"], "goes with --undo"),
        (["--embed-covers"], "set export.covers.enabled"),
        (["--list", "--policy", "overwrite"], "go with neither"),
        (["nowhere"], "there is no such file"),
    ],
)
def test_wrong_usage_is_told_with_what_to_do(library: Path, arguments: list[str], says: str) -> None:
    ended = soulspot(library, "write-tags", *arguments)
    assert ended.exit_code == 2
    assert says in ended.output
