"""The Spotify side of a track: its candidates, the decision between them, and the links to
others."""

from collections import Counter

from rapidfuzz.fuzz import token_set_ratio

from soulspot.deciding.judging import (
    accepted_id,
    descriptions_of,
    fields_of,
    id_chosen_by_person,
    judge_candidates,
    rename_as_accepted,
)
from soulspot.deciding.spotify_plan import spotify_album_query
from soulspot.matching import (
    Candidate,
    Decision,
    MatchPolicy,
    ScoredCandidate,
    album_may_be_by,
    normalise_tags,
    preselect_recordings,
)
from soulspot.models import SPOTIFY, Entity, Query, TrackState, TrackTags, Verdict
from soulspot.text import latin

# what led to the candidates of a lookup, by its kind
_EVIDENCE = {
    "track": frozenset({"spotify link"}),
    "isrc": frozenset({"isrc"}),
    "text": frozenset({"text"}),
    "album": frozenset[str](),
    "tracklist": frozenset[str](),
}
SAME_ALBUM = 80.0  # percent of likeness from which on two album names may be one album's


def decide_own_track(state: TrackState, tags: TrackTags, policy: MatchPolicy) -> Decision:
    """Decide on the Spotify track whose id the library gives or a person chose."""
    only_own_id = id_chosen_by_person(state, SPOTIFY) is None
    return judge_candidates(state, tags, _candidates(state, only_own_id=only_own_id), SPOTIFY, policy)


def decide_spotify_track(state: TrackState, tags: TrackTags, recording: Decision, policy: MatchPolicy) -> Decision:
    """Decide between all Spotify tracks that were answered, by the library's names or, where those
    accept none, by the names of the accepted recording."""
    candidates = _candidates(state, only_own_id=False, recording=recording)
    track = judge_candidates(state, tags, candidates, SPOTIFY, policy)
    if accepted_id(recording) and not accepted_id(track):
        # the tags may name the track in another script than Spotify does
        track = judge_candidates(state, rename_as_accepted(tags, recording), candidates, SPOTIFY, policy)
    return track


def _candidates(state: TrackState, *, only_own_id: bool, recording: Decision | None = None) -> list[Candidate]:
    # A link or an ISRC is evidence where the accepted recording or the library itself has it. Where
    # words have led to it, or where a person took its source back, it counts no more than those
    # words.
    recording_id = accepted_id(recording) if recording else None
    links = {*spotify_links(state, recording_id), *_labs_links(state, recording_id)}
    isrcs = set(state.tags.ids.isrcs)
    if recording and recording_id:
        isrcs.update(fields_of(recording).get("isrcs", ()))
    own_id, tags = state.tags.ids.spotify_track_id, normalise_tags(state.tags, state.music_path)
    candidates = []
    for lookup in state.lookups.values():
        query = lookup.query
        if query.provider != SPOTIFY:
            continue
        is_own = query.kind == "track" and query["id"] == own_id
        if only_own_id and not is_own:
            continue
        evidence = frozenset({"spotify id"}) if is_own else _EVIDENCE[query.kind]
        if (query.kind == "track" and not is_own and query["id"] not in links) or (
            query.kind == "isrc" and query["isrc"] not in isrcs
        ):
            evidence = _EVIDENCE["text"]
        is_whole_album = query.kind == "tracklist"
        entities = preselect_recordings(tags, lookup.entities) if is_whole_album else lookup.entities
        candidates += [Candidate(entity, evidence) for entity in entities if entity.kind == "track"]
    return candidates


def spotify_links(state: TrackState, recording_id: str | None) -> tuple[str, ...]:
    """Return the Spotify ids that any source relates to this recording."""
    described = descriptions_of(state, recording_id).values()
    return tuple(dict.fromkeys(link for one in described for link in one.fields.get("spotify_track_ids", ())))


def _labs_links(state: TrackState, recording_id: str | None) -> set[str]:
    """Return the Spotify ids that labs names for this recording."""
    return {
        link
        for lookup in state.lookups.values()
        if recording_id and lookup.query.kind == "spotify_ids" and lookup.query["mbid"] == recording_id
        for entity in lookup.entities
        for link in entity.fields.get("spotify_track_ids", ())
    }


def track_named_by_two_sources(state: TrackState, recording: Decision) -> Decision | None:
    """Accept the one Spotify track that MusicBrainz relates to the accepted recording and labs
    names too; return None without such a track, or when Spotify has been asked about it.

    Two sources that know nothing of each other do not make the same mistake, and where an app may
    ask for one track at a time this saves most of what a lone track costs. A recording with several
    relations is left out: then one of them is often the dead predecessor of another."""
    recording_id = accepted_id(recording)
    related = spotify_links(state, recording_id)
    if len(related) != 1 or id_chosen_by_person(state, SPOTIFY):
        return None
    (link,) = related
    named = _labs_links(state, recording_id)
    is_rejected = any(
        one.provider == SPOTIFY and one.entity_id == link and one.verdict is Verdict.REJECTED for one in state.decisions
    )
    lookup = state.answer_to(Query.of(SPOTIFY, "track", id=link))
    is_answered = (lookup is not None and lookup.is_settled) or bool(named & state.described_on_spotify)
    if link not in named or is_rejected or is_answered:
        return None
    reasons = ("MusicBrainz and ListenBrainz name the same track", "Spotify itself was not asked")
    candidate = Candidate(Entity(SPOTIFY, "track", link, {}), _EVIDENCE["track"])
    best = ScoredCandidate(candidate, recording.confidence, reasons)
    return Decision(Verdict.ACCEPTED, best, recording.confidence, recording.confidence, reasons, (best,))


def likely_spotify_albums(state: TrackState) -> tuple[str, ...]:
    """Return the ids of the Spotify albums that a search for the track's album found under such a
    name, the most frequent first."""
    query, group = spotify_album_query(state), state.group
    lookup = state.answer_to(query) if query else None
    if lookup is None or group is None:
        return ()
    name = latin(group.album)
    counts = Counter(
        entity.fields["spotify_album_id"]
        for entity in lookup.entities
        if "spotify_album_id" in entity.fields
        and token_set_ratio(latin(entity.fields.get("album") or ""), name) >= SAME_ALBUM
        and (group.artist is None or album_may_be_by(entity.fields, group.artist))
    )
    return tuple(album_id for album_id, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
