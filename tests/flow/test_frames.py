"""Data frames through the whole service: their values are those of the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from soulspot import enrich_dataframe, enrich_dataframe_async
from soulspot.config.loading import make_config
from soulspot.errors import DatabaseOwned
from soulspot.sandbox import Behaviour, Catalogue, Sandbox, invent_catalogue
from soulspot.store.ownership import Ownership
from tests.support.flow import rows, settings, soulspot, write_config, write_rows

THOUSAND = 1000
LISTS = {"artists", "genres", "mb_artist_ids", "spotify_artist_ids"}
NOT_COMPARED = {"path", "updated_at"}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return invent_catalogue(5, 1500)


def thousand_rows(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return rows with ids, ISRCs or names; one is unknown, one malformed, one empty."""
    found: list[dict[str, Any]] = []
    for release in catalogue.releases:
        for track in release.tracks:
            number = len(found)
            recording = catalogue.recordings_by_mbid[track.recording_mbid]
            row: dict[str, Any] = {"key": f"row {number}", "title": track.title, "artist": release.artist}
            if number % 20 == 0:
                row |= {
                    "album": release.title,
                    "duration_ms": track.duration_ms,
                    "track_number": track.position,
                }
            elif number % 5 == 1 and recording.isrcs:
                row["isrc"] = recording.isrcs[0]
            else:
                row = {"key": row["key"], "mb_recording_id": track.recording_mbid}
            found.append(row)
            if len(found) == THOUSAND - 3:
                nobody = {"title": "Nobody Knows This", "artist": "Not Anyone", "duration_ms": 201_000}
                wrong = {"key": "wrong", "isrc": "not an ISRC"}
                return [*found, {"key": "nobody", **nobody}, wrong, {"key": "empty"}]
    raise AssertionError("the catalogue is too small")


def by_command(database: Path) -> dict[str, dict[str, Any]]:
    found = {}
    for row in rows(database):
        for name in LISTS:
            row[name] = json.loads(row[name] or "[]")
        row["explicit"] = None if row["explicit"] is None else bool(row["explicit"])
        found[str(row["source_key"])] = {name: row[name] for name in row.keys() - NOT_COMPARED}
    return found


def plain(value: Any) -> Any:
    if isinstance(value, list):
        return value
    return None if value is None or value is pd.NA or value != value else value


async def test_a_thousand_rows_get_the_values_of_the_command_line_in_pandas_and_in_polars(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    given = thousand_rows(catalogue)
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:

        def values(name: str) -> dict[str, Any]:
            # with Spotify on, the first to answer decides which of two equal sources a value is of
            return settings(sandbox, tmp_path / name, providers__spotify__enabled=False)

        command = write_config(tmp_path / "config.toml", values("command.db"))
        file = write_rows(tmp_path / "rows.csv", given)
        assert (await soulspot("import", file, "--config", command)).code == 1, "one row is empty"
        assert (await soulspot("enrich", "--config", command, "--wait", "2", "--json")).code in (0, 1)
        config = make_config(values("pandas.db"))
        pandas = await enrich_dataframe_async(pd.DataFrame(given), config=config, wait=2)
        asked = len(sandbox.requests)
        polars = await enrich_dataframe_async(pl.DataFrame(given), config=config, wait=2)
        assert len(sandbox.requests) == asked, "the rows of polars are those of pandas: nothing is new"
    expected = by_command(tmp_path / "command.db")
    assert len(expected) == THOUSAND - 1
    for found in (pandas.to_dict("records"), polars.to_dicts()):
        assert [row["key"] for row in found] == [row["key"] for row in given]
        for row in found[:-1]:
            one = expected[row["key"]]
            assert {name: plain(row[f"enriched_{name}" if f"enriched_{name}" in row else name]) for name in one} == one
        assert found[-1]["error"] == "neither a title nor an identifier"
        assert plain(found[-1]["status"]) is None
        assert "'not an ISRC' is not an ISRC" in found[-2]["error"]
    accepted = sum(row["status"] == "accepted" for row in expected.values())
    assert accepted >= 0.9 * THOUSAND


async def test_rows_of_one_group_are_looked_up_as_one_album_whatever_their_artists(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    release = next(one for one in catalogue.releases if 6 <= len(one.tracks) <= 12)
    given = pl.DataFrame(
        {
            "title": [track.title for track in release.tracks],
            "artist": [f"Guest {track.position}" for track in release.tracks],
            "album_artist": [release.artist] * len(release.tracks),
            "album": [release.title] + [f"{i} and more songs" for i in range(1, len(release.tracks))],
            "disc": ["A"] * len(release.tracks),
        }
    )
    async with Sandbox(catalogue, Behaviour(limits=False)) as sandbox:
        for group_by, members in ((None, 1), ("disc", len(release.tracks))):
            database = tmp_path / f"{group_by}.db"
            config = make_config(settings(sandbox, database, providers__spotify__enabled=False))
            await enrich_dataframe_async(given, group_by, config=config, wait=2)
            sql = "SELECT count(*) AS n FROM tracks GROUP BY album_key ORDER BY n DESC LIMIT 1"
            assert rows(database, sql) == [{"n": members}]


def test_a_temporary_database_keeps_the_limits_that_services_have_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured = tmp_path / "configured.db"
    values = {
        "database.path": str(configured),
        "providers.musicbrainz.enabled": False,
        "providers.listenbrainz.enabled": False,
    }
    monkeypatch.setenv("SOULSPOT_CONFIG", str(write_config(tmp_path / "config.toml", values)))
    given = pd.DataFrame({"title": ["Blue Hour"]})
    assert list(enrich_dataframe(given)["status"]) == ["unmatched"]
    assert not configured.exists(), "nothing of a frame is kept"
    enrich_dataframe(given, config=tmp_path / "config.toml")
    assert len(rows(configured)) == 1
    enrich_dataframe(given)
    assert len(rows(configured)) == 1
    with Ownership(configured), pytest.raises(DatabaseOwned):
        enrich_dataframe(given)
