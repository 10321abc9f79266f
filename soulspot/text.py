"""Folding of names to what two spellings of one name have in common; shared by every package."""

import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

_NOT_WORD = re.compile(r"[\W_]+")
_AND = re.compile(r"\s*[&+]\s*")
# Within a word only: 4'33" is two numbers.
_APOSTROPHE = re.compile(r"['’‘ʼ`´](?!\d)|(?<!\d)['’‘ʼ`´]")
# Letters that Unicode knows no plain letter under, as they are commonly written without it.
_STROKES = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "þ": "th", "æ": "ae", "œ": "oe"}
)
_BRACKETED = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
_DASHED = re.compile(r"\s+[-–—]\s+.*$")
_FEATURED = re.compile(r"(?i)\s*;\s*|\s+[(\[]?(?:feat|ft|featuring)\b\.?\s*")
_NEXT_ARTIST = re.compile(r"(?i)\s*(?:[;,/&+]|\b(?:feat|ft|featuring|vs|with)\b\.?)\s*")
# Kana voicing marks are not accents: without them another word is left.
_VOICING = "\u3099\u309a"


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Return the text without case, accents, width, punctuation and "&", words parted by one space.

    Scripts are kept. Example: "Beyoncé & JAY-Z" becomes "beyonce and jay z"."""
    plain = _AND.sub(" and ", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c) or c in _VOICING).translate(_STROKES)
    plain = _APOSTROPHE.sub("", plain)
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", plain)).strip()


@lru_cache(maxsize=16384)
def latin(text: str) -> str:
    """Return the folded text with every other script transliterated to ASCII: "Кино" becomes
    "kino"."""
    return fold(anyascii(text))


def is_latin(text: str) -> bool:
    """Whether at least half of the letters are Latin; True for a text without letters."""
    letters = [c for c in text if c.isalpha()]
    return 2 * sum("LATIN" in unicodedata.name(c, "") for c in letters) >= len(letters)


def bare_title(title: str) -> str:
    """Return the title without what stores append: "(feat. X)", "[Live]", "- 2011 Remaster"."""
    return _DASHED.sub("", _BRACKETED.sub("", title)).strip()


def unbracketed(name: str) -> str:
    """Return the name without the brackets behind it, unless the brackets are all there is."""
    return _BRACKETED.sub("", name).strip() or name


def main_credit(credit: str) -> str:
    """Return the credit without featured artists. "AC/DC" and "Simon & Garfunkel" stay whole: they
    may be one name each."""
    return next((name for name in _FEATURED.split(credit) if name.strip()), credit).strip()


def lead_artist(credit: str) -> str:
    """Return the first name of a credit.

    A search for it finds the whole credit too, however its names are joined in MusicBrainz."""
    return next((name for name in _NEXT_ARTIST.split(credit) if name.strip()), credit).strip()
