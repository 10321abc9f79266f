"""Names as people spell them: case, punctuation, guests, numbers, scripts, slips of the pen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from anyascii import anyascii

from soulspot.sandbox import CreditedName, Recording, credit_text

T = TypeVar("T", bound=Hashable)
_GUEST_TAIL = re.compile(r"^(?P<title>.+) \(feat\. (?P<guest>[^)]+)\)(?P<rest>.*)$")
_SIMPLE_SCRIPTS = re.compile(r"[^\u0000-\u058f\u1e00-\u1eff\u2000-\u206f]")  # letters anyascii spells as people do
SUFFIXES = (
    " (Album Version)", " [Explicit]", " (Explicit)", " (Remastered)", " - Remastered 2011", " (2009 Remaster)",
    " - 2014 Remaster", " (LP Version)", " [Remastered]", " (Original Version)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habits:
    """The tagging habits of one person, chosen once an album, or once a file for loose files."""

    case: Callable[[str], str]
    punctuation: Callable[[str], str]
    guest: str
    latin: bool
    suffix: str
    numbered: str
    decomposed: bool

    @classmethod
    def choose(cls, rng: Random) -> Habits:
        return cls(
            case=_pick(rng, {_same: 62, str.upper: 6, str.lower: 10, _each_word: 22}),
            punctuation=_pick(rng, {_same: 60, _curly: 10, _bare: 10, _and: 10, _dashes: 10}),
            guest=_pick(rng, {"credit": 35, "title": 25, "ft": 10, "bracket": 10, "list": 12, "none": 8}),
            latin=rng.random() < 0.5,
            suffix=rng.choice(SUFFIXES) if rng.random() < 0.12 else "",
            numbered=_pick(rng, {"": 90, "{n:02d} - ": 4, "{n:02d}. ": 3, "{n:02d} ": 3}),
            decomposed=rng.random() < 0.05,
        )

    def spell(self, text: str) -> str:
        """Return a name in this person's case and punctuation."""
        text = self.punctuation(self.case(text))
        return unicodedata.normalize("NFD", text) if self.decomposed else text

    def artist(self, credited: CreditedName) -> str:
        """Return the artist's name, in Latin letters where that is the habit and a service knows
        them."""
        alias = next((a for a in credited.artist.aliases if a.isascii()), None)
        return alias if self.latin and alias and not credited.name.isascii() else credited.name

    def album(self, title: str) -> str:
        """Return an album's name, perhaps transliterated where its script allows."""
        return anyascii(title) if self.latin and not _SIMPLE_SCRIPTS.search(title) else title

    def names(self, recording: Recording) -> tuple[str, str, list[str]]:
        """Return (title, artist, traits) of a recording, before case and punctuation."""
        traits = []
        alias = next((a for a in recording.aliases if a.isascii()), None)
        title = alias if self.latin and alias else recording.title
        names = [self.artist(part) for part in recording.credit]
        if title != recording.title or names[0] != recording.credit[0].name:
            traits.append("other script")
        if (found := _GUEST_TAIL.match(title)) and self.guest in ("credit", "list"):
            traits.append("guest moved")
            title, names = found["title"] + found["rest"], [*names, found["guest"]]
        elif len(names) == 1:
            return title, names[0], traits
        elif self.guest == "credit" and "other script" not in traits:
            return title, credit_text(recording.credit), traits
        traits.append("guest")
        title, artist = _with_guests(self.guest, title, names)
        return title, artist, traits


def _with_guests(habit: str, title: str, names: Sequence[str]) -> tuple[str, str]:
    guests = " & ".join(names[1:])
    match habit:
        case "credit":
            return title, f"{names[0]} feat. {guests}"
        case "ft":
            return title, f"{names[0]} ft. {guests}"
        case "list":
            return title, "; ".join(names)
        case "title":
            return f"{title} (feat. {guests})", names[0]
        case "bracket":
            return f"{title} [ft. {guests}]", names[0]
        case _:
            return title, names[0]


def slip(rng: Random, text: str) -> str:
    """Return the name with a letter left out, doubled, swapped or mistaken; short names as they
    are."""
    at = [n for n, c in enumerate(text[:-1]) if c.isalpha() and text[n + 1].isalpha()][1:]
    if len(at) < 4:
        return text
    n = rng.choice(at)
    match rng.randrange(4):
        case 0:
            return text[:n] + text[n + 1 :]
        case 1:
            return text[:n] + text[n] + text[n:]
        case 2:
            return text[:n] + text[n + 1] + text[n] + text[n + 2 :]
        case _:
            return text[:n] + rng.choice("aeioustrn") + text[n + 1 :]


def _pick(rng: Random, choices: Mapping[T, int]) -> T:
    """Return one of the keys, each as often as its weight says."""
    return rng.choices(list(choices), list(choices.values()))[0]


def _same(text: str) -> str:
    return text


def _each_word(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


def _curly(text: str) -> str:
    return text.replace("'", "’")


def _bare(text: str) -> str:
    return text.replace("'", "").replace(",", "").replace(".", "")


def _and(text: str) -> str:
    return text.replace(" & ", " and ")


def _dashes(text: str) -> str:
    return text.replace("'", "`").replace(" - ", " – ").replace("-", "‐")
