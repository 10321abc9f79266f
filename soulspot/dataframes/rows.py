"""The rows of a data frame as items: which column is which, the key, the album's group."""

import json
import warnings
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import narwhals as nw

from soulspot.imports import cells
from soulspot.pipeline.items import Item, item_of

KEY = "key"


class Rows:
    """The rows of a frame as items. ValueError for columns that are missing or cannot be used.
    `group_by` are columns whose equal values make one album, `columns` says which of the frame's
    columns is which, `key` is the column with the caller's name of each row."""

    def __init__(
        self, frame: nw.DataFrame[Any], group_by: list[str], columns: Mapping[str, str], key: str | None
    ) -> None:
        if unknown := [name for name in columns if name not in cells.KNOWN_COLUMNS]:
            raise ValueError(
                f"columns: {', '.join(map(repr, unknown))} cannot be filled; known are {', '.join(cells.KNOWN_COLUMNS)}"
            )
        given = {**columns, **({KEY: key} if key is not None else {})}
        present = ", ".join(map(str, frame.columns[:30]))
        for name in [*columns.values(), *group_by, *given.values()]:
            if name not in frame.columns:
                raise ValueError(f"there is no column {name!r}; there are {present}")
            if not isinstance(name, str):
                raise ValueError(
                    f"column {name!r} has a name that is no text: give all of them one, as"
                    " df.columns = df.columns.map(str) does"
                )
        others = (name for name in frame.columns if isinstance(name, str) and name not in given.values())
        self._columns = cells.known_columns(others) | given
        if len(frame) and not self._columns.keys() - {KEY}:
            raise ValueError(
                f"none of the columns is known: {present}; known are {', '.join(cells.KNOWN_COLUMNS)}."
                " Say which is which: columns={'title': 'your column'}"
            )
        self._group_by = group_by
        self._frame = frame
        if KEY in self._columns and (shared := self._shared_key()) is not None:
            words = f"the column {self._columns[KEY]!r} has {shared!r} for several rows that differ"
            if KEY in given:
                raise ValueError(f"{words}: it cannot be their key")
            # A column `key` that nobody named may well be the key of a song.
            warnings.warn(f"{words}: it is not taken as their key", UserWarning, stacklevel=5)
            del self._columns[KEY]

    def batches(self, size: int) -> Iterator[list[Item]]:
        """Yield the rows as items, at most `size` at a time."""
        items = (item_of(cell, self._group(cell)) for cell in self._cells())
        while batch := list(islice(items, size)):
            yield batch

    def _cells(self) -> Iterator[dict[str, Any]]:
        """Yield each row by import columns; group columns are named NUL and their place."""
        names = list(dict.fromkeys([*self._columns.values(), *self._group_by]))
        for row in self._frame.select(names).iter_rows(named=True):
            cell = {name: row[column] for name, column in self._columns.items()}
            cell |= {f"\0{number}": row[column] for number, column in enumerate(self._group_by)}
            yield cell

    def _shared_key(self) -> str | None:
        seen: dict[str, int] = {}
        for cell in self._cells():
            record = cells.import_record(cell)
            if (key := record.pop(KEY, None)) is None:
                continue
            # Hashes, because the rows of a large frame would fill the memory.
            content = hash(json.dumps(record, sort_keys=True))
            if seen.setdefault(str(key), content) != content:
                return str(key)
        return None

    def _group(self, cell: Mapping[str, Any]) -> str | None:
        """Return a text that the rows of one album share; None without any value."""
        values = [cells.plain_value(cell[f"\0{number}"]) for number in range(len(self._group_by))]
        if all(cells.is_empty(value) for value in values):
            return None
        return json.dumps(values, ensure_ascii=False)
