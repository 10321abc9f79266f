"""A configuration in, the long-running process out: its service, timers, HTTP address and signals.

Started by `soulspot daemon`."""

__all__ = ["process"]
