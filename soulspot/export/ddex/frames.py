"""Records out of whatever holds some: mappings, dataclasses, and any data frame that narwhals knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_ROWS = 1_000  # rows of a frame that are made mappings at a time


def records_of(given: Any) -> Iterator[Mapping[str, Any]]:
    """The records, one at a time. Raises TypeError for what is neither a frame nor an iterable of records."""
    if _is_frame(given):
        yield from _rows(given)
        return
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(
            f"records should be an iterable of mappings or a data frame, not {type(given).__name__}"
        )
    for number, one in enumerate(given, 1):
        if isinstance(one, Mapping):
            yield one
        elif dataclasses.is_dataclass(one) and not isinstance(one, type):
            yield {field.name: getattr(one, field.name) for field in dataclasses.fields(one)}
        else:
            raise TypeError(f"record {number} should be a mapping, not {type(one).__name__}")


def refuse_absent(given: Any, group_by: Any) -> None:
    """ValueError for columns to group by that a frame has not. Other records may each have columns of their own."""
    if group_by is None or callable(group_by) or not _is_frame(given):
        return
    import narwhals as nw

    there = nw.from_native(given).collect_schema().names()
    for name in (group_by,) if isinstance(group_by, str) else group_by:
        if name not in there:
            raise ValueError(
                f"there is no column {name!r} to group by; there are {', '.join(map(str, there))}"
            )


def _is_frame(given: Any) -> bool:
    return hasattr(type(given), "columns") or type(given).__module__.partition(".")[0] == "pyarrow"


def _rows(frame: Any) -> Iterator[Mapping[str, Any]]:
    import narwhals as nw

    known = nw.from_native(frame)
    eager = known.collect() if isinstance(known, nw.LazyFrame) else known
    yield from eager.iter_rows(named=True, buffer_size=_ROWS)
