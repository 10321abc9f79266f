"""`soulspot enrich PATH`: its report and its exit code are those of the tracks of PATH."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import write_sample_library
from tests.flow.test_daemon import daemon
from tests.support.flow import Ended, rows, settings, soulspot, write_config

pytestmark = pytest.mark.process


async def test_enriching_a_folder_reports_that_folder_and_fails_for_its_own_faults_alone(tmp_path: Path) -> None:
    catalogue, music, database = invent_catalogue(4, 1500), tmp_path / "music", tmp_path / "soulspot.db"
    for name, seed in (("sound", 4), ("faulty", 5)):
        write_sample_library(catalogue, music / name, seed=seed, tracks=12)
    (music / "faulty" / "broken.flac").write_bytes(b"no audio")
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, database, library__paths=[str(music)], library__watch=False)
        config = write_config(tmp_path / "config.toml", values)
        await soulspot("enrich", "--config", config)
        with closing(sqlite3.connect(database)) as connection, connection:
            lose(connection, music / "faulty")
        count = len(rows(database, "SELECT 1 FROM tracks WHERE CAST(path AS TEXT) LIKE '%/sound/%'"))
        ended = [[await enrich(config, music, name) for name in ("sound", "faulty")]]
        shown = await soulspot("enrich", music / "sound", "--config", config)
        assert "broken.flac" not in shown.out + shown.err
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            ended.append([await enrich(config, music, name) for name in ("sound", "faulty")])
            assert await running.ends(signal.SIGTERM) == 0
        for sound, faulty in ended:
            assert (sound.code, faulty.code) == (0, 1), sound.err
            assert (sound.json["tracks"]["total"], sound.json["lost"]) == (count, 0)
            assert sound.json["errors"]["lookups"] == []
            assert f"{music / 'faulty'}" not in sound.out
            assert faulty.json["lost"] > 0
            assert "broken.flac" in faulty.out


async def enrich(config: Path, music: Path, name: str) -> Ended:
    return await soulspot("enrich", music / name, "--config", config, "--json")


def lose(connection: sqlite3.Connection, folder: Path) -> None:
    """Give up the lookups that serve only tracks of this folder, which then are not accepted."""
    mine = "SELECT track_id FROM tracks WHERE CAST(path AS TEXT) LIKE ?"
    others = f"SELECT lookup_id FROM track_lookups WHERE track_id NOT IN ({mine})"
    connection.execute(f"UPDATE enriched_tracks SET status = 'unmatched' WHERE track_id IN ({mine})", (f"{folder}/%",))
    connection.execute(
        "UPDATE lookups SET state = 'failed', last_error = 'HTTP 500' WHERE lookup_id IN"
        f" (SELECT lookup_id FROM track_lookups WHERE track_id IN ({mine})) AND lookup_id NOT IN ({others})",
        (f"{folder}/%", f"{folder}/%"),
    )
