"""The Spotify side of a track's outcome: its candidates, the decision between them, and the links to more. Pure."""

from __future__ import annotations

from collections import Counter

from rapidfuzz.fuzz import token_set_ratio as ratio

from soulspot.deciding.judging import accepted_id, entities_of, fields_of, judge, locked, named_as
from soulspot.deciding.spotify_plan import album_on_spotify
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

_REACHED = {
    "track": frozenset({"spotify link"}),
    "isrc": frozenset({"isrc"}),
    "text": frozenset({"text"}),
    "album": frozenset[str](),
    "tracklist": frozenset[str](),
}


SAME_ALBUM = 80.0  # percent of likeness of two album names


def own_track(state: TrackState, tags: TrackTags, policy: MatchPolicy) -> Decision:
    """The track whose id the library gives, or a person chose."""
    own_only = locked(state, SPOTIFY) is None
    return judge(state, tags, _candidates(state, by_own_id=own_only), SPOTIFY, policy)


def same_track(state: TrackState, tags: TrackTags, recording: Decision, policy: MatchPolicy) -> Decision:
    """The best of all that Spotify answered, by the library's names or by those of the accepted recording."""
    found = _candidates(state, by_own_id=False, recording=recording)
    track = judge(state, tags, found, SPOTIFY, policy)
    if accepted_id(recording) and not accepted_id(track):  # the names it has upstream, in whatever script
        track = judge(state, named_as(tags, recording), found, SPOTIFY, policy)
    return track


def _candidates(state: TrackState, *, by_own_id: bool, recording: Decision | None = None) -> list[Candidate]:
    """What Spotify answered. A link or an ISRC is evidence where the accepted `recording` or the library itself has it;
    where words have led to it, or what a person has taken back, it is no more than those words."""
    recording_id = accepted_id(recording) if recording else None
    links = {*spotify_links(state, recording_id), *_labs_links(state, recording_id)}
    isrcs = set(state.tags.ids.isrcs)
    if recording and recording_id:
        isrcs.update(fields_of(recording).get("isrcs", ()))
    own, tags = state.tags.ids.spotify_track_id, normalise_tags(state.tags, state.path)
    found = []
    for asked in state.asked.values():
        if asked.query.provider != SPOTIFY:
            continue
        is_own = asked.query.kind == "track" and asked.query["id"] == own
        if by_own_id and not is_own:
            continue
        how = frozenset({"spotify id"}) if is_own else _REACHED[asked.query.kind]
        if (asked.query.kind == "track" and not is_own and asked.query["id"] not in links) or (
            asked.query.kind == "isrc" and asked.query["isrc"] not in isrcs
        ):
            how = _REACHED["text"]
        whole = asked.query.kind == "tracklist"
        entities = preselect_recordings(tags, asked.entities) if whole else asked.entities
        found += [Candidate(entity, how) for entity in entities if entity.kind == "track"]
    return found


def _labs_links(state: TrackState, recording_id: str | None) -> set[str]:
    """The Spotify ids that labs names for this recording."""
    return {
        one
        for asked in state.asked.values()
        if recording_id and asked.query.kind == "spotify_ids" and asked.query["mbid"] == recording_id
        for entity in asked.entities
        for one in entity.fields.get("spotify_track_ids", ())
    }


def spotify_links(state: TrackState, recording_id: str | None) -> tuple[str, ...]:
    """The Spotify ids that any source relates to this recording."""
    found = entities_of(state, recording_id).values()
    return tuple(dict.fromkeys(link for one in found for link in one.fields.get("spotify_track_ids", ())))


def told_twice(state: TrackState, recording: Decision) -> Decision | None:
    """The one Spotify track that MusicBrainz relates to the accepted recording, where labs names it too; None without
    such a track, or when Spotify has been asked about it.

    Two sources that know nothing of each other do not make the same mistake, and where an app may ask for one track at
    a time this saves most of what a lone track costs. A recording with several relations is not taken: then one of
    them is often the dead predecessor of another."""
    recording_id = accepted_id(recording)
    related = spotify_links(state, recording_id)
    if len(related) != 1 or locked(state, SPOTIFY):
        return None
    (link,) = related
    named = _labs_links(state, recording_id)
    rejected = any(
        one.provider == SPOTIFY and one.entity_id == link and one.verdict is Verdict.REJECTED
        for one in state.decisions
    )
    about = state.answer_to(Query.of(SPOTIFY, "track", id=link))
    if link not in named or rejected or (about is not None and about.settled) or named & state.on_spotify:
        return None
    reasons = ("MusicBrainz and ListenBrainz name the same track", "Spotify itself was not asked")
    candidate = Candidate(Entity(SPOTIFY, "track", link, {}), _REACHED["track"])
    best = ScoredCandidate(candidate, recording.confidence, reasons)
    return Decision(Verdict.ACCEPTED, best, recording.confidence, recording.confidence, reasons, (best,))


def spotify_albums(state: TrackState) -> tuple[str, ...]:
    """The albums that the search for the track's album found, of those that are called like it, the commonest first."""
    query, group = album_on_spotify(state), state.group
    answer = state.answer_to(query) if query else None
    if answer is None or group is None:
        return ()
    name = latin(group.album)
    counts = Counter(
        entity.fields["spotify_album_id"]
        for entity in answer.entities
        if "spotify_album_id" in entity.fields
        and ratio(latin(entity.fields.get("album") or ""), name) >= SAME_ALBUM
        and (group.artist is None or album_may_be_by(entity.fields, group.artist))
    )
    return tuple(album_id for album_id, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])))
