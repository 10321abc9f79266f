"""Long work with an id in (scan, import, enrich, retry, export, tags); a row with live counts and a
report out.

The decisions of a person in review are here too. Called by web, daemon and cli."""

__all__ = ["exports", "kinds", "local", "progress", "refetch", "reports", "review", "runner"]
