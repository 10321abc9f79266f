"""Tracks that say too little are not asked for; they are counted, and named as that."""

from __future__ import annotations

import json
from pathlib import Path

from mutagen.flac import FLAC

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.library.audio import flac
from tests.support.flow import rows, settings, soulspot, write_config

SAYS_LITTLE = ("Track 05", "07", "Unknown", "Titel 3", "audio track 12", "トラック 2")


def tagged(path: Path, **tags: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flac(path, 200)
    opened = FLAC(path)
    opened.update(tags)
    opened.save()


async def test_what_says_too_little_to_be_asked_for_is_counted_and_named_as_that(tmp_path: Path) -> None:
    music = tmp_path / "music"
    for name in SAYS_LITTLE:
        tagged(music / f"{name}.flac")
    tagged(music / "10 - Track 10.flac", title="Track 10", artist="Vera Lind", album="Coast")
    tagged(music / "b.flac", title="Low Tide", artist="Vera Lind")
    async with Sandbox(invent_catalogue(seed=8, tracks=40), Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "soulspot.db", library__paths=[str(music)])
        config = write_config(tmp_path / "config.toml", values)
        ended = await soulspot("enrich", "--config", config, "--wait", "5")
    count = len(SAYS_LITTLE)
    assert f"{count} tracks: they say too little to be asked for" in ended.out + ended.err
    said = [
        await soulspot(*command, "--config", config) for command in (("status",), ("status", "--json"), ("report",))
    ]
    assert f"tracks that say too little to be asked for: {count}" in said[0].out
    assert said[1].json["unasked"] == count
    assert f"{count} tracks: they say too little to be asked for" in said[2].out
    assert "what to do: give them a title and an artist" in said[2].out
    asked = [json.loads(one["query"]) for one in rows(tmp_path / "soulspot.db", "SELECT query FROM lookups")]
    titles = {query.get("title") for query in asked}
    assert titles >= {"Track 10", "Low Tide"}
    assert titles.isdisjoint(SAYS_LITTLE)
    assert [row["status"] for row in rows(tmp_path / "soulspot.db")] == ["unmatched"] * (count + 2)
