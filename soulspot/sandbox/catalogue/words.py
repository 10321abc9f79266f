"""Invented names: titles, people, bands and places, in several scripts with Latin spellings."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

_VOCABULARY = tomllib.loads(Path(__file__).with_name("vocabulary.toml").read_text(encoding="utf-8"))


def _words(name: str) -> tuple[str, ...]:
    value: str | list[str] = _VOCABULARY[name]
    return tuple(value.split() if isinstance(value, str) else value)


ADJECTIVES, NOUNS, VERBS = _words("adjectives"), _words("nouns"), _words("verbs")
PLACES, POPULAR = _words("places"), _words("popular")
GIVEN, FAMILY = _words("given"), _words("family")
GENRES, TAGS = _words("genres"), _words("tags")
LABELS, COUNTRIES, FORMATS = _words("labels"), _words("countries"), _words("formats")

Spelling = tuple[str, str]  # (as written, in Latin letters)


@dataclass(frozen=True, slots=True)
class Script:
    """The names of one language: families, given names and the words of titles."""

    country: str
    families: tuple[Spelling, ...]
    givens: tuple[Spelling, ...]
    words: tuple[Spelling, ...]
    joint: str  # between the parts of a name or title as written
    family_first: bool

    @classmethod
    def of(cls, table: dict[str, Any]) -> Script:
        pairs = {name: _spellings(table[name]) for name in ("families", "givens", "words")}
        return cls(**{**table, **pairs})

    def person(self, rng: Random) -> tuple[str, str, str]:
        """Return a name as written, the name in Latin letters, and the sort name."""
        family, given = rng.choice(self.families), rng.choice(self.givens)
        written = (family[0], given[0]) if self.family_first else (given[0], family[0])
        return self.joint.join(written), f"{given[1]} {family[1]}", f"{family[1]}, {given[1]}"

    def title(self, rng: Random) -> Spelling:
        first, second = rng.sample(self.words, 2)
        return self.joint.join((first[0], second[0])), f"{first[1]} {second[1]}"


def _spellings(text: str) -> tuple[Spelling, ...]:
    """Return the pairs of a text: "東=Higashi 青木=Aoki" -> (("東", "Higashi"), ...)."""
    pairs = (pair.replace("_", " ").partition("=") for pair in text.split())
    return tuple((written, latin) for written, _, latin in pairs)


SCRIPTS = tuple(Script.of(table) for table in _VOCABULARY["scripts"])


def title(rng: Random) -> str:
    """Return an English title of one to five words; many recordings share a short one."""
    kind = rng.random()
    if kind < 0.05:
        return rng.choice(POPULAR)
    if kind < 0.15:
        return f"The {rng.choice(NOUNS)}"
    if kind < 0.60:
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if kind < 0.80:
        return f"{rng.choice(VERBS)} the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if kind < 0.90:
        return f"{rng.choice(NOUNS)} of {rng.choice(PLACES)}"
    if kind < 0.95:
        return f"Don't {rng.choice(VERBS)} Me, {rng.choice(GIVEN)}"
    return f"{rng.choice(NOUNS)} & {rng.choice(NOUNS)}"


def band(rng: Random) -> tuple[str, str]:
    kind = rng.random()
    if kind < 0.5:
        name = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}s"
        return f"The {name}", f"{name}, The"
    if kind < 0.6:
        name = f"{rng.choice(NOUNS)} & the {rng.choice(NOUNS)}s"
    else:
        name = f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    return name, name


def person(rng: Random) -> tuple[str, str]:
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    return f"{given} {family}", f"{family}, {given}"
