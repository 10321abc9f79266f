"""Long work with an id in (scan, import, enrich, retry, export, write-tags), a row with live counts and a report out.

Also what a person decides in review. Called by web, daemon and cli."""

__all__ = ["exports", "kinds", "local", "progress", "refetch", "reports", "review", "runner"]
