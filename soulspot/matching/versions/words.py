"""Version words: which words of a title, album or disambiguation say that this is another version of the song.

Words of one kind in several languages are one name ("ao vivo", "en directo" and "ライブ" are "live")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from soulspot.matching.text.vocabulary import lines
from soulspot.matching.versions import phrases
from soulspot.text import fold


def _alternatives(text: str) -> str:
    joined = "|".join(lines(text)).replace("LANGUAGE", "|".join(phrases.LANGUAGES))
    return joined.replace("YEAR", phrases.YEAR)


def _rules(table: Iterable[tuple[str, str, str]], bounds: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """One pattern a kind. A space is optional in the phrases of scripts that need none."""
    rules = []
    for kind, words, anywhere in table:
        parts = [f"{bounds}(?:{_alternatives(words)}){bounds}"]
        parts += [" ?".join(fold(char) or char for char in phrase) for phrase in anywhere.split()]
        rules.append((kind, re.compile("|".join(parts))))
    return tuple(rules)


_RULES = _rules(phrases.VERSION_PHRASES, r"\b")
_ALBUM_RULES = _rules(phrases.ALBUM_PHRASES, "")
_TRAILING = re.compile(rf"^(?P<name>.+?) (?P<version>{_alternatives(phrases.TRAILING_PHRASES)})$")
_UNPLUGGED = re.compile(r"\bunplugged\b")


@dataclass(frozen=True, slots=True)
class Versions:
    """The kinds of version words of a text and, for each, the words that say which one (remixer, place, year).

    `hard` are the kinds that make another recording: all but remaster, mono, stereo and "album version"."""

    kinds: frozenset[str] = frozenset()
    details: frozenset[tuple[str, str]] = frozenset()
    hard: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hard", self.kinds - phrases.MILD_VERSIONS)

    def of(self, kind: str) -> frozenset[str]:
        return frozenset(word for name, word in self.details if name == kind)

    def __or__(self, other: Versions) -> Versions:
        if not other.kinds or not self.kinds:
            return self if self.kinds else other
        return Versions(self.kinds | other.kinds, self.details | other.details)


NO_VERSIONS = Versions()


def describe_versions(kinds: Iterable[str]) -> str:
    """Version kinds in words for a person; "studio" for none."""
    return " ".join(sorted(phrases.SHOWN_VERSIONS.get(kind, kind) for kind in kinds)) or "studio"


@lru_cache(maxsize=16384)
def parse_versions(text: str) -> Versions:
    """The version words of a phrase that stands apart: a bracket, a dashed suffix, a disambiguation."""
    folded = rest = fold(text)
    kinds: set[str] = set()
    told: set[tuple[str, str]] = set()
    for kind, rule in _RULES:
        if kind == "version" and kinds:
            continue  # "live version" is no further version
        found = rule.findall(rest)
        if found:
            kinds.add(kind)
            rest = rule.sub(" ", rest)
            if kind in phrases.TELLING_VERSIONS:
                told.update((kind, word) for phrase in found for word in _telling(phrase))
    words = _telling(rest)
    if kinds == {"version"} and not words:
        kinds = {"neutral"}  # a bare "version" says nothing
    if kinds == {"neutral"} and words:
        return NO_VERSIONS  # "Original Sin", "Album of the Year": a name that has such a word in it
    if _UNPLUGGED.search(folded):
        kinds.add("live")
    if not kinds:
        return NO_VERSIONS
    hard = kinds - phrases.MILD_VERSIONS
    return Versions(frozenset(kinds), frozenset({(kind, word) for kind in hard for word in words} | told))


def _telling(text: str) -> frozenset[str]:
    """The words that say which version; days and months do not."""
    return frozenset(
        word
        for word in text.split()
        if word not in phrases.VERSION_FILLER and not (word.isdecimal() and len(word) < 3)
    )


@lru_cache(maxsize=16384)
def trailing_version(folded: str) -> tuple[str, str]:
    """(name, version phrase) of a folded title whose last words are a version phrase; the phrase may be empty."""
    found = _TRAILING.match(folded)
    return (found["name"], found["version"]) if found else (folded, "")


@lru_cache(maxsize=16384)
def album_versions(title: str) -> frozenset[str]:
    """The version kinds an album's name lends to its tracks."""
    folded = fold(title)
    return frozenset(kind for kind, rule in _ALBUM_RULES if rule.search(folded))
