"""Identifiers that look real (MBIDs, Spotify ids, ISRCs, barcodes) and depend on names alone."""

import re
from hashlib import blake2b

_MBID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_BASE62 = f"{_ALPHANUMERIC}abcdefghijklmnopqrstuvwxyz"
# two digits at a time: large catalogues need millions of ids
_PAIRS = tuple(high + low for high in _BASE62 for low in _BASE62)
_COUNTRIES = ("US", "GB", "DE", "FR", "JP", "KR", "SE", "BR", "QZ", "NL", "AU", "CA")


def number(*names: object) -> int:
    """Return a number of 128 bits, equal for equal names and as good as random otherwise."""
    text = "\x1f".join(map(str, names))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest(), "big")


def mbid(*names: object) -> str:
    """Return a version 4 UUID in lower case, as MusicBrainz' ids are."""
    h = f"{number('mbid', *names):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) % 4]}{h[17:20]}-{h[20:]}"


def is_mbid(text: str) -> bool:
    return _MBID.fullmatch(text) is not None


def spotify_id(*names: object) -> str:
    """Return 22 base62 characters. A Spotify id is a 128-bit number: the first is never above 7."""
    value = number("spotify", *names)
    digits = []
    for _ in range(11):
        value, pair = divmod(value, 62 * 62)
        digits.append(_PAIRS[pair])
    return "".join(reversed(digits))


def isrc(year: int, *names: object) -> str:
    """Return an ISRC of a year: twelve upper-case characters without hyphens."""
    value, country = divmod(number("isrc", *names), len(_COUNTRIES))
    registrant = ""
    for _ in range(3):
        value, digit = divmod(value, 36)
        registrant += _ALPHANUMERIC[digit]
    return f"{_COUNTRIES[country]}{registrant}{year % 100:02d}{value % 100000:05d}"


def barcode(*names: object) -> str:
    """Return a 13-digit EAN with a correct check digit."""
    digits = f"{number('barcode', *names) % 10**12:012d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return f"{digits}{-total % 10}"


def hyphenated_isrc(isrc: str) -> str:
    """Return an ISRC the way a careless label delivers it: GB-SMU-45-66095."""
    return f"{isrc[:2]}-{isrc[2:5]}-{isrc[5:7]}-{isrc[7:]}"
