"""Everything that is kept, in one SQLite file: the durable queue, tracks, facts, operations. All SQL is here.

Functions take a connection and run in their caller's transaction; `database` has the one writer."""

__all__ = [
    "album_turns",
    "albums",
    "browse",
    "cover_index",
    "database",
    "earlier_answers",
    "enriched",
    "events",
    "exporting",
    "operations",
    "ownership",
    "queue",
    "releases",
    "reopening",
    "review",
    "sql_imports",
    "state",
    "table_file",
    "tag_journal",
    "taggable",
    "times",
    "tracks",
    "troubles",
    "unanswered",
    "unreadable",
]
