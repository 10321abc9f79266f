"""The decision for one track: candidates compared, ranked, and accepted only when clearly right."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from soulspot.matching.albums.editions import choose_release
from soulspot.matching.candidates import unite_candidates
from soulspot.matching.scoring import sole_candidates
from soulspot.matching.scoring.comparison import compare
from soulspot.matching.scoring.contenders import (
    Contender,
    are_rivals,
    find_closer_edit,
    find_untimed_take,
    prefer_official,
)
from soulspot.matching.scoring.features import EQUAL, Comparison, IdentifierFeature
from soulspot.matching.scoring.identifiers import Standing, identified_score, verify
from soulspot.matching.scoring.reasons import explain
from soulspot.matching.scoring.rules import WITH_ONE_DOUBT, Situation, score
from soulspot.matching.values import NO_EVIDENCE, AlbumEvidence, Candidate, Decision, MatchPolicy
from soulspot.matching.views import View, cut_leading_number, view_of_entity, views_of_tags
from soulspot.models import TrackTags, Verdict

RANKED = 10
_LONE = 0.95  # the score of the only candidate that a lone identifier led to
ONLY_OF_ITS_NAME = "the only one of this name, some seconds off"
_IDENTIFIERS = ("recording id", "spotify id", "isrc", "spotify link")


def decide(
    tags: TrackTags, candidates: Sequence[Candidate], policy: MatchPolicy, *, path: bytes | None = None,
    rejected: frozenset[str] = frozenset(), evidence: AlbumEvidence = NO_EVIDENCE,
) -> Decision:  # fmt: skip
    """Decide which of `candidates`, all recordings or all Spotify tracks, the track is.

    `path` fills gaps in the tags. Ids in `rejected` are never proposed. `evidence` of the album's
    other tracks decides between candidates that are as close, and takes nothing away. The order
    of the candidates does not matter."""
    readings = views_of_tags(tags, path)
    ours = readings[0]
    pool = [
        candidate
        for candidate in unite_candidates(candidates)
        if candidate.entity.id not in rejected and candidate.entity.kind in ("recording", "track")
    ]
    contenders = _score_lone_identifiers(pool) if ours.is_empty else _score_all(readings, pool)
    if not contenders:
        return Decision(Verdict.NONE, None, 0.0, 0.0, ("no candidates",), ())
    # Evidence of the album comes after all comparisons: it decides between candidates as close.
    ranked = sorted((sole_candidates.raise_left_over(one, evidence) for one in contenders), key=lambda one: one.rank)
    ranked = sole_candidates.prefer_own(prefer_official(ranked, policy.margin), evidence, policy.margin)
    best = ranked[0]
    # Where the album says that the best is this track's, recordings of other tracks are no rivals.
    others = [one for one in ranked[1:] if best.id != evidence.own_id or one.id not in evidence.claimed_ids]
    rival = next((one for one in others if are_rivals(best, one) and one.score >= policy.review), None)
    margin = round(max(0.0, best.score - rival.score), 4) if rival else round(best.score, 4)
    verdict, obstacle = _judge(best, rival, margin, policy)
    if verdict is Verdict.ACCEPTED and (take := find_untimed_take(best, ranked[1:])):
        verdict, obstacle = Verdict.REVIEW, (f"another take of unknown length may be meant: {take.id}",)
    if verdict is Verdict.ACCEPTED and (edit := find_closer_edit(best, ranked[1:])):
        verdict, obstacle = Verdict.REVIEW, (f"an edit is closer in length: {edit.id}",)
    in_review = verdict is Verdict.REVIEW
    return Decision(
        verdict=verdict,
        best=best.public(),
        confidence=round(best.score, 4),
        margin=margin,
        reasons=(*obstacle, *best.reasons),
        ranked=tuple(one.public() for one in ranked[:RANKED]),
        release=choose_release(ours, best.view) if verdict is not Verdict.NONE else None,
        version_unstated=in_review and best.comparison.version.is_unstated,
        rests_on_length=verdict is Verdict.ACCEPTED and _rests_on_length(best),
        acceptable_by_name=in_review and sole_candidates.find_only_of_its_name(ranked, ours.duration_ms) is best,
        title_uncompared=best.comparison.title.likeness is None,
    )


def accept_by_name(decision: Decision) -> Decision:
    """Return a decision that is `acceptable_by_name` accepted. For callers that have seen every
    recording of the name, of any length."""
    assert decision.best is not None
    best = replace(decision.best, score=WITH_ONE_DOUBT, reasons=(*decision.best.reasons, ONLY_OF_ITS_NAME))
    return replace(
        decision,
        verdict=Verdict.ACCEPTED,
        best=best,
        confidence=best.score,
        reasons=best.reasons,
        ranked=(best, *decision.ranked[1:]),
    )


def _score_all(readings: Sequence[View], pool: Sequence[Candidate]) -> list[Contender]:
    views = [(candidate, view_of_entity(candidate.entity)) for candidate in pool]

    def score_in(readings: Sequence[View]) -> list[Contender]:
        scored = ((_score(ours, view, candidate) for ours in readings) for candidate, view in views)
        return [max(of_one, key=lambda one: one.score) for of_one in scored]

    contenders = score_in(readings)
    numbered = tuple(filter(None, map(cut_leading_number, readings)))
    # A number that no title has is a track number: only then "10 Glacier of Lisbon" is cut.
    if numbered and not any(one.comparison.title.reaches(EQUAL) for one in contenders):
        contenders = score_in((*readings, *numbered))
    return sole_candidates.raise_sole_candidate(contenders, readings[0])


def _score(ours: View, view: View, candidate: Candidate) -> Contender:
    comparison = compare(ours, view, candidate.identified_by)
    standing = verify(comparison)
    value = identified_score(comparison, standing)
    return Contender(candidate, view, comparison, standing, value, explain(comparison, standing))


def _score_lone_identifiers(pool: Sequence[Candidate]) -> list[Contender]:
    """Return the contenders for a row with identifiers alone, which no text can confirm."""
    contenders = []
    for candidate in pool:
        reached = [name for name in _IDENTIFIERS if name in candidate.identified_by]
        sharing = max((sum(name in other.identified_by for other in pool) for name in reached), default=0)
        if not reached:
            value, reason = 0.0, "nothing to compare"
        elif sharing == 1:
            value, reason = _LONE, f"{reached[0]} names this one alone"
        else:
            value, reason = 0.8, f"{reached[0]} names {sharing} recordings"
        comparison = Comparison(identifiers=IdentifierFeature(recording_id=bool(reached)))
        view = view_of_entity(candidate.entity)
        contenders.append(Contender(candidate, view, comparison, Standing.UNSURE, value, (reason,)))
    return contenders


def _rests_on_length(best: Contender) -> bool:
    """Whether only its length tells the best from other live takes or remixes of its name."""
    c = best.comparison
    is_identified = c.identifiers.is_any or best.standing is not Standing.ABSENT
    is_told_apart = c.version.is_same_take or c.album.matches or is_identified
    return c.version.is_one_of_many and not is_told_apart


def _judge(
    best: Contender, rival: Contender | None, margin: float, policy: MatchPolicy
) -> tuple[Verdict, tuple[str, ...]]:
    if best.score < policy.review:
        return Verdict.NONE, (f"nothing close enough: {best.score:.0%} of {policy.review:.0%}",)
    if best.score < policy.accept:
        return Verdict.REVIEW, (f"not sure: {best.score:.0%} of {policy.accept:.0%}",)
    if rival is not None and margin < policy.margin:
        return Verdict.REVIEW, (f"another recording is as close: {rival.id}",)
    return Verdict.ACCEPTED, ()


def compare_records(a: TrackTags, b: TrackTags) -> float:
    """Return 0 to 1 for two rows being one track, in any order; 0.9 is as sure as a match."""
    return max(
        score(compare(this, that), Situation.ONLY_OF_ITS_NAME)
        for one in _views_of_record(a)
        for other in _views_of_record(b)
        for this, that in ((one, other), (other, one))
    )


# Rows are compared with many others, each pair anew.
_views_of_record = lru_cache(maxsize=1024)(views_of_tags)
