"""The decision for one track: candidates merged, scored and ranked, and accepted only when clearly right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from soulspot.matching.identified import Standing, identified_score, verify
from soulspot.matching.names import credit_similarity
from soulspot.matching.reasons import explain
from soulspot.matching.releases import choose_release, preference
from soulspot.matching.scoring import Marks, compare, score
from soulspot.matching.similarity import duration_support, title_similarity
from soulspot.matching.values import Candidate, Decision, MatchPolicy, Scored
from soulspot.matching.views import View, merged, view_of_fields, views_of_tags
from soulspot.models import TrackTags, Verdict

SHOWN = 10
_LONE = 0.95
_IDENTIFIERS = ("recording id", "spotify id", "isrc", "spotify link")


@dataclass(frozen=True, slots=True)
class _Judged:
    """A candidate with everything the decision looks at."""

    candidate: Candidate
    view: View
    marks: Marks
    standing: Standing
    score: float
    reasons: tuple[str, ...]

    @property
    def id(self) -> str:
        return self.candidate.entity.id

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        """Best first: a verified identifier before text, then the score, then the preferable release."""
        return (self.standing is not Standing.VERIFIED, -round(self.score, 6), self.preference, self.id)

    @property
    def preference(self) -> int:
        return min(map(preference, self.view.albums), default=3)

    def public(self) -> Scored:
        return Scored(self.candidate, round(self.score, 4), self.reasons)


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
        for c in merged(candidates)
        if c.entity.id not in rejected and c.entity.kind in ("recording", "track")
    ]
    judged = _lone(pool) if ours.empty else _judged(readings, pool)
    if not judged:
        return Decision(Verdict.NONE, None, 0.0, 0.0, ("no candidates",), ())
    judged = _preferred(sorted(judged, key=lambda j: j.rank), policy, ours)
    best = judged[0]
    rival = next((j for j in judged[1:] if _rivals(best, j) and j.score >= policy.review), None)
    margin = round(max(0.0, best.score - rival.score), 4) if rival else round(best.score, 4)
    verdict, why = _verdict(best, rival, margin, policy)
    return Decision(
        verdict=verdict,
        best=best.public(),
        confidence=round(best.score, 4),
        margin=margin,
        reasons=(*why, *best.reasons),
        ranked=tuple(j.public() for j in judged[:SHOWN]),
        release=choose_release(ours, best.view) if verdict is not Verdict.NONE else None,
    )


def _judged(readings: Sequence[View], pool: Sequence[Candidate]) -> list[_Judged]:
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
            judged[judged.index(only)] = _Judged(
                only.candidate, only.view, only.marks, only.standing, believed, reasons
            )
    return judged


def _judge(ours: View, view: View, candidate: Candidate) -> _Judged:
    marks = compare(ours, view, candidate.identified_by)
    standing = verify(marks)
    value = identified_score(marks, standing)
    return _Judged(candidate, view, marks, standing, value, explain(marks, standing))


def _lone(pool: Sequence[Candidate]) -> list[_Judged]:
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
        judged.append(_Judged(candidate, view, marks, Standing.UNSURE, value, (reason,)))
    return judged


def _preferred(judged: list[_Judged], policy: MatchPolicy, ours: View) -> list[_Judged]:
    """Among true duplicates of the best within the margin, the one on the preferable release goes first."""
    best = judged[0]
    twins = [
        j
        for j in judged
        if j is best
        or (j.standing is best.standing and best.score - j.score < policy.margin and _twins(best, j))
    ]
    first = min(twins, key=lambda j: (j.preference, -round(j.score, 6), j.id))
    return [first, *(j for j in judged if j is not first)]


def _twins(a: _Judged, b: _Judged) -> bool:
    """Whether two candidates are the same in title, artist, versions and length: one recording entered twice."""
    if (
        a.view.versions.hard != b.view.versions.hard
        or a.marks.album != b.marks.album
        or a.marks.position != b.marks.position
    ):
        return False
    if a.view.artist_ids and b.view.artist_ids and not a.view.artist_ids & b.view.artist_ids:
        return False
    length = duration_support(a.view.duration_ms, b.view.duration_ms)
    if length is not None and length < 0.9:
        return False
    if (length is None) and (a.view.duration_ms or b.view.duration_ms):
        return False
    return (title_similarity(a.view.title, b.view.title) or 0.0) >= 0.97 and (
        credit_similarity(a.view.credit, b.view.credit) or 0.0
    ) >= 0.97


def _rivals(best: _Judged, other: _Judged) -> bool:
    """Whether `other` could be meant instead. A verified identifier has only verified rivals; a duplicate on a
    less preferable release, and on Spotify another copy of the same ISRC, is none."""
    if best.standing is Standing.VERIFIED and other.standing is not Standing.VERIFIED:
        return False
    if best.candidate.entity.kind == "track" and best.view.isrcs & other.view.isrcs:
        return False
    return not (_twins(best, other) and best.preference < other.preference)


def _verdict(
    best: _Judged, rival: _Judged | None, margin: float, policy: MatchPolicy
) -> tuple[Verdict, tuple[str, ...]]:
    if best.score < policy.review:
        return Verdict.NONE, (f"nothing close enough: {best.score:.0%} of {policy.review:.0%}",)
    if best.score < policy.accept:
        return Verdict.REVIEW, (f"not sure: {best.score:.0%} of {policy.accept:.0%}",)
    if rival is not None and margin < policy.margin:
        return Verdict.REVIEW, (f"another recording is as close: {rival.id}",)
    return Verdict.ACCEPTED, ()
