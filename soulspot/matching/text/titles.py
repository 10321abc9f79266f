"""Titles taken apart: name, subtitles, version words, featured artists and numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import or_

from soulspot.matching.text.names import FEATURED_BRACKET, split_credit, unfeatured
from soulspot.matching.text.vocabulary import COUNTING, PART_SPELLINGS, PART_WORDS
from soulspot.matching.versions.words import NO_VERSIONS, Versions, parse_versions, trailing_version
from soulspot.text import fold

_PAIRS = {"(": ")", "[": "]", "{": "}", "（": "）", "【": "】", "［": "］", "〈": "〉", "〔": "〕"}
_DASH = re.compile(r"\s+[-‐‑–—−]\s*|\s*[–—−]\s+|(?<=[\w)\]])-\s+|\s*\|\s*")
_WAVES = re.compile(r"[~〜～\-]\s*(?P<inner>[^~〜～\-]+?)\s*[~〜～\-]$")
_CREDITS = re.compile(
    r"(?i)^(?:prod(?:\.|uced)?|from|aus|de la|theme from|ost|original (?:motion picture )?sound ?track)\b"
)

_ROMAN = re.compile(r"^(?=[ivx])(?:x{0,3})(?:ix|iv|v?i{0,3})$")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10}
_COUNTING = {word: value for value, line in enumerate(COUNTING, 1) for word in line.split()}


@dataclass(frozen=True, slots=True)
class Aside:
    """A bracketed or dashed piece beside a title's name, folded, with the version words in it if any."""

    text: str
    versions: Versions = NO_VERSIONS


@dataclass(frozen=True, slots=True)
class Title:
    """A title's parts, all folded: the name in its dash-separated `segments`, what stands beside it, the guests.

    `ends` are the folded pieces it may be cut before, each with what is left then, as written.
    `core` is the name alone, `full` with the subtitles (asides that are no version words), `plain` with every aside;
    `versions` are the version words of all asides."""

    segments: tuple[str, ...]
    asides: tuple[Aside, ...] = ()
    featured: tuple[str, ...] = ()
    ends: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    core: str = field(init=False, compare=False)
    full: str = field(init=False, compare=False)
    plain: str = field(init=False, compare=False)
    versions: Versions = field(init=False, compare=False)

    def __post_init__(self) -> None:
        subtitles = (aside.text for aside in self.asides if not aside.versions.kinds)
        object.__setattr__(self, "core", " ".join(self.segments))
        object.__setattr__(self, "full", " ".join((*self.segments, *subtitles)) if self.asides else self.core)
        object.__setattr__(self, "plain", " ".join((*self.segments, *(aside.text for aside in self.asides))))
        object.__setattr__(
            self, "versions", reduce(or_, (aside.versions for aside in self.asides), NO_VERSIONS)
        )


NO_TITLE = Title(())


@lru_cache(maxsize=16384)
def parse_title(text: str) -> Title:
    """Take a title apart; what is not recognised stays part of the name, and a title of signs only stays as it is."""
    main, brackets = _brackets(text.strip())
    featured: tuple[str, ...] = ()
    asides: list[Aside] = []
    segments: list[str] = []
    for place, piece in enumerate(_DASH.split(main)):
        piece, more = unfeatured(piece)
        featured += more
        words = parse_versions(piece) if place else NO_VERSIONS
        if words.kinds and not _only_name(words, piece):
            asides.append(Aside(fold(piece), words))
        elif fold(piece):
            segments.append(fold(piece))
    if segments:
        name, phrase = trailing_version(segments[-1])
        if phrase:
            segments[-1] = name
            asides.insert(0, Aside(phrase, parse_versions(phrase)))
    for inner in brackets:
        guests = FEATURED_BRACKET.match(inner)
        if guests and not parse_versions(inner).hard:
            featured += split_credit(guests["names"])
            continue
        inner, more = unfeatured(inner)
        featured += more
        if fold(inner) and not _CREDITS.match(inner):
            asides.append(Aside(fold(inner), parse_versions(inner)))
    if not segments:  # "(Intro)", "[untitled]", "÷": the whole is the name
        whole = fold(text) or text.casefold().strip()
        return Title((whole,) if whole else (), (), featured)
    return Title(tuple(segments), tuple(asides), featured, tuple(_ends(text.strip())))


