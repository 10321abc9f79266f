"""The formats of an exported table: one entry of `FORMATS` each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from soulspot.export.columns import Column
    from soulspot.export.target import Sink
    from soulspot.export.values import Values

PACKED = ".gz"

Write = Callable[[Sequence[int], Sequence[Sequence[Any]]], None]
"""write(track ids, what the table stores of each column): a page of rows."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a writer may be told besides. `spreadsheet`: CSV that spreadsheets open without harm."""

    spreadsheet: bool = False


Writer = Callable[["Sequence[Column]", "Sink", "Values", Options], "AbstractContextManager[Write]"]
"""Opens a table; it is whole when the context ends without an exception."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `binary`: nothing for a terminal, and packed already; `made_by` names its Writer."""

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    binary: bool
    made_by: str

    def writer(self) -> Writer:
        """Imported only now: pyarrow alone takes 40 MB."""
        module, _, name = self.made_by.partition(":")
        return cast(Writer, getattr(import_module(module), name))


FORMATS = {
    one.name: one
    for one in (
        Format("csv", (".csv",), "text/csv", False, "soulspot.export.text:csv_rows"),
        Format("json", (".json",), "application/json", False, "soulspot.export.text:json_rows"),
        Format("ndjson", (".ndjson", ".jsonl"), "application/x-ndjson", False, "soulspot.export.text:ndjson_rows"),
        Format("parquet", (".parquet", ".pq"), "application/vnd.apache.parquet", True,
               "soulspot.export.parquet:parquet_rows"),
        Format("sqlite", (".sqlite", ".sqlite3", ".db"), "application/vnd.sqlite3", True,
               "soulspot.export.sqlite:sqlite_rows"),
    )
}  # fmt: skip


def format_of(name: str | None, out: Path | None) -> tuple[Format, bool]:
    """The format called `name`, or that of the file's ending (csv where there is neither), and whether it is packed
    with gzip. ValueError says what is wrong."""
    gz = out is not None and out.name.lower().endswith(PACKED)
    if name is None:
        format_ = FORMATS["csv"] if out is None else _by_suffix(out, gz)
    elif name in FORMATS:
        format_ = FORMATS[name]
    else:
        raise ValueError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    if gz and format_.binary:
        raise ValueError(f"{format_.name} is not packed with gzip: leave out {PACKED}")
    return format_, gz


def _by_suffix(out: Path, gz: bool) -> Format:
    name = out.name.lower()
    suffix = Path(name.removesuffix(PACKED) if gz else name).suffix
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    known = " ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise ValueError(f"{out.name!r} says no format: say --format, or let it end in one of {known}")
