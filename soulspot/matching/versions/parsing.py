"""Version words found in a text, as kinds of versions with the words that say which one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache

from soulspot.matching.text.vocabulary import split_lines
from soulspot.matching.versions import phrases
from soulspot.matching.versions.phrases import Kind
from soulspot.text import fold

_YEAR = r"(?:19|20)\d\d"
_UNPLUGGED = re.compile(r"\bunplugged\b")
Rules = tuple[tuple[str, re.Pattern[str]], ...]


def _alternatives(text: str) -> str:
    joined = "|".join(split_lines(text)).replace("LANGUAGE", phrases.LANGUAGES)
    return joined.replace("YEAR", _YEAR)


def _compile(kinds: Iterable[Kind], bounds: str) -> Rules:
    """Return one pattern a kind. A space is optional in phrases of scripts that need none."""
    rules = []
    for kind in kinds:
        parts = [f"{bounds}(?:{_alternatives(kind.phrases)}){bounds}"]
        parts += [" ?".join(fold(char) or char for char in phrase) for phrase in kind.anywhere.split()]
        rules.append((kind.name, re.compile("|".join(parts))))
    return tuple(rules)


# The patterns take longer to compile than the rest of the package to import: the first text that
# is parsed pays for them, and a command that matches nothing does not.
@cache
def _kind_rules() -> Rules:
    return _compile(phrases.KINDS, r"\b")


@cache
def _album_rules() -> Rules:
    return _compile(phrases.ALBUM_KINDS, "")


@cache
def _trailing_rule() -> re.Pattern[str]:
    return re.compile(rf"^(?P<name>.+?) (?P<version>{_alternatives(phrases.TRAILING)})$")


@dataclass(frozen=True, slots=True)
class Versions:
    """The kinds of version words of a text."""

    kinds: frozenset[str] = frozenset()
    # (kind, word) for each word that says which one: remixer, place, year.
    details: frozenset[tuple[str, str]] = frozenset()
    # The kinds that make another recording: all but remaster, mono, stereo and "album version".
    hard: frozenset[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hard", self.kinds - phrases.SAME_RECORDING)

    def details_of(self, kind: str) -> frozenset[str]:
        """Return the words that say which version of this kind it is."""
        return frozenset(word for name, word in self.details if name == kind)

    def __or__(self, other: Versions) -> Versions:
        if not other.kinds or not self.kinds:
            return self if self.kinds else other
        return Versions(self.kinds | other.kinds, self.details | other.details)


NO_VERSIONS = Versions()


def describe_versions(kinds: Iterable[str]) -> str:
    """Return version kinds in words for a person, as "live radio edit"; "studio" for none."""
    return " ".join(sorted(phrases.SHOWN.get(kind, kind) for kind in kinds)) or "studio"


@lru_cache(maxsize=1024)
def parse_versions(text: str) -> Versions:
    """Return the version words of a phrase that stands apart: a bracket, a dashed end, a comment.
    >>> found = parse_versions("Live at Leeds")
    >>> found.kinds, found.details
    (frozenset({'live'}), frozenset({('live', 'leeds')}))"""
    folded = rest = fold(text)
    kinds: set[str] = set()
    named: set[tuple[str, str]] = set()
    for kind, rule in _kind_rules():
        if kind == "version" and kinds:
            continue  # "live version" is no further version
        found = rule.findall(rest)
        if found:
            kinds.add(kind)
            rest = rule.sub(" ", rest)
            if kind in phrases.NAMES_ITSELF:
                named.update((kind, word) for phrase in found for word in _telling_words(phrase))
    words = _telling_words(rest)
    if kinds == {"version"} and not words:
        kinds = {"neutral"}  # a bare "version" says nothing
    if kinds == {"neutral"} and any(not re.fullmatch(_YEAR, word) for word in words):
        return NO_VERSIONS  # "Original Sin", "Album of the Year": a name that has such a word in it
    if _UNPLUGGED.search(folded):
        kinds.add("live")
    if not kinds:
        return NO_VERSIONS
    details = {(kind, word) for kind in kinds - phrases.SAME_RECORDING for word in words}
    return Versions(frozenset(kinds), frozenset(details | named))


def _telling_words(text: str) -> frozenset[str]:
    words = (word for word in text.split() if word not in phrases.FILLER)
    return frozenset(word for word in words if not (word.isdecimal() and len(word) < 3))


@lru_cache(maxsize=1024)
def split_trailing_version(folded: str) -> tuple[str, str]:
    """Split a folded title into its name and the version phrase it ends with, maybe empty."""
    found = _trailing_rule().match(folded)
    return (found["name"], found["version"]) if found else (folded, "")


@lru_cache(maxsize=1024)
def album_versions(title: str) -> frozenset[str]:
    """Return the version kinds that an album's name lends to its tracks: "Unplugged" is live."""
    folded = fold(title)
    return frozenset(kind for kind, rule in _album_rules() if rule.search(folded))