def _ends(text: str) -> Iterator[tuple[str, str]]:
    """Everything from a dash or the last bracket on, folded, with what stands before it."""
    for dash in _DASH.finditer(text):
        if fold(text[: dash.start()]) and fold(text[dash.end() :]):
            yield fold(text[dash.end() :]), text[: dash.start()]
    if text and text[-1] in _PAIRS.values() and (start := _opening(text)) > 0 and fold(text[:start]):
        yield fold(text[start + 1 : -1]), text[:start]


def _only_name(words: Versions, piece: str) -> bool:
    """A long dashed piece in which a weak word stands by chance ("... - Take On the Original Sin") is a name."""
    return (
        words.hard <= {"version", "interlude", "remix", "take", "commentary"} and len(fold(piece).split()) > 6
    )


def _brackets(text: str) -> tuple[str, list[str]]:
    """The text without brackets at its end or holding version words or guests, and the insides of those."""
    insides: list[str] = []
    while text and text[-1] in _PAIRS.values():
        start = _opening(text)
        if start <= 0:
            break
        insides.insert(0, text[start + 1 : -1].strip())
        text = text[:start].rstrip()
    waves = _WAVES.search(text)
    if waves and waves.start() > 0 and parse_versions(waves["inner"]).kinds:
        insides.insert(0, waves["inner"])
        text = text[: waves.start()].rstrip()
    for opening, closing in _PAIRS.items():
        if opening in text:
            for inner in re.findall(
                rf"(?<=\S)\s*{re.escape(opening)}([^{re.escape(opening + closing)}]*){re.escape(closing)}",
                text,
            ):
                if parse_versions(inner).kinds or FEATURED_BRACKET.match(inner):
                    insides.append(inner)
                    text = text.replace(f"{opening}{inner}{closing}", " ")
    return " ".join(text.split()), insides


def _opening(text: str) -> int:
    """Where the bracket that ends `text` opens; -1 when it does not."""
    depth = 0
    closing = text[-1]
    opening = next(o for o, c in _PAIRS.items() if c == closing)
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == closing) - (text[place] == opening)
        if depth == 0:
            return place
    return -1


@dataclass(frozen=True, slots=True)
class Counted:
    """The numbers in a folded text, those of them that count parts ("part 2", "no. 5", "II"), and the text with all
    of them in one spelling ("pt two" is "part 2")."""

    numbers: Counter[int]
    parts: Counter[int]
    text: str


@lru_cache(maxsize=16384)
def counted(folded: str) -> Counted:
    """Find the numbers. Roman numerals count where they can be no word; number words only after "part" and the like."""
    found: Counter[int] = Counter()
    parts: Counter[int] = Counter()
    spelled: list[str] = []
    words = folded.split()
    for place, word in enumerate(words):
        after_part = place > 0 and words[place - 1] in PART_WORDS
        value: int | None = None
        if word.isdecimal() and len(word) <= 6:
            value = int(word)
        elif word.rstrip("abcdefgh").isdecimal() and len(word) <= 4:
            value = int(word.rstrip("abcdefgh")) * 1000 + ord(word[-1])
        elif _ROMAN.match(word) and (len(word) > 1 or after_part or (place and place == len(words) - 1)):
            value, after_part = _roman(word), True
        elif after_part and word in _COUNTING:
            value = _COUNTING[word]
        if value is None:
            spelled.append(PART_SPELLINGS.get(word, word))
            continue
        if spelled and spelled[-1] == "no":
            spelled.pop()
        found[value] += 1
        spelled.append(word if word[-1].isalpha() and word[0].isdecimal() else str(value))
        if after_part:
            parts[value] += 1
    return Counted(found, parts, " ".join(spelled))


def _roman(word: str) -> int:
    total = 0
    for this, following in zip(word, (*word[1:], "i"), strict=True):
        value = _ROMAN_VALUES[this]
        total += -value if value < _ROMAN_VALUES[following] else value
    return total
