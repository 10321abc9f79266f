"""A configuration in, the process that runs for months out: its service, timers, HTTP address and signals.

Started by `soulspot daemon`."""

__all__ = ["process"]
