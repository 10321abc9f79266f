"""Accepted values in, changed files out: tags and covers, journaled before a file changes,
undoable. Called by the pipeline's service, operations and `soulspot write-tags`."""

__all__ = ["covers", "file_copies", "formats", "preview", "request", "rules", "writer"]
