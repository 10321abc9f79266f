"""Evidence in the answers: candidates for the recording, its ISRCs, editions and artists."""

from collections.abc import Iterator
from dataclasses import replace

from soulspot.deciding.judging import accepted_id, fields_of, merged_into
from soulspot.deciding.plan import album_query, artist_query, second_album_query
from soulspot.matching import (
    Candidate,
    Decision,
    artist_has_alias,
    artist_has_name,
    choose_editions,
    normalise_tags,
    preselect_recordings,
    strip_artist,
)
from soulspot.models import LISTENBRAINZ, MUSICBRAINZ, Entity, TrackState, TrackTags
from soulspot.text import main_credit

LABS_SLACK = 2_500  # milliseconds that the length of a recording which only labs named may differ
MAX_ARTISTS = 3


def searchable_tags(tags: TrackTags, path: bytes | None) -> TrackTags:
    """Return the tags put in order for lookups.

    A title that could be a placeholder ("Song 2", "22") is looked up all the same: it may be the
    name."""
    tidy = normalise_tags(tags, path)
    title = tidy.title or (tags.title or "").strip() or None
    return replace(tidy, title=title and strip_artist(title, tidy.artist))


def recording_candidates(state: TrackState, tags: TrackTags, own_track: Decision) -> Iterator[Candidate]:
    """Yield every recording of every answer as a candidate, with what led to it.

    `own_track` is the decision on the Spotify track that the library names; its ISRCs count as the
    library's own if it was accepted."""
    own_ids = {*tags.ids.mb_recording_ids, *merged_into(state, tags.ids.mb_recording_ids)}
    unsupported = _recordings_only_labs_names(state, tags) - own_ids
    isrcs_of_track = fields_of(own_track).get("isrcs", ()) if accepted_id(own_track) else ()
    confirmed = {*state.tags.ids.isrcs, *isrcs_of_track}
    for lookup in state.lookups.values():
        query, entities = lookup.query, lookup.entities
        if query.kind == "release":
            entities = tuple(preselect_recordings(normalise_tags(tags, state.path), entities))
        for entity in entities:
            if entity.kind != "recording":
                continue
            if entity.id in unsupported and query.provider == LISTENBRAINZ:
                continue
            evidence = {"recording id"} if entity.id in own_ids else set()
            if query.kind == "isrc":
                evidence.add("isrc" if query["isrc"] in confirmed else "text")
            elif query.kind == "url":
                evidence.add("spotify link")
            elif query.kind in ("text", "loose", "by_artist"):
                evidence.add("text")
            yield Candidate(entity, frozenset(evidence))


def _recordings_only_labs_names(state: TrackState, tags: TrackTags) -> set[str]:
    """Return the recordings that only labs named and whose length does not support them.

    Labs answers one recording for a text and none of its rivals, so its word alone is not
    enough."""
    named: set[str] = set()
    seconded: set[str] = set()
    lengths: dict[str, int] = {}
    for lookup in state.lookups.values():
        for entity in lookup.entities:
            if entity.kind != "recording":
                continue
            if length := entity.fields.get("duration_ms"):
                lengths[entity.id] = int(length)
            if lookup.query.provider == LISTENBRAINZ and lookup.query.kind == "text":
                named.add(entity.id)
            elif lookup.query.provider == MUSICBRAINZ:
                seconded.add(entity.id)
    own = tags.duration_ms
    return {
        mbid for mbid in named - seconded if own is None or mbid not in lengths or abs(lengths[mbid] - own) > LABS_SLACK
    }


def known_isrcs(state: TrackState, recording: Decision, track: Decision) -> tuple[str, ...]:
    """Return the track's own ISRCs first, then those of the accepted recording and Spotify track.

    An accepted recording that has ISRCs knows better than the tags: then an own ISRC that the
    recording does not have comes last."""
    own = state.tags.ids.isrcs
    of_recording, of_track = (
        list(fields_of(one).get("isrcs", ())) if accepted_id(one) else [] for one in (recording, track)
    )
    shared = [isrc for isrc in own if isrc in of_recording] if of_recording else own
    return tuple(dict.fromkeys([*shared, *of_recording, *of_track, *own]))


def likely_editions(state: TrackState, tags: TrackTags) -> tuple[Entity, ...]:
    """Return the releases that the track's album may be, where that has been answered, the
    likeliest first."""
    group = state.group
    if group is None:
        return ()
    alias_ids = alias_artist_ids(state, group.artist)
    # the highest number of all its tracks, so that they all choose the same edition
    highest = max((one.tags.track_number or 0 for one in group.members), default=0)
    tags = replace(tags, track_number=highest or tags.track_number)
    for query in (album_query(state), second_album_query(state, alias_ids)):
        lookup = state.answer_to(query) if query else None
        if lookup is None:
            continue
        by_alias = {one.id for one in lookup.entities if set(alias_ids) & {*one.fields.get("mb_artist_ids", ())}}
        editions = choose_editions(
            tags, group.album, group.artist, lookup.entities, size=group.size, by_artist=by_alias
        )
        if editions:
            return tuple(editions)
    return ()


def alias_artist_ids(state: TrackState, name: str | None) -> tuple[str, ...]:
    """Return the MBIDs of artists that go by `name` and are called otherwise upstream, the
    likeliest first.

    Artists of that very name are left out: a search by name has found what there is of them."""
    lookup = state.answer_to(artist_query(name)) if name else None
    if lookup is None or not name:
        return ()
    artists = [one for one in lookup.entities if artist_has_alias(one.fields, main_credit(name))]
    artists.sort(key=lambda one: (-int(one.fields.get("score", 0)), one.id))
    return tuple(one.id for one in artists)[:MAX_ARTISTS]


def artist_ids(state: TrackState, name: str | None) -> tuple[str, ...]:
    """Return the MBIDs of artists that go by `name`, those that are called otherwise upstream
    first.

    A search by name finds recordings of these titles, not recordings that are called otherwise."""
    lookup = state.answer_to(artist_query(name)) if name else None
    if lookup is None or not name:
        return ()
    same_name = [one.id for one in lookup.entities if artist_has_name(one.fields, main_credit(name))]
    return tuple(dict.fromkeys((*alias_artist_ids(state, name), *same_name)))[:MAX_ARTISTS]
