"""Reads single values out of records of any origin: rows of ours, of a frame, of JSON; pure.

"Nothing" has many spellings there (None, NaN, NaT, blanks), lists come as lists, tuples, arrays or JSON."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

# What XML 1.0 has no place for: most control characters, half a surrogate pair, and two that are no characters.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:[T ].*)?")
_TRUE = frozenset({"true", "yes", "1", "explicit"})
_FALSE = frozenset({"false", "no", "0", "notexplicit", "clean"})


def present(value: Any) -> Any:
    """The value, or None for whatever a library writes where there is none."""
    if value is None or isinstance(value, (str, bytes, list, tuple, dict)):
        return value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return None if isinstance(value, float) and value != value else value  # NaN


def text(value: Any, name: str = "", remarks: list[str] | None = None) -> str | None:
    """The value as one line of text that XML can hold, or None. What has to be left out of it is remarked."""
    if type(value) is str and value.isprintable():  # nearly all there is, and nothing in it to leave out
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


def several(value: Any) -> list[Any]:
    """The values of a list in any dress; a text that is no JSON array is one value."""
    value = present(value)
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return [value]
    if hasattr(value, "tolist"):  # an array, or a column of a frame
        value = value.tolist()
    elif hasattr(value, "to_list"):
        value = value.to_list()
    if value is None or value == "":
        return []
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def texts(value: Any, name: str = "", remarks: list[str] | None = None) -> tuple[str, ...]:
    """The distinct texts of a list, in order."""
    found = (text(one, name, remarks) for one in several(value))
    return tuple(dict.fromkeys(one for one in found if one))


def number(value: Any) -> int | None:
    """A whole number from 1 on; None when there is none. Raises ValueError for anything else."""
    value = text(value)
    if value is None:
        return None
    head = value.partition("/")[0].strip()  # "3/12" is how tags write it
    try:
        found = round(float(head))
    except (ValueError, OverflowError):
        raise ValueError(f"{value!r:.60} is no number") from None
    if found < 0:
        raise ValueError(f"{value!r:.60} is below 1")
    return found or None


def date(value: Any) -> str | None:
    """A date as precise as it is given: YYYY[-MM[-DD]]. Raises ValueError for what is none."""
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
    """True, False, or None where nothing is said. Raises ValueError for other words."""
    value = present(value)
    if value is None or value == "":
        return None
    word = (text(value) or "").casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(f"{str(value)!r:.60} is neither true nor false")
