"""ListenBrainz: `ListenBrainz` answers recordings, merged ids and Spotify ids in big batches."""

from soulspot.providers.listenbrainz.provider import ListenBrainz

__all__ = ["provider"]
