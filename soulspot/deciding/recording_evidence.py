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
from soulspot.models import CATALOGUE, LISTENBRAINZ, Entity, Query, TrackLookup, TrackState, TrackTags
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


def recording_candidates(state: TrackState, tags: TrackTags, track: Decision) -> Iterator[Candidate]:
    """Yield every recording of every answer as a candidate, with what led to it.

    `track` is the decision on a Spotify track; its ISRCs count as the library's own if it was
    accepted."""
    own_ids = {*tags.ids.mb_recording_ids, *merged_into(state, tags.ids.mb_recording_ids)}
    unsupported = _recordings_only_named(state, tags) - own_ids
    isrcs_of_track = fields_of(track).get("isrcs", ()) if accepted_id(track) else ()
    confirmed = {*state.tags.ids.isrcs, *isrcs_of_track}
    for lookup in state.lookups.values():
        query, entities = lookup.query, lookup.entities
        if query.kind == "release":
            entities = tuple(preselect_recordings(normalise_tags(tags, state.music_path), entities))
        for entity in entities:
            if entity.kind != "recording":
                continue
            if entity.id in unsupported and (query.provider == LISTENBRAINZ or _tells_names_only(query)):
                continue
            evidence = {"recording id"} if entity.id in own_ids else set()
            if query.kind == "isrc":
                evidence.add("isrc" if query["isrc"] in confirmed else "text")
            elif query.kind == "url":
                evidence.add("spotify link")
            elif query.kind in ("text", "names", "loose", "by_artist"):
                evidence.add("text")
            yield Candidate(entity, frozenset(evidence))


def _recordings_only_named(state: TrackState, tags: TrackTags) -> set[str]:
    """Return the recordings of which only the name was told, by somebody who knows no lengths, and
    whose length, if anybody knows it, does not support them.

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
            if _tells_names_only(lookup.query):
                named.add(entity.id)
            elif lookup.query.provider != LISTENBRAINZ:
                seconded.add(entity.id)
    own = tags.duration_ms
    return {
        mbid for mbid in named - seconded if own is None or mbid not in lengths or abs(lengths[mbid] - own) > LABS_SLACK
    }


def _tells_names_only(query: Query) -> bool:
    return (query.provider, query.kind) in ((LISTENBRAINZ, "text"), (CATALOGUE, "names"))


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
    queries = (album_query(state), second_album_query(state, alias_ids))
    for lookup in (answer for query in queries if query for answer in _answers(state, query)):
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
    artists = [one for one in _artists_found(state, name) if artist_has_alias(one.fields, main_credit(name or ""))]
    artists.sort(key=lambda one: (-int(one.fields.get("score", 0)), one.id))
    return tuple(one.id for one in artists)[:MAX_ARTISTS]


def artist_ids(state: TrackState, name: str | None) -> tuple[str, ...]:
    """Return the MBIDs of artists that go by `name`, those that are called otherwise upstream
    first.

    A search by name finds recordings of these titles, not recordings that are called otherwise."""
    found = _artists_found(state, name)
    same_name = [one.id for one in found if artist_has_name(one.fields, main_credit(name or ""))]
    return tuple(dict.fromkeys((*alias_artist_ids(state, name), *same_name)))[:MAX_ARTISTS]


def _artists_found(state: TrackState, name: str | None) -> list[Entity]:
    """Return the artists that a search for this name has found, each once."""
    answers = _answers(state, artist_query(name)) if name else ()
    return list({one.id: one for lookup in answers for one in lookup.entities}.values())


def _answers(state: TrackState, query: Query) -> Iterator[TrackLookup]:
    """Yield the answers to a question about what MusicBrainz knows: the catalogue's first."""
    for asked in (replace(query, provider=CATALOGUE), query):
        if (lookup := state.answer_to(asked)) is not None:
            yield lookup
