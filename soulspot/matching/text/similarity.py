"""Likeness of titles, of lengths, and of names that may be one another miswritten, as numbers."""

import re
from functools import lru_cache

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.names import Credit, differ_in_imitation, name_key
from soulspot.matching.text.scripts import compare_japanese, differ_in_script, script, sound_similarity, unify_letters
from soulspot.matching.text.titles import Title, count_parts, musical_keys
from soulspot.text import latin

_ARTICLE = re.compile(r"^(?:the|a|an|le|la|les|der|die|das|el|los|las|il|o|os) (?=\w)")
_DROPPED_G = re.compile(r"(?<=in)g\b")
_NEARLY = 75.0  # percent of the letters, in their order, that a slip of the pen leaves
_SAME_READING = 0.97  # 桜 and さくら; words of one reading are many, but rarely one artist's
_OTHER_HEAD = 0.6  # below it the beginnings of two titles are two names
_LEAST_NAME = 2  # letters; fewer are no name to compare


@lru_cache(maxsize=1024)
def text_similarity(a: str, b: str) -> float:
    """Return 0 to 1 for two folded texts of one script; articles and word breaks count little."""
    if a == b:
        return 1.0 if a else 0.0
    if not a or not b:
        return 0.0
    if not (a.isascii() and b.isascii()):
        a, b = unify_letters(a), unify_letters(b)
        if a == b:
            return 1.0
    a, b = _plain(a), _plain(b)
    close_a, close_b = a.replace(" ", ""), b.replace(" ", "")
    if close_a == close_b:
        return 0.99
    best = max(ratio(a, b), ratio(close_a, close_b)) / 100
    words_a, words_b = a.split(), b.split()
    fewer, more = sorted((set(words_a), set(words_b)), key=len)
    # Four words in common are no chance: subtitles and series names come and go.
    if len(fewer) >= 4 and fewer <= more and best < 0.9:
        return max(best, 0.88)
    if len(words_a) == len(words_b) > 2 and sorted(words_a) == sorted(words_b):
        return max(best, 0.93)
    return best


def _plain(text: str) -> str:
    return _DROPPED_G.sub("", _ARTICLE.sub("", count_parts(text).text))


@lru_cache(maxsize=1024)
def written_similarity(a: str, b: str) -> float | None:
    """Return 0 to 1 for two folded texts of any scripts, by sound where the scripts differ. None
    where the scripts differ and the sounds do not agree, which proves nothing."""
    direct = text_similarity(a, b)
    if direct == 1.0 or (a.isascii() and b.isascii()):
        return direct
    if differ_in_script(a, b):
        return sound_similarity(a, b)
    if {script(a), script(b)} == {"kana", "han"}:
        direct = max(direct, _SAME_READING * (compare_japanese(a, b) == 1.0))
    # Transliteration drops accents within Latin; within Arabic and Han it hides differences.
    return max(direct, text_similarity(latin(a), latin(b))) if script(a) in ("latin", "none") else direct


def title_similarity(a: Title, b: Title) -> float | None:
    """Return 0 to 1 for two titles without their version words and guests. 0 where both count parts
    and count differently ("Movement, Pt. 2" beside "Movement, Part 1"); None where the scripts
    cannot be compared."""
    best = written_similarity(a.core, b.core)
    if best is None:
        return None
    # A subtitle that both sides have counts in full; one that a side leaves out costs a little.
    if a.full != a.core or b.full != b.core:
        whole = written_similarity(a.full, b.full) or 0.0
        both = a.full != a.core and b.full != b.core
        best = max(whole, min(best, 0.85) if both else best * 0.97)
    # A piece behind a dash that one side lacks is left out like a bracket.
    if best < 0.97 and a.segments and b.segments and (len(a.segments) > 1) != (len(b.segments) > 1):
        best = max(best, 0.97 * (written_similarity(a.segments[0], b.segments[0]) or 0.0))
    # "Kite - Harbour" and "Boats - Harbour" share an album or a series, and are two songs.
    if 0.0 < best < 0.97 and len(a.segments) > 1 and len(b.segments) > 1 and a.segments[-1] == b.segments[-1]:
        heads = written_similarity(" ".join(a.segments[:-1]), " ".join(b.segments[:-1]))
        best = min(best, heads) if heads is not None and heads < _OTHER_HEAD else best
    if best < 0.97 and (a.plain != a.full or b.plain != b.full):
        best = max(best, written_similarity(a.plain, b.plain) or 0.0)
    limit = None if a.full == b.full else _limit_by_numbers(a.full, b.full)
    return best if limit is None else min(best, limit)


@lru_cache(maxsize=1024)
def _limit_by_numbers(a: str, b: str) -> float | None:
    """Return the most that two folded titles can be alike by their numbers; None for no limit.
    Movements of classical works, parts and sequels differ in a letter or a digit only: "Part 1" and
    "Part 2" are compared as numbers."""
    if _differ_in_key(musical_keys(a), musical_keys(b)):
        return 0.0
    here, there = count_parts(a), count_parts(b)
    if here.numbers == there.numbers:
        return None
    extra_here, extra_there = here.numbers - there.numbers, there.numbers - here.numbers
    if extra_here and extra_there:
        return 0.0
    return 0.8 if (extra_here & here.parts) or (extra_there & there.parts) else None


def _differ_in_key(here: frozenset[tuple[str, str, str]], there: frozenset[tuple[str, str, str]]) -> bool:
    """Whether two titles name other keys: C major and C minor, C sharp and C. A title that names
    none, or no mode, contradicts nothing."""
    if not here or not there:
        # "Prelude in C" may say no mode, but it would have said "sharp".
        return any(sign for _, sign, _ in here | there)
    return not any(a[:2] == b[:2] and (a[2] == b[2] or not (a[2] and b[2])) for a in here for b in there)


def tolerance_ms(length_ms: int) -> tuple[float, float]:
    """Return (greatest difference that agrees, greatest that does not contradict), both in ms.

    About 2.4 s and 10 s for a song; a share of the length for a skit of seconds and for a DJ mix
    or an audio play of an hour.
    >>> tolerance_ms(200_000), tolerance_ms(5_400_000)
    ((2400.0, 10000), (12000, 81000.0))"""
    agree = min(2000 + 0.002 * length_ms, max(400.0, 0.12 * length_ms), 12_000)
    contradict = max(10_000, 0.015 * length_ms) if length_ms > 30_000 else max(1500.0, length_ms / 3)
    return agree, contradict


def duration_support(a_ms: int | None, b_ms: int | None) -> float | None:
    """Return -1 where two lengths contradict, else 0 to 1 of support; None where one is unknown."""
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


def may_be_miswritten_title(a: Title, b: Title) -> bool:
    """Whether one title may be the other with words or letters lost, swapped or run together. Such
    a likeness proves nothing by itself: use it where everything around the title agrees."""
    return any(_is_slip(one, other) for one in {a.core, a.plain} for other in {b.core, b.plain})


def may_be_miswritten_credit(a: Credit, b: Credit) -> bool:
    """Whether one artist credit may be the other, miswritten; an imitator is never its original."""
    one, other = name_key(a.whole), name_key(b.whole)
    return not differ_in_imitation(a, b) and min(len(one), len(other)) >= _LEAST_NAME and _is_slip(one, other)


@lru_cache(maxsize=1024)
def _is_slip(a: str, b: str) -> bool:
    if not a or not b:
        return False
    fewer, more = sorted((frozenset(a.split()), frozenset(b.split())), key=len)
    return fewer <= more or ratio(a.replace(" ", ""), b.replace(" ", "")) >= _NEARLY
