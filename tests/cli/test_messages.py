"""Messages of commands: hints that work as they are copied, and an exit code that tells the end."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from soulspot.cli.main import COMMANDS
from soulspot.cli.write_tags import _print_report
from soulspot.client.workplace import Completed
from soulspot.terminal.console import hints_for, print_note


@pytest.mark.parametrize(("line", "shown"), [
    ("3 failed; `soulspot retry` queues them again", "3 failed; `soulspot retry --config 'a b.toml'` queues them again"),
    ("next: soulspot review accept 22 ID", "next: soulspot review accept 22 ID --config 'a b.toml'"),
    ("soulspot status --unreadable lists them", "soulspot status --unreadable --config 'a b.toml' lists them"),
    ('`soulspot review search 5 "artist - title"`', "`soulspot review search 5 \"artist - title\" --config 'a b.toml'`"),
    ("next: soulspot check --config x.toml", "next: soulspot check --config x.toml"),
    ("soulspot daemon (process 17) is running", "soulspot daemon (process 17) is running"),
    ("soulspot: no database", "soulspot: no database"),
    ("/srv/soulspot status", "/srv/soulspot status"),
    ("soulspot sings", "soulspot sings"),
])  # fmt: skip
def test_a_hint_names_the_configuration_that_the_person_named(
    capsys: pytest.CaptureFixture[str], line: str, shown: str
) -> None:
    with hints_for(COMMANDS, Path("a b.toml")):
        print_note(line)
    print_note(line)
    assert capsys.readouterr().err == f"{shown}\n{line}\n"


@pytest.mark.parametrize(("skipped", "code"), [(2, 1), (1, None)])
def test_tags_that_were_all_asked_for_in_vain_end_the_command_with_1_and_the_reasons(
    capsys: pytest.CaptureFixture[str], skipped: int, code: int | None
) -> None:
    report = {"looked": 2, "written": 0, "unchanged": 2 - skipped, "skipped": skipped, "failed": 0, "fields": {},
              "covers_postponed": 0, "problems": [{"path": "/m/a", "reason": "it has hard links"}] * skipped}  # fmt: skip
    ended = None
    try:
        _print_report(Completed(1, report, {}), "written", as_json=False)
    except typer.Exit as end:
        ended = end.exit_code
    assert ended == code
    assert ("nothing was written: it has hard links" in capsys.readouterr().err) == (code == 1)
