"""What the daemon enriches by itself is in a report, too. Real daemons."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from tests.support.daemons import Daemon, daemon
from tests.support.flow import rows, settings, soulspot, write_config, write_rows
from tests.support.until import until

pytestmark = pytest.mark.process

SOON = (
    "import soulspot.daemon.process as process, soulspot.operations.own_work as own_work\n"
    "process.OWN_WORK_SECONDS, own_work.QUIET = 0.3, 0.5\n"
)
OWN = "SELECT id, status, metadata FROM batch_operations WHERE kind = 'enrich' ORDER BY id"


class Scene:
    """A sandbox, a library and a configuration for daemons."""

    def __init__(self, sandbox: Sandbox, tmp_path: Path) -> None:
        self.sandbox, self.music, self.database = sandbox, tmp_path / "music", tmp_path / "soulspot.db"
        self.music.mkdir()
        off = {"export__covers__enabled": False}
        values = settings(sandbox, self.database, library__paths=[str(self.music)], **off)
        self.config = write_config(tmp_path / "config.toml", values)

    @asynccontextmanager
    async def daemon(self) -> AsyncIterator[Daemon]:
        async with daemon(self.config, prepare=SOON) as running:
            await running.says("daemon_ready")
            yield running

    def own(self) -> list[dict[str, Any]]:
        """Return the enrichments so far, with their metadata read."""
        return [{**row, "metadata": json.loads(row["metadata"])} for row in rows(self.database, OWN)]

    def ended(self) -> list[dict[str, Any]]:
        return [one for one in self.own() if one["status"] == "completed"]

    def asked(self) -> int:
        return sum(request.service not in ("token", "covers") for request in self.sandbox.requests)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with Sandbox(invent_catalogue(4, 1500), Behaviour(limits=False)) as sandbox:
        yield Scene(sandbox, tmp_path)


async def test_what_the_watch_finds_is_reported_as_the_daemons_own_work(scene: Scene) -> None:
    async with asyncio.timeout(60), scene.daemon() as running:
        sample = write_sample_library(scene.sandbox.catalogue, scene.music, seed=4, tracks=20)
        await until(lambda: scene.ended() and len(rows(scene.database)) == len(sample))
        await until(lambda: all(one["status"] == "completed" for one in scene.own()))
        told = await soulspot("report", "--config", scene.config)
        listed = (await soulspot("status", "--config", scene.config, "--json")).json["operations"]
        assert await running.ends(signal.SIGTERM) == 0
    found = scene.own()
    assert [one["metadata"]["own"] for one in found] == [True] * len(found)
    assert "(what SoulSpot did by itself): completed" in told.out
    assert any(one["metadata"].get("own") for one in listed)
    # nothing falls between two reports, nor before the first
    assert sum(sum(one["metadata"]["report"]["answered"].values()) for one in found) > len(sample)
    spent = sum(sum(n for name, n in one["metadata"]["report"]["requests"].items()) for one in found)
    assert spent >= scene.asked()


async def test_an_enrichment_that_was_asked_for_is_reported_once(scene: Scene) -> None:
    write_sample_library(scene.sandbox.catalogue, scene.music, seed=4, tracks=20)
    scene.sandbox.behaviour.update({name: {"latency": 0.2} for name in ("musicbrainz", "listenbrainz", "spotify")})
    async with asyncio.timeout(60), scene.daemon() as running:
        ended = await soulspot("enrich", "--config", scene.config, "--json")
        assert ended.code == 0, ended.err
        await until(lambda: all(one["status"] == "completed" for one in scene.own()))
        assert await running.ends(signal.SIGTERM) == 0
    found = [one for one in scene.own() if not one["metadata"].get("own")]
    assert len(found) == 1
    assert len(scene.own()) <= 2, "at most one more, about what was done before it was asked for"


@pytest.mark.parametrize("lives", [3, pytest.param(13, marks=pytest.mark.long)])
async def test_own_work_that_kills_interrupt_is_closed_by_the_next_daemon_under_its_number(
    scene: Scene, tmp_path: Path, lives: int
) -> None:
    songs = [one for one in scene.sandbox.catalogue.recordings if one.title and not one.video][:40]
    listed = write_rows(tmp_path / "a.csv", [{"key": one.mbid, "mb_recording_id": one.mbid} for one in songs])
    scene.sandbox.behaviour.update({"musicbrainz": {"latency": 3600.0}})
    async with asyncio.timeout(60):
        for life in range(lives):
            async with scene.daemon() as running:
                if life == 0:
                    assert (await soulspot("import", listed, "--config", scene.config)).code == 0
                await until(lambda: [one["status"] for one in scene.own()] == ["processing"])
                await running.ends(signal.SIGKILL)
        scene.sandbox.behaviour.update({"musicbrainz": {"latency": 0.0}})
        async with scene.daemon() as running:
            await until(lambda: [one["status"] for one in scene.own()] == ["completed"])
            assert await running.ends(signal.SIGTERM) == 0
    assert [row["status"] for row in rows(scene.database)] == ["accepted"] * len(songs)
