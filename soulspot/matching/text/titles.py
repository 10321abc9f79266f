"""Titles taken apart: name, subtitles, version words, featured artists and numbers."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from operator import or_

from soulspot.matching.text.names import FEATURED_BRACKET, split_credit, split_featured
from soulspot.matching.text.vocabulary import CHAPTER_WORDS, NUMBER_WORDS, PART_SPELLINGS, PART_WORDS, REPEATED_TITLES
from soulspot.matching.versions.parsing import NO_VERSIONS, Versions, parse_versions, split_trailing_version
from soulspot.text import fold

_PAIRS = {"(": ")", "[": "]", "{": "}", "（": "）", "【": "】", "［": "］", "〈": "〉", "〔": "〕"}
_OPENING = {closing: opening for opening, closing in _PAIRS.items()}
_DASH = re.compile(r"\s+[-‐‑–—−]\s*|\s*[–—−]\s+|(?<=[\w)\]])-\s+|\s*\|\s*")
_WAVES = re.compile(r"[~〜～\-]\s*(?P<inner>[^~〜～\-]+?)\s*[~〜～\-]$")
_CREDITS = re.compile(
    r"(?i)^(?:prod(?:\.|uced)?|from|aus|de la|theme from|ost|original (?:motion picture )?sound ?track)\b"
)
# Kinds of version words that occur in names by chance.
_WEAK_KINDS = {"version", "interlude", "remix", "take", "commentary"}
_SHARP = re.compile(r"(?<!\w)([A-Ha-h])\s?[#♯](?!\w)")
_FLAT = re.compile(r"(?<!\w)([A-Ha-h])(?:\s?♭|b(?=[\s-](?:major|minor|maj|min|dur|moll)\b))")
_KEY = re.compile(
    r"\b(?P<note>[a-h])(?P<suffix>is|es|s)?(?: (?P<sign>sharp|flat))?(?: (?P<mode>major|maj|dur|minor|min|moll))?\b"
)
_MINOR = ("minor", "min", "moll")
_SUFFIX_SIGNS = {"is": "sharp", "es": "flat", "s": "flat"}
_ROMAN = re.compile(r"^(?=[ivx])(?:x{0,3})(?:ix|iv|v?i{0,3})$")
_ROMAN_VALUES = {"i": 1, "v": 5, "x": 10}


@dataclass(frozen=True, slots=True)
class Aside:
    """A bracketed or dashed piece beside a title's name, folded, with its version words if any."""

    text: str
    versions: Versions = NO_VERSIONS


@dataclass(frozen=True, slots=True)
class Title:
    """The parts of a title, all folded."""

    segments: tuple[str, ...]  # the name, parted at its dashes
    asides: tuple[Aside, ...] = ()
    featured: tuple[str, ...] = ()
    # Every place where the title may be cut: (the folded end, what is left before it as written).
    cuts: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    core: str = field(init=False, compare=False)  # the name alone
    full: str = field(init=False, compare=False)  # with the subtitles: asides without version words
    plain: str = field(init=False, compare=False)  # with every aside
    versions: Versions = field(init=False, compare=False)  # the version words of all asides

    def __post_init__(self) -> None:
        subtitles = (aside.text for aside in self.asides if not aside.versions.kinds)
        found = reduce(or_, (aside.versions for aside in self.asides), NO_VERSIONS)
        core = " ".join(self.segments)
        object.__setattr__(self, "core", core)
        object.__setattr__(self, "full", " ".join((*self.segments, *subtitles)) if self.asides else core)
        object.__setattr__(self, "plain", " ".join((*self.segments, *(aside.text for aside in self.asides))))
        object.__setattr__(self, "versions", found)


NO_TITLE = Title(())


