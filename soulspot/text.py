"""Folding of names to what two spellings of one name have in common, names of files in either
Unicode form, and text made fit for a terminal; shared by every package."""

import os
import re
import unicodedata
from functools import lru_cache

from anyascii import anyascii

_NOT_WORD = re.compile(r"[\W_]+")
_AND = re.compile(r"\s*[&+]\s*")
# Within a word only: 4'33" is two numbers.
_APOSTROPHE = re.compile(r"['’‘ʼ`´](?!\d)|(?<!\d)['’‘ʼ`´]")
# "10,000", "10.000", "10'000" and "10 000" are 10000.
_THOUSANDS = re.compile(r"(?<=\d)(?:[,.'’](?=\d{3}(?!\d))| (?=000(?!\d)))")
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
# Characters that steer a terminal (C0, C1), break a line, turn its direction, or are not seen.
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    r"\ufff9-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
# Joiners hold emoji and letters of many scripts together, tags make flags of some countries.
_NEEDED = r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])|(?<=\U0001f3f4)[\U000e0030-\U000e007a]{2,6}\U000e007f"
_HIDDEN = re.compile(f"({_NEEDED})|[{_UNSEEN}]")
_MARKS = "\u061c\u200e\u200f"  # set the direction of the neighbours; part of right-to-left text
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s/?#'\"]*@)?([^\s/?#'\"\\]*)[^\s'\"]*")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


@lru_cache(maxsize=1024)
def fold(text: str) -> str:
    """Return the text without case, accents, width, punctuation and "&", words parted by one space.

    Scripts are kept. Example: "Beyoncé & JAY-Z" becomes "beyonce and jay z"."""
    plain = _AND.sub(" and ", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c) or c in _VOICING).translate(_STROKES)
    plain = _APOSTROPHE.sub("", _THOUSANDS.sub("", plain))
    return _NOT_WORD.sub(" ", unicodedata.normalize("NFKC", plain)).strip()


@lru_cache(maxsize=1024)
def latin(text: str) -> str:
    """Return the folded text with every other script transliterated to ASCII: "Кино" becomes
    "kino"."""
    return fold(anyascii(text))


def composed(name: bytes) -> str:
    """Return the name of a file in Unicode's composed form (NFC), surrogates for other bytes. Two
    names that look the same are the same then, whichever form a Mac or a person gave them."""
    text = os.fsdecode(name)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def as_on_disk(path: bytes) -> bytes:
    """Return the path in the spelling of the disk.

    Where no file has exactly the given name, one whose name differs in its Unicode form alone is
    meant. A path that leads nowhere, or to several such files, stays as it is."""
    if path.isascii() or os.path.lexists(path):
        return path
    found = b"/" if path.startswith(b"/") else b""
    for part in path.split(b"/"):
        place = os.path.join(found, part)
        if part and not part.isascii() and not os.path.lexists(place):
            wanted = composed(part)
            try:
                alike = [name for name in os.listdir(found or b".") if composed(name) == wanted]
            except (OSError, ValueError):
                return path
            if len(alike) != 1:
                return path
            place = os.path.join(found, alike[0])
        found = place
    return found


def spellings(path: bytes) -> tuple[bytes, ...]:
    """Return the path in each spelling that may stand in the database, the likeliest first."""
    text = os.fsdecode(path)
    forms = () if path.isascii() else [os.fsencode(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")]
    return tuple(dict.fromkeys((path, as_on_disk(path), *forms)))


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


def without_secrets(text: str) -> str:
    """Return the text with every URL cut to its scheme and host: user, path and query can be or
    hold a secret."""
    return _URL.sub(r"\1\2/...", text)


def visible(text: str) -> str:
    """Return the text in one line, with an escape like \\x1b for each character that would steer a
    terminal, break or turn the line, or not be seen. Names in any script stay as they are."""
    return _HIDDEN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if found[1] or (char in _MARKS and _RIGHT_TO_LEFT.search(found.string)):
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00  # a byte of a file name that is not UTF-8
    wide = f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
    return _SHORT.get(char) or (f"\\x{code:02x}" if code <= 0xFF else wide)
