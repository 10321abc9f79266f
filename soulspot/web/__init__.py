"""HTTP requests in; JSON, server-sent events, metrics and the page out, behind the guards."""

__all__ = ["app", "server"]
