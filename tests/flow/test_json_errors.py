"""The document that `--json` prints for a command that fails, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from soulspot.cli.main import app
from soulspot.store.database import Database
from tests.support.flow import write_config

READING = [
    ["status"],
    ["status", "--unreadable"],
    ["review", "list"],
    ["review", "show", "1"],
    ["report"],
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    values = {"database.path": str(tmp_path / "s.db"), "providers.musicbrainz.contact": "a@example.org"}
    return write_config(tmp_path / "config.toml", values)


def ran(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--config", str(config)])  # type: ignore[no-any-return,return-value]


def document(ended: Result) -> Any:
    """Return the one document on stdout, having checked its form and its exit code."""
    said = json.loads(ended.stdout)
    assert said.keys() == {"error", "problems", "exit_code"}
    assert said["exit_code"] == ended.exit_code
    assert said["error"] == "; ".join(said["problems"])
    return said


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_without_a_database_json_is_one_document_that_says_what_to_do(config: Path, command: list[str]) -> None:
    said = document(ran(config, *command, "--json"))
    assert said["exit_code"] == 1
    assert "`soulspot " in said["error"]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_with_a_file_that_is_no_database_json_is_one_document(config: Path, command: list[str]) -> None:
    config.with_name("s.db").write_bytes(b"\x17" * 5000)
    said = document(ran(config, *command, "--json"))
    assert said["exit_code"] == 78
    assert "file is not a database" in said["error"]


@pytest.mark.parametrize("command", ["test", "status"])
def test_webhooks_without_a_receiver_are_one_document(config: Path, command: str) -> None:
    said = document(ran(config, "webhooks", command, "--json"))
    assert (said["exit_code"], said["problems"]) == (78, ["webhooks.url is not set: there is nobody to tell"])


def test_a_configuration_error_has_the_same_form_and_names_every_problem(tmp_path: Path) -> None:
    config = write_config(tmp_path / "config.toml", {"matching.accept": 7, "retry.attempts": 0})
    said = document(ran(config, "enrich", "--json"))
    assert said["exit_code"] == 78
    assert [problem.split(" ")[0] for problem in said["problems"]] == [
        "matching.accept",
        "retry.attempts",
        "providers.musicbrainz.contact:",
    ]


def test_an_option_that_cannot_be_used_has_the_same_form(config: Path) -> None:
    assert document(ran(config, "review", "list", "--limit", "many", "--json"))["exit_code"] == 2


@pytest.mark.parametrize(
    "arguments", [["statsu"], ["review", "lits"], ["webhooks", "tset"], ["--no-such"]], ids=" ".join
)
def test_a_command_that_does_not_exist_has_the_same_form(arguments: list[str]) -> None:
    ended: Any = CliRunner().invoke(app, [*arguments, "--json"])
    said = document(ended)
    assert said["exit_code"] == 2
    assert arguments[-1] in said["error"]


def test_a_folder_in_the_place_of_the_database_is_called_one(config: Path) -> None:
    config.with_name("s.db").mkdir()
    said = document(ran(config, "status", "--json"))
    assert (said["exit_code"], said["problems"]) == (
        78,
        [f"database.path: {config.with_name('s.db')} is a folder; name a file in it"],
    )


def test_without_any_configuration_it_says_where_one_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("soulspot.config.loading.SYSTEM_CONFIG", tmp_path / "etc.toml")
    ended: Any = CliRunner().invoke(app, ["enrich", str(tmp_path)])
    assert ended.exit_code == 78
    places = f"config.toml, no {tmp_path}/.config/soulspot/config.toml, no {tmp_path}/etc.toml"
    assert f"there is no {places}: `soulspot init` writes" in ended.stderr


def test_statistics_of_an_empty_log_name_that_log(config: Path) -> None:
    log = config.with_name("empty.log")
    log.touch()
    ended = ran(config, "stats", "--log", str(log))
    assert ended.exit_code == 1
    assert f"{log} has no events" in ended.stderr


def test_a_result_stays_the_only_document_although_the_command_ends_with_1(config: Path) -> None:
    empty = config.parent / "empty"
    empty.mkdir()
    ended = ran(config, "scan", str(empty), "--json")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout)["found"] == 0
    assert "no music found" in ended.stderr


def test_an_operation_that_does_not_exist_is_wrong_usage(config: Path) -> None:
    Database(config.with_name("s.db")).close()
    assert ran(config, "report", "9999").exit_code == 2
    assert ran(config, "report").exit_code == 1


@pytest.mark.parametrize("command", [["status"], ["review", "list"]], ids=" ".join)
def test_commands_that_ask_no_service_need_no_contact(tmp_path: Path, command: list[str]) -> None:
    config = write_config(tmp_path / "config.toml", {"database.path": str(tmp_path / "s.db")})
    Database(tmp_path / "s.db").close()
    ended = ran(config, *command)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ran(config, "enrich", str(tmp_path)).exit_code == 78
