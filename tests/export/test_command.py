"""The command `soulspot export`: its output, its target, and its exit code."""

from __future__ import annotations

import json
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from soulspot.cli.main import app
from soulspot.models import Status
from tests.export.conftest import Fill, track
from tests.support.flow import start
from tests.support.forks import Process


@pytest.fixture
def config(fill: Fill, tmp_path: Path) -> Path:
    """Return a configuration with nothing but the database."""
    database = fill(
        track(1, title="Blue Hour", artist="The Lanterns", path=b"/music/\xff.mp3"),
        track(2, title="Red", status=Status.REVIEW),
    )
    path = tmp_path / "config.toml"
    path.write_text(f'[database]\npath = "{database}"\n')
    return path


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["export", "--config", str(config), *arguments])


def test_without_options_all_tracks_go_to_stdout_as_csv(config: Path) -> None:
    ended = run(config)
    assert ended.exit_code == 0
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("track_id,path,source_key,status")
    assert [line.partition(",")[0] for line in lines[1:]] == ["1", "2"]
    assert "1 paths are not UTF-8" in ended.stderr


def test_options_choose_tracks_columns_and_format(config: Path) -> None:
    ended = run(
        config, "-o", "-", "-f", "ndjson", "--columns", "title, status", "--status", "review", "--status", "failed",
        "--query", "re", "--since", "2001-01-01", "--limit", "5",
    )  # fmt: skip
    assert (ended.exit_code, ended.stdout) == (0, '{"title": "Red", "status": "review"}\n')
    assert ended.stderr == ""


def test_a_file_is_written_and_reported(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "tracks.parquet"
    ended = run(config, "--out", str(out))
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert f"2 tracks in {out}" in ended.stderr
    assert pq.read_table(out).num_rows == 2


def test_json_reports_what_was_written(config: Path, tmp_path: Path) -> None:
    ended = run(config, "--out", str(tmp_path / "t.json"), "--columns", "track_id", "--json")
    report = json.loads(ended.stdout)
    assert (report["rows"], report["format"], report["columns"], report["odd_paths"]) == (
        2,
        "json",
        ["track_id"],
        0,
    )
    assert report["bytes"] == (tmp_path / "t.json").stat().st_size
    assert report["as_of"].endswith("Z")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--columns", "title,colour"], "there is no column 'colour'; there are track_id, path"),
        (["--columns", ""], "there is no column ''"),
        (["--format", "xls"], "there are csv, json, ndjson, parquet, sqlite"),
        (["--status", "good"], "there are pending, accepted, review, unmatched, failed"),
        (["--since", "soon"], "neither a time back"),
        (["--limit", "0"], "limit"),
        (["--out", "tracks"], "say --format"),
        (["--out", ".", "--format", "csv"], "folder"),
        (["--out", ""], "cannot be empty"),
        (["--json"], "goes with --out FILE"),
        (["--spreadsheet", "--format", "json"], "only csv"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_would_be_right(config: Path, arguments: list[str], words: str) -> None:
    ended = run(config, *arguments)
    assert ended.exit_code == 2
    assert words in ended.stderr


def test_without_a_database_it_ends_with_1_and_says_so(config: Path, tmp_path: Path) -> None:
    (tmp_path / "soulspot.db").unlink()
    ended = run(config, "--out", str(tmp_path / "t.csv"))
    assert ended.exit_code == 1
    assert "there is no database yet" in ended.stderr
    assert not (tmp_path / "t.csv").exists()


def test_a_disk_that_is_full_is_an_error_in_words(config: Path) -> None:
    ended = run(config, "--out", "/dev/full", "--format", "csv")
    assert ended.exit_code == 1
    assert ended.stderr == "soulspot: /dev/full: No space left on device\n"


def test_a_place_that_cannot_be_written_is_said_by_its_own_name(config: Path) -> None:
    ended = run(config, "--out", "/proc/tracks.csv")
    assert ended.exit_code == 1
    assert ended.stderr == "soulspot: /proc/tracks.csv: No such file or directory\n"


def test_that_nothing_can_be_found_out_is_no_matter_for_an_export(config: Path) -> None:
    config.write_text(config.read_text() + "[providers]\nmusicbrainz.enabled = false\nlistenbrainz.enabled = false\n")
    ended = run(config, "--columns", "title")
    assert (ended.exit_code, ended.stderr) == (0, "")


def test_release_messages_are_named_among_the_formats(config: Path) -> None:
    ended = run(config, "--format", "xlsx")
    assert ended.exit_code == 2
    assert "there are csv, json, ndjson, parquet, sqlite, ddex" in ended.stderr


@pytest.fixture
def many(config: Path, tmp_path: Path) -> Path:
    """Fill a database with more rows than a pipe holds."""
    with closing(sqlite3.connect(tmp_path / "soulspot.db")) as connection:
        connection.execute("UPDATE enriched_tracks SET title = ?", ["x" * 2_000_000])
        connection.commit()
    return config


async def begun(config: Path) -> Process:
    """Return the command as a process that is blocked amid a row until somebody reads."""
    process = await start("export", "--config", config)
    await process.stdout.readexactly(100_000)
    return process


@pytest.mark.process
async def test_a_reader_that_has_enough_ends_it_quietly(many: Path) -> None:
    process = await begun(many)
    process.stdout._transport.close()  # type: ignore[attr-defined]
    process.stdout.feed_eof()
    _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")


@pytest.mark.process
@pytest.mark.parametrize(
    ("number", "code", "words"), [(signal.SIGTERM, 143, b"stopped"), (signal.SIGINT, 130, b"interrupted")]
)
async def test_a_signal_ends_it_though_nobody_reads(many: Path, number: int, code: int, words: bytes) -> None:
    process = await begun(many)
    process.send_signal(number)
    _, err = await process.communicate()
    assert process.returncode == code
    assert words + b"; no file was written or changed" in err
    assert sorted(path.name for path in many.parent.iterdir()) == ["config.toml", "soulspot.db", "soulspot.db-commits"]
