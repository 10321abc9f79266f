"""Scripts: in which one a text is written, and how alike two texts of different scripts sound."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.readings import kana_heard_in, korean
from soulspot.text import latin

_RANGES = (
    ("latin", 0x0, 0x250),
    ("latin", 0x1E00, 0x1F00),
    ("greek", 0x370, 0x400),
    ("cyrillic", 0x400, 0x530),
    ("hebrew", 0x590, 0x600),
    ("arabic", 0x600, 0x780),
    ("thai", 0xE00, 0xE80),
    ("kana", 0x3040, 0x3100),
    ("han", 0x3400, 0xA000),
    ("hangul", 0xAC00, 0xD7B0),
)
_SIMPLER = (("sh", "s"), ("ch", "c"), ("kh", "k"), ("zh", "z"), ("ts", "c"), ("q", "k"), ("l", "r"))
_ENOUGH_KANA = 0.25  # share of a title; what lies between is kanji
_KANA_ALONE = 0.85  # "Sayonara no Fuyu" is heard in さよならの夏 as well: never enough with a length alone
_VOWELS_AND_DOUBLES = re.compile(r"[aeiouywjh]+|(.)(?=\1)")


@lru_cache(maxsize=16384)
def script(text: str) -> str:
    """The writing most letters of a text are in: "latin", "han", "kana", ..., "other"; "none" without letters."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "none"
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            name = next((name for name, low, high in _RANGES if low <= ord(char) < high), "other")
            counts[name] = counts.get(name, 0) + 1
    return max(sorted(counts), key=counts.__getitem__) if counts else "none"


def foreign(a: str, b: str) -> bool:
    """Whether two texts are written in different scripts; kana and han are both Japanese."""
    one, other = script(a), script(b)
    return one != other and "none" not in (one, other) and {one, other} != {"kana", "han"}


@lru_cache(maxsize=16384)
def sound_similarity(a: str, b: str) -> float | None:
    """0.8 to 0.97 when the transliterations of two folded texts agree, 0.99 when they are the same letter by letter,
    None when they do not agree.

    One that agrees proves much; one that differs proves nothing: Japanese is read as Chinese here, Arabic has no
    vowels, and a title may be translated."""
    if latin(a) and latin(a).replace(" ", "") == latin(b).replace(" ", ""):
        return 0.99
    best = max((_heard(x, y) for x in _readings(a) for y in _readings(b)), default=0.0)
    if best >= 0.8:
        return min(best + 0.05, 0.97)
    heard = max(kana_heard_in(a, latin(b)) or 0.0, kana_heard_in(b, latin(a)) or 0.0)
    return _KANA_ALONE if heard >= _ENOUGH_KANA else None


def _readings(text: str) -> set[str]:
    found = (latin(text), latin(korean(text) or ""))
    return {reading.replace(" ", "") for reading in found if reading}


@lru_cache(maxsize=16384)
def name_sound_similarity(a: str, b: str) -> float | None:
    """`sound_similarity` of two people's names, family name first or last."""
    return max(
        (
            found
            for x in (a, *_turned(a))
            for y in (b, *_turned(b))
            if (found := sound_similarity(x, y)) is not None
        ),
        default=None,
    )


def _turned(name: str) -> tuple[str, ...]:
    """The name with its first or its last word at the other end."""
    words = name.split()
    if not 2 <= len(words) <= 4:
        return ()
    return tuple({" ".join((*words[1:], words[0])), " ".join((words[-1], *words[:-1]))})


def _heard(x: str, y: str) -> float:
    best = ratio(x, y) / 100
    return max(best, 0.95 * ratio(_bones(x), _bones(y)) / 100) if min(len(x), len(y)) >= 5 else best


def _bones(text: str) -> str:
    """Consonants as they survive every romanisation."""
    for written, simple in _SIMPLER:
        text = text.replace(written, simple)
    return _VOWELS_AND_DOUBLES.sub("", text)
