"""The columns of an exported table: their names, what kind of values they have, and where they come from."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from soulspot.store.enriched import COLUMNS as STORED
from soulspot.store.enriched import LIST_COLUMNS


class Kind(Enum):
    """What the values of a column are, None apart."""

    INTEGER = auto()
    NUMBER = auto()
    TRUTH = auto()
    TEXT = auto()  # dates too: a release date may be a year alone
    TIME = auto()  # UTC
    TEXTS = auto()  # a list, empty rather than None
    SOURCES = auto()  # field -> the source of its value
    PATH = auto()  # text; bytes that are not UTF-8 are escaped as \xNN
    BYTES = auto()  # the same, exactly


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `stored` is its name in enriched_tracks."""

    name: str
    kind: Kind
    stored: str


_PLAIN = {int: Kind.INTEGER, float: Kind.NUMBER, str: Kind.TEXT, bytes: Kind.PATH}
_SPECIAL = {
    "explicit": Kind.TRUTH,
    "updated_at": Kind.TIME,
    "sources": Kind.SOURCES,
    **dict.fromkeys(LIST_COLUMNS, Kind.TEXTS),
}

DEFAULT = tuple(Column(name, _SPECIAL.get(name, _PLAIN[kind]), name) for name, kind in STORED.items())
"""What is exported unless columns are named: every column of enriched_tracks."""

COLUMNS = {column.name: column for column in (*DEFAULT, Column("path_bytes", Kind.BYTES, "path"))}
"""Every column that can be named."""


def choose(names: Sequence[str] | None) -> tuple[Column, ...]:
    """These columns in this order; all of the default without names. ValueError names what is wrong."""
    if names is None:
        return DEFAULT
    names = (names,) if isinstance(names, str) else names
    if not names:
        raise ValueError(f"no column is named; there are {', '.join(COLUMNS)}")
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            meant = f" (did you mean {near[0]}?)" if near else ""
            raise ValueError(f"there is no column {name!r}{meant}; there are {', '.join(COLUMNS)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"named more than once: {', '.join(twice)}")
    return tuple(COLUMNS[name] for name in names)
