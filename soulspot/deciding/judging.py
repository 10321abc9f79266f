"""What is made of candidates: the matcher's decision, unless a person has decided before, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soulspot.matching import NO_EVIDENCE, AlbumEvidence, Candidate, Decision, MatchPolicy, decide
from soulspot.models import SPOTIFY, Entity, TrackState, TrackTags, Verdict

NOBODY = Decision(Verdict.NONE, None, 0.0, 0.0, (), ())
ANYTHING = MatchPolicy(accept=0.0, review=0.0, margin=0.0)  # where a person has chosen, no score is too low


def judge(
    state: TrackState,
    tags: TrackTags,
    candidates: Sequence[Candidate],
    provider: str,
    policy: MatchPolicy,
    share: AlbumEvidence = NO_EVIDENCE,
) -> Decision:
    """The matcher's decision, unless a person has decided before; `share` is what the album's other tracks leave."""
    chosen_id = locked(state, provider)
    if chosen_id is None:
        if not candidates:
            return NOBODY
        rejected = rejected_ids(state, provider)
        return decide(tags, candidates, policy, path=state.path, rejected=rejected, evidence=share)
    chosen = [one for one in candidates if one.entity.id == chosen_id]
    decision = decide(tags, chosen or [Candidate(_bare(provider, chosen_id))], ANYTHING, path=state.path)
    return replace(
        decision,
        verdict=Verdict.ACCEPTED,
        confidence=1.0,
        reasons=("accepted by a person", *decision.reasons),
    )


def locked(state: TrackState, provider: str) -> str | None:
    """The id that a person accepted, the last one if several; the one that it was merged into, where that is known and
    nobody has rejected it."""
    said = [one for one in reversed(state.decisions) if one.provider == provider]
    chosen_id = next((one.entity_id for one in said if one.verdict is Verdict.ACCEPTED), None)
    if chosen_id is None:
        return None
    rejected = {one.entity_id for one in said if one.verdict is Verdict.REJECTED}
    return next((one for one in merged_into(state, [chosen_id]) if one not in rejected), chosen_id)


def rejected_ids(state: TrackState, provider: str) -> frozenset[str]:
    """The ids that persons rejected, and those that they were merged into."""
    said = [one for one in state.decisions if one.provider == provider]
    rejected = [one.entity_id for one in said if one.verdict is Verdict.REJECTED]
    return frozenset([*rejected, *merged_into(state, rejected)])


def merged_into(state: TrackState, mbids: Sequence[str]) -> Iterator[str]:
    """The recordings that these were merged into, as far as that has been asked."""
    for asked in state.asked.values():
        if asked.query.kind == "redirect" and asked.query["mbid"] in mbids:
            yield from (
                entity.fields["redirect_to"] for entity in asked.entities if entity.kind == "redirect"
            )


def _bare(provider: str, entity_id: str) -> Entity:
    """A candidate of which nothing is known yet but its id."""
    return Entity(provider, "track" if provider == SPOTIFY else "recording", entity_id, {})


def accepted_id(decision: Decision) -> str | None:
    """The id of what was accepted, if anything was."""
    if decision.verdict is Verdict.ACCEPTED and decision.best:
        return decision.best.candidate.entity.id
    return None


def fields_of(decision: Decision) -> Mapping[str, Any]:
    """What its source says of the best candidate."""
    return decision.best.candidate.entity.fields if decision.best else {}


def completed(tags: TrackTags, decision: Decision) -> TrackTags:
    """Where the library has no text of its own, an accepted identity says what the track is called."""
    if not accepted_id(decision) or (tags.title and tags.artist):
        return tags
    known = fields_of(decision)
    return replace(
        tags,
        title=tags.title or known.get("title"),
        artist=tags.artist or known.get("artist"),
        artists=tags.artists or tuple(known.get("artists", ())),
        album=tags.album or known.get("album"),
        duration_ms=tags.duration_ms or known.get("duration_ms"),
    )


def named_as(tags: TrackTags, decision: Decision) -> TrackTags:
    """The tags with the names and the length of what the track was accepted as."""
    known = fields_of(decision)
    return replace(
        tags,
        title=known.get("title") or tags.title,
        artist=known.get("artist") or tags.artist,
        artists=tuple(known.get("artists", ())) or tags.artists,
        duration_ms=tags.duration_ms or known.get("duration_ms"),
    )


def entities_of(state: TrackState, recording_id: str | None) -> dict[str, Entity]:
    """What each source says of this recording, by source."""
    return {
        entity.provider: entity
        for asked in state.asked.values()
        for entity in asked.entities
        if entity.kind == "recording" and entity.id == recording_id
    }
