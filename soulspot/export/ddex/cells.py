"""Pure readers of single values in records of any origin, with many spellings of absence."""

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

# XML 1.0 cannot hold most control characters, unpaired surrogates, and two non-characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[T ].*)?")
_TRUE = frozenset({"true", "yes", "1", "explicit"})
_FALSE = frozenset({"false", "no", "0", "notexplicit", "clean"})


def present(value: Any) -> Any:
    """Return the value, or None for the markers of pandas and others for an absent value."""
    if value is None or isinstance(value, (str, bytes, list, tuple, dict)):
        return value
    # By name, because neither pandas nor numpy may be installed.
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(value, float) and value != value else value  # NaN


def text(value: Any, name: str = "", remarks: list[str] | None = None) -> str | None:
    """Return the value as one line of text that XML can hold, or None for nothing.

    `remarks` gets a sentence about left out characters, with the column's `name`."""
    # The fast path takes nearly all values: printable text has nothing to leave out.
    if type(value) is str and value.isprintable():
        return " ".join(value.split()) or None
    value = present(value)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    written = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    fit, left_out = _UNFIT.subn("", written)
    if left_out and remarks is not None:
        remarks.append(
            f"{name}: {left_out} character{'s' * (left_out > 1)} that XML cannot hold left out of {fit!r:.60}"
        )
    return " ".join(fit.split()) or None


def values(value: Any) -> list[Any]:
    """Return the elements of a list, tuple, array or JSON array; any other value as one element."""
    value = present(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    # Arrays of numpy and columns of frames have one of these methods.
    for method in ("tolist", "to_list"):
        if hasattr(value, method):
            value = getattr(value, method)()
            break
    if value is None or value == "":
        return []
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def texts(value: Any, name: str = "", remarks: list[str] | None = None) -> tuple[str, ...]:
    """Return the distinct texts of a list in its order; `remarks` as in `text`."""
    found = (text(element, name, remarks) for element in values(value))
    return tuple(dict.fromkeys(one for one in found if one))


def number(value: Any) -> int | None:
    """Return a whole number from 1 on; None for nothing and for 0. Raises ValueError otherwise."""
    written = text(value)
    if written is None:
        return None
    # Tags write "3/12" for the third of twelve.
    head = written.partition("/")[0].strip()
    try:
        found = round(float(head))
    except (ValueError, OverflowError):
        raise ValueError(f"{written!r:.60} is no number") from None
    if found < 0:
        raise ValueError(f"{written!r:.60} is below 1")
    return found or None


def date(value: Any) -> str | None:
    """Return YYYY, YYYY-MM or YYYY-MM-DD; None for nothing. Raises ValueError otherwise."""
    value = present(value)
    if value is None or value == "":
        return None
    if isinstance(value, datetime.date):
        value = value.isoformat()
    match = _DATE.fullmatch(str(value).strip())
    try:
        if match is None or not int(match[1]):
            raise ValueError
        datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        raise ValueError(f"{str(value)!r:.60} is no date; it should be YYYY, YYYY-MM or YYYY-MM-DD") from None
    return "-".join(part for part in match.groups() if part)


def truth(value: Any) -> bool | None:
    """Return True, False, or None for nothing. Raises ValueError for an unknown word."""
    value = present(value)
    if value is None or value == "":
        return None
    word = (text(value) or "").casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{str(value)!r:.60} is neither true nor false")


def barcode(value: Any) -> str | None:
    """Return the digits of an EAN-8, UPC-A, EAN-13 or GTIN-14; None for nothing.

    Hyphens and spaces are left out. A number that lost its leading zeros, in a spreadsheet say,
    gets them back. Raises ValueError for another length, a wrong check digit, and zeros alone."""
    if not text(value):
        return None
    is_number = isinstance(value, (int, float))
    digits = f"{value:.0f}" if is_number else re.sub(r"[\s-]+", "", str(value))
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{str(value)!r:.60} is no barcode: it should have 8, 12, 13 or 14 digits")
    # A spreadsheet drops leading zeros of a UPC; EAN-8 has eight digits, so fewer than nine stay.
    if len(digits) == 11 or (is_number and 8 < len(digits) < 12):
        digits = digits.zfill(12)
    if len(digits) not in (8, 12, 13, 14):
        raise ValueError(f"{digits:.60} is no barcode: it has {len(digits)} digits and not 8, 12, 13 or 14")
    if not digits.strip("0"):
        raise ValueError(f"{digits} is no barcode: there is nothing but zeros in it")
    # GS1: the digit before the check digit counts three times, and so does every second one.
    weighted = (int(digit) * (3 - 2 * (place % 2)) for place, digit in enumerate(reversed(digits[:-1])))
    if (last := -sum(weighted) % 10) != int(digits[-1]):
        raise ValueError(f"{digits} is no barcode: its last digit should be {last}, so one of the others may be wrong")
    return digits
