"""The house keeps its shape: floors, packages, sizes, and no import circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "soulspot"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}


def imported(path: Path) -> Iterator[str]:
    """Yield the modules of ours that this file imports anywhere in it, in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names if one.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for one in node.names:
                full = f"{node.module}.{one.name}"
                yield full if full in MODULES else node.module


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of one import circle, in order; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_package_imports_only_from_the_floors_below_it():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", ".importlinter", "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_floors_have_no_exception():
    contract = (ROOT / ".importlinter").read_text(encoding="utf-8")
    assert "ignore" not in contract
    assert contract.count("[importlinter:contract:") == 1


def test_no_modules_import_each_other_in_a_circle():
    # the root hands on public names when they are asked for, and nobody inside imports it
    graph = {name: set(imported(path)) - {name} for name, path in MODULES.items() if name != "soulspot"}
    assert not any("soulspot" in imports for imports in graph.values())
    assert circle(graph) == []


def test_a_circle_would_be_found():
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


def face(package: str) -> set[str]:
    """Return the names that a package hands on: what its `__init__` imports, and the modules in
    `__all__`."""
    names: set[str] = set()
    for node in ast.parse(MODULES[package].read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names.update(one.name for one in node.names)
        elif isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == ["__all__"]:
            names.update(ast.literal_eval(node.value))
    return names


def entered(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each of our names that this file imports: the module it comes from, and the name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("soulspot."):
            yield from ((node.module, one.name) for one in node.names)


def is_handed_on(module: str, name: str) -> bool:
    """Whether the face of the module's package has this name, or the module that it stands in."""
    _, package, *inside = module.split(".")
    return (inside[0] if inside else name) in face(f"soulspot.{package}")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_package_is_entered_by_its_face_only(name):
    package = name.split(".")[1] if "." in name else ""
    private = [
        (module, what)
        for module, what in entered(MODULES[name])
        if MODULES[".".join(module.split(".")[:2])].name == "__init__.py"
        and module.split(".")[1] != package
        and not is_handed_on(module, what)
    ]
    assert package == "" or private == []


def test_few_files_lie_flat():
    assert len(list(PACKAGE.glob("*.py"))) <= 6


@pytest.mark.parametrize("name", sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()))
def test_no_package_outgrows_what_one_person_can_know(name):
    total = sum(lines(path) for path in (PACKAGE / name).rglob("*.py"))
    assert total <= (7_000 if name == "sandbox" else 5_000)


def test_no_module_is_longer_than_400_lines():
    assert {name: count for name, path in MODULES.items() if (count := lines(path)) > 400} == {}


def test_comments_say_why_in_at_least_two_lines_of_a_hundred():
    text = [line.strip() for path in MODULES.values() for line in path.read_text(encoding="utf-8").splitlines()]
    comments = [line for line in text if line.startswith("# ") and not line.startswith(("# fmt:", "# mypy:", "# noqa"))]
    assert len(comments) >= 0.02 * len(text)


def test_no_docstring_begins_as_a_riddle():
    riddles = [
        f"{path.relative_to(ROOT)}: {docstring}"
        for folder in ("soulspot", "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (docstring := ast.get_docstring(node) or "").startswith(("What ", "How ", "Who ", "That "))
    ]
    assert riddles == []
