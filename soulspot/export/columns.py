"""The columns of an exported table: their names, the kind of their values, and their source."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from soulspot.store.enriched import COLUMNS as STORED
from soulspot.store.enriched import LIST_COLUMNS


class Kind(Enum):
    """The kind of a column's values. Every value may be None, except in lists and sources."""

    INTEGER = auto()
    NUMBER = auto()
    TRUTH = auto()
    TEXT = auto()  # dates too: a release date may be a year alone
    TIME = auto()  # UTC
    TEXTS = auto()  # a list, empty rather than None
    SOURCES = auto()  # field -> the source of its value
    PATH = auto()  # text; bytes that are not UTF-8 are escaped as \xNN
    BYTES = auto()  # a path without any escaping


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export; `stored` is the column of enriched_tracks with its values."""

    name: str
    kind: Kind
    stored: str


# The SQLite type of a column decides its kind; these columns are more than their type says.
_PLAIN = {int: Kind.INTEGER, float: Kind.NUMBER, str: Kind.TEXT, bytes: Kind.PATH}
_SPECIAL = {
    "explicit": Kind.TRUTH,
    "updated_at": Kind.TIME,
    "sources": Kind.SOURCES,
    **dict.fromkeys(LIST_COLUMNS, Kind.TEXTS),
}

DEFAULT = tuple(Column(name, _SPECIAL.get(name, _PLAIN[kind]), name) for name, kind in STORED.items())
"""The columns of an export that names none: every column of enriched_tracks."""

COLUMNS = {column.name: column for column in (*DEFAULT, Column("path_bytes", Kind.BYTES, "path"))}
"""Every column that an export can name, by name."""


def choose_columns(names: Sequence[str] | None) -> tuple[Column, ...]:
    """Return the named columns in the given order, or `DEFAULT` for None.

    Raises ValueError for an unknown name, a repeated name, or an empty list."""
    if names is None:
        return DEFAULT
    names = (names,) if isinstance(names, str) else names
    if not names:
        raise ValueError(f"no column is named; there are {', '.join(COLUMNS)}")
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"there is no column {name!r}{hint}; there are {', '.join(COLUMNS)}")
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"named more than once: {', '.join(repeated)}")
    return tuple(COLUMNS[name] for name in names)
