"""Cells of data frames, database rows and mappings made plain, so that they can be read as an import file's are; pure."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from soulspot.imports.records import COLUMNS

PATH_COLUMN = "path"  # of an audio file; beside the columns of an import file
KNOWN_COLUMNS = (*COLUMNS, PATH_COLUMN)
_MISSING = frozenset({"NAType", "NaTType"})  # how pandas says that there is nothing
_WHOLE = re.compile(r"\s*(\d+)\.0+\s*")  # what becomes of "3" in a column of floats that is made text
_POSITIONS = ("track_number", "disc_number")


def plain_value(value: Any) -> Any:
    """`value` as JSON could have it: None, bool, int, float, str or a list of such. None for NaN, NaT, NA and the like.

    Times of day and of length become milliseconds, other things the text that they show themselves as."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain_value(value.value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if type(value).__name__ in _MISSING:
        return None
    return _unusual(value)


def _unusual(value: Any) -> Any:
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
    for name in ("tolist", "to_list"):  # arrays and scalars of numpy, series of pandas and polars
        if callable(listed := getattr(value, name, None)):
            return plain_value(listed())
    if isinstance(value, list | tuple | set | frozenset):
        found = [plain_value(one) for one in value]
        return [one for one in found if one is not None]
    return str(value)


def is_empty(value: Any) -> bool:
    """Whether there is nothing in a (plain) cell."""
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def import_record(cells: Mapping[str, Any]) -> dict[str, Any]:
    """A row of an import: the known columns that have something in them, in plain values. `path` is no part of it."""
    found = {name: plain_value(cells[name]) for name in COLUMNS if name in cells}
    for name in _POSITIONS:
        if isinstance(said := found.get(name), str) and (whole := _WHOLE.fullmatch(said)):
            found[name] = whole[1]
    for name in COLUMNS:
        if isinstance(said := found.get(name), list):
            found[name] = [str(one) for one in said if not isinstance(one, list)]
    return {name: value for name, value in found.items() if not is_empty(value)}


def known_columns(columns: Iterable[str]) -> dict[str, str]:
    """Which of these columns stands for which known one, by the known one's name: blanks around and capitals are
    passed over, unless another is written exactly so."""
    found: dict[str, str] = {}
    for column in columns:
        name = str(column).strip().lower()
        if name in KNOWN_COLUMNS and (name not in found or column == name):
            found[name] = column
    return found


def absolute_path(path: Any) -> bytes | Exception:
    """A path made absolute; what no file system can hold is an error of this path alone."""
    try:
        found = os.path.abspath(os.fsencode(path))
    except (TypeError, ValueError) as error:
        return error
    return found if b"\0" not in found else ValueError(f"{path!r}: a path cannot have a NUL in it")
