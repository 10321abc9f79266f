"""The documents tell the truth about commands, the log and the metrics."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from soulspot.cli.main import app

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "Makefile", *sorted((ROOT / "docs").rglob("*.md")),
             *sorted((ROOT / "systemd").glob("*.service"))]  # fmt: skip
COMMAND = re.compile(r"(?:^|[`/\s])soulspot(?= +[a-z-]) +([^`|;#\n]*)", re.MULTILINE)
OTHERS = ("systemctl", "journalctl", "systemd-analyze", "cp ", "pip install", "--user")
NAME = re.compile(r"[a-z][a-z_]+")


# --- command lines --------------------------------------------------------------------------------


def command_lines(path: Path) -> Iterator[str]:
    """Yield the arguments of every `soulspot ...` in code of a document."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        blocks = re.findall(r"^ *```(?:sh|ini|console)?\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
        text = "\n".join([*blocks, *re.findall(r"`[^`\n]+`", text)])
    for line in text.splitlines():
        if path.suffix == "" and "$(BIN)" not in line:
            continue  # words of the Makefile
        if any(other in line for other in OTHERS) or line.lstrip().startswith("#"):
            continue
        for found in COMMAND.finditer(line):
            yield found.group(1).partition(" || ")[0].strip()


FOUND = [(path.name, line) for path in DOCUMENTS for line in dict.fromkeys(command_lines(path))]


@cache
def commands() -> Any:
    return typer.main.get_command(app)


@pytest.mark.parametrize(("document", "line"), FOUND, ids=[f"{name}: {line}" for name, line in FOUND])
def test_every_command_line_in_the_documents_can_be_said(document: str, line: str) -> None:
    plain = line.replace("[", "").replace("]", "").replace("...", "").replace("$$", "")
    group = commands()
    assert isinstance(group, click.Group) or hasattr(group, "commands")
    name, *arguments = shlex.split(plain)
    if name.startswith("-"):
        assert name in {option for parameter in group.params for option in parameter.opts}
        return
    assert name in group.commands
    try:
        group.commands[name].make_context(name, arguments)
    except click.UsageError as error:
        pytest.fail(f"{document}: soulspot {line}: {error.format_message()}")


def test_the_commands_are_found_where_they_are_known_to_be() -> None:
    assert {"README.md", "Makefile", "run-under-systemd.md", "soulspot.service"} <= {name for name, _ in FOUND}
    assert "daemon --config /etc/soulspot/config.toml" in {line for _, line in FOUND}


def subcommands(command: Any, *names: str) -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, by its whole name."""
    if not hasattr(command, "commands"):
        yield " ".join(names), command
        return
    for name, below in command.commands.items():
        yield from subcommands(below, *names, name)


def test_every_command_and_every_option_is_documented() -> None:
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    text = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))
    missing = []
    for name, command in subcommands(commands()):
        if f"`soulspot {name}" not in reference and f"`{name.split()[-1]}`" not in reference:
            missing.append(name)
        options = [one for parameter in command.params for one in parameter.opts if one.startswith("--")]
        missing += [f"{name} {one}" for one in options if not re.search(rf"{one}(?![\w-])", text)]
    assert missing == []


# --- links ----------------------------------------------------------------------------------------


def anchors(path: Path) -> set[str]:
    """Return the anchors of a Markdown page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
            broken.append(link)
    assert broken == []


def test_every_page_stands_on_the_map() -> None:
    overview = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*/*.md")}
    assert {page for page in pages if f"]({page})" not in overview} == set()


# --- the log --------------------------------------------------------------------------------------


@cache
def events() -> dict[str, set[str]]:
    """Return every event that the code logs: {event: fields}."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "soulspot").rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            fields = {word.arg for word in node.keywords if word.arg}
            if node.func.attr == "set_gauges" and fields:
                found.setdefault("gauge", set()).update(fields)
            if node.func.attr not in ("event", "debug", "info", "warning", "error", "exception", "critical"):
                continue
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and NAME.fullmatch(str(first.value)):
                found.setdefault(first.value, set()).update(fields)
    return found


def documented() -> dict[str, set[str]]:
    """Return the table of the page on log events: {event: fields}."""
    text = (ROOT / "docs" / "reference" / "log-events.md").read_text(encoding="utf-8")
    section = text.partition("\n## Events\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| ([^|]*) \|", section, re.MULTILINE)
    return {name: set(re.findall(r"`([a-z_]+)`", fields)) for name, fields in rows}


def test_every_event_of_the_log_is_documented_and_no_other() -> None:
    assert documented().keys() == events().keys()


@pytest.mark.parametrize("event", sorted(events()))
def test_every_field_of_an_event_is_documented_and_no_other(event: str) -> None:
    assert documented()[event] == events()[event]
