"""Pieces of Lucene queries (phrases, words, lengths), safe for any text that stands in a tag."""

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from soulspot.text import fold, latin

MAX_WORDS = 12
_QUOTED = re.compile(r'(["\\])')
# (letters, edits) for long words only: a shorter word would become another word.
_SLIPS = ((4, 1), (8, 2))
_LITTLE = frozenset(["the", "a", "an", "of", "and", "or", "in", "on", "to"])
_LITTLE |= frozenset(["der", "die", "das", "le", "la", "les", "el", "los", "de"])


def phrase(text: str) -> str:
    """Return a quoted phrase; inside quotes only quote and backslash are special to Lucene."""
    return '"' + _QUOTED.sub(r"\\\1", text) + '"'


def any_form(text: str, shorter: str) -> str:
    """Return the phrase of `text`, or of either form where `shorter` differs."""
    return phrase(text) if fold(shorter) in ("", fold(text)) else f"({phrase(text)} OR {phrase(shorter)})"


def any_word(text: str) -> str:
    found = words(text)
    return f"({' OR '.join(found)})" if found else phrase(text)


def every_word(text: str) -> str:
    found = words(text)
    return f"({' AND '.join(found)})" if found else phrase(text)


def every_word_or_nearly(text: str, *, slips: bool) -> str:
    """Return a clause for the text's words in any order, without little words such as "the". With
    `slips` a word of four letters may have one letter wrong, a word of eight two."""
    found = [word for word in words(text) if word not in _LITTLE] or words(text)
    near = [f"{word}~{edits}" if slips and (edits := _edits(word)) else word for word in found]
    return f"({' AND '.join(near)})" if near else phrase(text)


def words(text: str) -> list[str]:
    """Return the first distinct words of a text, folded. Folding leaves no special signs, and no
    AND, OR or NOT: operators are in capitals only."""
    return list(dict.fromkeys(fold(text).split()))[:MAX_WORDS]


def span(field: str, middle: int, slack: int) -> str:
    """Return a clause for numbers within `slack` of `middle`: `dur:[208000 TO 218000]`."""
    return f"{field}:[{max(middle - slack, 0)} TO {middle + slack}]"


def likeness(wanted: str, names: Sequence[str]) -> float:
    """Return 0 to 100: how well the likest of `names` has the words of `wanted`. Compares in the
    names' own script and in Latin. A name of signs alone ("!!!") is only like itself."""
    if not fold(wanted):
        return 100.0 if wanted.strip() in (name.strip() for name in names) else 0.0
    return max((fuzz.token_set_ratio(spell(wanted), spell(n)) for spell in (fold, latin) for n in names), default=0.0)


def _edits(word: str) -> int:
    if not word.isalpha() or not word.isascii():  # scripts without blanks are indexed sign by sign
        return 0
    return max((edits for letters, edits in _SLIPS if len(word) >= letters), default=0)
