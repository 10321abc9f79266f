"""Put genres in order: one spelling each, no empty words like "Other", a handful at most."""

import re
from collections.abc import Iterable

from soulspot.text import fold

MOST_GENRES = 5  # in a longer list of votes the rest is one person's opinion

_SEPARATOR = re.compile(r"\s*[;/|\\\x00]\s*")
_EMPTY_WORDS = frozenset(
    map(
        fold,
        ("other", "others", "unknown", "unknown genre", "misc", "miscellaneous", "none", "genre", "default", "n/a",
         "null", "undefined", "unclassifiable", "general", "music", "various", "no genre", "not specified"),
    )
)  # fmt: skip
_AND = re.compile(r"\b(?:n|and)\b")
_SYNONYMS = {
    "dnb": "drumbass",
    "rnb": "rb",
    "rhythmblues": "rb",
    "drumnbass": "drumbass",
    "rocknroll": "rockroll",
}


def tidy_genres(genres: Iterable[str]) -> tuple[str, ...]:
    """Return at most five of `genres` (the weightiest first) in lower case, each in its first
    spelling.

    "Hip-Hop", "hip hop" and "HipHop" are one genre, and so are "R&B" and "RnB"; "Rock/Pop" is two;
    "Other" is none."""
    found: dict[str, str] = {}
    for text in genres:
        if fold(text) in _EMPTY_WORDS:
            continue
        for genre in _SEPARATOR.split(" ".join(text.split())):
            if fold(genre) and fold(genre) not in _EMPTY_WORDS:
                found.setdefault(_key(genre), genre.lower())
    return tuple(found.values())[:MOST_GENRES]


def _key(genre: str) -> str:
    """Return what spellings of one genre share: its letters and digits, without "and"."""
    joined = _AND.sub(" ", fold(genre)).replace(" ", "")
    return _SYNONYMS.get(joined, joined)
