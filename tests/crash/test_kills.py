"""A daemon killed at random moments of a large run answers every track, and none twice."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from tests.support.flow import rows, settings, soulspot, start, write_config, write_rows

TRACKS, KILLS = 2500, 10


@pytest.mark.long
@pytest.mark.process
@pytest.mark.timeout(300)
async def test_nothing_is_lost_or_doubled_when_the_daemon_is_killed_ten_times(tmp_path: Path) -> None:
    rng = random.Random(20)
    catalogue = invent_catalogue(5, 4500)
    file = write_rows(tmp_path / "tracks.csv", [_row(i, one) for i, one in enumerate(_wanted(catalogue))])
    database = tmp_path / "soulspot.db"
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        slow = {
            "providers__musicbrainz__batch_size": 12,
            "providers__listenbrainz__batch_size": 25,
            "providers__spotify__enabled": False,
        }
        config = write_config(tmp_path / "config.toml", settings(sandbox, database, **slow))
        imported = await soulspot("import", file, "--config", config, "--json")
        assert imported.code == 0, imported.err
        assert imported.json["queued"] == TRACKS
        for _ in range(KILLS):
            daemon = await start("daemon", "--config", config)
            await _requests(sandbox, len(sandbox.requests) + rng.randint(1, 15), daemon)
            daemon.send_signal(signal.SIGKILL)
            await daemon.communicate()
        in_the_middle = rows(database, "SELECT 1 FROM lookups WHERE state IN ('pending', 'leased')")
        assert in_the_middle, "the kills came while there was work"
        ended = await soulspot("enrich", "--config", config, "--wait", "5", "--json")
    assert ended.code == 0, ended.err + ended.out
    assert ended.json["postponed"] == []
    found = rows(database)
    assert len(found) == len({row["track_id"] for row in found}) == TRACKS
    assert Counter(row["status"] for row in found)["pending"] == 0
    assert {row["source_key"]: row["mb_recording_id"] for row in found if row["status"] == "accepted"}.items() <= {
        str(i): one.mbid for i, one in enumerate(_wanted(catalogue))
    }.items()
    assert sum(row["status"] == "accepted" for row in found) >= 0.95 * TRACKS
    assert rows(database, "SELECT count(*) AS n FROM lookups WHERE state IN ('buried', 'failed', 'leased')") == [
        {"n": 0}
    ]
    assert rows(database, "PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def _wanted(catalogue: Catalogue) -> list[Any]:
    return [one for one in catalogue.recordings if one.title and not one.video][:TRACKS]


def _row(number: int, recording: Any) -> dict[str, Any]:
    """Return an import row with the recording id for half of the tracks, else with the ISRC."""
    text = {"key": str(number), "title": recording.title, "artist": recording.artist}
    if recording.duration_ms:
        text["duration_ms"] = recording.duration_ms
    if number % 2 and len(recording.isrcs) == 1:
        return text | {"isrc": recording.isrcs[0]}
    return text | {"mb_recording_id": recording.mbid}


async def _requests(sandbox: Sandbox, count: int, daemon: asyncio.subprocess.Process) -> None:
    """Wait until the servers have seen `count` requests; a daemon that ends before shows why."""
    while len(sandbox.requests) < count:
        if daemon.returncode is not None:
            _, err = await daemon.communicate()
            raise AssertionError(err.decode())
        await asyncio.sleep(0.005)
