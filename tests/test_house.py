"""The rooms' import directions, checked by import-linter, and that the check can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
from importlinter.api import read_configuration

from tests.support.rooms import RoomsContract

ROOT = Path(__file__).resolve().parents[1]


def _contract() -> RoomsContract:
    (options,) = read_configuration(str(ROOT / ".importlinter"))["contracts_options"]
    return RoomsContract(name=options["name"], session_options={}, contract_options=options)


def _graph(*imports: tuple[str, str]) -> grimp.ImportGraph:
    graph = grimp.ImportGraph()
    for importer, imported in imports:
        graph.add_import(importer=importer, imported=imported, line_number=7, line_contents="import")
    return graph


def test_every_room_imports_only_what_its_line_allows():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", ".importlinter", "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_a_pure_room_that_reaches_for_the_database_is_caught():
    check = _contract().check(_graph(("soulspot.matching.titles", "soulspot.store.queue")), verbose=False)
    assert not check.kept
    assert check.metadata["forbidden"] == [("soulspot.matching.titles", "soulspot.store.queue", [7])]


def test_a_module_without_a_room_is_caught():
    check = _contract().check(_graph(("soulspot.utils", "soulspot.errors")), verbose=False)
    assert not check.kept
    assert check.metadata["homeless"] == ["soulspot.utils"]


def test_a_room_may_import_itself_and_what_its_line_names():
    graph = _graph(
        ("soulspot.store.queue", "soulspot.store.times"),
        ("soulspot.store.queue", "soulspot.models"),
        ("soulspot.config", "soulspot.config_model"),
        ("soulspot.daemon", "soulspot.web.routes"),
    )
    assert _contract().check(graph, verbose=False).kept
