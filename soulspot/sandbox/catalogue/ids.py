"""Identifiers that look like real ones and are always the same: MBIDs, Spotify ids, ISRCs, barcodes."""

from __future__ import annotations

from hashlib import blake2b

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(high + low for high in _BASE62 for low in _BASE62)
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_COUNTRIES = ("US", "GB", "DE", "FR", "JP", "KR", "SE", "BR", "QZ", "NL", "AU", "CA")


def number(*names: object) -> int:
    """128 bits that depend on `names` alone; no clock, no process, no order of calls."""
    text = "\x1f".join(map(str, names))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest(), "big")


def mbid(*names: object) -> str:
    """A version 4 UUID, lower-case, as MusicBrainz' ids are."""
    h = f"{number('mbid', *names):032x}"
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-{'89ab'[int(h[16], 16) % 4]}{h[17:20]}-{h[20:]}"


def spotify_id(*names: object) -> str:
    """22 base62 characters; a Spotify id is a 128-bit number, so the first is never above 7."""
    value = number("spotify", *names)
    digits = []
    for _ in range(11):
        value, pair = divmod(value, 62 * 62)
        digits.append(_PAIRS[pair])
    return "".join(reversed(digits))


def isrc(year: int, *names: object) -> str:
    """Twelve upper-case characters, no hyphens."""
    value = number("isrc", *names)
    value, country = divmod(value, len(_COUNTRIES))
    registrant = ""
    for _ in range(3):
        value, digit = divmod(value, 36)
        registrant += _ALPHANUMERIC[digit]
    return f"{_COUNTRIES[country]}{registrant}{year % 100:02d}{value % 100000:05d}"


def barcode(*names: object) -> str:
    """A 13-digit EAN whose check digit is right."""
    digits = f"{number('barcode', *names) % 10**12:012d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return f"{digits}{-total % 10}"


def hyphenated_isrc(code: str) -> str:
    """An ISRC the way a careless label delivers it: GB-SMU-45-66095."""
    return f"{code[:2]}-{code[2:5]}-{code[5:7]}-{code[7:]}"
