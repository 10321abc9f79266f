"""Enriched rows in; tables (CSV, JSON, NDJSON, Parquet, SQLite) and release messages (DDEX) out.

Called by operations, by `soulspot export` and by Python programs."""

from soulspot.export.tables import TableReport, export_table, table_rows

__all__ = ["columns", "ddex", "formats", "tables", "target"]
