"""The decision for one track: candidates merged, scored and ranked, and accepted only when clearly right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from soulspot.matching.albums.belonging import choose_release
from soulspot.matching.scoring.comparing import Marks, compare
from soulspot.matching.scoring.identified import WITH_ONE_DOUBT, Standing, identified_score, verify
from soulspot.matching.scoring.reasons import explain
from soulspot.matching.scoring.rivals import Judged, preferred, rivals, untold
from soulspot.matching.scoring.singling import left_over, only_of_its_name, remaining, singled_out
from soulspot.matching.uniting import united
from soulspot.matching.values import NO_EVIDENCE, AlbumEvidence, Candidate, Decision, MatchPolicy
from soulspot.matching.views import View, view_of_fields, views_of_tags, without_leading_number
from soulspot.models import TrackTags, Verdict

SHOWN = 10
_LONE = 0.95
ONLY_OF_ITS_NAME = "the only one of this name, some seconds off"
_IDENTIFIERS = ("recording id", "spotify id", "isrc", "spotify link")


def decide(
    tags: TrackTags,
    candidates: Sequence[Candidate],
    policy: MatchPolicy,
    *,
    path: bytes | None = None,
    rejected: frozenset[str] = frozenset(),
    evidence: AlbumEvidence = NO_EVIDENCE,
) -> Decision:
    """Decide which of `candidates` (all MusicBrainz/ListenBrainz recordings, or all Spotify tracks) the track is.

    `path` fills gaps in the tags; ids in `rejected` are never proposed; `evidence` is what the other tracks of the album
    leave: between candidates that are as close it decides, and it takes nothing away. The order of the
    candidates does not matter."""
    readings = views_of_tags(tags, path)
    ours = readings[0]
    pool = [
        c
        for c in united(candidates)
        if c.entity.id not in rejected and c.entity.kind in ("recording", "track")
    ]
    judged = _lone(pool) if ours.empty else _judged(readings, pool)
    if not judged:
        return Decision(Verdict.NONE, None, 0.0, 0.0, ("no candidates",), ())
    judged = sorted((remaining(j, evidence) for j in judged), key=lambda j: j.rank)
    judged = left_over(preferred(judged, policy.margin), evidence, policy.margin)
    best = judged[0]
    others = [j for j in judged[1:] if best.id != evidence.own_id or j.id not in evidence.claimed_ids]
    rival = next((j for j in others if rivals(best, j) and j.score >= policy.review), None)
    margin = round(max(0.0, best.score - rival.score), 4) if rival else round(best.score, 4)
    verdict, why = _verdict(best, rival, margin, policy)
    if verdict is Verdict.ACCEPTED and (other := untold(best, judged[1:])):
        verdict, why = Verdict.REVIEW, (f"another take of unknown length may be meant: {other.id}",)
    return Decision(
        verdict=verdict,
        best=best.public(),
        confidence=round(best.score, 4),
        margin=margin,
        reasons=(*why, *best.reasons),
        ranked=tuple(j.public() for j in judged[:SHOWN]),
        release=choose_release(ours, best.view) if verdict is not Verdict.NONE else None,
        rests_on_length=verdict is Verdict.ACCEPTED and _for_its_length_alone(best),
        version_unstated=best.marks.unstated and verdict is Verdict.REVIEW,
        acceptable_by_name=verdict is Verdict.REVIEW and only_of_its_name(judged, ours.duration_ms) is best,
        title_uncompared=best.marks.title is None,
    )


def accept_by_name(decision: Decision) -> Decision:
    """A decision that says `acceptable_by_name`, by who has seen what else is called so."""
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


def _judged(readings: Sequence[View], pool: Sequence[Candidate]) -> list[Judged]:
    views = [(candidate, view_of_fields(candidate.entity)) for candidate in pool]
    judged = [_nearest(readings, view, candidate) for candidate, view in views]
    if not any((j.marks.title or 0.0) >= 0.97 for j in judged):
        more = tuple(filter(None, map(without_leading_number, readings)))
        if more:
            judged = [_nearest((*readings, *more), view, candidate) for candidate, view in views]
    return singled_out(judged, readings[0])


def _nearest(readings: Sequence[View], view: View, candidate: Candidate) -> Judged:
    return max((_judge(ours, view, candidate) for ours in readings), key=lambda j: j.score)


def _judge(ours: View, view: View, candidate: Candidate) -> Judged:
    marks = compare(ours, view, candidate.identified_by)
    standing = verify(marks)
    value = identified_score(marks, standing)
    return Judged(candidate, view, marks, standing, value, explain(marks, standing))


def _lone(pool: Sequence[Candidate]) -> list[Judged]:
    """Candidates for a row that has identifiers and nothing else."""
    judged = []
    for candidate in pool:
        reached = [name for name in _IDENTIFIERS if name in candidate.identified_by]
        sharing = max((sum(name in c.identified_by for c in pool) for name in reached), default=0)
        value = 0.0 if not reached else _LONE if sharing == 1 else 0.8
        reason = (
            "nothing to compare"
            if not reached
            else f"{reached[0]} names this one alone"
            if sharing == 1
            else f"{reached[0]} names {sharing} recordings"
        )
        view = view_of_fields(candidate.entity)
        marks = Marks(None, None, None, None, None, None, False, bool(reached))
        judged.append(Judged(candidate, view, marks, Standing.UNSURE, value, (reason,)))
    return judged


def _for_its_length_alone(best: Judged) -> bool:
    marks = best.marks
    identified = marks.isrc or marks.recording_id or best.standing is not Standing.ABSENT
    return marks.taken and not (marks.told or marks.on_album or identified)


def _verdict(
    best: Judged, rival: Judged | None, margin: float, policy: MatchPolicy
) -> tuple[Verdict, tuple[str, ...]]:
    if best.score < policy.review:
        return Verdict.NONE, (f"nothing close enough: {best.score:.0%} of {policy.review:.0%}",)
    if best.score < policy.accept:
        return Verdict.REVIEW, (f"not sure: {best.score:.0%} of {policy.accept:.0%}",)
    if rival is not None and margin < policy.margin:
        return Verdict.REVIEW, (f"another recording is as close: {rival.id}",)
    return Verdict.ACCEPTED, ()
