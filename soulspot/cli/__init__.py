"""Command lines in, exit codes and words for people out: one module a command, `main` lists them.

A command works in the running daemon if there is one, else here under the same lock."""

__all__ = ["main"]