@lru_cache(maxsize=1024)
def parse_title(text: str) -> Title:
    """Take a title apart; whatever is not recognised stays part of the name.
    >>> title = parse_title("Paper Boats (feat. Oto) - Live at Leeds")
    >>> title.core, title.featured, sorted(title.versions.kinds)
    ('paper boats', ('Oto',), ['live'])"""
    # Folding drops signs, and C sharp is not C.
    text = _FLAT.sub(r"\1 flat", _SHARP.sub(r"\1 sharp", text))
    main, brackets = _split_brackets(text.strip())
    featured: tuple[str, ...] = ()
    asides: list[Aside] = []
    segments: list[str] = []
    for place, piece in enumerate(_DASH.split(main)):
        if place and (guests := _guests_of(piece)):
            featured += guests
            continue
        if place and _CREDITS.match(piece):
            continue
        piece, guests = split_featured(piece)
        featured += guests
        versions = parse_versions(piece) if place else NO_VERSIONS
        if versions.kinds and not _is_name_by_length(versions, piece):
            asides.append(Aside(fold(piece), versions))
        elif fold(piece):
            segments.append(fold(piece))
    if segments:
        name, phrase = split_trailing_version(segments[-1])
        if phrase:
            segments[-1] = name
            asides.insert(0, Aside(phrase, parse_versions(phrase)))
    for inner in brackets:
        if guests := _guests_of(inner):
            featured += guests
            continue
        inner, guests = split_featured(inner)
        featured += guests
        # A bracket that was cut off right behind its opening may hold anything.
        aside = fold(inner) or (inner if inner in _PAIRS else "")
        if aside and not _CREDITS.match(inner):
            asides.append(Aside(aside, parse_versions(inner)))
    if not segments:  # "(Intro)", "[untitled]", "÷": the whole is the name
        whole = fold(text) or text.casefold().strip()
        return Title((whole,) if whole else (), (), featured)
    return Title(tuple(segments), tuple(asides), featured, tuple(_cuts(text.strip())))


def _guests_of(piece: str) -> tuple[str, ...]:
    """Return the guests whom a bracketed or dashed piece names: "feat. Oto" or "with Oto".
    "feat. Little Mix" names a guest, whatever words are in the name; "with strings, live" says a
    version. Whoever writes "feat. Oto, live" says both: that piece is left to the version words."""
    found = FEATURED_BRACKET.match(piece)
    if not found:
        return ()
    names = split_credit(found["names"])
    has_version = any(parse_versions(name).hard for name in (names[1:] if found["explicit"] else (piece,)))
    return () if has_version else names


def _cuts(text: str) -> Iterator[tuple[str, str]]:
    """Yield (folded end, beginning as written) for each dash, and for a bracket that closes the
    text."""
    for dash in _DASH.finditer(text):
        if fold(text[: dash.start()]) and fold(text[dash.end() :]):
            yield fold(text[dash.end() :]), text[: dash.start()]
    if text and text[-1] in _OPENING and (start := _bracket_start(text)) > 0 and fold(text[:start]):
        yield fold(text[start + 1 : -1]), text[:start]


@lru_cache(maxsize=1024)
def is_generic_title(core: str) -> bool:
    """Whether artists give a title, folded, to a track of each album: "Intro", "Chapter 3"."""
    words = core.split()
    counts = bool(words) and words[0] in CHAPTER_WORDS and count_parts(" ".join(words[1:])).text.isdecimal()
    return counts or core in REPEATED_TITLES or " ".join(w for w in words if not w.isdecimal()) in REPEATED_TITLES


def _is_name_by_length(versions: Versions, piece: str) -> bool:
    """Whether a long piece has a weak version word by chance: "... - Take On the Original Sin"."""
    return versions.hard <= _WEAK_KINDS and len(fold(piece).split()) > 6


def _split_brackets(text: str) -> tuple[str, list[str]]:
    """Return the text without its brackets, and the insides of those. Brackets count at the end of
    the text, or where they hold version words or guests."""
    insides: list[str] = []
    # ID3v1 keeps 30 characters: "(Instrumental)" may have become "(Instru".
    if (cut := _unclosed(text)) > 0:
        insides.append(text[cut + 1 :].strip() or text[cut])
        text = text[:cut].rstrip()
    while text and text[-1] in _OPENING:
        start = _bracket_start(text)
        if start <= 0:
            break
        insides.insert(0, text[start + 1 : -1].strip())
        text = text[:start].rstrip()
    # Japanese titles set subtitles between waves: "Sakura ~Acoustic Version~".
    waves = _WAVES.search(text)
    if waves and waves.start() > 0 and parse_versions(waves["inner"]).kinds:
        insides.insert(0, waves["inner"])
        text = text[: waves.start()].rstrip()
    for opening, closing in _PAIRS.items():
        if opening in text:
            for inner in re.findall(
                rf"(?<=\S)\s*{re.escape(opening)}([^{re.escape(opening + closing)}]*){re.escape(closing)}", text
            ):
                if parse_versions(inner).kinds or FEATURED_BRACKET.match(inner):
                    insides.append(inner)
                    text = text.replace(f"{opening}{inner}{closing}", " ")
    return " ".join(text.split()), insides


