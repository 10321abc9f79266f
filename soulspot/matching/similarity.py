"""How alike two titles, albums and lengths are; pure numbers, no judgement."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from soulspot.matching.titles import Title, numbers
from soulspot.text import latin

_PART_WORDS = re.compile(r"\b(?:part|pt|pts|parte|partie|teil)\b")
_NUMBER_WORDS = re.compile(r"\b(?:number|numero|num|nr)\b")
_VOLUME_WORDS = re.compile(r"\b(?:volume|vol)\b")
_ARTICLE = re.compile(r"^(?:the|a|an|le|la|les|der|die|das|el|los|las|il|o|os) (?=\w)")
_DROPPED_G = re.compile(r"(?<=in)g\b")


@lru_cache(maxsize=131072)
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
    text = _ARTICLE.sub("", _VOLUME_WORDS.sub("vol", _NUMBER_WORDS.sub("no", _PART_WORDS.sub("part", text))))
    return _DROPPED_G.sub("", text)


@lru_cache(maxsize=65536)
def script(text: str) -> str:
    """The writing a folded text is mostly in: "latin", "han", "kana", "hangul", "cyrillic", "arabic", "other"."""
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            name = _script_of(char)
            counts[name] = counts.get(name, 0) + 1
    return max(sorted(counts), key=counts.__getitem__) if counts else "none"


def _script_of(char: str) -> str:
    code = ord(char)
    if code < 0x250 or 0x1E00 <= code < 0x1F00:
        return "latin"
    for name, low, high in (
        ("greek", 0x370, 0x400), ("cyrillic", 0x400, 0x530), ("hebrew", 0x590, 0x600), ("arabic", 0x600, 0x780),
        ("thai", 0xE00, 0xE80), ("kana", 0x3040, 0x3100), ("han", 0x3400, 0xA000), ("hangul", 0xAC00, 0xD7B0),
    ):  # fmt: skip
        if low <= code < high:
            return name
    return "other"


@lru_cache(maxsize=131072)
def written_similarity(a: str, b: str) -> float | None:
    """`text_similarity` across scripts: transliterations are compared, and None says that they cannot be.

    A transliteration that agrees proves much; one that differs nothing (Japanese read as Chinese, a translation)."""
    if a.isascii() and b.isascii():
        return text_similarity(a, b)
    direct = text_similarity(a, b)
    if direct == 1.0:
        return direct
    x, y = latin(a), latin(b)
    other = text_similarity(x, y) if x and y else 0.0
    foreign = script(a) != script(b) and "none" not in (script(a), script(b))
    if not foreign:
        # within Arabic, Han and the like transliteration hides differences; within Latin it only drops accents
        return max(direct, other) if script(a) in ("latin", "none") else direct
    close_x, close_y = x.replace(" ", ""), y.replace(" ", "")
    bones = ratio(_bones(close_x), _bones(close_y)) / 100 if min(len(close_x), len(close_y)) >= 5 else 0.0
    best = max(other, ratio(close_x, close_y) / 100, bones * 0.95)
    return min(best + 0.05, 0.97) if best >= 0.8 else None


def _bones(text: str) -> str:
    """Consonants as they survive every romanisation."""
    text = text.replace("sh", "s").replace("ch", "c").replace("kh", "k").replace("zh", "z").replace("ts", "c")
    return re.sub(r"[aeiouywjh]+|(.)(?=\1)", "", text.replace("q", "k").replace("l", "r"))


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
    return _counted(a.full, b.full, best)


def _counted(a: str, b: str, similarity: float) -> float:
    """Parts and numbers are compared as numbers: "Part 1" and "Part 2" differ in one letter only."""
    if a == b:
        return similarity
    all_a, parts_a = numbers(a)
    all_b, parts_b = numbers(b)
    if all_a == all_b:
        return similarity
    extra_a, extra_b = all_a - all_b, all_b - all_a
    if extra_a and extra_b:
        return 0.0 if (extra_a & parts_a) or (extra_b & parts_b) or similarity < 1.0 else similarity
    return min(similarity, 0.8) if (extra_a & parts_a) or (extra_b & parts_b) else similarity


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
