"""Which lookups a track still wants: identify first, then enrich by id, then the other services. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, SPOTIFY, Asked, Entity, Query, TrackState, TrackTags

SMALLEST_ALBUM, LARGEST_ALBUM = 4, 400  # tracks; a smaller one costs less asked track by track
CHEAPER_THAN_ISRCS = 8  # tracks from which an album's two questions cost less than an ISRC each
MAX_EDITIONS = 2
MAX_ISRCS = 3
MAX_LINKS = 3
_PLACEHOLDER = re.compile(r"(?i)^(audio)?\s*(track|titel|title|piste|pista|untitled|unknown)\W*\d*$")


@dataclass(frozen=True, slots=True)
class Services:
    """Which providers may be asked."""

    musicbrainz: bool = True
    listenbrainz: bool = True
    spotify: bool = True

    @property
    def names(self) -> list[str]:
        """Those that are on."""
        return [name for name in (MUSICBRAINZ, LISTENBRAINZ, SPOTIFY) if getattr(self, name)]


@dataclass(frozen=True, slots=True)
class Known:
    """What has been decided of a track so far. `tags` is its text as far as it is known from any source,
    `editions` the releases that its album may be, the likeliest first."""

    tags: TrackTags
    recording_id: str | None = None
    spotify_id: str | None = None
    isrcs: tuple[str, ...] = ()
    spotify_links: tuple[str, ...] = field(default=())
    editions: tuple[Entity, ...] = ()


def plan(state: TrackState, known: Known, services: Services) -> tuple[Query, ...]:
    """The queries whose answers this track still waits for; empty when it is finished.

    Every stage asks only when the one before it has settled, so that a cheap answer saves a dear question."""
    if state.unreadable:
        return ()
    asking = _Asking(state)
    if services.spotify and (spotify_id := state.tags.ids.spotify_track_id):
        asking(_spotify_track(spotify_id, known.tags))
    if known.recording_id:
        if services.listenbrainz:
            asking(Query.of(LISTENBRAINZ, "recording", mbid=known.recording_id))
        if not asking.knows(known.recording_id):  # a person named it, and nobody has described it yet
            _by_recording_id(asking, known.recording_id, services)
    else:
        for stage in _identify(asking, state, known, services):
            if stage.unsettled:
                return asking.wanted
    if services.spotify and known.spotify_id and not asking.knows(known.spotify_id):
        asking(_spotify_track(known.spotify_id, known.tags))
    if services.spotify and not known.spotify_id and not asking.wanted:
        _find_on_spotify(asking, known, services)
    return asking.wanted


class _Asking:
    """Collects the queries that are still to be answered and hands out the answers that are there."""

    def __init__(self, state: TrackState) -> None:
        self._state = state
        self._wanted: dict[Query, None] = {}

    def __call__(self, query: Query) -> Asked | None:
        asked = self._state.answer_to(query)
        if asked is None or not asked.settled:
            self._wanted.setdefault(query)
            return None
        return asked

    def knows(self, entity_id: str) -> bool:
        """Whether any answer describes this recording or track."""
        answers = self._state.asked.values()
        described = ("recording", "track")
        return any(
            one.id == entity_id and one.kind in described for asked in answers for one in asked.entities
        )

    @property
    def wanted(self) -> tuple[Query, ...]:
        return tuple(self._wanted)


@dataclass(frozen=True, slots=True)
class _Stage:
    unsettled: bool


def _identify(asking: _Asking, state: TrackState, known: Known, services: Services) -> Iterator[_Stage]:
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


def _by_album(asking: _Asking, known: Known, query: Query) -> bool:
    """Ask which release the album is, then for its recordings; another edition only when the first did not do."""
    if asking(query) is None:
        return False
    for edition in known.editions[:MAX_EDITIONS]:
        hint = {"tracks": str(edition.fields["track_count"]) if "track_count" in edition.fields else None}
        if asking(Query.of(MUSICBRAINZ, "release", hint, mbid=edition.id)) is None:
            return False
    return True


def _by_exact_names(asking: _Asking, title: str, artist: str) -> bool:
    """The recording that labs has under exactly these names, and its length, which labs does not tell."""
    named = asking(Query.of(LISTENBRAINZ, "text", title=title, artist=artist))
    if named is None:
        return False
    answers = [asking(Query.of(LISTENBRAINZ, "recording", mbid=one.id)) for one in named.entities[:1]]
    return None not in answers


def _by_recording_id(asking: _Asking, mbid: str, services: Services) -> bool:
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


def _find_on_spotify(asking: _Asking, known: Known, services: Services) -> None:
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
            if asking(_spotify_track(link, known.tags)) is None:
                return
    for isrc in known.isrcs[:1]:
        if asking(Query.of(SPOTIFY, "isrc", isrc=isrc)) is None:
            return
    if text := searchable(known.tags):
        title, artist = text
        asking(Query.of(SPOTIFY, "text", title=title, artist=artist, album=known.tags.album))


def searchable(tags: TrackTags) -> tuple[str, str] | None:
    """(title, artist) when a text search can find one recording by them; None for "Track 01" and the like."""
    if not tags.title or not tags.artist or _PLACEHOLDER.match(tags.title.strip()):
        return None
    return tags.title, tags.artist


def _spotify_track(spotify_id: str, tags: TrackTags) -> Query:
    hint = {"title": tags.title, "artist": tags.album_artist or tags.artist, "album": tags.album}
    return Query.of(SPOTIFY, "track", hint, id=spotify_id)
