"""The decision for one track: candidates merged, scored and ranked, and accepted only when clearly right."""

from __future__ import annotations

from collections.abc import Sequence

from soulspot.matching.comparing import Marks, compare
from soulspot.matching.identified import Standing, identified_score, verify
from soulspot.matching.reasons import explain
from soulspot.matching.releases import choose_release
from soulspot.matching.rivals import Judged, preferred, rivals, untold
from soulspot.matching.scoring import score
from soulspot.matching.uniting import united
from soulspot.matching.values import Candidate, Decision, MatchPolicy
from soulspot.matching.views import View, view_of_fields, views_of_tags
from soulspot.models import TrackTags, Verdict

SHOWN = 10
_LONE = 0.95
_IDENTIFIERS = ("recording id", "spotify id", "isrc", "spotify link")


def decide(
    tags: TrackTags,
    candidates: Sequence[Candidate],
    policy: MatchPolicy,
    *,
    path: bytes | None = None,
    rejected: frozenset[str] = frozenset(),
) -> Decision:
    """Decide which of `candidates` (all MusicBrainz/ListenBrainz recordings, or all Spotify tracks) the track is.

    `path` fills gaps in the tags; ids in `rejected` are never proposed. The order of the candidates does not matter."""
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
    judged = preferred(sorted(judged, key=lambda j: j.rank), policy.margin)
    best = judged[0]
    rival = next((j for j in judged[1:] if rivals(best, j) and j.score >= policy.review), None)
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
    )


def _judged(readings: Sequence[View], pool: Sequence[Candidate]) -> list[Judged]:
    judged = []
    for candidate in pool:
        view = view_of_fields(candidate.entity)
        judged.append(max((_judge(ours, view, candidate) for ours in readings), key=lambda j: j.score))
    named = [j for j in judged if (j.marks.text or 0.0) >= 0.85]
    if len(named) == 1 and readings[0].duration_ms is None and not named[0].marks.version:
        only = named[0]
        believed = (
            max(only.score, score(only.marks, alone=True)) if only.standing is Standing.ABSENT else only.score
        )
        if believed > only.score:
            reasons = (*only.reasons, "the only candidate of this name")
            judged[judged.index(only)] = Judged(
                only.candidate, only.view, only.marks, only.standing, believed, reasons
            )
    return judged


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
