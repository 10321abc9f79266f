"""Reloads in the middle of the work: the log and its statistics still count every track once."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.flow.test_daemon import daemon
from tests.support.flow import rows, settings, soulspot, write_config, write_rows
from tests.support.until import until

pytestmark = pytest.mark.process

COUNT = 60
DONE = "SELECT count(*) AS n FROM enriched_tracks WHERE status != 'pending'"
STRICT, GENEROUS = {"matching.accept": 0.999, "matching.review": 0.2}, {"matching.accept": 0.65, "matching.review": 0.3}
HOPELESS = {"matching.accept": 0.999, "matching.review": 0.99}


def misspelt(rng: random.Random, words: str) -> str:
    """Return the words without one of them, or with two letters in the wrong order."""
    some = words.split()
    if len(some) > 1 and rng.random() < 0.7:
        some.pop(rng.randrange(len(some)))
    text = " ".join(some)
    at = rng.randrange(max(1, len(text) - 1))
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :] if rng.random() < 0.5 else text


@pytest.mark.timeout(120)
async def test_statistics_count_every_track_once_however_often_the_rules_change_under_way(tmp_path: Path) -> None:
    catalogue, rng = invent_catalogue(4, 1500), random.Random(3)
    songs = [one for one in catalogue.recordings if one.title and not one.video][:COUNT]
    listed = [{"key": one.mbid, "title": misspelt(rng, one.title), "artist": one.artist} for one in songs]
    behaviour = Behaviour(limits=False)
    behaviour.update({"musicbrainz": {"latency": 0.05}, "spotify": {"latency": 0.05}})
    log, database = tmp_path / "soulspot.log", tmp_path / "soulspot.db"
    async with Sandbox(catalogue, behaviour) as sandbox:
        values = settings(sandbox, database, log__file=str(log))
        values |= {f"providers.{name}.batch_size": 5 for name in ("musicbrainz", "spotify", "listenbrainz")}
        config = write_config(tmp_path / "config.toml", values)

        def count(event: str) -> int:
            return log.read_text(encoding="utf-8").count(f'"{event}"') if log.exists() else 0

        async with daemon(config) as running:
            await until(lambda: count("daemon_ready"))
            ended = await soulspot("import", write_rows(tmp_path / "songs.csv", listed), "--config", config)
            assert ended.code == 0, ended.err
            for number, rules in enumerate((STRICT, GENEROUS, HOPELESS, {})):
                wanted = (number + 1) * COUNT // 5
                await until(lambda wanted=wanted: rows(database, DONE)[0]["n"] >= wanted)
                before = count("reloaded")
                write_config(config, values | rules)
                running.process.send_signal(signal.SIGHUP)
                await until(lambda before=before: count("reloaded") > before)
            await soulspot("enrich", "--config", config)
            assert await running.ends(signal.SIGTERM) == 0
    assert count("reloaded") == 4
    told = (await soulspot("stats", "--log", str(log), "--json")).json
    assert told["tracks"] == sum(told["results"].values()) == len(rows(database)) == COUNT
