"""How alike two titles, albums and lengths are; pure numbers, no judgement."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.scripts import foreign, script, sound_similarity
from soulspot.matching.text.titles import Title, counted
from soulspot.text import latin

_ARTICLE = re.compile(r"^(?:the|a|an|le|la|les|der|die|das|el|los|las|il|o|os) (?=\w)")
_DROPPED_G = re.compile(r"(?<=in)g\b")


@lru_cache(maxsize=32768)
def text_similarity(a: str, b: str) -> float:
    """0 to 1 of two folded texts of one script: equal but for articles and word breaks is 0.98 and more."""
    if a == b:
        return 1.0 if a else 0.0
    if not a or not b:
        return 0.0
    a, b = _plain(a), _plain(b)
    close_a, close_b = a.replace(" ", ""), b.replace(" ", "")
    if close_a == close_b:
        return 0.99
    best = max(ratio(a, b), ratio(close_a, close_b)) / 100
    words_a, words_b = a.split(), b.split()
    fewer, more = sorted((set(words_a), set(words_b)), key=len)
    if len(fewer) >= 4 and fewer <= more and best < 0.9:
        return max(best, 0.88)  # a long title and the same with an addition
    if len(words_a) == len(words_b) > 2 and sorted(words_a) == sorted(words_b):
        return max(best, 0.93)
    return best


def _plain(text: str) -> str:
    return _DROPPED_G.sub("", _ARTICLE.sub("", counted(text).text))


@lru_cache(maxsize=32768)
def written_similarity(a: str, b: str) -> float | None:
    """`text_similarity` across scripts: transliterations are compared, and None says that they cannot be."""
    direct = text_similarity(a, b)
    if direct == 1.0 or (a.isascii() and b.isascii()):
        return direct
    if foreign(a, b):
        return sound_similarity(a, b)
    # within Arabic, Han and the like transliteration hides differences; within Latin it only drops accents
    return max(direct, text_similarity(latin(a), latin(b))) if script(a) in ("latin", "none") else direct


def title_similarity(a: Title, b: Title) -> float | None:
    """0 to 1 of two titles without their version words and guests; None when their scripts cannot be compared.

    0 when both count parts and count differently."""
    best = written_similarity(a.core, b.core)
    if best is None:
        return None
    if a.full != a.core or b.full != b.core:
        whole = written_similarity(a.full, b.full) or 0.0
        both = a.full != a.core and b.full != b.core
        best = max(whole, min(best, 0.85) if both else best * 0.97)
    if best < 0.97 and (a.plain != a.full or b.plain != b.full):
        best = max(best, written_similarity(a.plain, b.plain) or 0.0)
    limit = None if a.full == b.full else _limit_by_numbers(a.full, b.full)
    return best if limit is None else min(best, limit)


@lru_cache(maxsize=32768)
def _limit_by_numbers(a: str, b: str) -> float | None:
    """The most two folded titles can be alike by the numbers in them; None when they do not limit it.

    Parts and numbers are compared as numbers: "Part 1" and "Part 2" differ in one letter only."""
    here, there = counted(a), counted(b)
    if here.numbers == there.numbers:
        return None
    extra_here, extra_there = here.numbers - there.numbers, there.numbers - here.numbers
    if extra_here and extra_there:
        return 0.0
    return 0.8 if (extra_here & here.parts) or (extra_there & there.parts) else None


def tolerance_ms(length_ms: int) -> tuple[float, float]:
    """(difference still agreeing, difference that contradicts) for a track of this length, both in ms.

    About 2.4 s and 10 s for a song; a share of the length for the very short and the very long."""
    agree = min(2000 + 0.002 * length_ms, max(400.0, 0.12 * length_ms), 12_000)
    contradict = max(10_000, 0.015 * length_ms) if length_ms > 30_000 else max(1500.0, length_ms / 3)
    return agree, contradict


def duration_support(a_ms: int | None, b_ms: int | None) -> float | None:
    """-1 when the lengths contradict, 0 to 1 of support otherwise, None when one is unknown."""
    if not a_ms or not b_ms:
        return None
    agree, contradict = tolerance_ms(min(a_ms, b_ms))
    apart = abs(a_ms - b_ms)
    if apart > contradict:
        return -1.0
    if apart <= 0.6 * agree:
        return 1.0
    if apart <= agree:
        return 1.0 - 0.1 * (apart - 0.6 * agree) / (0.4 * agree)
    return max(0.0, 0.9 - 0.9 * (apart - agree) / agree)
