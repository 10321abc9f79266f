"""One package a service: queries in, answers of the same length and order out, through the gates.
`base` describes a provider. Built by assembly, called by the pumps; covers use `http`."""

__all__ = ["addresses", "base", "catalogue", "http", "listenbrainz", "musicbrainz", "spotify"]
