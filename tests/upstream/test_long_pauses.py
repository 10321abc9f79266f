"""A service that asks for a year of silence is left alone until a person says otherwise."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.servers.behaviour import Faults
from tests.flow.test_daemon import daemon
from tests.support.flow import Ended, rows, settings, soulspot, write_config, write_rows
from tests.support.until import until

pytestmark = pytest.mark.process

YEAR = str(365 * 86_400)
LIFT = ("retry", "--provider=musicbrainz", "--lift-pause")


class Silenced:
    """A service that has asked for a year, a row that waits for it, and a configuration."""

    def __init__(self, sandbox: Sandbox, config: Path, database: Path) -> None:
        self.sandbox, self.config, self.database = sandbox, config, database

    def pauses(self) -> int:
        found = rows(self.database, "SELECT count(*) AS n FROM provider_state WHERE blocked_until IS NOT NULL")
        return int(found[0]["n"])

    def is_answered(self) -> bool:
        return [row["status"] for row in rows(self.database)] == ["accepted"]

    async def run(self, *words: str) -> Ended:
        return await soulspot(*words, "--config", self.config)

    async def is_paused(self, row: Path) -> None:
        assert (await self.run("import", str(row))).code == 0
        await until(self.pauses)
        # the service is well from now on, and nobody knows
        self.sandbox.behaviour.musicbrainz = Faults()


@asynccontextmanager
async def silenced(tmp_path: Path) -> AsyncIterator[tuple[Silenced, Path]]:
    catalogue = invent_catalogue(4, 300)
    song = next(one for one in catalogue.recordings if one.title and one.isrcs and not one.video)
    row = write_rows(tmp_path / "row.csv", [{"key": "1", "title": song.title, "mb_recording_id": song.mbid}])
    silent = Faults(error_share=1.0, error_status=429, retry_after=YEAR)
    async with Sandbox(catalogue, Behaviour(limits=False, musicbrainz=silent)) as sandbox:
        off = {"providers__spotify__enabled": False, "providers__listenbrainz__enabled": False}
        database = tmp_path / "soulspot.db"
        config = write_config(tmp_path / "config.toml", settings(sandbox, database, **off))
        yield Silenced(sandbox, config, database), row


async def test_a_pause_of_a_year_is_lifted_in_a_running_daemon(tmp_path: Path) -> None:
    async with silenced(tmp_path) as (one, row), daemon(one.config) as running:
        await running.hears("daemon_ready")
        await one.is_paused(row)
        status = await one.run("status")
        assert f"soulspot {' '.join(LIFT)} --config {one.config}" in status.out, "status says how"
        asked = len(one.sandbox.requests)
        lifted = await one.run(*LIFT)
        assert (lifted.code, lifted.out.strip()) == (0, "0 queued, 1 pauses lifted")
        await until(one.is_answered)
        assert len(one.sandbox.requests) > asked
        assert one.pauses() == 0, "the next process does not pause either"
        assert "--lift-pause" not in (await one.run("status")).out
        assert await running.ends(signal.SIGTERM) == 0


async def test_a_pause_of_a_year_is_lifted_without_a_daemon(tmp_path: Path) -> None:
    async with silenced(tmp_path) as (one, row):
        async with daemon(one.config) as running:
            await running.hears("daemon_ready")
            await one.is_paused(row)
            await running.ends(signal.SIGKILL)
        assert f"soulspot {' '.join(LIFT)}" in (await one.run("status")).out
        asked = len(one.sandbox.requests)
        waiting = await one.run("enrich", "--wait", "0")
        assert (waiting.code, len(one.sandbox.requests)) == (1, asked), "a restart lifts nothing"
        lifted = await one.run(*LIFT, "--json")
        assert (lifted.code, lifted.json) == (0, {"queued": 0, "lifted": 1})
        assert one.pauses() == 0
        assert (await one.run("enrich")).code == 0
        assert one.is_answered()


async def test_a_retry_alone_lifts_no_pause(tmp_path: Path) -> None:
    async with silenced(tmp_path) as (one, row):
        async with daemon(one.config) as running:
            await running.hears("daemon_ready")
            await one.is_paused(row)
            assert (await one.run("retry", "--json")).json == {"queued": 0}
        assert one.pauses() == 1
