"""Accepted values in, changed files out: tags and covers, each file journaled before it changes, every write undoable.

Called by the pipeline's service, operations and `soulspot write-tags`."""

__all__ = ["covers", "file_copies", "formats", "preview", "request", "rules", "writer"]
