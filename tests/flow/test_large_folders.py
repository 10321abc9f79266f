"""Folders larger than any album, box sets, and two runs over the same library."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from benchmarks.folder import measure, one_folder
from soulspot.assembly.service import EnrichmentService
from soulspot.config.loading import make_config
from soulspot.models import TrackTags
from soulspot.pipeline import wait_until_settled
from soulspot.sandbox import Behaviour, Catalogue, Recording, Release, Sandbox, invent_catalogue
from soulspot.sandbox.catalogue import ids
from soulspot.sandbox.catalogue.values import Medium, Track
from soulspot.sandbox.library.sample import PlannedFile, write_library, write_sample_library
from tests.support.flow import rows, settings

MEMORY = 300.0  # MB (10^6 bytes) at the highest
DISCS, ON_A_DISC = 10, 15
NOT_COMPARED = {"track_id", "updated_at", "path"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return invent_catalogue(5, 1500)


@pytest.mark.process
async def test_a_folder_of_hundreds_of_tracks_under_one_album_name_ends_within_its_memory(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    count = 500  # more than any album; `python -m benchmarks.folder` takes 6,666
    measured = await measure(catalogue, one_folder(catalogue, count, 5), tmp_path, "none")
    assert measured.code == 0
    assert measured.rss_mb < MEMORY
    assert measured.tracks["total"] == count
    assert not measured.tracks.get("pending")
    assert measured.tracks["accepted"] > 0.75 * count
    assert measured.right > 0.9 * measured.tracks["accepted"]  # some have a twin that nobody could tell apart


def box_set(catalogue: Catalogue) -> tuple[Catalogue, Release]:
    """Add to the catalogue a release of many discs, with recordings that no other release has."""
    credit = next(one.credit for one in catalogue.recordings if len(one.credit) == 1)
    titles = list(dict.fromkeys(one.title for one in catalogue.recordings if len(one.title.split()) > 1))
    made = [
        Recording(ids.mbid("box", n), titles[n], credit, 100_000 + 1_700 * (n * 37 % 150))
        for n in range(DISCS * ON_A_DISC)
    ]
    media = tuple(
        Medium(
            disc,
            "CD",
            tuple(
                Track(ids.mbid("place", one.mbid), at, str(at), one.title, one.duration_ms, one.mbid)
                for at, one in enumerate(made[(disc - 1) * ON_A_DISC : disc * ON_A_DISC], start=1)
            ),
        )
        for disc in range(1, DISCS + 1)
    )
    box = Release(
        ids.mbid("the box"),
        ids.mbid("the box group"),
        "The Complete Sessions",
        credit,
        "1999-05-01",
        "Album",
        (),
        media,
    )
    return replace(catalogue, recordings=(*catalogue.recordings, *made), releases=(*catalogue.releases, box)), box


@pytest.mark.parametrize("folders", ["in one folder", "in a folder a disc"])
async def test_a_box_set_of_150_tracks_is_matched_track_by_track(
    tmp_path: Path, catalogue: Catalogue, folders: str
) -> None:
    whole, box = box_set(catalogue)
    files, truth = [], {}
    for medium in box.media:
        for track in medium.tracks:
            disc = f"CD{medium.position:02}/" if folders == "in a folder a disc" else f"{medium.position:02}-"
            tags = TrackTags(
                title=track.title, artist=box.artist, album=box.title, album_artist=box.artist,
                track_number=track.position, disc_number=medium.position, duration_ms=track.duration_ms,
            )  # fmt: skip
            path = PurePosixPath("box") / f"{disc}{track.position:02}.flac"
            files.append(PlannedFile(path, "album", "text", track.duration_ms or 0, tags, track.recording_mbid))
            truth[str(path)] = track.recording_mbid
    write_library(files, tmp_path / "music", header_only=True)
    async with Sandbox(whole, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "db", providers__spotify__enabled=False))
        async with EnrichmentService.open(config) as service:
            await service.scan([os.fsencode(tmp_path / "music")])
            assert await wait_until_settled(service) == []
        asked = Counter(one.service for one in sandbox.requests)
    found = {
        os.path.relpath(os.fsdecode(row["path"]), tmp_path / "music"): row["mb_recording_id"]
        for row in rows(tmp_path / "db")
    }
    wrong = {path: mbid for path, mbid in found.items() if mbid is not None and mbid != truth[path]}
    assert not wrong
    assert sum(mbid is not None for mbid in found.values()) >= 0.98 * len(truth)
    assert asked["musicbrainz"] < len(truth) / 5


def decisions(database: Path, root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the rows by path below `root`, without their times and numbers."""
    return {
        os.path.relpath(os.fsdecode(row["path"]), root): {k: row[k] for k in row.keys() - NOT_COMPARED}
        for row in rows(database)
    }


async def decided(catalogue: Catalogue, database: Path, files: Sequence[Path], *, seed: int, mode: str) -> int:
    """Enrich these files in this order. Return the rows, and the requests of a second run."""
    behaviour = Behaviour(
        limits=False,
        spotify_mode="development" if mode == "development" else "extended",
        seed=seed,
    )
    async with Sandbox(catalogue, behaviour) as sandbox:
        config = make_config(settings(sandbox, database, providers__spotify__enabled=mode != "none"))
        async with EnrichmentService.open(config) as service:
            await service.add_files([os.fsencode(file) for file in files])
            await service.decide_new()
            await wait_until_settled(service, 5)
            before = len(sandbox.requests)
            await service.scan([os.fsencode(os.path.commonpath(files))])
            await wait_until_settled(service, 5)
        async with EnrichmentService.open(config) as service:
            await service.scan([os.fsencode(os.path.commonpath(files))])
            await wait_until_settled(service, 5)
        return len(sandbox.requests) - before


@pytest.mark.parametrize(
    ("mode", "compared"),
    [
        ("none", None),
        ("extended", None),
        ("development", {"status", "mb_recording_id", "mb_release_id", "title", "artist", "album"}),
    ],
    ids=["every column without Spotify", "every column with batches", "who it is, without batches"],
)
async def test_two_runs_decide_alike_whatever_the_order_of_files_and_of_equal_hits_and_the_second_asks_nobody(
    tmp_path: Path, catalogue: Catalogue, mode: str, compared: set[str] | None
) -> None:
    # Without batches, a track is filled from answers to other tracks' lookups, which saves a
    # request: the recording is the same, but its Spotify track depends on the order of lookups.
    sample = write_sample_library(catalogue, tmp_path / "music", seed=6, tracks=90)
    files = [file.path for file in sample]
    shuffled = random.Random(6).sample(files, len(files))
    assert await decided(catalogue, tmp_path / "one.db", files, seed=1, mode=mode) == 0
    other_hits = 2 if mode == "none" else 1  # the seed also says which links to Spotify labs knows
    assert await decided(catalogue, tmp_path / "two.db", shuffled, seed=other_hits, mode=mode) == 0
    one, two = (decisions(tmp_path / name, tmp_path / "music") for name in ("one.db", "two.db"))
    assert one.keys() == two.keys()
    for path, row in one.items():
        for name in compared or row:
            assert row[name] == two[path][name], (path, name)
