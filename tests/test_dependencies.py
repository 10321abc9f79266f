"""Every library that SoulSpot depends on is explained, and pinned by name and version alone."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    wanted += [requirement for group in groups for requirement in group]
    return {_plain(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in wanted}


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def test_every_dependency_is_explained_in_one_line_and_no_other():
    page = (ROOT / "docs/reference/dependencies.md").read_text()
    rows = re.findall(r"^\| ([\w.-]+) \| (.+) \|$", page, flags=re.MULTILINE)
    explained = {_plain(name) for name, _ in rows} - {"library", "tool", "---"}
    assert explained == _declared()


def test_every_dependency_has_one_exact_version_and_no_place_of_its_own():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][\w.]*", line)]
    pinned = [_plain(line.partition("==")[0]) for line in lines]
    assert len(pinned) == len(set(pinned))
    assert _declared() <= set(pinned)
