"""Which Spotify lookups a track still wants: the same recording there, cheapest question first. Pure."""

from __future__ import annotations

from soulspot.models import LISTENBRAINZ, SPOTIFY, Query, TrackTags
from soulspot.plan_state import Asking, Known, Services, searchable

MAX_LINKS = 3


def find_on_spotify(asking: Asking, known: Known, services: Services) -> None:
    """The same recording on Spotify: known links first, then ISRC, then text."""
    if known.recording_id:
        links = known.spotify_links
        if services.listenbrainz:
            linked = asking(Query.of(LISTENBRAINZ, "spotify_ids", mbid=known.recording_id))
            if linked is None:
                return
            links += tuple(
                link for entity in linked.entities for link in entity.fields.get("spotify_track_ids", ())
            )
        for link in list(dict.fromkeys(links))[:MAX_LINKS]:
            if asking(spotify_track(link, known.tags)) is None:
                return
    for isrc in known.isrcs[:1]:
        if asking(Query.of(SPOTIFY, "isrc", isrc=isrc)) is None:
            return
    if text := searchable(known.tags):
        title, artist = text
        asking(Query.of(SPOTIFY, "text", title=title, artist=artist, album=known.tags.album))


def spotify_track(spotify_id: str, tags: TrackTags) -> Query:
    hint = {"title": tags.title, "artist": tags.album_artist or tags.artist, "album": tags.album}
    return Query.of(SPOTIFY, "track", hint, id=spotify_id)
