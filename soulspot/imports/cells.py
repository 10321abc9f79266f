"""Cells of data frames, database rows and mappings, made plain as an import file's are; pure."""

import math
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from soulspot.imports.records import COLUMNS

PATH_COLUMN = "path"
"""The column of an audio file's path, which import files do not have."""
KNOWN_COLUMNS = (*COLUMNS, PATH_COLUMN)
_MISSING_TYPES = frozenset({"NAType", "NaTType"})  # pandas' types of a missing value
_WHOLE = re.compile(r"\s*(\d+)\.0+\s*")


def plain_value(value: Any) -> Any:
    """Return `value` as JSON could have it: None, bool, int, float, str or a list of those. NaN,
    NaT, NA and infinity become None, times of day and timedeltas become milliseconds, arrays and
    series become lists, and any other object becomes its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain_value(value.value)
    # Subclasses of str, int and float (numpy's scalars, say) become the plain type.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return None if type(value).__name__ in _MISSING_TYPES else _plain_object(value)


def _plain_object(value: Any) -> Any:
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() and abs(value) < 10**30 else float(value)
    if isinstance(value, timedelta):
        return round(value.total_seconds() * 1000)
    if isinstance(value, time):
        return round((value.hour * 3600 + value.minute * 60 + value.second) * 1000 + value.microsecond / 1000)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    # Arrays and scalars of numpy have `tolist`, series of pandas and polars `to_list`.
    for name in ("tolist", "to_list"):
        if callable(to_list := getattr(value, name, None)):
            return plain_value(to_list())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain for item in value if (plain := plain_value(item)) is not None]
    return str(value)


def is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def import_record(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of the import columns (`COLUMNS`) that are not empty, made plain.

    For example {"title": "One", "isrc": NaN, "track_number": "3.0", "year": 1999} becomes
    {"title": "One", "track_number": "3"}."""
    found = {name: plain_value(cells[name]) for name in COLUMNS if name in cells}
    for name, value in found.items():
        if isinstance(value, list):
            found[name] = [str(item) for item in value if not isinstance(item, list)]
        elif isinstance(value, str) and name in ("track_number", "disc_number"):
            # "3" in a column of floats that was made text is "3.0".
            found[name] = _WHOLE.sub(r"\1", value) if _WHOLE.fullmatch(value) else value
    return {name: value for name, value in found.items() if not is_empty(value)}


def known_columns(columns: Iterable[str]) -> dict[str, str]:
    """Return, by the name of a known column, the one of `columns` that stands for it. Surrounding
    blanks and capitals do not count: " Title" stands for "title", unless another column is named
    exactly "title"."""
    found: dict[str, str] = {}
    for column in columns:
        name = str(column).strip().lower()
        if name in KNOWN_COLUMNS and (name not in found or column == name):
            found[name] = column
    return found


def absolute_path(path: Any) -> bytes | Exception:
    """Return a path made absolute, or the error of a path that no file system can hold."""
    try:
        found = os.path.abspath(os.fsencode(path))
    except (TypeError, ValueError) as error:
        return error
    return found if b"\0" not in found else ValueError(f"{path!r}: a path cannot have a NUL in it")
