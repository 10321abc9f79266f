"""The Spotify part of a plan: find the same recording there, the cheapest lookup first."""

from collections.abc import Iterator

from soulspot.deciding.plan_state import Known, LookupPlan, Services, searchable_names
from soulspot.models import LISTENBRAINZ, SPOTIFY, Query, TrackState, TrackTags
from soulspot.text import is_latin, unbracketed

MAX_LINKS = 3
MAX_ALBUMS = 2
# Tracks from which on a search for the album costs less than a lookup for each of its tracks.
SMALLEST_ALBUM = 3
LARGEST_ALBUM = 400


def plan_spotify(plan: LookupPlan, state: TrackState, known: Known, services: Services) -> None:
    """Add the next lookups that may find this recording on Spotify.

    With batches a link is verified for a fiftieth of a request, so links come first, and the album
    only for tracks without one. Without batches the album comes first: one search shows ten of its
    tracks, one more request fifty. A lookup that costs a request for one track comes last, and only
    with a prospect: a track whose album was searched in vain is hardly ever there by itself, and a
    search by words finds little that labs, which answers a hundred lookups at once, does not
    know."""
    album = spotify_album_query(state)
    routes = [_by_links(plan, state, known, services), _by_albums(plan, state, known, album)]
    for route in routes if services.spotify_batches else reversed(routes):
        if not all(route):
            return
    if album:
        return  # Spotify has no such album, or has it without this track
    isrcs = known.isrcs[:1]
    if not services.spotify_batches:
        # each is a request, and half of them find nothing: only an ISRC of the file itself is worth
        # it
        isrcs = tuple(isrc for isrc in isrcs if isrc in state.tags.ids.isrcs)
    for isrc in isrcs:
        if plan.answer(Query.of(SPOTIFY, "isrc", isrc=isrc)) is None:
            return
    if not isrcs and not services.listenbrainz and (names := searchable_names(known.tags)):
        title, artist = names
        plan.answer(Query.of(SPOTIFY, "text", title=title, artist=artist))


def spotify_album_query(state: TrackState) -> Query | None:
    """Return the query that asks for the Spotify albums which the track's album may be.

    None when the album is too small for it, or a mere folder with tracks of several artists."""
    group = state.group
    if group is None or not SMALLEST_ALBUM <= group.size <= LARGEST_ALBUM or not group.album:
        return None
    if group.artist is None and not state.tags.album:
        return None
    # Spotify's album name lacks what libraries add in brackets ("[Deluxe]"), and an artist of
    # another script often has a Latin name there.
    artist = group.artist if group.artist and is_latin(group.artist) and is_latin(group.album) else None
    return Query.of(SPOTIFY, "album", album=unbracketed(group.album), artist=artist)


def spotify_track_query(spotify_id: str, tags: TrackTags) -> Query:
    """Return the query for a Spotify track, with the names that help to find its album without
    batches."""
    hint = {"title": tags.title, "artist": tags.album_artist or tags.artist, "album": tags.album}
    return Query.of(SPOTIFY, "track", hint, id=spotify_id)


# --- routes: each yields whether a step has settled; the caller stops where not -------------------


def _by_links(plan: LookupPlan, state: TrackState, known: Known, services: Services) -> Iterator[bool]:
    """Ask for the Spotify ids that other services name, one at a time: the first is mostly right.
    Yield after each step whether it has settled; the caller stops at the first that has not."""
    links = known.spotify_links
    labs = _labs_query(known)
    if services.listenbrainz and labs:
        linked = plan.answer(labs)
        yield linked is not None
        assert linked is not None
        links += tuple(link for entity in linked.entities for link in entity.fields.get("spotify_track_ids", ()))
    distinct, hint, group = list(dict.fromkeys(links)), {"beside": known.release_group_id}, state.group
    if not services.spotify_batches:
        # An answer to any lookup that has described the linked track will do, and costs nothing.
        hint["told"] = "anywhere"
        distinct.sort(key=lambda link: link not in state.described_on_spotify)
        if group and spotify_album_query(state):
            for album_id in group.late_spotify_albums[:MAX_ALBUMS]:
                yield _tracklist(plan, album_id)
            # One link tells which album it is on, and that album has the other tracks too. So the
            # tracks of an album take turns in asking for their links.
            is_new = bool(distinct) and distinct[0] not in state.described_on_spotify
            if is_new and group.turn_of not in (None, state.track_id):
                plan.waits_for_album = True
                yield False
    for link in distinct[:MAX_LINKS]:
        yield plan.answer(Query.of(SPOTIFY, "track", hint, id=link)) is not None


def _labs_query(known: Known) -> Query | None:
    if known.recording_id:
        return Query.of(LISTENBRAINZ, "spotify_ids", mbid=known.recording_id)
    names = searchable_names(known.tags)
    if names and known.tags.duration_ms:  # labs shows no rivals: only the length can confirm its answer
        title, artist = names
        return Query.of(LISTENBRAINZ, "spotify_names", title=title, artist=artist, album=known.tags.album)
    return None


def _by_albums(plan: LookupPlan, state: TrackState, known: Known, album: Query | None) -> Iterator[bool]:
    """Ask for the albums that other tracks of the track's album were found on, else for those of a
    search. Yield after each step whether it has settled."""
    group = state.group
    if album is None or group is None:
        return
    if not group.is_searched:
        plan.waits_for_album = True
        yield False
    if not group.spotify_albums:
        yield plan.answer(album) is not None
    for album_id in (group.spotify_albums or known.spotify_albums)[:MAX_ALBUMS]:
        yield _tracklist(plan, album_id)


def _tracklist(plan: LookupPlan, album_id: str) -> bool:
    return plan.answer(Query.of(SPOTIFY, "tracklist", id=album_id)) is not None
