"""The Spotify side of a track's outcome: its candidates, the decision between them, and the links to more. Pure."""

from __future__ import annotations

from soulspot.matching import Candidate, Decision, MatchPolicy
from soulspot.models import SPOTIFY, TrackState, TrackTags
from soulspot.outcome_judging import accepted_id, entities_of, judge, locked, named_as


def own_track(state: TrackState, tags: TrackTags, policy: MatchPolicy) -> Decision:
    """The track whose id the library gives, or a person chose."""
    own_only = locked(state, SPOTIFY) is None
    return judge(state, tags, _candidates(state, by_own_id=own_only), SPOTIFY, policy)


def same_track(state: TrackState, tags: TrackTags, recording: Decision, policy: MatchPolicy) -> Decision:
    """The best of all that Spotify answered, by the library's names or by those of the accepted recording."""
    found = _candidates(state, by_own_id=False)
    track = judge(state, tags, found, SPOTIFY, policy)
    if accepted_id(recording) and not accepted_id(track):  # the names it has upstream, in whatever script
        track = judge(state, named_as(tags, recording), found, SPOTIFY, policy)
    return track


def _candidates(state: TrackState, *, by_own_id: bool) -> list[Candidate]:
    own = state.tags.ids.spotify_track_id
    found = []
    for asked in state.asked.values():
        if asked.query.provider != SPOTIFY:
            continue
        is_own = asked.query.kind == "track" and asked.query["id"] == own
        if by_own_id and not is_own:
            continue
        how = (
            "spotify id"
            if is_own
            else {"track": "spotify link", "isrc": "isrc"}.get(asked.query.kind, "text")
        )
        found += [Candidate(entity, frozenset({how})) for entity in asked.entities if entity.kind == "track"]
    return found


def spotify_links(state: TrackState, recording_id: str | None) -> tuple[str, ...]:
    """The Spotify ids that any source relates to this recording."""
    found = entities_of(state, recording_id).values()
    return tuple(dict.fromkeys(link for one in found for link in one.fields.get("spotify_track_ids", ())))
