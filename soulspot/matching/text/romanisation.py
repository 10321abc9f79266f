"""Korean and Japanese writing read aloud in Latin letters, as far as the writing itself tells."""

import re
from collections.abc import Callable
from functools import cache, lru_cache

from soulspot.text import latin

# Revised Romanization, in the order of letters in Unicode's Hangul syllables: initials, vowels,
# finals, and what a final becomes before a silent initial. Of a pair, the second letter moves over
# to the next syllable; "ng" stays.
_LETTERS = """
    g kk n d tt r m b pp s ss - j jj ch k t p h
    a ae ya yae eo e yeo ye o wa wae oe yo u wo we wi yu eu ui i
    - k k k n n n t l k m l l l p l m p p t t ng t t k t p t
    - g kk k,s n n,j n d r l,g l,m l,b l,s l,t l,p r m b p,s s ss - j ch k t p -
"""
_INITIALS, _VOWELS, _FINALS, _MOVED = (
    [letter.replace("-", "") for letter in line.split()] for line in _LETTERS.strip().splitlines()
)
_SILENT, _FIRST, _LAST = 11, 0xAC00, 0xD7A3
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc]+")
_KANJI = re.compile(r"[\u3400-\u9fff]")
# A small letter behind another: "ki" and "yo" are heard as "kyo", "shi" and "yo" as "sho".
_SMALL = re.compile(r"([\u30a1-\u30fa])([ャュョ])")
_SMALL_SOUNDS = {"ャ": "a", "ュ": "u", "ョ": "o"}
_LEAST_KANA = 4  # letters of a reading; fewer are heard by chance


@lru_cache(maxsize=1024)
def romanise_korean(text: str) -> str | None:
    """Return the text with its Hangul in Latin letters; None where it has no Hangul.

    For Korean titles and names.
    >>> romanise_korean("기억꽃")
    'gieokkkot'"""
    if not any(map(_is_hangul, text)):
        return None
    read: list[str] = []
    carried = ""
    for here, following in zip(text, (*text[1:], ""), strict=True):
        if not _is_hangul(here):
            read.append(here)
            continue
        number = ord(here) - _FIRST
        initial = carried or _INITIALS[number // 588]
        ending, carried = _FINALS[number % 28], ""
        if ending not in ("", "ng") and _is_hangul(following) and (ord(following) - _FIRST) // 588 == _SILENT:
            ending, _, carried = _MOVED[number % 28].rpartition(",")
        read.append(initial + _VOWELS[number % 588 // 28] + ending)
    return "".join(read)


def _is_hangul(char: str) -> bool:
    return char != "" and _FIRST <= ord(char) <= _LAST


@lru_cache(maxsize=1024)
def kana_share(japanese: str, romanised: str) -> float | None:
    """Return the share (0 to 1) of `romanised` that the kana of a Japanese title account for.

    None where the title has no kanji or too few kana, or where a run of kana is not heard in its
    turn. The kanji between them have several readings and are not compared.
    >>> kana_share("駆けだした夜", "kakedashita yoru")
    0.6"""
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


@lru_cache(maxsize=1024)
def read_japanese(text: str) -> str | None:
    """Return a text with kanji in Latin letters without blanks, as a Japanese dictionary reads it.
    None without kanji, for words that the dictionary lacks, and where none is installed."""
    read = _dictionary() if _KANJI.search(text) else None
    kana = read(text) if read else ""
    if not kana or _KANJI.search(kana):
        return None
    return latin(_SMALL.sub(_join_small, kana)).replace(" ", "")


def _join_small(found: re.Match[str]) -> str:
    consonant = latin(found[1])[:-1]
    return consonant + ("" if consonant in ("sh", "ch", "j") else "y") + _SMALL_SOUNDS[found[2]]


@cache
def _dictionary() -> Callable[[str], str] | None:
    """Return the reader of Japanese of the extra `soulspot[japanese]`; None where it is missing."""
    try:
        from sudachipy import Dictionary
    except ImportError:
        return None
    dictionary = Dictionary(dict="small")
    # A tokenizer serves one thread at a time, and costs nothing to make.
    return lambda text: "".join(word.reading_form() for word in dictionary.tokenizer().tokenize(text))
