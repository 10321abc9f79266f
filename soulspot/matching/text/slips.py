"""Slips of the pen: whether one name may be the other with words or letters lost, swapped or run together.

Such a likeness proves nothing by itself. It is asked for where everything around the name agrees already."""

from __future__ import annotations

from functools import lru_cache

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.names import Credit, is_imitation, key
from soulspot.matching.text.titles import Title

_NEARLY = 75.0  # percent of the letters, in their order
_LETTERS = 2  # fewer are no name


def title_slip(a: Title, b: Title) -> bool:
    """Whether one title may be the other, miswritten."""
    return any(_slip(one, other) for one in {a.core, a.plain} for other in {b.core, b.plain})


def credit_slip(a: Credit, b: Credit) -> bool:
    """Whether one artist may be the other, miswritten; an imitation is never its original."""
    if any(map(is_imitation, a.names)) != any(map(is_imitation, b.names)):
        return False
    one, other = key(a.whole), key(b.whole)
    return min(len(one), len(other)) >= _LETTERS and _slip(one, other)


@lru_cache(maxsize=16384)
def _slip(a: str, b: str) -> bool:
    if not a or not b:
        return False
    fewer, more = sorted((frozenset(a.split()), frozenset(b.split())), key=len)
    if fewer <= more:
        return True
    return ratio(a.replace(" ", ""), b.replace(" ", "")) >= _NEARLY
