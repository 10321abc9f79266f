"""A configuration in, the place of a command's work out: the running daemon over HTTP, or a service
here under the lock that a daemon would hold. Used by the commands."""

__all__ = ["daemon_client", "daemon_search", "workplace"]
