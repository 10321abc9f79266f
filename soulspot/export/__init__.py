"""Exports: what was found out, handed on to other programs."""

from soulspot.export.tables import TableReport, export_table, table_rows

__all__ = ["TableReport", "export_table", "table_rows"]
