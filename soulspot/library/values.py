"""Tag values as people write them, made plain: text, positions, dates, durations; pure."""

import math
import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache

MAX_VALUE = 4096  # bytes of UTF-8 that a value keeps
MAX_VALUES = 100  # values that a field keeps
_POSITION = re.compile(r"(\d{1,4})?(?:\s*(?:/|of)\s*(\d{1,4})?)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?(?!\d)")
_COMPACT_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(?!\d)")
_YEAR_LAST = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ](\d{4})")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]?\d(?:\.\d+)?)")
# A file that claims to be longer than a week has a damaged header.
_LONGEST_MS = 7 * 24 * 3600 * 1000


def clean_text(value: str) -> str:
    """Return `value` without surrounding blanks, NULs and byte-order marks, cut at `MAX_VALUE`
    bytes. The result can be encoded as UTF-8: lone surrogates become U+FFFD."""
    text = value.strip(" \t\r\n\0\v\f\x1c\x1d\x1e\x1f\x85\xa0\ufeff\u200b\u2028\u2029")
    if text.isascii():
        return text[:MAX_VALUE]
    text = _SURROGATES.sub("\ufffd", text[:MAX_VALUE])
    raw = text.encode()
    return text if len(raw) <= MAX_VALUE else raw[:MAX_VALUE].decode(errors="ignore")


def split_values(values: Iterable[str]) -> list[str]:
    """Return the cleaned values that are not empty; a value with NULs in it is several values."""
    return [text for value in values for part in value.split("\0") if (text := clean_text(part))]


@lru_cache(maxsize=1024)
def plain_key(name: str) -> str:
    """Return a free-form tag name in lower case with letters and digits only. Taggers write "ALBUM
    ARTIST", "album_artist" and "albumartist" for the same field."""
    return "".join(c for c in name.lower() if c.isalnum())


def parse_position(value: str) -> tuple[int | None, int | None]:
    """Return (number, total) of "3", "03", "3/12", "3 of 12" or "/12". None stands for a part that
    is absent or 0; text of another form gives (None, None)."""
    match = _POSITION.fullmatch(value.strip())
    if match is None:
        return None, None
    number, total = (int(part) if part else 0 for part in match.groups())
    return number or None, total or None


def parse_date(value: str) -> str | None:
    """Return a date as YYYY, YYYY-MM or YYYY-MM-DD: as much of it as is valid, from 1000 to 2999.
    Understands 2001-02-03, 2001/2/3, 20010203 and ISO timestamps; 03/02/2001 gives "2001", because
    day and month could be meant either way. Returns None for anything else."""
    text = value.strip()
    if match := _COMPACT_DATE.match(text):
        year, month, day = match.groups()
    elif match := _DATE.match(text):
        year, _, month, day = match.groups()
    elif match := _YEAR_LAST.match(text):
        year, month, day = match[1], None, None
    else:
        return None
    if not 1000 <= int(year) <= 2999:
        return None
    if month is None or not 1 <= int(month) <= 12:
        return f"{int(year)}"
    if day is not None:
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            pass
    return f"{int(year)}-{int(month):02d}"


def seconds_to_ms(seconds: object) -> int | None:
    """Return seconds as whole milliseconds; None for no number, 0 or less, or over a week."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    length = round(seconds * 1000)
    return length if 0 < length <= _LONGEST_MS else None


def parse_duration_ms(value: object) -> int | None:
    """Return the milliseconds of an import's `duration_ms` cell; None when it is no valid length.
    Understands a number of milliseconds, also as text, and clock times: "3:45" and "1:02:03"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # An integer may be too large to become a float.
        return seconds_to_ms(value / 1000) if abs(value) <= _LONGEST_MS else None
    text = value.strip() if isinstance(value, str) else ""
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds = match.groups()
        return seconds_to_ms(int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds))
    try:
        return seconds_to_ms(float(text) / 1000)
    except ValueError:
        return None


def is_yes(value: str) -> bool:
    """Whether the text of a flag such as `compilation` means yes: "1", "true", "yes" or "y"."""
    return value.strip().lower() in {"1", "true", "yes", "y"}
