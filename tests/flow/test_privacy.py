"""Names of folders that are a person's business never leave the machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Sandbox, invent_catalogue
from tests.library.audio import flac
from tests.support.flow import rows, settings, soulspot, write_config

SECRET = "annas-geheime-sammlung"
HIDDEN = "umzug mit doktor braun"


# `argument` in a shape: the folder is named on the command line, and is no part of the library
SHAPES = ["root", "deep", "album is the argument", "root is the argument", "deep below the argument", "file argument"]


@pytest.mark.parametrize("shape", SHAPES)
async def test_no_request_names_a_folder_above_the_music(tmp_path: Path, shape: str) -> None:
    world = invent_catalogue(seed=8, tracks=60)
    release = next(one for one in world.releases if len(one.tracks) >= 5)
    root = tmp_path / HIDDEN / SECRET
    is_flat = shape in ("root", "root is the argument", "file argument")
    folder = root if is_flat else root / release.artist.replace("/", "_") / release.title.replace("/", "_")
    folder.mkdir(parents=True)
    for track in release.tracks[:5]:
        flac(
            folder / f"{track.position:02d} - {track.title.replace('/', '_')}.flac",
            (track.duration_ms or 200_000) // 1000,
        )
    library = [] if "argument" in shape else [str(root)]
    named = {"album is the argument": folder, "file argument": next(folder.iterdir())}.get(shape, root)
    async with Sandbox(world, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "soulspot.db", library__paths=library)
        config = write_config(tmp_path / "config.toml", values)
        ended = await soulspot("enrich", *([] if library else [str(named)]), "--config", config, "--wait", "5")
        assert ended.code in (0, 1), ended.err
        # what is known of the tracks later is asked without the folders of the command
        assert (await soulspot("enrich", "--force", "--config", config, "--wait", "5")).code in (0, 1)
        asked = " ".join(
            json.dumps(asdict(one), ensure_ascii=False, default=str) for one in sandbox.requests
        ).casefold()
    assert sandbox.requests
    # bodies of POST requests are made of the lookups
    asked += " ".join(one["query"] for one in rows(tmp_path / "soulspot.db", "SELECT query FROM lookups")).casefold()
    for private in (SECRET, HIDDEN, SECRET.replace("-", " "), "geheime", "doktor", *tmp_path.parts[-3:]):
        assert private.casefold() not in asked
