"""Tag values as people write them, made plain: text, positions, dates, durations; pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date

MAX_VALUE = 4096  # bytes of UTF-8 a value keeps
MAX_VALUES = 100  # values a field keeps

_POSITION = re.compile(r"(\d{1,4})?(?:\s*(?:/|of)\s*(\d{1,4})?)?", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?!\d)")
_YEAR_LAST = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ](\d{4})")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):([0-5]?\d(?:\.\d+)?)")
_LONGEST_MS = 7 * 24 * 3600 * 1000  # a longer file is a damaged header


def clean(value: str) -> str:
    """`value` without surrounding blanks, NULs and byte-order marks, encodable, at most `MAX_VALUE` bytes."""
    text = value.strip(" \t\r\n\0\v\f\x1c\x1d\x1e\x1f\x85\xa0\ufeff\u200b\u2028\u2029")
    if text.isascii():
        return text if len(text) <= MAX_VALUE else text[:MAX_VALUE]
    text = _SURROGATES.sub("\ufffd", text[:MAX_VALUE])
    raw = text.encode()
    return text if len(raw) <= MAX_VALUE else raw[:MAX_VALUE].decode(errors="ignore")


def split(values: Iterable[str]) -> list[str]:
    """The clean, non-empty values; one with NULs in it is several."""
    found = []
    for value in values:
        for part in value.split("\0") if "\0" in value else (value,):
            if text := clean(part):
                found.append(text)
    return found


def position(value: str) -> tuple[int | None, int | None]:
    """(number, total) of "3", "03", "3/12", "3 of 12", "/12"; None for what is absent, 0 or no number."""
    match = _POSITION.fullmatch(value.strip())
    if match is None:
        return None, None
    number, total = (int(part) if part else 0 for part in match.groups())
    return number or None, total or None


def day(value: str) -> str | None:
    """A date as YYYY, YYYY-MM or YYYY-MM-DD: as much of it as is valid, from 1000 to 2999.

    Understands 2001-02-03, 2001/2/3, 20010203, ISO timestamps; of 03/02/2001 only the year is certain."""
    text = value.strip()
    if match := _COMPACT.match(text):
        year, month, dom = match.groups()
    elif match := _DATE.match(text):
        year, _, month, dom = match.groups()
    elif match := _YEAR_LAST.match(text):
        year, month, dom = match[1], None, None
    else:
        return None
    if not 1000 <= int(year) <= 2999:
        return None
    if month is None or not 1 <= int(month) <= 12:
        return f"{int(year)}"
    if dom is not None:
        try:
            return date(int(year), int(month), int(dom)).isoformat()
        except ValueError:
            pass
    return f"{int(year)}-{int(month):02d}"


def milliseconds(seconds: object) -> int | None:
    """A length in seconds as whole milliseconds; None when unknown, not above 0, or beyond a week."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds):
        return None
    length = round(seconds * 1000)
    return length if 0 < length <= _LONGEST_MS else None


def duration(value: object) -> int | None:
    """Milliseconds from an import's `duration_ms`: a number of milliseconds, or "3:45" and "1:02:03"."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return milliseconds(value / 1000) if abs(value) <= _LONGEST_MS else None
    text = value.strip() if isinstance(value, str) else ""
    if match := _CLOCK.fullmatch(text):
        hours, minutes, rest = match.groups()
        return milliseconds(int(hours or 0) * 3600 + int(minutes) * 60 + float(rest))
    try:
        return milliseconds(float(text) / 1000)
    except ValueError:
        return None


def flag(value: str) -> bool:
    """Whether a tag says yes."""
    return value.strip().lower() in {"1", "true", "yes", "y"}
