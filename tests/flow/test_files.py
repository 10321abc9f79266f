"""Real files through the service and the commands: equal rows, and no file stops the others."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import mutagen
import pytest

from soulspot.assembly.service import EnrichmentService
from soulspot.config.loading import make_config
from soulspot.errors import UnreadableFile
from soulspot.models import EnrichedTrack, Status
from soulspot.pipeline import wait_until_settled
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.library.sample import SampleFile, write_sample_library
from tests.library.audio import flac
from tests.support.flow import rows, settings, soulspot, write_config
from tests.support.shared_data import shared

NOT_COMPARED = {"track_id", "updated_at"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return invent_catalogue(3, 2500)


@pytest.fixture(scope="module")
def sample(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> list[SampleFile]:
    return write_sample_library(catalogue, tmp_path_factory.mktemp("music"), seed=3, tracks=60)


async def test_a_batch_of_files_returns_an_entry_for_each_path_and_the_rows_of_the_command_line(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile]
) -> None:
    paths = [file.path for file in sample]
    absent = tmp_path / "not-there.mp3"
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "python.db"))
        async with EnrichmentService.open(config) as service:
            found = await service.enrich_files_batch([*paths, absent], batch_size=10)
            gauges = service.telemetry.gauges
        command = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "command.db"))
        folder = os.path.commonpath(paths)
        ended = await soulspot("enrich", folder, "--config", command, "--wait", "2", "--json")
    assert ended.code == 0, ended.err
    assert list(found) == [*paths, absent]
    assert isinstance(found.pop(absent), FileNotFoundError)
    broken = {file.path for file in sample if file.kind == "broken"}
    assert {path for path, entry in found.items() if isinstance(entry, UnreadableFile)} == broken
    assert gauges["batch_items_processed"] <= 10
    assert gauges["batch_processing_time_ms"] > 0
    by_python = {row.pop("path"): row for row in rows(tmp_path / "python.db")}
    by_command = {row.pop("path"): row for row in rows(tmp_path / "command.db")}
    assert by_python.keys() == by_command.keys()
    for path, row in by_python.items():
        other = by_command[path]
        assert {k: row[k] for k in row.keys() - NOT_COMPARED} == {k: other[k] for k in other.keys() - NOT_COMPARED}
    for file in sample:
        entry = found[file.path]
        if isinstance(entry, EnrichedTrack) and entry.status is Status.ACCEPTED:
            assert entry.mb_recording_id in (file.recording_mbid, None)
            assert entry.spotify_track_id is None or entry.spotify_track_id in file.spotify_ids
    accepted = Counter(isinstance(one, EnrichedTrack) and one.status for one in found.values())[Status.ACCEPTED]
    assert accepted >= 0.9 * len(sample)


async def test_tracks_read_but_undecided_at_the_end_of_a_process_are_decided_at_the_next_start(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(service: EnrichmentService) -> None:
        raise RuntimeError("killed")

    good = [file.path for file in sample if file.kind != "broken"][:20]
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "db"))
        async with EnrichmentService.open(config) as service:
            with monkeypatch.context() as patch:
                patch.setattr(EnrichmentService, "decide_new", killed)
                with pytest.raises(RuntimeError, match="killed"):
                    await service.enrich_files_batch(good)
        assert rows(tmp_path / "db") == []
        assert len(rows(tmp_path / "db", "SELECT 1 FROM tracks WHERE undecided")) == len(good)
        async with EnrichmentService.open(config) as service:
            assert await wait_until_settled(service) == []  # without a scan
    statuses = Counter(row["status"] for row in rows(tmp_path / "db"))
    assert statuses["accepted"] >= 0.9 * len(good)
    assert statuses["pending"] == 0
    assert rows(tmp_path / "db", "SELECT 1 FROM tracks WHERE undecided") == []


async def test_an_album_is_looked_up_whole_however_its_files_are_batched(tmp_path: Path, catalogue: Catalogue) -> None:
    release = next(one for one in catalogue.releases if 8 <= len(one.tracks) <= 14 and one.artist != "Various Artists")
    files = []
    for track in release.tracks:
        files.append(flac(tmp_path / f"{track.position:02}.flac", (track.duration_ms or 200_000) // 1000))
        tagged = mutagen.File(files[-1])
        tagged.update(title=track.title, artist=release.artist, album=release.title, tracknumber=track.number)
        tagged.save()
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "db", providers__spotify__enabled=False))
        async with EnrichmentService.open(config) as service:
            await service.enrich_files_batch(files, batch_size=3)
        first = [request.path for request in sandbox.requests if request.service == "musicbrainz"][:2]
    assert first == ["/ws/2/release", "/ws/2/recording"]
    asked = rows(tmp_path / "db", "SELECT kind, count(*) AS n FROM lookups WHERE kind = 'album' GROUP BY 1")
    assert asked == [{"kind": "album", "n": 1}]


async def test_every_file_of_a_hostile_folder_is_a_track_or_unreadable_with_the_reason(
    tmp_path: Path,
) -> None:
    folder = shared("data", "audio")
    expected = sum(1 for path in folder.rglob("*") if path.is_file())
    async with Sandbox(invent_catalogue(1, 100), Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        first = await soulspot("scan", folder, "--config", config, "--json")
        opened_again = await soulspot("scan", folder, "--config", config, "--json")
    assert first.code == 0, first.err
    assert first.json["found"] == expected == 287
    tracks = rows(tmp_path / "db", "SELECT unreadable, tags FROM tracks")
    assert len(tracks) == expected
    assert all(row["unreadable"] or row["tags"] for row in tracks)
    assert 0 < sum(row["unreadable"] is not None for row in tracks) < expected / 5
    assert opened_again.json == first.json | {"unchanged": expected, "read": 0, "unreadable": 0}


async def test_a_second_run_over_the_same_library_asks_nobody(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile]
) -> None:
    folder = os.path.commonpath([file.path for file in sample])
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = write_config(tmp_path / "config.toml", settings(sandbox, tmp_path / "db"))
        await soulspot("enrich", folder, "--config", config, "--wait", "2")
        before, asked = rows(tmp_path / "db"), len(sandbox.requests)
        again = await soulspot("enrich", folder, "--config", config, "--wait", "2", "--json")
        assert again.code == 0, again.err
        assert len(sandbox.requests) == asked
    assert rows(tmp_path / "db") == before


async def test_two_spellings_of_one_path_have_an_entry_each(
    tmp_path: Path, catalogue: Catalogue, sample: list[SampleFile]
) -> None:
    plain = sample[0].path
    detour = plain.parent / ".." / plain.parent.name / plain.name
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        config = make_config(settings(sandbox, tmp_path / "db"))
        async with EnrichmentService.open(config) as service:
            found = await service.enrich_files_batch([plain, detour, os.fsencode(plain)])
    assert list(found) == [plain, detour, os.fsencode(plain)]
    assert len({entry.track_id for entry in found.values() if isinstance(entry, EnrichedTrack)}) == 1


async def test_symbolic_links_that_are_passed_over_are_said_so(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "other").mkdir()
    flac(tmp_path / "music" / "a.flac")
    flac(tmp_path / "other" / "b.flac")
    (tmp_path / "music" / "more").symlink_to(tmp_path / "other")
    (tmp_path / "music" / "b.flac").symlink_to(tmp_path / "other" / "b.flac")
    values = {
        "database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "tests@example.org",
        "library.paths": [str(tmp_path / "music")],
    }  # fmt: skip
    config = write_config(tmp_path / "config.toml", values)
    for follow, words in (("false", "2 symbolic links not followed"), ("true", "2 symbolic links leading out of")):
        for command in ("scan", "check"):
            ended = await soulspot(command, "--config", config, SOULSPOT_LIBRARY__FOLLOW_SYMLINKS=follow)
            assert words in ended.out + ended.err, (command, ended.out, ended.err)
    ended = await soulspot("scan", "--json", "--config", config)
    assert ended.json["links_passed"] == 2
