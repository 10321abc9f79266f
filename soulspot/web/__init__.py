"""HTTP requests in; JSON, event streams, metrics and the page out, behind the guards.

Served by the daemon, and by the demo."""

__all__ = ["app", "server"]
