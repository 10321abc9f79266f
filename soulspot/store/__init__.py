"""Values and queries in; queue, tracks, facts and operations out. All SQL is here. Functions take a
connection and run in their caller's transaction; `database.Database` has the one writer."""

__all__ = [
    "album_turns", "albums", "browse", "copies", "cover_index", "database", "enriched", "events", "export_rows",
    "failures", "file_systems", "library_counts", "lookup_history", "migrations", "missing_files", "named_places", "opening",
    "operations",
    "ownership", "provider_state", "queue", "recovery", "releases", "restoring", "retention", "review",
    "settled_lookups", "sql_imports", "table_file", "tag_journal", "taggable", "times", "tracks",
]  # fmt: skip
