"""Genres put in order: one spelling each, nothing that says nothing, a handful at most; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from soulspot.text import fold

MOST = 5  # of a long list of votes the rest is one person's opinion

_PARTED = re.compile(r"\s*[;/|\\\x00]\s*")
_SAYS_NOTHING = frozenset(
    map(
        fold,
        ("other", "others", "unknown", "unknown genre", "misc", "miscellaneous", "none", "genre", "default", "n/a",
         "null", "undefined", "unclassifiable", "general", "music", "various", "no genre", "not specified"),
    )
)  # fmt: skip
_AND = re.compile(r"\b(?:n|and)\b")
_SAME = {
    "dnb": "drumbass",
    "rnb": "rb",
    "rhythmblues": "rb",
    "drumnbass": "drumbass",
    "rocknroll": "rockroll",
}


def handful(genres: Iterable[str]) -> tuple[str, ...]:
    """At most five of `genres` (the weightiest first), lower case, each once in the spelling that came first.

    "Hip-Hop", "hip hop" and "HipHop" are one, and so are "R&B" and "RnB"; "Rock/Pop" is two; "Other" is none."""
    found: dict[str, str] = {}
    for text in genres:
        if fold(text) in _SAYS_NOTHING:
            continue
        for genre in _PARTED.split(" ".join(text.split())):
            if fold(genre) and fold(genre) not in _SAYS_NOTHING:
                found.setdefault(_key(genre), genre.lower())
    return tuple(found.values())[:MOST]


def _key(genre: str) -> str:
    """What spellings of one genre have in common: letters and digits, without "and"."""
    joined = _AND.sub(" ", fold(genre)).replace(" ", "")
    return _SAME.get(joined, joined)
