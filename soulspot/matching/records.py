"""Two rows of a library compared by the same marks and the same score as a row and a candidate."""

from __future__ import annotations

from functools import lru_cache

from soulspot.matching.scoring.comparing import compare
from soulspot.matching.scoring.score import score
from soulspot.matching.views import View, views_of_tags
from soulspot.models import TrackTags


def compare_records(a: TrackTags, b: TrackTags) -> float:
    """0 to 1: whether two rows are the same track; 0.9 and more is as sure as an accepted match.

    Symmetric."""
    return max(
        max(score(compare(one, other), alone=True), score(compare(other, one), alone=True))
        for one in _views(a)
        for other in _views(b)
    )


@lru_cache(maxsize=16384)
def _views(tags: TrackTags) -> tuple[View, ...]:
    return views_of_tags(tags)
