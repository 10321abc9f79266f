"""ListenBrainz: `ListenBrainz` answers recordings, merged ids and Spotify links in large batches."""

from soulspot.providers.listenbrainz.provider import ListenBrainz

__all__ = ["ListenBrainz", "provider"]
