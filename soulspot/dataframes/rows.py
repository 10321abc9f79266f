"""The rows of a data frame as things to enrich: which column is which, what is the key, what makes an album."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw

from soulspot.imports import cells
from soulspot.pipeline.items import Item, item_of

KEY = "key"


def column_names(group_by: str | Sequence[str] | None) -> list[str]:
    if group_by is None:
        return []
    return [group_by] if isinstance(group_by, str) else list(group_by)


class Rows:
    """The rows of a frame as items. ValueError when its columns are not what was said."""

    def __init__(
        self, frame: nw.DataFrame[Any], group_by: list[str], columns: Mapping[str, str], key: str | None
    ) -> None:
        if unknown := [name for name in columns if name not in cells.KNOWN_COLUMNS]:
            raise ValueError(
                f"columns: {', '.join(map(repr, unknown))} cannot be filled; known are {', '.join(cells.KNOWN_COLUMNS)}"
            )
        wanted = {KEY: key} if key is not None else {}
        for name in [*columns.values(), *group_by, *wanted.values()]:
            if name not in frame.columns:
                raise ValueError(
                    f"there is no column {name!r}; there are {', '.join(map(str, frame.columns[:30]))}"
                )
            if not isinstance(name, str):
                raise ValueError(
                    f"column {name!r} has a name that is no text: give all of them one, as"
                    " df.columns = df.columns.map(str) does"
                )
        taken = {*columns.values(), *wanted.values()}
        found = cells.known_columns(one for one in frame.columns if isinstance(one, str) and one not in taken)
        self._columns = found | dict(columns) | wanted
        if len(frame) and not self._columns.keys() - {KEY}:
            raise ValueError(
                f"none of the columns is known: {', '.join(map(str, frame.columns[:30]))}; known are"
                f" {', '.join(cells.KNOWN_COLUMNS)}. Say which is which: columns={{'title': 'your column'}}"
            )
        self._group_by = group_by
        self._frame = frame
        if KEY in self._columns and (twice := self._shared_key()) is not None:
            words = f"the column {self._columns[KEY]!r} has {twice!r} for several rows that differ"
            if KEY in columns or key is not None:
                raise ValueError(f"{words}: it cannot be their key")
            warnings.warn(f"{words}: it is not taken as their key", UserWarning, stacklevel=5)
            del self._columns[KEY]

    def _cells(self) -> Iterator[dict[str, Any]]:
        """The columns that matter, row by row, by their names of ours; those of the group by place."""
        names = list(dict.fromkeys([*self._columns.values(), *self._group_by]))
        for row in self._frame.select(names).iter_rows(named=True):
            cell = {name: row[column] for name, column in self._columns.items()}
            cell |= {f"\0{number}": row[column] for number, column in enumerate(self._group_by)}
            yield cell

    def _shared_key(self) -> str | None:
        """A key that two different rows have."""
        seen: dict[str, int] = {}
        for cell in self._cells():
            record = cells.import_record(cell)
            if (said := record.pop(KEY, None)) is None:
                continue
            content = hash(json.dumps(record, sort_keys=True))
            if seen.setdefault(str(said), content) != content:
                return str(said)
        return None

    def batches(self, size: int) -> Iterator[list[Item]]:
        batch: list[Item] = []
        for cell in self._cells():
            batch.append(item_of(cell, self._group(cell)))
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _group(self, cell: Mapping[str, Any]) -> str | None:
        """The same text for the rows of one album; None where nothing says which it is."""
        values = [cells.plain_value(cell[f"\0{number}"]) for number in range(len(self._group_by))]
        if all(cells.is_empty(value) for value in values):
            return None
        return json.dumps(values, ensure_ascii=False)
