"""A library enriched from a catalogue on this machine: no service hears of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.sandbox.dumps import write_canonical_dump, write_core_dump
from tests.flow.test_daemon import daemon
from tests.support.flow import rows, settings, soulspot, write_config, write_rows
from tests.support.until import until

Row = dict[str, object]


@pytest.fixture(scope="module")
def world() -> Catalogue:
    return invent_catalogue(seed=21, tracks=300)


@pytest.fixture(scope="module")
def dumps(world: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write_core_dump(world, tmp_path_factory.mktemp("dump"), level=1)


def named(world: Catalogue) -> list[Row]:
    """Rows of names and lengths, of recordings whose names and length nothing else has."""
    seen: dict[tuple[str, str], int] = {}
    for one in world.recordings:
        seen[one.title.casefold(), one.artist.casefold()] = (
            seen.get((one.title.casefold(), one.artist.casefold()), 0) + 1
        )
    return [
        {"key": one.mbid, "title": one.title, "artist": one.artist, "duration_ms": one.duration_ms}
        for one in world.recordings
        if one.duration_ms and seen[one.title.casefold(), one.artist.casefold()] == 1 and world.places(one.mbid)
    ]


async def enrich_offline(
    sandbox: Sandbox, folder: Path, found: list[Row], files: list[Path], **more: object
) -> list[Row]:
    config = write_config(
        folder / "config.toml",
        settings(
            sandbox, folder / "soulspot.db", providers__catalogue__enabled=True, providers__spotify__enabled=False,
            **more,
        ),
    )  # fmt: skip
    built = await soulspot("catalogue", "build", *files, "--config", config, "--quiet")
    assert built.code == 0, built.err
    file = write_rows(folder / "rows.csv", found)
    assert (await soulspot("import", file, "--config", config)).code == 0
    ended = await soulspot("enrich", "--config", config, "--wait", "5")
    assert ended.code in (0, 1), ended.err
    for command in (["report"], ["report", "--json"], ["status"], ["check"]):
        shown = await soulspot(*command, "--config", config)
        assert shown.code == 0, shown.err
    return rows(folder / "soulspot.db")


async def test_a_library_is_enriched_without_one_request(
    tmp_path: Path, world: Catalogue, dumps: tuple[Path, Path]
) -> None:
    async with Sandbox(world, Behaviour()) as sandbox:
        found = await enrich_offline(sandbox, tmp_path, named(world), list(dumps), providers__catalogue__online="never")
        assert sandbox.requests == []
    accepted = [row for row in found if row["status"] == "accepted"]
    assert len(accepted) >= 0.95 * len(found)
    assert all(row["mb_recording_id"] == row["source_key"] for row in accepted)
    assert all(row["mb_release_id"] or row["album"] for row in accepted)


async def test_what_no_dump_has_is_not_searched_for_online_while_the_catalogue_is_fresh(
    tmp_path: Path, world: Catalogue, dumps: tuple[Path, Path]
) -> None:
    strange: list[Row] = [
        {"key": str(n), "title": f"Unheard {n}", "artist": f"Nobody {n}", "duration_ms": 200_000 + n}
        for n in range(100)
    ]
    async with Sandbox(world, Behaviour()) as sandbox:
        found = await enrich_offline(sandbox, tmp_path, strange, list(dumps))
        assert sandbox.requests == []
    assert {row["status"] for row in found} == {"unmatched"}


async def test_the_estimate_and_the_check_know_the_catalogue(
    tmp_path: Path, world: Catalogue, dumps: tuple[Path, Path]
) -> None:
    async with Sandbox(world, Behaviour()) as sandbox:
        for online, least, most in (("never", 0, 0), ("missing", 0, 3), ("always", 1, 200)):
            folder = tmp_path / online
            folder.mkdir()
            values = settings(
                sandbox, folder / "soulspot.db", providers__catalogue__enabled=True, providers__catalogue__online=online,
                providers__spotify__enabled=False,
            )  # fmt: skip
            config = write_config(folder / "config.toml", values)
            assert "there is no catalogue" in " ".join((await soulspot("check", "--config", config)).out.split())
            assert (await soulspot("catalogue", "build", *dumps, "--config", config, "--quiet")).code == 0
            assert f"{len(world.recordings)} recordings" in (await soulspot("check", "--config", config)).out
            assert (
                await soulspot("import", write_rows(folder / "rows.csv", named(world)), "--config", config)
            ).code == 0
            plan = (await soulspot("enrich", "--dry-run", "--config", config, "--json")).json
            assert least <= plan["requests"]["expected"] <= most, online
            assert any("catalogue" in note for note in plan["notes"])
        assert sandbox.requests == []


async def test_an_old_catalogue_leaves_unknown_names_to_the_services(
    tmp_path: Path, world: Catalogue, dumps: tuple[Path, Path]
) -> None:
    strange: list[Row] = [{"key": "1", "title": "Unheard", "artist": "Nobody", "duration_ms": 200_000}]
    async with Sandbox(world, Behaviour(limits=False)) as sandbox:
        await enrich_offline(sandbox, tmp_path, strange, list(dumps), providers__catalogue__fresh_for=1.0)
        assert {request.service for request in sandbox.requests} >= {"musicbrainz"}


async def test_of_a_catalogue_of_names_nothing_is_accepted_before_its_length_is_known(
    tmp_path: Path, world: Catalogue
) -> None:
    dump = write_canonical_dump(world, tmp_path / "dump")
    (tmp_path / "away").mkdir()
    async with Sandbox(world, Behaviour(limits=False)) as sandbox:
        found = await enrich_offline(sandbox, tmp_path, named(world), [dump])
        requests = [request.service for request in sandbox.requests]
        nobody_online = await enrich_offline(
            sandbox, tmp_path / "away", named(world), [dump], providers__catalogue__online="never"
        )
        assert len(sandbox.requests) == len(requests)
    assert set(requests) == {"listenbrainz"}
    assert len(requests) <= max(3, 6 * len(found) / 1000)
    accepted = [row for row in found if row["status"] == "accepted"]
    assert len(accepted) >= 0.9 * len(found)
    assert all(row["mb_recording_id"] == row["source_key"] for row in accepted)
    assert not [row for row in nobody_online if row["status"] == "accepted"]


async def test_a_running_daemon_takes_up_a_catalogue_that_is_built(
    tmp_path: Path, world: Catalogue, dumps: tuple[Path, Path]
) -> None:
    database = tmp_path / "soulspot.db"
    strange = named(world)[:20]
    smaller = write_core_dump(invent_catalogue(seed=99, tracks=30), tmp_path / "smaller", level=1)
    async with Sandbox(world, Behaviour()) as sandbox:
        values = settings(
            sandbox, database, providers__catalogue__enabled=True, providers__catalogue__online="never",
            providers__spotify__enabled=False,
        )  # fmt: skip
        config = write_config(tmp_path / "config.toml", values)
        assert (await soulspot("catalogue", "build", *smaller, "--config", config, "--quiet")).code == 0
        async with daemon(config) as running:
            await running.hears("daemon_ready")
            file = write_rows(tmp_path / "rows.csv", strange)
            assert (await soulspot("import", file, "--config", config)).code == 0
            await until(lambda: len(rows(database, "SELECT 1 FROM enriched_tracks WHERE status = 'unmatched'")) == 20)
            assert (await soulspot("catalogue", "build", *dumps, "--config", config, "--quiet")).code == 0
            await until(lambda: len(rows(database, "SELECT 1 FROM enriched_tracks WHERE status = 'accepted'")) >= 18)
        assert sandbox.requests == []


async def test_the_commands_of_a_catalogue_say_what_there_is(tmp_path: Path, dumps: tuple[Path, Path]) -> None:
    config = write_config(tmp_path / "config.toml", {"database.path": str(tmp_path / "soulspot.db")})
    none = await soulspot("catalogue", "status", "--config", config)
    assert (none.code, "soulspot catalogue build --config" in " ".join(none.err.split())) == (1, True)
    built = await soulspot("catalogue", "build", *dumps, "--config", config)
    assert built.code == 0
    assert "set enabled = true" in built.err
    shown = (await soulspot("catalogue", "status", "--config", config, "--json")).json
    assert (shown["dump_date"], shown["names_only"], shown["is_enabled"]) == ("2026-11-25", False, False)
    assert (await soulspot("catalogue", "verify", "--config", config)).code == 0
    damaged = tmp_path / "catalogue.db"
    content = bytearray(damaged.read_bytes())
    content[8192:60_000] = bytes(60_000 - 8192)
    damaged.write_bytes(content)
    ended = await soulspot("catalogue", "verify", "--config", config)
    assert (ended.code, "build it again" in " ".join(ended.err.split()), "Traceback" in ended.err) == (1, True, False)
    assert (await soulspot("catalogue", "remove", "--config", config)).code == 0
    assert not damaged.exists()
