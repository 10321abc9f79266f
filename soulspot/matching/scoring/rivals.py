"""Judged candidates beside each other: true duplicates, real rivals, and which duplicate to prefer."""

from __future__ import annotations

from dataclasses import dataclass

from soulspot.matching.scoring.comparing import Marks
from soulspot.matching.scoring.identified import Standing
from soulspot.matching.text.names import credit_similarity
from soulspot.matching.text.similarity import duration_support, title_similarity
from soulspot.matching.values import Candidate, ScoredCandidate
from soulspot.matching.views import View


@dataclass(frozen=True, slots=True)
class Judged:
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
        return min((album.preference for album in self.view.albums), default=3)

    def public(self) -> ScoredCandidate:
        return ScoredCandidate(self.candidate, round(self.score, 4), self.reasons)


def preferred(judged: list[Judged], margin: float) -> list[Judged]:
    """`judged` (best first) with the preferable of the true duplicates of the best, within `margin`, at the head."""
    best = judged[0]
    twins = [
        j
        for j in judged
        if j is best or (j.standing is best.standing and best.score - j.score < margin and _twins(best, j))
    ]
    first = min(twins, key=lambda j: (j.preference, -round(j.score, 6), j.id))
    return [first, *(j for j in judged if j is not first)]


def _twins(a: Judged, b: Judged) -> bool:
    """Whether two candidates are the same in title, artist, versions and length: one recording entered twice."""
    if a.view.credit.company != b.view.credit.company:
        return False
    if a.view.versions.hard != b.view.versions.hard or a.marks.on_album != b.marks.on_album:
        return False
    if a.marks.on_album and a.marks.position != b.marks.position:
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


def untold(best: Judged, others: list[Judged]) -> Judged | None:
    """A take of unknown length that may be meant as well as `best`, which only its length singles out.

    Of a live or karaoke version there are many: among those whose length nobody knows, one that fits is chance."""
    taken = best.marks.taken
    if not taken or best.marks.told or best.standing is Standing.VERIFIED:
        return None
    for other in others:
        marks = other.marks
        same_name = (marks.text or 0.0) >= 0.85 and not marks.version
        nearer = (best.marks.on_album and not marks.on_album) or (best.marks.placed and not marks.placed)
        if (
            same_name
            and marks.apart_ms is None
            and not nearer
            and not (marks.unnamed and not best.marks.unnamed)
        ):
            return other
    return None


def rivals(best: Judged, other: Judged) -> bool:
    """Whether `other` could be meant instead.

    A verified identifier has only verified rivals. No rivals are: the version with a guest the tags do not name, when
    the best has exactly the named ones; a duplicate on a less preferable release; on Spotify a copy of the same ISRC."""
    if best.standing is Standing.VERIFIED and other.standing is not Standing.VERIFIED:
        return False
    if best.marks.same_company and not other.marks.same_company and best.score > other.score:
        return False
    if best.candidate.entity.kind == "track" and best.view.isrcs & other.view.isrcs:
        return False
    return not (_twins(best, other) and best.preference < other.preference)
