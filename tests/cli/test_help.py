"""The texts of `--help`: whole sentences, examples, and no type names of Python."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from soulspot.cli.main import COMMANDS, app


def commands(group: Any, *above: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*above, name)
        if hasattr(command, "commands"):
            yield from commands(command, *above, name)


ALL = [(), *commands(typer.main.get_command(app))]
GROUPS = {(), ("review",), ("webhooks",)}


@pytest.mark.parametrize("command", ALL, ids=lambda words: " ".join(words) or "soulspot")
def test_help_shows_whole_summaries_and_no_types_of_python(command: tuple[str, ...]) -> None:
    said: Any = CliRunner().invoke(app, [*command, "--help"], terminal_width=80, max_content_width=80)
    assert said.exit_code == 0
    usage, _, rest = said.stdout.partition("\n")
    assert not set("{}<>") & set(usage), usage
    for word in ("<str>", "<int", "<float", "<path>", "<Path>", "<list["):
        assert word not in rest
    listed = rest.partition("Commands:")[2]
    assert "..." not in listed, listed


@pytest.mark.parametrize("command", [command for command in ALL if command not in GROUPS], ids=" ".join)
def test_the_help_of_every_command_has_an_example(command: tuple[str, ...]) -> None:
    shown: Any = CliRunner().invoke(app, [*command, "--help"])
    assert f"Example: soulspot {' '.join(command)}" in shown.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_the_first_sentence_of_its_help(name: str) -> None:
    command: Any = typer.main.get_command(app)
    _, summary = COMMANDS[name]
    assert command.commands[name].help.partition("\n")[0] == summary


def test_the_help_of_soulspot_says_how_to_begin() -> None:
    said: Any = CliRunner().invoke(app, ["--help"])
    assert "Begin with `soulspot init`" in said.stdout
