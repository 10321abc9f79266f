"""Long work with an id in (scan, import, enrich, retry, export, tags), and reviews; a row with live
counts and a report out. Called by web, daemon and cli."""

__all__ = ["exports", "kinds", "local", "progress", "refetch", "reports", "review", "runner", "uploads"]
