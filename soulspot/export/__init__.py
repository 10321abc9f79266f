"""Export of enriched rows: tables (CSV, JSON, NDJSON, Parquet, SQLite) and release messages."""

from soulspot.export.tables import TableReport, export_table, table_rows

__all__ = ["columns", "ddex", "formats", "tables", "target"]
