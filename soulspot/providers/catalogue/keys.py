"""Keys of names: two spellings of one name have one key, on the side of the dump as on that of the
library. A key finds candidates; whether one is right is for matching to say."""

import json
import re

from soulspot.text import bare_title, fold, latin, lead_artist, main_credit

# A shorter name is another name when a letter is taken away, and a longer one is a sentence.
SHORTEST_SLIP, LONGEST_SLIP = 4, 40
_ARTICLE = re.compile(r"^the (?=.)|(?<=.) the$")


def title_key(title: str) -> str:
    """Return the key of a title, which it shares with its versions: "Blue (Live) - Remix" has the
    key of "Blue". A title of signs alone is its own key."""
    bare = title
    while (shorter := bare_title(bare)) not in ("", bare):
        bare = shorter
    return fold(bare) or fold(title) or title.strip()


def name_key(name: str) -> str:
    """Return the key of an artist's name: folded, without blanks and "the"."""
    return _ARTICLE.sub("", fold(name)).replace(" ", "") or name.strip()


def credit_keys(credit: str) -> list[str]:
    """Return the keys of the artists that a credit as written may begin with, the whole first:
    "Simon & Garfunkel" is one artist, "Simon & Friends" may be Simon's."""
    names = (credit, main_credit(credit), lead_artist(credit))
    return list(dict.fromkeys(key for name in names for key in (name_key(name), name_key(latin(name))) if key))


def latin_title_key(title: str) -> str | None:
    """Return the key of a title that is in another script, written in Latin letters; None for a
    title in plain ASCII."""
    return None if title.isascii() else title_key(latin(title))


def latin_name_key(name: str) -> str | None:
    """Return the key of a name that is in another script, written in Latin letters; None for a
    name in plain ASCII."""
    return None if name.isascii() else name_key(latin(name))


def slip_numbers(key: str) -> list[int]:
    """Return numbers of a key such that two keys which differ by one letter share one: of the key
    itself, and of the key without each of its letters."""
    if not SHORTEST_SLIP <= len(key) <= LONGEST_SLIP:
        return []
    shorter = {key[:at] + key[at + 1 :] for at in range(len(key))}
    return [_number_of(one) for one in (key, *sorted(shorter))]


def slips(key: str) -> str:
    """Return the slip numbers as JSON, for SQL."""
    return json.dumps(slip_numbers(key))


def _number_of(key: str) -> int:
    """Return a number of 64 bits, with sign, for a key; equal in every process."""
    number = 0xCBF29CE484222325
    for byte in key.encode():  # FNV-1a: short keys need no more
        number = ((number ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return number - (1 << 64) if number >> 63 else number
