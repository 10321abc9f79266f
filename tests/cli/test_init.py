"""`soulspot init`: its questions, answers from a pipe, and files that it leaves alone."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from soulspot.cli.init import ask_and_write
from soulspot.cli.main import app
from soulspot.config.loading import load_config


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change into an empty folder, with a home folder inside that does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "music").mkdir()
    return tmp_path


def init(*arguments: str, said: str = "") -> Result:
    return CliRunner().invoke(app, ["init", *arguments], input=said)  # type: ignore[no-any-return,return-value]


def written(path: str = "config.toml") -> dict[str, Any]:
    return tomllib.loads(Path(path).read_text(encoding="utf-8"))


def test_answers_from_a_pipe_are_taken_in_the_order_of_the_questions(here: Path) -> None:
    ended = init(said="me@example.org\nmusic\nclient\ns3cret\n")
    assert ended.exit_code == 0, ended.output
    made = written()
    assert made["providers"]["musicbrainz"]["contact"] == "me@example.org"
    assert made["library"]["paths"] == [str(here / "music")]
    assert made["providers"]["spotify"]["client_id"] == "client"
    assert made["providers"]["spotify"]["client_secret"] == "s3cret"
    assert "s3cret" not in ended.output
    assert ended.stdout.endswith("next: soulspot check, then soulspot enrich\n")
    assert load_config(Path("config.toml"), environ={}).providers.spotify.client_id == "client"


def test_without_any_answer_init_names_the_keys_that_are_still_to_be_set() -> None:
    ended = init()
    assert ended.exit_code == 0
    assert "providers.musicbrainz.contact is still to be set" in ended.stdout
    assert "library.paths is still to be set" in ended.stdout
    assert ended.stdout.endswith("then soulspot enrich PATH\n")


@pytest.mark.parametrize(
    ("said", "key"), [("nobody\n", "contact"), ("me@example.org\n/no/such/folder\n", "library.paths")]
)
def test_an_answer_from_a_pipe_that_cannot_be_used_writes_nothing(said: str, key: str) -> None:
    ended = init(said=said)
    assert ended.exit_code == 78
    assert key in ended.stderr
    assert not Path("config.toml").exists()


def test_the_next_step_names_a_file_that_is_not_found_by_itself() -> None:
    ended = init("my own.toml", "--yes", "--contact", "me@example.org", "--library", "music")
    assert "next: soulspot check --config 'my own.toml', then soulspot enrich --config" in ended.stdout


def test_an_existing_file_is_refused_before_anything_is_asked() -> None:
    init("--yes", "--contact", "me@example.org")
    before = written()
    ended = init(said="other@example.org\n")
    assert ended.exit_code == 78
    assert "exists already and is left as it is; --force writes over it" in ended.stderr
    assert "MusicBrainz requires it" not in ended.output
    assert written() == before
    assert init("--force", "--yes", "--contact", "other@example.org").exit_code == 0
    assert written()["providers"]["musicbrainz"]["contact"] == "other@example.org"


def test_a_folder_in_the_place_of_the_file_is_refused(here: Path) -> None:
    ended = init("music", "--yes")
    assert ended.exit_code == 78
    assert "name a file in it, music/config.toml say" in ended.stderr


def test_no_folder_is_made_for_a_mistyped_path_but_the_usual_place_is(here: Path) -> None:
    ended = init("no/such/config.toml", "--yes")
    assert ended.exit_code == 78
    assert "there is no folder no/such; make it first" in ended.stderr
    assert not Path("no").exists()
    usual = here / "home/.config/soulspot/config.toml"
    assert init(str(usual), "--yes").exit_code == 0
    assert usual.is_file()


def test_at_a_terminal_an_answer_that_cannot_be_used_is_asked_for_again(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, ours = os.openpty()
    with os.fdopen(ours) as keys:
        monkeypatch.setattr(sys, "stdin", keys)
        os.write(terminal, b"nobody\nme@example.org\nnowhere\nmusic\n\n")
        ask_and_write(Path("config.toml"), {}, force=False, ask=True)
    os.close(terminal)
    said = capsys.readouterr().out
    assert "should be an e-mail address or a URL" in said
    assert "nowhere does not exist" in said
    assert written()["library"]["paths"] == [str(here / "music")]
    assert written()["providers"]["musicbrainz"]["contact"] == "me@example.org"
