"""Results, notes and progress in, lines on stdout and stderr out: other people's words among them
cannot steer the terminal. Used by the commands."""

__all__ = ["bars", "console"]
