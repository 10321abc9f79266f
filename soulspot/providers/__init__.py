"""One package a service: queries in, answers of the same length and order out, through the gates.

`base` says what a provider is. Built by assembly, asked by the pumps."""

__all__ = ["base", "http", "listenbrainz", "musicbrainz", "spotify"]
