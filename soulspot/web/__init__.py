"""HTTP requests in; JSON, server-sent events, metrics and the page out, behind the guards.

Called by the daemon, and by the demo."""

__all__ = ["app", "server"]
