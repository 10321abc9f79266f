"""MusicBrainz: `MusicBrainz` answers many lookups with one search."""

from soulspot.providers.musicbrainz.provider import MusicBrainz

__all__ = ["provider"]