def _unclosed(text: str) -> int:
    """Return the place of a bracket that is opened and never closed; -1 for none."""
    place = max(text.rfind(opening) for opening in _PAIRS)
    if place <= 0 or _PAIRS[text[place]] in text[place:] or not text[place - 1].isspace():
        return -1
    return place


def _bracket_start(text: str) -> int:
    depth, closing = 0, text[-1]
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] == closing) - (text[place] == _OPENING[closing])
        if depth == 0:
            return place
    return -1


@dataclass(frozen=True, slots=True)
class PartCount:
    """The numbers in a folded text."""

    numbers: Counter[int]
    parts: Counter[int]  # those that count parts: "part 2", "no. 5", "II"
    text: str  # the text with all of them in one spelling: "pt two" is "part 2"


@lru_cache(maxsize=1024)
def count_parts(folded: str) -> PartCount:
    """Find the numbers in a folded title: parts, movements of classical works, chapters.

    Roman numerals count where they can be no word, number words only after a part word.
    >>> found = count_parts("sonata no 3 ii adagio")
    >>> sorted(found.numbers), sorted(found.parts), found.text
    ([2, 3], [2, 3], 'sonata 3 2 adagio')"""
    numbers: Counter[int] = Counter()
    parts: Counter[int] = Counter()
    spelled: list[str] = []
    words = folded.split()
    for place, word in enumerate(words):
        is_part = place > 0 and words[place - 1] in PART_WORDS
        value: int | None = None
        if word.isdecimal() and len(word) <= 6:
            value = int(word)
        elif word.rstrip("abcdefgh").isdecimal() and len(word) <= 4:
            # Catalogue numbers and dance suites go on in letters: "K 331a" is neither 331 nor 331b.
            value = int(word.rstrip("abcdefgh")) * 1000 + ord(word[-1])
        elif _ROMAN.match(word) and (len(word) > 1 or is_part or (place and place == len(words) - 1)):
            value, is_part = _roman_value(word), True
        elif is_part and word in NUMBER_WORDS:
            value = NUMBER_WORDS[word]
        if value is None:
            spelled.append(PART_SPELLINGS.get(word, word))
            continue
        if spelled and spelled[-1] == "no":
            spelled.pop()
        numbers[value] += 1
        spelled.append(word if word[-1].isalpha() and word[0].isdecimal() else str(value))
        if is_part:
            parts[value] += 1
    return PartCount(numbers, parts, " ".join(spelled))


@lru_cache(maxsize=1024)
def musical_keys(folded: str) -> frozenset[tuple[str, str, str]]:
    """Return the keys (note, sign, mode) that a folded title names, German ones in English.
    >>> musical_keys("prelude cis moll") == musical_keys("prelude in c sharp minor")
    True"""
    keys = set()
    for found in _KEY.finditer(folded):
        note, suffix, sign, mode = found.group("note", "suffix", "sign", "mode")
        if suffix and not (mode in ("dur", "moll") and (suffix != "s" or note in "ae")):
            continue  # "as", "is" and "es" are words
        if not (sign or mode):
            continue
        sign = sign or _SUFFIX_SIGNS.get(suffix or "", "")
        if mode in ("dur", "moll"):
            # The German B is the English B flat, and H is B.
            note, sign = ("b", "flat") if note == "b" else ("b" if note == "h" else note, sign)
        keys.add((note, sign, "minor" if mode in _MINOR else "major" if mode else ""))
    return frozenset(keys)


def _roman_value(word: str) -> int:
    total = 0
    for this, following in zip(word, (*word[1:], "i"), strict=True):
        value = _ROMAN_VALUES[this]
        total += -value if value < _ROMAN_VALUES[following] else value
    return total
