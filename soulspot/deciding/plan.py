"""The plan of a track: identify it first, then enrich it by id, then ask the other services."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from soulspot.deciding.plan_state import (
    BY_HAND,
    Known,
    LookupPlan,
    Services,
    has_real_title,
    searchable_names,
)
from soulspot.deciding.spotify_plan import plan_spotify, spotify_track_query
from soulspot.models import CATALOGUE, LISTENBRAINZ, MUSICBRAINZ, Query, TrackLookup, TrackState, TrackTags
from soulspot.text import main_credit

SMALLEST_ALBUM, LARGEST_ALBUM = 4, 400  # tracks; a smaller album costs less asked track by track
MAX_EDITIONS = 2
MAX_ISRCS = 3
MAX_NAMED = 4  # recordings of one name whose lengths are asked for, where the catalogue has none


def plan(state: TrackState, known: Known, services: Services) -> tuple[Query, ...]:
    """Return the queries whose answers this track still waits for; empty when it is finished, or
    waits for the other tracks of its album."""
    return make_plan(state, known, services).wanted


def make_plan(state: TrackState, known: Known, services: Services) -> LookupPlan:
    """Return the lookups that this track still wants, and whether it waits for its album.

    A stage asks only when the stage before it has settled: a cheap answer saves an expensive
    lookup."""
    plan = LookupPlan(state)
    if state.unreadable:
        return plan
    for lookup in state.lookups.values():
        # a person has searched, and waits for the answer
        if lookup.query.get("scope") == BY_HAND and lookup.query.provider in services.names:
            plan.answer(lookup.query)
    online = services.online()
    if online.spotify and (spotify_id := state.tags.ids.spotify_track_id):
        plan.answer(spotify_track_query(spotify_id, known.tags))
    if known.recording_id:
        # a recording that a person named has not been described by any answer yet
        is_described = plan.is_described(known.recording_id)
        if online.listenbrainz and (services.catalogue is None or services.catalogue.online == "always"):
            plan.answer(Query.of(LISTENBRAINZ, "recording", mbid=known.recording_id))
        stages = iter(()) if is_described else _describe(plan, known.recording_id, services)
    else:
        stages = _identify(plan, state, known, services)
    if not all(stages):
        return plan
    if online.spotify:
        if known.spotify_id and not known.spotify_unasked and not plan.is_described(known.spotify_id):
            plan.answer(spotify_track_query(known.spotify_id, known.tags))
        elif known.spotify_id and services.spotify_batches:
            # for a fiftieth of a request: the row must not depend on which lookup found the track
            plan.want_full_track(known.spotify_id)
        elif not known.spotify_id and not plan.wanted:
            plan_spotify(plan, state, known, online)
    return plan


# --- stages of identification: each yields whether it has settled; the caller stops where not -----


def _identify(plan: LookupPlan, state: TrackState, known: Known, services: Services) -> Iterator[bool]:
    """Add the lookups for a recording to `plan`: of the catalogue first, then of the services for
    what it does not know. Yield after each stage whether it has settled; the caller stops at the
    first that has not."""
    online, catalogue = services.online(), services.catalogue
    if catalogue is None:
        yield from _ask_everything(plan, state, known, online)
        return
    if catalogue.names_only:
        yield from _by_catalogue_names(plan, known, online)
    else:
        plan.musicbrainz = CATALOGUE
        # it relates Spotify's tracks for nothing, whoever else could be asked for them
        offline = Services(listenbrainz=False, spotify=False)
        yield from _ask_everything(plan, state, known, offline)
        plan.musicbrainz = MUSICBRAINZ
    if known.has_likely_recording:
        return
    if catalogue.is_fresh and catalogue.online != "always":
        yield from _by_new_identifiers(plan, known, online)
    else:
        yield from _ask_everything(plan, state, known, online)


def _ask_everything(plan: LookupPlan, state: TrackState, known: Known, services: Services) -> Iterator[bool]:
    """Add the lookups for a recording to `plan`, the cheapest and surest first. Yield after each
    stage whether it has settled; the caller stops at the first that has not."""
    yield from _by_recording_ids(plan, known.tags.ids.mb_recording_ids, services)
    if services.musicbrainz:
        by_isrc = [plan.answer(Query.of(MUSICBRAINZ, "isrc", isrc=isrc)) for isrc in known.isrcs[:MAX_ISRCS]]
        yield None not in by_isrc
        if not _has_identifiers(known.tags):
            yield _by_album(plan, state, known)
    spotify_id = known.tags.ids.spotify_track_id
    if spotify_id and services.musicbrainz and not services.spotify:
        yield plan.answer(Query.of(MUSICBRAINZ, "url", spotify_id=spotify_id)) is not None
    yield from _by_text(plan, state, known, services)


def _by_catalogue_names(plan: LookupPlan, known: Known, online: Services) -> Iterator[bool]:
    """Ask a catalogue of names for the recordings of exactly these names, and ListenBrainz for
    their lengths and ISRCs, without which none is accepted."""
    yield from _by_recording_ids(plan, known.tags.ids.mb_recording_ids, replace(online, musicbrainz=False))
    names = searchable_names(known.tags)
    if names is None:
        return
    title, artist = names
    named = plan.answer(Query.of(CATALOGUE, "names", title=title, artist=artist, album=known.tags.album))
    yield named is not None
    if named is not None and online.listenbrainz:
        several = named.entities[:MAX_NAMED]
        yield None not in [plan.answer(Query.of(LISTENBRAINZ, "recording", mbid=one.id)) for one in several]


def _by_new_identifiers(plan: LookupPlan, known: Known, online: Services) -> Iterator[bool]:
    """Ask for what may be newer than a fresh catalogue, as far as many tracks share a request: a
    search for each of its unknown names would find next to nothing. Once the catalogue is old, they
    are searched for."""
    if online.listenbrainz:
        mbids = known.tags.ids.mb_recording_ids
        yield None not in [plan.answer(Query.of(LISTENBRAINZ, "recording", mbid=mbid)) for mbid in mbids]
    if online.musicbrainz:
        isrcs = known.isrcs[:MAX_ISRCS]
        yield None not in [plan.answer(Query.of(MUSICBRAINZ, "isrc", isrc=isrc)) for isrc in isrcs]


def _describe(plan: LookupPlan, mbid: str, services: Services) -> Iterator[bool]:
    """Ask for one recording by its id."""
    if services.catalogue is not None and not services.catalogue.names_only:
        plan.musicbrainz = CATALOGUE
        yield _by_recording_id(plan, mbid, MUSICBRAINZ)
        plan.musicbrainz = MUSICBRAINZ
        if plan.is_described(mbid):
            return
    yield from _by_recording_ids(plan, [mbid], services.online())


def _by_text(plan: LookupPlan, state: TrackState, known: Known, services: Services) -> Iterator[bool]:
    """Add searches by names and length: exact, then near, at last by all that can have been meant.
    Yield after each stage whether it has settled."""
    tags = known.tags
    duration = str(tags.duration_ms) if tags.duration_ms else None
    names = searchable_names(tags)
    if names and duration and services.listenbrainz:
        yield _by_exact_names(plan, *names)
    if not services.musicbrainz:
        return
    if names and duration:
        title, artist = names
        narrow = Query.of(MUSICBRAINZ, "text", title=title, artist=artist, duration_ms=duration)
        yield plan.answer(narrow) is not None
        if known.needs_rivals:
            yield plan.answer(Query.of(MUSICBRAINZ, "text", title=title, artist=artist)) is not None
    if has_real_title(tags) and (tags.artist or duration):
        loose = Query.of(
            MUSICBRAINZ, "loose", title=tags.title, artist=tags.artist, album=tags.album, duration_ms=duration
        )
        yield plan.answer(loose) is not None
    if names and tags.artist and duration and not known.has_likely_recording:
        yield plan.answer(artist_query(tags.artist)) is not None
        if known.alias_artist_ids:
            arid = " ".join(known.alias_artist_ids)
            by_artist = Query.of(MUSICBRAINZ, "by_artist", arid=arid, duration_ms=duration)
            yield plan.answer(by_artist) is not None
    if _has_identifiers(tags) and not known.has_likely_recording:
        yield _by_album(plan, state, known)
    described = {
        lookup.query["mbid"]
        for lookup in state.lookups.values()
        if "mbid" in dict(lookup.query.terms) and lookup.entities
    }
    unknown = [mbid for mbid in tags.ids.mb_recording_ids if mbid not in described]
    redirects = [plan.answer(Query.of(MUSICBRAINZ, "redirect", mbid=mbid)) for mbid in unknown]
    yield None not in redirects


def _has_identifiers(tags: TrackTags) -> bool:
    # As a rule the other tracks of its album have identifiers too and are found by them. To ask for
    # the whole album would then be a request for this track alone, so it comes late.
    return bool(tags.ids.mb_recording_ids or tags.ids.isrcs)


def album_query(state: TrackState) -> Query | None:
    """Return the query that asks for the releases which the track's album may be.

    None when the album has too few tracks for that to be cheaper, or too many to be one album."""
    group = state.group
    if group is None or not group.album or not SMALLEST_ALBUM <= group.size <= LARGEST_ALBUM:
        return None
    return Query.of(MUSICBRAINZ, "album", album=group.album, artist=group.artist)


def second_album_query(state: TrackState, artist_ids: Sequence[str]) -> Query | None:
    """Return the query to use where album and artist name together led to nothing: by the MBIDs of
    artists that go by the tagged name, or, without any, by album name and size alone."""
    group = state.group
    if group is None or group.artist is None or album_query(state) is None:
        return None
    arid = " ".join(artist_ids) or None
    return Query.of(MUSICBRAINZ, "album", album=group.album, arid=arid, tracks=str(group.size))


def artist_query(name: str) -> Query:
    """Return the query that asks for the artists of this name, without featured ones."""
    return Query.of(MUSICBRAINZ, "artist", name=main_credit(name))


def _by_album(plan: LookupPlan, state: TrackState, known: Known) -> bool:
    """Ask which release the album is, then for its recordings; a second edition only if one did not
    do."""
    first = album_query(state)
    if first is None or plan.answer(first) is None:
        return first is None
    if not known.editions and state.group and state.group.artist:
        if plan.answer(artist_query(state.group.artist)) is None:
            return False
        second = second_album_query(state, known.album_alias_artist_ids)
        if second and plan.answer(second) is None:
            return False
    for edition in known.editions[:MAX_EDITIONS]:
        hint = {"tracks": str(edition.fields["track_count"]) if "track_count" in edition.fields else None}
        if plan.answer(Query.of(MUSICBRAINZ, "release", hint, mbid=edition.id)) is None:
            return False
    return True


def _by_exact_names(plan: LookupPlan, title: str, artist: str) -> bool:
    """Ask labs for the recording of exactly these names, then for its length, which labs does not
    tell."""
    named = plan.answer(Query.of(LISTENBRAINZ, "text", title=title, artist=artist))
    if named is None:
        return False
    recordings = named.entities[:1]
    return None not in [plan.answer(Query.of(LISTENBRAINZ, "recording", mbid=one.id)) for one in recordings]


def _by_recording_ids(plan: LookupPlan, mbids: Sequence[str], services: Services) -> Iterator[bool]:
    for provider in (name for name in (LISTENBRAINZ, MUSICBRAINZ) if name in services.names):
        # a list: all ids are asked at once, not one after the other
        settled = [_by_recording_id(plan, mbid, provider) for mbid in mbids]
        yield all(settled)


def _by_recording_id(plan: LookupPlan, mbid: str, provider: str) -> bool:
    """Ask for a recording by its id, or by the id that it was merged into; return whether that has
    settled."""
    recording = plan.answer(Query.of(provider, "recording", mbid=mbid))
    # MusicBrainz itself takes a request for each merged id, so it is asked at last
    is_costly = provider == MUSICBRAINZ == plan.musicbrainz
    if recording is None or recording.entities or is_costly:
        return recording is not None
    redirect = plan.answer(Query.of(provider, "redirect", mbid=mbid))
    if redirect is None:
        return False
    target = _redirect_target(redirect)
    if not target or target == mbid or provider != LISTENBRAINZ:
        return True
    return plan.answer(Query.of(LISTENBRAINZ, "recording", mbid=target)) is not None


def _redirect_target(redirect: TrackLookup) -> str | None:
    """Return the id that the id of a redirect lookup was merged into."""
    targets = (entity.fields["redirect_to"] for entity in redirect.entities if entity.kind == "redirect")
    return next(targets, None)
