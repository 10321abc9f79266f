"""The estimate of a library's requests, compared with the requests that the servers count."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from soulspot.assembly.service import EnrichmentService
from soulspot.config.loading import Config, make_config
from soulspot.pipeline import wait_until_settled
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import SampleFile, write_sample_library
from tests.support.flow import settings, soulspot, write_config

SERVICES = {
    "musicbrainz": "musicbrainz",
    "listenbrainz": "listenbrainz",
    "labs": "listenbrainz",
    "spotify": "spotify",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return invent_catalogue(4, 2500)


@pytest.fixture(scope="module")
def sample(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    return write_sample_library(catalogue, tmp_path_factory.mktemp("music"), seed=4, tracks=150)


def folder_of(sample: list[SampleFile]) -> str:
    return os.path.commonpath([file.path for file in sample])


async def enriched(config: Config, folder: str) -> None:
    async with EnrichmentService.open(config) as service:
        await service.scan([os.fsencode(folder)])
        await wait_until_settled(service, 2)


def between(said: dict[str, Any], asked: Counter[str]) -> None:
    """Assert that the requests made lie between the estimate's least and most."""
    for provider, count in asked.items():
        span = said["providers"][provider]["requests"]
        assert span["least"] <= count <= span["most"], provider


@pytest.mark.parametrize("mode", ["extended", "development"])
async def test_a_run_takes_at_least_the_least_and_at_most_the_most_of_its_estimate(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile], mode: Any
) -> None:
    folder, database = folder_of(sample), tmp_path / "db"
    async with Sandbox(catalogue, Behaviour(limits=False, spotify_mode=mode)) as sandbox:
        values = settings(sandbox, database)
        file = write_config(tmp_path / "config.toml", values)
        said = await soulspot("enrich", folder, "--dry-run", "--config", file, "--json")
        assert said.code == 0, said.err
        assert not sandbox.requests
        assert not database.exists()
        await enriched(make_config(values), folder)
        asked = Counter(SERVICES[one.service] for one in sandbox.requests if one.service in SERVICES)
        between(said.json, asked)
        expected = said.json["requests"]["expected"]
        assert asked.total() / 3 < expected < asked.total() * 3
        again = await soulspot("check", "--plan", folder, "--config", file, "--json")
        assert asked.total() == sum(one.service in SERVICES for one in sandbox.requests)
    broken = sum(one.kind == "broken" for one in sample)
    assert said.json["files"] == len(sample)
    assert said.json["unreadable"] == broken
    assert said.json["finished"] == 0
    assert any("Spotify answers your app" in note for note in said.json["notes"])
    assert again.json["known"] == len(sample)
    assert again.json["finished"] == len(sample) - broken
    assert again.json["requests"] == {"least": 0, "expected": 0, "most": 0}


async def test_beside_a_working_service_only_what_is_new_costs_something(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile]
) -> None:
    files = [file.path for file in sample if file.kind != "broken"]
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        values = settings(sandbox, tmp_path / "db")
        file = write_config(tmp_path / "config.toml", values)
        async with EnrichmentService.open(make_config(values)) as service:
            await service.enrich_files_batch(files[:100])
            asked = len(sandbox.requests)
            said = await soulspot("check", "--plan", folder_of(sample), "--config", file, "--json")
            rest = await soulspot("check", "--plan", *files[100:], "--config", file, "--json")
            assert len(sandbox.requests) == asked
    assert said.code == 0, said.err
    assert said.json["known"] == said.json["finished"] == 100
    assert said.json["providers"].keys() == rest.json["providers"].keys()
    assert said.json["requests"] == rest.json["requests"]
    assert not any("Spotify answers your app" in note for note in said.json["notes"])  # that has shown meanwhile


async def test_the_estimate_names_every_service_with_its_time_and_says_that_none_was_asked(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile]
) -> None:
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        slow = settings(sandbox, tmp_path / "db", providers__spotify__daily_budget=10, providers__musicbrainz__rate=1)
        file = write_config(tmp_path / "config.toml", slow)
        said = await soulspot("enrich", "--dry-run", folder_of(sample), "--config", file)
        assert not sandbox.requests
    assert said.code == 0, said.err
    for words in (
        "MusicBrainz",
        "ListenBrainz",
        "Spotify",
        "10 in any 24 hours",
        "recordings by ISRC",
        "expected",
    ):
        assert words in said.out
    assert "days" in said.out
    assert said.out.endswith("no service was asked, and nothing was written\n")
    assert not (tmp_path / "db").exists()


async def test_a_folder_without_music_costs_nothing_and_is_reported_as_empty(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        file = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        (tmp_path / "empty").mkdir()
        ended = await soulspot("enrich", "--dry-run", tmp_path / "empty", "--config", file)
        both = await soulspot("enrich", "--dry-run", "--force", tmp_path / "empty", "--config", file)
        alone = await soulspot("check", tmp_path / "empty", "--config", file)
    assert ended.code == 1
    assert "no music found" in ended.err
    assert both.code == 2
    assert alone.code == 2
