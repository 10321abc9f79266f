"""Exports: what was found out, handed on to other programs."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soulspot.export.tables import TableReport, export_table, table_rows

__all__ = ["TableReport", "export_table", "table_rows"]


def __getattr__(name: str) -> Any:
    """Import a name when it is first asked for: release messages need none of the tables, nor tables lxml."""
    if name in __all__:
        return getattr(import_module("soulspot.export.tables"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
