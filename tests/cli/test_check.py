"""`soulspot check` tries what a run needs, and fails when something prevents it."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from soulspot.cli.main import app
from soulspot.store.database import Database
from soulspot.store.opening import check_within
from soulspot.store.ownership import Ownership
from tests.support.flow import write_config


def checked(tmp_path: Path, **more: Any) -> tuple[int, str]:
    """Run the command on a database in `tmp_path`; return its exit code and its words."""
    values = {"database.path": str(tmp_path / "db"), "providers.musicbrainz.contact": "t@example.org"}
    config = write_config(tmp_path / "config.toml", values | {k.replace("__", "."): v for k, v in more.items()})
    ended = CliRunner().invoke(app, ["check", "--config", str(config)])
    return ended.exit_code, ended.output


def made(tmp_path: Path) -> Path:
    Database(tmp_path / "db").close()
    return tmp_path / "db"


def test_a_sound_database_is_well_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    path = made(tmp_path)
    code, words = checked(tmp_path)
    assert (code, "tracks, sound" in words, "all well" in words) == (0, True, True), words
    with path.open("r+b") as file:
        for page in range(3, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    code, words = checked(tmp_path)
    assert code == 1, words
    assert "FAIL  database" in words
    assert "all well" not in words


def test_a_look_at_a_database_that_takes_too_long_is_broken_off(tmp_path: Path) -> None:
    path = made(tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE t (x); CREATE INDEX i ON t (x); WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
            " FROM n LIMIT 200000) INSERT INTO t SELECT i FROM n"
        )
        assert not check_within(connection, path, -1.0)
        assert check_within(connection, path, 600.0)


def test_a_database_that_cannot_be_written_is_not_well(tmp_path: Path) -> None:
    code, words = checked(tmp_path, database__path="/proc/soulspot.db")
    assert (code, "FAIL  database: database.path: /proc/soulspot.db cannot be written" in words) == (1, True), words


@pytest.mark.parametrize("log", ["absent/soulspot.log", "."])
def test_a_log_that_cannot_be_written_is_not_well(tmp_path: Path, log: str) -> None:
    code, words = checked(tmp_path, log__file=str(tmp_path / log))
    assert code == 1, words
    assert "FAIL  log: log.file: " in words


def test_a_log_that_can_be_written_is_not_made_by_looking(tmp_path: Path) -> None:
    code, words = checked(tmp_path, log__file=str(tmp_path / "soulspot.log"))
    assert code == 0, words
    assert not (tmp_path / "soulspot.log").exists()


def test_every_provider_off_is_not_well_and_a_missing_secret_is_named(tmp_path: Path) -> None:
    off = {f"providers__{name}__enabled": False for name in ("musicbrainz", "listenbrainz")}
    code, words = checked(tmp_path, **off)
    assert (code, "FAIL  providers: every provider is off" in words) == (1, True)
    code, words = checked(tmp_path, providers__spotify__client_id="a")
    assert (code, "note  spotify: is off: client_secret is not set" in words) == (0, True)


def test_the_files_of_a_database_are_closed_to_others_and_open_to_a_group_that_was_let_in(tmp_path: Path) -> None:
    """Item 14: nothing of a library is readable by every user of the machine."""
    before = os.umask(0)
    try:
        path = tmp_path / "new" / "db"
        with Ownership(path), Database(path) as database:
            database.write_now(lambda c: c.execute("CREATE TABLE probe (x)"))
            for file in path.parent.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)
    for mode, kept in ((0o644, 0o640), (0o640, 0o640), (0o600, 0o600), (0o666, 0o660)):
        path.chmod(mode)
        assert ("every user of this machine can read it" in checked(path.parent)[1]) == bool(mode & 0o007)
        with Ownership(path):
            assert stat.S_IMODE(path.stat().st_mode) == kept


@pytest.mark.parametrize("words", [
    ("status", "--config", ""), ("init", ""), ("init", "--config", ""), ("init", "--library", "", "--yes"),
    ("demo", ""), ("stats", "--log", ""), ("scan", ""), ("export", "--out", ""),
])  # fmt: skip
def test_an_empty_path_is_wrong_usage_and_not_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, list(words)).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_or_a_device_as_the_log_of_statistics_is_named_as_such(tmp_path: Path) -> None:
    for log, why in ((str(tmp_path), "is a folder"), ("/dev/null", "is no regular file")):
        ended = CliRunner().invoke(app, ["stats", "--log", log])
        assert (ended.exit_code, why in ended.output) == (2, True)
