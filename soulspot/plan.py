"""Which lookups a track still wants: identify first, then enrich by id, then the other services. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, Query, TrackState
from soulspot.plan_spotify import find_on_spotify, spotify_track
from soulspot.plan_state import Asking, Known, Services, searchable

SMALLEST_ALBUM, LARGEST_ALBUM = 4, 400  # tracks; a smaller one costs less asked track by track
CHEAPER_THAN_ISRCS = 8  # tracks from which an album's two questions cost less than an ISRC each
MAX_EDITIONS = 2
MAX_ISRCS = 3


def plan(state: TrackState, known: Known, services: Services) -> tuple[Query, ...]:
    """The queries whose answers this track still waits for; empty when it is finished.

    Every stage asks only when the one before it has settled, so that a cheap answer saves a dear question."""
    if state.unreadable:
        return ()
    asking = Asking(state)
    if services.spotify and (spotify_id := state.tags.ids.spotify_track_id):
        asking(spotify_track(spotify_id, known.tags))
    if known.recording_id:
        if services.listenbrainz:
            asking(Query.of(LISTENBRAINZ, "recording", mbid=known.recording_id))
        if not asking.knows(known.recording_id):  # a person named it, and nobody has described it yet
            _by_recording_id(asking, known.recording_id, services)
    else:
        for stage in _identify(asking, state, known, services):
            if stage.unsettled:
                return asking.wanted
    if services.spotify and known.spotify_id and not known.unasked and not asking.knows(known.spotify_id):
        asking(spotify_track(known.spotify_id, known.tags))
    elif services.spotify and services.spotify_batches and known.spotify_id:
        asking.in_full(
            known.spotify_id
        )  # for a fiftieth of a request: the row must not depend on who found it
    if services.spotify and not known.spotify_id and not asking.wanted:
        find_on_spotify(asking, state, known, services)
    return asking.wanted


@dataclass(frozen=True, slots=True)
class _Stage:
    unsettled: bool


def _identify(asking: Asking, state: TrackState, known: Known, services: Services) -> Iterator[_Stage]:
    """The ways to a recording, cheapest and surest first; the caller stops at the first unsettled one."""
    answered = [_by_recording_id(asking, mbid, services) for mbid in known.tags.ids.mb_recording_ids]
    yield _Stage(False in answered)
    if not services.musicbrainz:
        return
    whole = album_query(state)
    if whole and state.group and state.group.size >= CHEAPER_THAN_ISRCS:
        yield _Stage(not _by_album(asking, known, whole))
    by_isrc = [asking(Query.of(MUSICBRAINZ, "isrc", isrc=isrc)) for isrc in known.isrcs[:MAX_ISRCS]]
    yield _Stage(None in by_isrc)
    if whole:
        yield _Stage(not _by_album(asking, known, whole))
    spotify_id = known.tags.ids.spotify_track_id
    if spotify_id and not services.spotify:
        yield _Stage(asking(Query.of(MUSICBRAINZ, "url", spotify_id=spotify_id)) is None)
    text = searchable(known.tags)
    if text is None:
        return
    title, artist = text
    duration = str(known.tags.duration_ms) if known.tags.duration_ms else None
    if duration and services.listenbrainz:
        yield _Stage(not _by_exact_names(asking, title, artist))
    if duration:
        yield _Stage(
            asking(Query.of(MUSICBRAINZ, "text", title=title, artist=artist, duration_ms=duration)) is None
        )
    yield _Stage(asking(Query.of(MUSICBRAINZ, "text", title=title, artist=artist, scope="wide")) is None)


def album_query(state: TrackState) -> Query | None:
    """The question which release the track's album is; None when the album is too small for it to be worth it, or
    too large to be one."""
    group = state.group
    if group is None or not SMALLEST_ALBUM <= group.size <= LARGEST_ALBUM:
        return None
    return Query.of(MUSICBRAINZ, "album", album=group.album, artist=group.artist)


def _by_album(asking: Asking, known: Known, query: Query) -> bool:
    """Ask which release the album is, then for its recordings; another edition only when the first did not do."""
    if asking(query) is None:
        return False
    for edition in known.editions[:MAX_EDITIONS]:
        hint = {"tracks": str(edition.fields["track_count"]) if "track_count" in edition.fields else None}
        if asking(Query.of(MUSICBRAINZ, "release", hint, mbid=edition.id)) is None:
            return False
    return True


def _by_exact_names(asking: Asking, title: str, artist: str) -> bool:
    """The recording that labs has under exactly these names, and its length, which labs does not tell."""
    named = asking(Query.of(LISTENBRAINZ, "text", title=title, artist=artist))
    if named is None:
        return False
    answers = [asking(Query.of(LISTENBRAINZ, "recording", mbid=one.id)) for one in named.entities[:1]]
    return None not in answers


def _by_recording_id(asking: Asking, mbid: str, services: Services) -> bool:
    """Ask for a recording by its id, or by the id it was merged into. True when there is nothing left to wait for."""
    if not (services.listenbrainz or services.musicbrainz):
        return True
    provider = LISTENBRAINZ if services.listenbrainz else MUSICBRAINZ
    answer = asking(Query.of(provider, "recording", mbid=mbid))
    if answer is None:
        return False
    if answer.entities:
        return True
    for resolver in (LISTENBRAINZ, MUSICBRAINZ):
        if not (services.listenbrainz if resolver == LISTENBRAINZ else services.musicbrainz):
            continue
        merged = asking(Query.of(resolver, "redirect", mbid=mbid))
        if merged is None:
            return False
        target = next(
            (entity.fields["redirect_to"] for entity in merged.entities if entity.kind == "redirect"), None
        )
        if target and target != mbid:
            return asking(Query.of(provider, "recording", mbid=target)) is not None
    return True
