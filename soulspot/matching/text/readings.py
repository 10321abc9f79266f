"""How names in Korean and Japanese writing are read aloud, in Latin letters, as far as the writing itself tells."""

from __future__ import annotations

import re
from functools import lru_cache

from soulspot.text import latin

# Revised Romanization, by the order of letters in Unicode's Hangul syllables.
_LETTERS = """
    g kk n d tt r m b pp s ss - j jj ch k t p h
    a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i
    - k k k n n n t l k m l l l p l m p p t t ng t t k t p t
    - g kk k,s n n,j n d r l,g l,m l,b l,s l,t l,p r m b p,s s ss - j ch k t p -
"""
# The last line is what a final becomes before a silent initial; of a pair the second moves over to it, "ng" stays.
_INITIALS, _VOWELS, _FINALS, _MOVED = (
    [letter.replace("-", "") for letter in line.split()] for line in _LETTERS.strip().splitlines()
)
_SILENT, _FIRST, _LAST = 11, 0xAC00, 0xD7A3
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc]+")
_LEAST_KANA = 4  # letters of a reading


@lru_cache(maxsize=4096)
def korean(text: str) -> str | None:
    """The text with its Hangul read by the Revised Romanization, finals moved over to a vowel; None without Hangul."""
    if not any(_FIRST <= ord(char) <= _LAST for char in text):
        return None
    read: list[str] = []
    carried = ""
    for here, after in zip(text, (*text[1:], ""), strict=True):
        if not _FIRST <= ord(here) <= _LAST:
            read.append(here)
            continue
        number = ord(here) - _FIRST
        initial, vowel, final = number // 588, number % 588 // 28, number % 28
        begin = carried or _INITIALS[initial]
        carried = ""
        ending = _FINALS[final]
        silent_after = (
            bool(after) and _FIRST <= ord(after) <= _LAST and (ord(after) - _FIRST) // 588 == _SILENT
        )
        if final and silent_after and ending != "ng":
            stays, _, moves = _MOVED[final].rpartition(",")
            ending, carried = stays, moves
        read.append(begin + _VOWELS[vowel] + ending)
    return "".join(read)


@lru_cache(maxsize=4096)
def kana_heard_in(japanese: str, romanised: str) -> float | None:
    """The share, 0 to 1, of `romanised` that the kana of `japanese` account for, each run heard in its turn; None where
    there are too few kana, or one is not heard. The kanji between them have several readings and are not compared."""
    if not any("\u4e00" <= char <= "\u9fff" for char in japanese):
        return None
    rest, letters = romanised.replace(" ", ""), 0
    whole = len(rest)
    for run in _KANA.findall(japanese):
        sound = latin(run).replace(" ", "")
        _, found, rest = rest.partition(sound)
        if not found:
            return None
        letters += len(sound)
    return letters / whole if letters >= _LEAST_KANA and whole else None
