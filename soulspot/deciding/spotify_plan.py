"""Which Spotify lookups a track still wants: the same recording there, cheapest question first. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from soulspot.deciding.plan_state import Asking, Known, Services, searchable
from soulspot.models import LISTENBRAINZ, SPOTIFY, Query, TrackState, TrackTags
from soulspot.text import is_latin, unbracketed

MAX_LINKS = 3
MAX_ALBUMS = 2
SMALLEST_ALBUM = 3
"""Tracks from which a search for the album costs less than a question for each of its tracks."""
LARGEST_ALBUM = 400


def find_on_spotify(asking: Asking, state: TrackState, known: Known, services: Services) -> None:
    """The same recording on Spotify.

    With batches a link is verified for a fiftieth of a request, so links come first, and the album only for those
    that have none. Without, the album comes first: one search shows ten of its tracks, one more request fifty.
    What costs a request for one track comes last in both, and only where it has a prospect: a track whose album has
    been looked for in vain is hardly ever there by itself, and words find little that labs, which is asked about a
    hundred at once, does not know."""
    album = album_on_spotify(state)
    stages = [_links(asking, state, known, services), _albums(asking, state, known, album)]
    for stage in stages if services.spotify_batches else reversed(stages):
        for settled in stage:
            if not settled:
                return
    if album:
        return  # Spotify has no such album, or has it without this track
    isrcs = known.isrcs[:1]
    if not services.spotify_batches:
        # a request each, and half of them find nothing: only for what the file itself says
        isrcs = tuple(isrc for isrc in isrcs if isrc in state.tags.ids.isrcs)
    for isrc in isrcs:
        if asking(Query.of(SPOTIFY, "isrc", isrc=isrc)) is None:
            return
    if not isrcs and not services.listenbrainz and (text := searchable(known.tags)):
        title, artist = text
        asking(Query.of(SPOTIFY, "text", title=title, artist=artist))


def album_on_spotify(state: TrackState) -> Query | None:
    """The question which Spotify album the track's album is; None when it is too small for it to be worth it, or is
    no more than a folder of tracks of several artists."""
    group = state.group
    if group is None or not SMALLEST_ALBUM <= group.size <= LARGEST_ALBUM or not group.album:
        return None
    if group.artist is None and not state.tags.album:
        return None
    # what libraries add in brackets ("[Deluxe]") is not in Spotify's name, or not so; an artist of another script is
    # often called there by a Latin name
    artist = group.artist if group.artist and is_latin(group.artist) and is_latin(group.album) else None
    return Query.of(SPOTIFY, "album", album=unbracketed(group.album), artist=artist)


def spotify_track(spotify_id: str, tags: TrackTags) -> Query:
    hint = {"title": tags.title, "artist": tags.album_artist or tags.artist, "album": tags.album}
    return Query.of(SPOTIFY, "track", hint, id=spotify_id)


def _links(asking: Asking, state: TrackState, known: Known, services: Services) -> Iterator[bool]:
    """The Spotify ids that MusicBrainz, ListenBrainz and labs name, one at a time: most first ones are right."""
    links = known.spotify_links
    about = _names_at_labs(known)
    if services.listenbrainz and about:
        linked = asking(about)
        yield linked is not None
        assert linked is not None
        links += tuple(
            link for entity in linked.entities for link in entity.fields.get("spotify_track_ids", ())
        )
    distinct, hint, group = list(dict.fromkeys(links)), {"beside": known.release_group_id}, state.group
    if not services.spotify_batches:
        # one link tells which album it is on, and that has the others, too
        hint["told"] = "anywhere"
        distinct.sort(key=lambda link: link not in state.on_spotify)  # what has been told costs nothing
        if group and album_on_spotify(state):
            for album_id in group.spotify_late[:MAX_ALBUMS]:
                yield _tracklist(asking, album_id)
            if (
                distinct[:1]
                and distinct[0] not in state.on_spotify
                and group.turn not in (None, state.track_id)
            ):
                asking.waits = True
                yield False
    for link in distinct[:MAX_LINKS]:
        yield asking(Query.of(SPOTIFY, "track", hint, id=link)) is not None


def _names_at_labs(known: Known) -> Query | None:
    if known.recording_id:
        return Query.of(LISTENBRAINZ, "spotify_ids", mbid=known.recording_id)
    text = searchable(known.tags)
    if text and known.tags.duration_ms:  # labs tells no rivals: what it names has to have the length
        title, artist = text
        return Query.of(LISTENBRAINZ, "spotify_names", title=title, artist=artist, album=known.tags.album)
    return None


def _albums(asking: Asking, state: TrackState, known: Known, album: Query | None) -> Iterator[bool]:
    """The albums that other tracks of the track's album were found on, or else those that a search for it finds."""
    group = state.group
    if album is None or group is None:
        return
    if not group.all_here:
        asking.waits = True
        yield False
    if not group.spotify_albums:
        yield asking(album) is not None
    for album_id in (group.spotify_albums or known.spotify_albums)[:MAX_ALBUMS]:
        yield _tracklist(asking, album_id)


def _tracklist(asking: Asking, album_id: str) -> bool:
    return asking(Query.of(SPOTIFY, "tracklist", id=album_id)) is not None
