"""An import-linter contract that reads the table of rooms: who may import whom, and nobody else."""

from __future__ import annotations

from fnmatch import fnmatchcase

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

PACKAGE = "soulspot"


class RoomsContract(Contract):
    """`rooms` has one line a room: `its names: the rooms it may import`, where `*` stands for anything.

    A room is a module or folder right below the package, and may import itself. A room of the table that does
    not exist harms nothing; a module that is in no room breaks the contract."""

    type_name = "rooms"

    rooms = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        table = self._table()
        homeless, forbidden = set(), []
        for importer in sorted(graph.modules):
            room = _room(importer, table)
            if room is None:
                homeless.add(importer)
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(importer)):
                target = _room(imported, table)
                if target not in (None, room) and not any(fnmatchcase(target, a) for a in table[room]):
                    lines = [
                        d["line_number"]
                        for d in graph.get_import_details(importer=importer, imported=imported)
                    ]
                    forbidden.append((importer, imported, lines))
        return ContractCheck(
            kept=not homeless and not forbidden,
            metadata={"homeless": sorted(homeless), "forbidden": forbidden},
        )

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module in check.metadata["homeless"]:
            output.print_error(f"{module} is in no room: give it a line in .importlinter")
        for importer, imported, lines in check.metadata["forbidden"]:
            where = ", ".join(f"l.{line}" for line in lines)
            output.print_error(f"{importer} may not import {imported} ({where})")

    def _table(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = {}
        for line in self.rooms:  # type: ignore[attr-defined]
            names, _, allowed = line.partition(":")
            for name in names.split():
                # the other names of the same room belong to it
                table[name] = allowed.split() + names.split()
        return table


def _room(module: str, table: dict[str, list[str]]) -> str | None:
    top = PACKAGE if module == PACKAGE else module.split(".")[1]
    return next((room for room in table if fnmatchcase(top, room)), None)
