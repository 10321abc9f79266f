"""Folders of single discs, tapes and sides: "CD 2", "12" Vinyl 1", "Side A", "Disque deux"."""

import re
from dataclasses import dataclass

from soulspot.matching.text.vocabulary import DISC_WORDS, MEDIUM_WORDS, NUMBER_WORDS, SIDE_WORDS
from soulspot.text import fold

_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
_NUMBER = rf"(?:\d{{1,2}}|[a-h]|{'|'.join(_ROMAN)}|{'|'.join(NUMBER_WORDS)})"
_MEDIUM = "|".join(words.replace(" ", r"\s") for words in MEDIUM_WORDS)
# matched against folded names, in which quotes and other signs are blanks
_FOLDER = re.compile(
    rf"""(?x)^(?:(?:7|10|12|8\s?cm)\s(?:(?:inch|in|zoll)\s)?)?
    (?:(?:hybrid|enhanced|data|bonus|mp3|shm|hq|mixed|mode)\s)*
    (?:(?P<disc>{"|".join(DISC_WORDS)})|(?P<side>{"|".join(SIDE_WORDS)})|(?P<medium>{_MEDIUM}))
    (?:(?:\s|(?<=\D)(?=\d))(?P<number>{_NUMBER}))?
    (?:\s?(?:of|von|de|di|av|из)\s?\d{{1,2}})?(?:\s(?:side|seite|face)\s[a-h])?$
    |^(?P<turned>[a-h]|\d{{1,2}})\s(?:{"|".join(SIDE_WORDS)})$|^第(?P<counted>\d{{1,2}})[碟盘張张枚]$"""
)
# the name of a disc behind its number: "Disc 1 - The Show", "CD2 (Live)", "Disc1_The Hits"
_OWN_NAME = re.compile(r"(?<=\S)(?:\s+[-–—]\s|\s*:\s|\s*[(\[{]|(?<=\d)_(?!\d)).*$")


@dataclass(frozen=True, slots=True)
class DiscFolder:
    """A folder that may hold one disc of an album. An album may be called "Volume 2", too: only
    where `is_sure` the folder is no album whatever stands above it."""

    number: int | None
    is_sure: bool


def disc_folder(name: str) -> DiscFolder | None:
    """Return what the name of a folder says of a disc; None where it is that of an album."""
    found = _FOLDER.match(fold(_OWN_NAME.sub("", name.strip("[](){} "))))
    if found is None:
        return None
    number = number_named(found["number"] or found["turned"] or found["counted"])
    if number is not None and (found["side"] or found["turned"]):
        number = (number + 1) // 2  # two sides are one record
    return DiscFolder(number, bool(found["disc"] or found["counted"]) and number is not None)


def number_named(text: str | None) -> int | None:
    """Return the number of a disc written in digits, as a word, a letter or a roman numeral."""
    if not text or text.isdecimal():
        return int(text) or None if text else None
    if len(text) == 1 and "a" <= text.lower() <= "h":
        return ord(text.lower()) - ord("a") + 1
    return NUMBER_WORDS.get(text.lower()) or _ROMAN.get(text.lower())
