"""Two rows of a library compared by the features and the score of a row and a candidate."""

from __future__ import annotations

from functools import lru_cache

from soulspot.matching.scoring.comparison import compare
from soulspot.matching.scoring.rules import Situation, score
from soulspot.matching.views import View, views_of_tags
from soulspot.models import TrackTags


def compare_records(a: TrackTags, b: TrackTags) -> float:
    """Return 0 to 1 for two rows being one track; 0.9 and more is as sure as an accepted match.

    The order of the rows does not matter.
    """
    return max(
        score(compare(this, that), Situation.ONLY_OF_ITS_NAME)
        for one in _views(a)
        for other in _views(b)
        for this, that in ((one, other), (other, one))
    )


@lru_cache(maxsize=16384)
def _views(tags: TrackTags) -> tuple[View, ...]:
    return views_of_tags(tags)
