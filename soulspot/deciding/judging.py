"""The decision between candidates: the matcher's, unless a person has decided before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from soulspot.matching import NO_EVIDENCE, AlbumEvidence, Candidate, Decision, MatchPolicy, decide
from soulspot.models import SPOTIFY, Entity, TrackState, TrackTags, Verdict

UNDECIDED = Decision(Verdict.NONE, None, 0.0, 0.0, (), ())
ACCEPT_ANY = MatchPolicy(accept=0.0, review=0.0, margin=0.0)  # where a person chose, no score is too low


def judge_candidates(
    state: TrackState,
    tags: TrackTags,
    candidates: Sequence[Candidate],
    provider: str,
    policy: MatchPolicy,
    evidence: AlbumEvidence = NO_EVIDENCE,
) -> Decision:
    """Return the decision between `candidates` of `provider`; a person's choice is accepted at any
    score.

    `evidence` is what the album's other tracks say of this track."""
    chosen_id = id_chosen_by_person(state, provider)
    if chosen_id is None:
        if not candidates:
            return UNDECIDED
        rejected = rejected_ids(state, provider)
        return decide(tags, candidates, policy, path=state.music_path, rejected=rejected, evidence=evidence)
    chosen = [one for one in candidates if one.entity.id == chosen_id]
    kind = "track" if provider == SPOTIFY else "recording"
    undescribed = Candidate(Entity(provider, kind, chosen_id, {}))
    decision = decide(tags, chosen or [undescribed], ACCEPT_ANY, path=state.music_path)
    reasons = ("accepted by a person", *decision.reasons)
    return replace(decision, verdict=Verdict.ACCEPTED, confidence=1.0, reasons=reasons)


def id_chosen_by_person(state: TrackState, provider: str) -> str | None:
    """Return the id that a person accepted last; where that id was merged, the id it was merged
    into, unless somebody has rejected that."""
    decisions = [one for one in reversed(state.decisions) if one.provider == provider]
    chosen_id = next((one.entity_id for one in decisions if one.verdict is Verdict.ACCEPTED), None)
    if chosen_id is None:
        return None
    rejected = {one.entity_id for one in decisions if one.verdict is Verdict.REJECTED}
    return next((one for one in merged_into(state, [chosen_id]) if one not in rejected), chosen_id)


def rejected_ids(state: TrackState, provider: str) -> frozenset[str]:
    """Return the ids that persons rejected, and the ids that those were merged into."""
    decisions = [one for one in state.decisions if one.provider == provider]
    rejected = [one.entity_id for one in decisions if one.verdict is Verdict.REJECTED]
    return frozenset([*rejected, *merged_into(state, rejected)])


def merged_into(state: TrackState, mbids: Sequence[str]) -> Iterator[str]:
    """Yield the recording MBIDs that these were merged into, as far as redirects have been looked
    up."""
    for lookup in state.lookups.values():
        if lookup.query.kind == "redirect" and lookup.query["mbid"] in mbids:
            yield from (entity.fields["redirect_to"] for entity in lookup.entities if entity.kind == "redirect")


def accepted_id(decision: Decision) -> str | None:
    """Return the id of the accepted candidate, if one was accepted."""
    if decision.verdict is Verdict.ACCEPTED and decision.best:
        return decision.best.candidate.entity.id
    return None


def fields_of(decision: Decision) -> Mapping[str, Any]:
    """Return the fields of the best candidate, as its provider gave them; empty without a
    candidate."""
    return decision.best.candidate.entity.fields if decision.best else {}


def fill_gaps(tags: TrackTags, decision: Decision, *, length_too: bool = False) -> TrackTags:
    """Return the tags with the accepted candidate's names and length for what they lack; unchanged
    where title and artist are known, even if album or length are not. With `length_too` an unknown
    length is filled in all the same."""
    fields = fields_of(decision)
    if not accepted_id(decision):
        return tags
    if tags.title and tags.artist:
        return replace(tags, duration_ms=tags.duration_ms or fields.get("duration_ms")) if length_too else tags
    return replace(
        tags,
        title=tags.title or fields.get("title"),
        artist=tags.artist or fields.get("artist"),
        artists=tags.artists or tuple(fields.get("artists", ())),
        album=tags.album or fields.get("album"),
        duration_ms=tags.duration_ms or fields.get("duration_ms"),
    )


def rename_as_accepted(tags: TrackTags, decision: Decision) -> TrackTags:
    """Return the tags with the names of the best candidate in place of the library's."""
    fields = fields_of(decision)
    return replace(
        tags,
        title=fields.get("title") or tags.title,
        artist=fields.get("artist") or tags.artist,
        artists=tuple(fields.get("artists", ())) or tags.artists,
        duration_ms=tags.duration_ms or fields.get("duration_ms"),
    )


def descriptions_of(state: TrackState, recording_id: str | None) -> dict[str, Entity]:
    """Return what each provider says of this recording, by provider."""
    return {
        entity.provider: entity
        for lookup in state.lookups.values()
        for entity in lookup.entities
        if entity.kind == "recording" and entity.id == recording_id
    }
