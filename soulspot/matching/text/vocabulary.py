"""The names and words of `vocabulary.toml`: sets of folded names, joined patterns."""

import re
import tomllib
from importlib.resources import files
from typing import Any

from soulspot.text import fold


def load_table(package: str, name: str) -> dict[str, Any]:
    """Return the TOML file `name` that lies in `package`, parsed."""
    return tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))


def split_lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _folded_names(key: str) -> frozenset[str]:
    return frozenset(map(fold, split_lines(_TABLE[key])))


def _any_of(key: str) -> re.Pattern[str]:
    """Return one pattern that matches where a whole text is one of the alternatives."""
    return re.compile(f"^(?:{'|'.join(split_lines(_TABLE[key]))})$")


_TABLE = load_table(__package__, "vocabulary.toml")

VARIOUS_ARTISTS = _folded_names("various_artists")
UNKNOWN_ARTISTS = _folded_names("unknown_artists")
REPEATED_TITLES = _folded_names("repeated_titles")
SHELVES = _folded_names("shelves")
PLACEHOLDER_TITLE = _any_of("placeholder_titles")
PLACEHOLDER_ALBUM = _any_of("placeholder_albums")
NAMELESS_FOLDER = _any_of("nameless_folders")
IMITATION = re.compile("|".join(split_lines(_TABLE["imitations"])))
PART_WORDS = frozenset(_TABLE["part_words"].split())
CHAPTER_WORDS = frozenset(_TABLE["chapter_words"].split())
DISC_WORDS = tuple(_TABLE["disc_words"].split())
MEDIUM_WORDS = tuple(split_lines(_TABLE["medium_words"]))
SIDE_WORDS = tuple(_TABLE["side_words"].split())
TRACK_WORDS = tuple(split_lines(_TABLE["track_words"]))
NUMBERED_WORDS = tuple(split_lines(_TABLE["number_words"]))
PART_SPELLINGS = {word: line.split()[0] for line in split_lines(_TABLE["part_spellings"]) for word in line.split()}
NUMBER_WORDS = {word: value for value, line in enumerate(split_lines(_TABLE["counting"]), 1) for word in line.split()}
