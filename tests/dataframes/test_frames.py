"""`enrich_dataframe` without any service: the caller's rows as they were, with new columns."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from soulspot import enrich_dataframe, enrich_dataframe_async
from soulspot.config.loading import Config, make_config
from soulspot.dataframes.columns import NAMES
from soulspot.imports import cells
from soulspot.imports.rows import ImportRow, parse_row
from tests.library.audio import flac
from tests.support.factories import isrc, mbid
from tests.support.flow import rows


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(
        {
            "database.path": str(tmp_path / "db"),
            "providers.musicbrainz.enabled": False,
            "providers.listenbrainz.enabled": False,
        }
    )


SONGS = {"title": ["One", "Two", None], "mine": [1, 2, 3]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_rows_order_and_the_callers_columns_stay_and_the_kind_of_frame_too(
    config: Config, make: Callable[[Any], Any]
) -> None:
    given = make(SONGS)
    found = enrich_dataframe(given, config=config)
    assert type(found) is type(given)
    columns = found.column_names if isinstance(found, pa.Table) else list(found.columns)
    assert columns == ["title", "mine", *(f"enriched_{n}" if n == "title" else n for n in NAMES)]
    as_rows = found.to_pylist() if isinstance(found, pa.Table) else pl.DataFrame(found).to_dicts()
    assert [row["mine"] for row in as_rows] == [1, 2, 3]
    assert [row["status"] for row in as_rows[:2]] == ["unmatched", "unmatched"]
    assert as_rows[2]["error"] == "neither a title nor an identifier"


def test_the_index_of_pandas_stays_whatever_it_is(config: Config) -> None:
    index = pd.MultiIndex.from_tuples([("b", 2), ("a", 1), ("b", 2)], names=["x", "y"])
    given = pd.DataFrame(SONGS, index=index)
    before = given.copy()
    found = enrich_dataframe(given, config=config)
    assert found.index.equals(index)
    pd.testing.assert_frame_equal(found[["title", "mine"]], before)
    pd.testing.assert_frame_equal(given, before)


def test_new_columns_have_types_that_know_missing_values(config: Config) -> None:
    found = enrich_dataframe(pd.DataFrame(SONGS), config=config)
    assert str(found["track_id"].dtype) == "Int64"
    assert str(found["explicit"].dtype) == "boolean"
    assert found["track_id"].isna().tolist() == [False, False, True]
    assert list(found["genres"][0]) == []
    schema = enrich_dataframe(pl.DataFrame(SONGS), config=config).schema
    assert (schema["track_number"], schema["explicit"]) == (pl.Int64, pl.Boolean)
    assert schema["artists"] == pl.List(pl.String)


def test_to_enrich_an_enriched_frame_again_keeps_every_column(config: Config) -> None:
    once = enrich_dataframe(pl.DataFrame(SONGS), config=config)
    twice = enrich_dataframe(once, config=config)
    assert twice.columns[: len(once.columns)] == once.columns
    assert len(twice.columns) == len(set(twice.columns)) == len(once.columns) + len(NAMES)
    assert "enriched_enriched_title" in twice.columns


def test_a_prefix_of_ones_own_is_used_where_names_clash(config: Config) -> None:
    found = enrich_dataframe(pl.DataFrame(SONGS), config=config, prefix="found_")
    assert {"found_title", "artist"} <= set(found.columns)
    with pytest.raises(ValueError, match="prefix"):
        enrich_dataframe(pl.DataFrame(SONGS), config=config, prefix="")


@pytest.mark.parametrize("frame", [pd.DataFrame(), pd.DataFrame({"title": []}), pl.DataFrame({"anything": []})])
def test_an_empty_frame_gains_the_columns_and_opens_nothing(frame: Any, config: Config) -> None:
    found = enrich_dataframe(frame, config=config)
    assert len(found) == 0
    assert {"status", "error", "isrc"} <= set(found.columns)
    assert not config.database.path.exists()


def test_a_lazy_frame_is_collected(config: Config) -> None:
    lazy = pl.LazyFrame(SONGS).filter(pl.col("mine") < 3)
    found = enrich_dataframe(lazy, config=config)
    assert isinstance(found, pl.DataFrame)
    assert found["mine"].to_list() == [1, 2]


def test_equal_rows_share_one_track_unless_they_are_of_different_groups(config: Config) -> None:
    given = pl.DataFrame({"title": ["A", "A", "A", "A"], "disc": ["x", "x", "y", None]})
    assert enrich_dataframe(given, config=config)["track_id"].n_unique() == 1
    found = enrich_dataframe(given, "disc", config=config)["track_id"].to_list()
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_groups_may_be_of_several_columns_and_of_nameless_albums(config: Config) -> None:
    given = pl.DataFrame({"title": list("ABC"), "box": [1, 1, 1], "disc": [1, 1, 2]})
    enrich_dataframe(given, ["box", "disc"], config=config)
    sql = "SELECT count(*) AS n FROM tracks GROUP BY album_key ORDER BY n"
    assert [row["n"] for row in rows(config.database.path, sql)] == [1, 2]


def test_columns_by_other_names_are_told_and_capitals_do_not_matter(config: Config) -> None:
    given = pl.DataFrame({"track_name": ["One"], " ARTIST ": ["Somebody"], "id": [7]})
    found = enrich_dataframe(given, columns={"title": "track_name"}, key="id", config=config)
    assert found["source_key"].to_list() == ["7"]
    [row] = rows(config.database.path)
    assert (row["title"], row["artist"]) == ("One", "Somebody")


def test_a_column_key_that_several_rows_share_is_not_taken_for_their_key(config: Config) -> None:
    given = pl.DataFrame({"title": ["In C", "In D", "Also in C"], "key": [0, 2, 0]})  # of the scale
    with pytest.warns(UserWarning, match="'key' has '0' for several rows that differ"):
        found = enrich_dataframe(given, config=config)
    assert found["track_id"].n_unique() == 3
    with pytest.raises(ValueError, match="cannot be their key"):
        enrich_dataframe(given, key="key", config=config)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"group_by": "disc"}, "there is no column 'disc'; there are title, mine"),
        ({"columns": {"title": "name"}}, "there is no column 'name'"),
        ({"columns": {"titel": "title"}}, "'titel' cannot be filled; known are key, spotify_id"),
        ({"key": "id"}, "there is no column 'id'"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_anything_is_done(
    config: Config, arguments: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        enrich_dataframe(pd.DataFrame(SONGS), config=config, **arguments)
    assert not config.database.path.exists()


def test_columns_that_are_numbers_are_refused_with_what_to_do(config: Config) -> None:
    bare: Any = {"title": 0}
    with pytest.raises(ValueError, match=r"column 0 .* df\.columns\.map\(str\)"):
        enrich_dataframe(pd.DataFrame([["In C", "Terry Riley"]]), columns=bare, config=config)
    assert not config.database.path.exists()


def test_what_is_no_frame_or_has_no_known_column_is_refused_in_words(config: Config) -> None:
    with pytest.raises(ValueError, match=r"none of the columns is known: a, b; known are .*columns=\{'title'"):
        enrich_dataframe(pd.DataFrame({"a": [1], "b": [2]}), config=config)
    with pytest.raises(TypeError, match=r"takes a data frame of pandas or polars.*not builtins\.list"):
        enrich_dataframe([{"title": "One"}], config=config)


async def test_it_can_be_called_while_a_loop_runs_as_in_a_notebook(config: Config) -> None:
    assert asyncio.get_running_loop().is_running()
    found = enrich_dataframe(pl.DataFrame(SONGS), config=config)
    assert found["status"].to_list() == ["unmatched", "unmatched", None]
    with pytest.raises(ValueError, match="disc"):
        enrich_dataframe(pl.DataFrame(SONGS), "disc", config=config)
    again = await enrich_dataframe_async(pl.DataFrame(SONGS), config=config)
    assert again.equals(found)


def test_progress_is_told_and_a_listener_that_fails_harms_nothing(config: Config) -> None:
    heard = []

    def listen(done: int, total: int) -> None:
        heard.append((done, total))
        if done == 2:
            raise RuntimeError("the listener is broken")

    enrich_dataframe(pl.DataFrame(SONGS), batch_size=2, config=config, on_progress=listen)
    assert heard == [(0, 3), (2, 3), (3, 3)]


def test_audio_files_are_read_and_other_columns_stand_in_for_one_that_is_not_there(
    config: Config, tmp_path: Path
) -> None:
    here = flac(tmp_path / "here.flac", 1)
    broken = tmp_path / "broken.mp3"
    broken.write_bytes(b"this is no audio")
    given = pd.DataFrame(
        {
            "path": [str(here), str(tmp_path / "gone.mp3"), str(tmp_path / "gone.mp3"), str(broken), None],
            "title": [None, "Gone", None, None, "No file"],
        }
    )
    found = enrich_dataframe(given, config=config)
    assert found["enriched_path"][0] == str(here)
    assert "gone.mp3" in found["error"][1]
    assert found["status"][1] == "unmatched"
    assert found["track_id"].isna().tolist() == [False, False, True, False, False]
    assert "gone.mp3" in found["error"][2]
    assert "broken.mp3" in found["error"][3]
    assert pd.isna(found["error"][4])


NOTHING = [None, float("nan"), np.nan, pd.NA, pd.NaT, "", "  ", [], np.datetime64("NaT"), Decimal("NaN")]


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
def test_whatever_says_that_nothing_is_there_is_nothing(nothing: Any) -> None:
    assert cells.import_record({"title": "One", "isrc": nothing, "duration_ms": nothing}) == {"title": "One"}


@pytest.mark.parametrize(
    ("column", "value", "meant"),
    [
        ("track_number", 3.0, 3),
        ("track_number", np.int64(3), 3),
        ("track_number", "3.0", 3),
        ("track_number", Decimal("3"), 3),
        ("duration_ms", 201000.0, 201_000),
        ("duration_ms", np.float32(201000), 201_000),
        ("duration_ms", datetime.timedelta(minutes=3, seconds=21), 201_000),
        ("duration_ms", pd.Timedelta("00:03:21"), 201_000),
        ("duration_ms", datetime.time(0, 3, 21), 201_000),
        ("title", 1999, "1999"),
        ("title", 1999.0, "1999"),
        ("title", b"One", "One"),
    ],
)
def test_numbers_and_times_are_read_whatever_type_they_have(column: str, value: Any, meant: Any) -> None:
    row = parse_row(1, cells.import_record({"title": "One", column: value}))
    assert isinstance(row, ImportRow)
    assert getattr(row.tags, column) == meant
    assert row.remarks == ()


def test_identifiers_are_read_from_uuids_and_lists() -> None:
    given = {"mb_recording_id": uuid.UUID(mbid(1)), "isrc": np.array([isrc(1), isrc(2)], dtype=object)}
    row = parse_row(1, cells.import_record(given))
    assert isinstance(row, ImportRow)
    assert row.tags.ids.mb_recording_ids == (mbid(1),)
    assert row.tags.ids.isrcs == (isrc(1), isrc(2))


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_frames_of_other_backends_and_categories_are_read(config: Config, backend: str) -> None:
    given = pd.DataFrame({"title": ["One", None], "artist": ["A", "B"], "isrc": [None, isrc(1)], "n": [1, 2]})
    given = given.convert_dtypes(dtype_backend=backend)  # type: ignore[call-overload]
    given["artist"] = given["artist"].astype("category")
    found = enrich_dataframe(given, config=config)
    assert found["error"].isna().all()
    assert [(row["title"], row["artist"]) for row in rows(config.database.path)] == [
        ("One", "A"),
        (None, "B"),
    ]
    pd.testing.assert_frame_equal(found[list(given.columns)[:1]], given[list(given.columns)[:1]])
