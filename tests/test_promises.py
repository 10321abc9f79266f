"""The page of promises names tests that exist, and the commands that run them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "promises.md"
PROMISE = re.compile(r"^(\d+)\. (.+(?:\n    .+)*)((?:\n   - .+)*)", re.MULTILINE)
PROOF = re.compile(r"`(make [a-z-]+)`: `(tests/[\w/]+\.py)::(test_\w+)`")
REASON = re.compile(r"not tested: \S.{20,}")


def promises() -> dict[int, list[str]]:
    """Return the proofs of each promise by its number."""
    found = PROMISE.findall(PAGE.read_text(encoding="utf-8"))
    return {int(number): re.findall(r"\n   - (.+)", proofs) for number, _, proofs in found}


@cache
def long_by_name(path: str) -> dict[str, bool]:
    """Return the tests of a file by name, and whether each is long."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    marks = [node.value for node in tree.body if isinstance(node, ast.Assign) and "pytestmark" in ast.unparse(node)]
    all_are_long = any(re.search(r"mark\.long\b", ast.unparse(mark)) for mark in marks)
    return {
        node.name: all_are_long or any(ast.unparse(one) == "pytest.mark.long" for one in node.decorator_list)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_the_promises_are_numbered_without_a_gap() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^(\d+)\. ", text, re.MULTILINE) == [str(number) for number in range(1, 55)]
    assert list(promises()) == list(range(1, 55))


@pytest.mark.parametrize("number", range(1, 55))
def test_every_promise_has_a_test_that_exists_and_the_command_that_runs_it(number: int) -> None:
    proofs = promises()[number]
    assert proofs, "neither a test nor the reason why there is none"
    for proof in proofs:
        if REASON.fullmatch(proof):
            continue
        named = PROOF.fullmatch(proof)
        assert named, f"not `make ...`: `tests/...::test_...`: {proof}"
        command, path, test = named.groups()
        assert test in long_by_name(path), f"{path} has no {test}"
        if command != "make systemd-test":
            assert command == ("make test-long" if long_by_name(path)[test] else "make test"), proof


def test_every_command_of_the_page_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", text)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"the Makefile has no {target}"
    for module in set(re.findall(r"`python -m benchmarks\.(\w+)", text)):
        assert (ROOT / "benchmarks" / f"{module}.py").is_file()
