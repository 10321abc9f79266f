"""Which lookups a track still wants: identify first, then enrich by id, then the other services. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from soulspot.deciding.plan_state import BY_HAND, Asking, Known, Services, searchable, titled
from soulspot.deciding.spotify_plan import find_on_spotify, spotify_track
from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, Asked, Query, TrackState, TrackTags
from soulspot.text import main_credit

SMALLEST_ALBUM, LARGEST_ALBUM = 4, 400  # tracks; a smaller one costs less asked track by track
MAX_EDITIONS = 2
MAX_ISRCS = 3


def plan(state: TrackState, known: Known, services: Services) -> tuple[Query, ...]:
    """The queries whose answers this track still waits for; empty when it is finished, or waits for its album."""
    return planned(state, known, services).wanted


def planned(state: TrackState, known: Known, services: Services) -> Asking:
    """What this track still waits for.

    Every stage asks only when the one before it has settled, so that a cheap answer saves a dear question."""
    asking = Asking(state)
    if state.unreadable:
        return asking
    for asked in state.asked.values():
        by_hand = asked.query.get("scope") == BY_HAND  # a person has searched, and waits for it
        if by_hand and asked.query.provider in services.names:
            asking(asked.query)
    if services.spotify and (spotify_id := state.tags.ids.spotify_track_id):
        asking(spotify_track(spotify_id, known.tags))
    if known.recording_id:
        if services.listenbrainz:
            asking(Query.of(LISTENBRAINZ, "recording", mbid=known.recording_id))
        if not asking.knows(known.recording_id):  # a person named it, and nobody has described it yet
            for stage in _by_recording_ids(asking, [known.recording_id], services):
                if stage.unsettled:
                    return asking
    else:
        for stage in _identify(asking, state, known, services):
            if stage.unsettled:
                return asking
    if services.spotify and known.spotify_id and not known.unasked and not asking.knows(known.spotify_id):
        asking(spotify_track(known.spotify_id, known.tags))
    elif services.spotify and services.spotify_batches and known.spotify_id:
        asking.in_full(
            known.spotify_id
        )  # for a fiftieth of a request: the row must not depend on who found it
    if services.spotify and not known.spotify_id and not asking.wanted:
        find_on_spotify(asking, state, known, services)
    return asking


@dataclass(frozen=True, slots=True)
class _Stage:
    unsettled: bool


def _identify(asking: Asking, state: TrackState, known: Known, services: Services) -> Iterator[_Stage]:
    """The ways to a recording, cheapest and surest first; the caller stops at the first unsettled one."""
    yield from _by_recording_ids(asking, known.tags.ids.mb_recording_ids, services)
    if services.musicbrainz:
        by_isrc = [asking(Query.of(MUSICBRAINZ, "isrc", isrc=isrc)) for isrc in known.isrcs[:MAX_ISRCS]]
        yield _Stage(None in by_isrc)
        if not _has_identifiers(known.tags):
            yield _Stage(not _by_album(asking, state, known))
    spotify_id = known.tags.ids.spotify_track_id
    if spotify_id and services.musicbrainz and not services.spotify:
        yield _Stage(asking(Query.of(MUSICBRAINZ, "url", spotify_id=spotify_id)) is None)
    yield from _by_text(asking, state, known, services)


def _by_text(asking: Asking, state: TrackState, known: Known, services: Services) -> Iterator[_Stage]:
    """By names and length: exactly as they are, nearly, and at last by all that can have been meant."""
    tags = known.tags
    duration = str(tags.duration_ms) if tags.duration_ms else None
    named = searchable(tags)
    if named and duration and services.listenbrainz:
        yield _Stage(not _by_exact_names(asking, *named))
    if not services.musicbrainz:
        return
    if named and duration:
        title, artist = named
        narrow = Query.of(MUSICBRAINZ, "text", title=title, artist=artist, duration_ms=duration)
        yield _Stage(asking(narrow) is None)
        if known.unstated_version:
            yield _Stage(asking(Query.of(MUSICBRAINZ, "text", title=title, artist=artist)) is None)
    if titled(tags) and (tags.artist or duration):
        loose = Query.of(
            MUSICBRAINZ, "loose", title=tags.title, artist=tags.artist, album=tags.album, duration_ms=duration
        )
        yield _Stage(asking(loose) is None)
    if named and tags.artist and duration and not known.is_near:
        yield _Stage(asking(artist_query(tags.artist)) is None)
        if known.other_names:
            arid = " ".join(known.other_names)
            yield _Stage(asking(Query.of(MUSICBRAINZ, "by_artist", arid=arid, duration_ms=duration)) is None)
    if _has_identifiers(tags) and not known.is_near:
        yield _Stage(not _by_album(asking, state, known))
    heard_of = {
        asked.query["mbid"]
        for asked in state.asked.values()
        if "mbid" in dict(asked.query.terms) and asked.entities
    }
    unknown = [mbid for mbid in tags.ids.mb_recording_ids if mbid not in heard_of]
    yield _Stage(None in [asking(Query.of(MUSICBRAINZ, "redirect", mbid=mbid)) for mbid in unknown])


def _has_identifiers(tags: TrackTags) -> bool:
    """As a rule the others of its album have some as well, and are found by them: to ask for the whole album would be
    for this track alone."""
    return bool(tags.ids.mb_recording_ids or tags.ids.isrcs)


def album_query(state: TrackState) -> Query | None:
    """The question which release the track's album is; None when the album is too small for it to be worth it, or
    too large to be one."""
    group = state.group
    if group is None or not group.album or not SMALLEST_ALBUM <= group.size <= LARGEST_ALBUM:
        return None
    return Query.of(MUSICBRAINZ, "album", album=group.album, artist=group.artist)


def album_again(state: TrackState, other_names: Sequence[str]) -> Query | None:
    """The album once more, where its name and artist together led to nothing: of an artist that has the tagged name
    besides its own, or of whoever has one of this name and size."""
    group = state.group
    if group is None or group.artist is None or album_query(state) is None:
        return None
    arid = " ".join(other_names) or None
    return Query.of(MUSICBRAINZ, "album", album=group.album, arid=arid, tracks=str(group.size))


def artist_query(name: str) -> Query:
    """The question who goes by this name."""
    return Query.of(MUSICBRAINZ, "artist", name=main_credit(name))


def _by_album(asking: Asking, state: TrackState, known: Known) -> bool:
    """Ask which release the album is, then for its recordings; another edition only when the first did not do."""
    first = album_query(state)
    if first is None or asking(first) is None:
        return first is None
    if not known.editions and state.group and state.group.artist:
        if asking(artist_query(state.group.artist)) is None:
            return False
        again = album_again(state, known.album_other_names)
        if again and asking(again) is None:
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


def _by_recording_ids(asking: Asking, mbids: Sequence[str], services: Services) -> Iterator[_Stage]:
    for provider in (name for name in (LISTENBRAINZ, MUSICBRAINZ) if name in services.names):
        yield _Stage(False in [_by_recording_id(asking, mbid, provider) for mbid in mbids])


def _by_recording_id(asking: Asking, mbid: str, provider: str) -> bool:
    """Ask for a recording by its id, or by the id it was merged into. True when there is nothing left to wait for."""
    answer = asking(Query.of(provider, "recording", mbid=mbid))
    if answer is None or answer.entities or provider != LISTENBRAINZ:
        return answer is not None
    merged = asking(Query.of(LISTENBRAINZ, "redirect", mbid=mbid))
    if merged is None:
        return False
    target = _target(merged)
    if not target or target == mbid:
        return True
    return asking(Query.of(LISTENBRAINZ, "recording", mbid=target)) is not None


def _target(redirect: Asked) -> str | None:
    """The id that an id was merged into."""
    targets = (entity.fields["redirect_to"] for entity in redirect.entities if entity.kind == "redirect")
    return next(targets, None)
