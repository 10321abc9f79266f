"""Pieces of Lucene queries: phrases, words, words with a slip, lengths; whatever stands in a tag, it stays a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from soulspot.text import fold, latin

MAX_WORDS = 12
_QUOTED = re.compile(r'(["\\])')
_SLIPS = ((4, 1), (8, 2))
"""From this many letters on a word may differ by this many; shorter words are other words then."""
_LITTLE = frozenset(
    (
        "the",
        "a",
        "an",
        "of",
        "and",
        "or",
        "in",
        "on",
        "to",
        "der",
        "die",
        "das",
        "le",
        "la",
        "les",
        "el",
        "los",
        "de",
    )
)


def phrase(text: str) -> str:
    """A quoted phrase; within quotes only the quote and the backslash are special to Lucene."""
    return '"' + _QUOTED.sub(r"\\\1", text) + '"'


def either(text: str, shorter: str) -> str:
    """The phrase, or a shorter form of it where that is another."""
    return phrase(text) if fold(shorter) in ("", fold(text)) else f"({phrase(text)} OR {phrase(shorter)})"


def any_word(text: str) -> str:
    """Any of the text's words."""
    found = words(text)
    return f"({' OR '.join(found)})" if found else phrase(text)


def every_word(text: str) -> str:
    """All of the text's words, in any order."""
    found = words(text)
    return f"({' AND '.join(found)})" if found else phrase(text)


def every_word_or_nearly(text: str, *, slips: bool) -> str:
    """All of the text's words that tell something, in any order, with a slip of the pen each where `slips`."""
    found = [word for word in words(text) if word not in _LITTLE] or words(text)
    near = [f"{word}~{edits}" if slips and (edits := _edits(word)) else word for word in found]
    return f"({' AND '.join(near)})" if near else phrase(text)


def words(text: str) -> list[str]:
    """Folded: no special signs, and no AND, OR or NOT, which are operators in capitals only."""
    return list(dict.fromkeys(fold(text).split()))[:MAX_WORDS]


def span(field: str, middle: int, slack: int) -> str:
    """A number within `slack` of `middle`."""
    return f"{field}:[{max(middle - slack, 0)} TO {middle + slack}]"


def likeness(wanted: str, names: Sequence[str]) -> float:
    """0 to 100: how well the likest of `names` has the words of `wanted`, in its script or in Latin. A name of signs
    alone ("!!!") has no words and is like itself."""
    if not fold(wanted):
        return 100.0 if wanted.strip() in (name.strip() for name in names) else 0.0
    return max(
        (fuzz.token_set_ratio(spell(wanted), spell(n)) for spell in (fold, latin) for n in names), default=0.0
    )


def _edits(word: str) -> int:
    if not word.isalpha() or not word.isascii():  # scripts without blanks are indexed by the sign
        return 0
    return max((edits for letters, edits in _SLIPS if len(word) >= letters), default=0)
