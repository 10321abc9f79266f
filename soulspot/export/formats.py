"""The formats of an exported table: one entry of `FORMATS` each."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from soulspot.export.columns import Column
    from soulspot.export.target import Sink
    from soulspot.export.values import Page

GZIP_SUFFIX = ".gz"

Write = Callable[["Page"], None]
"""write(page): append a page of rows to the table."""

Writer = Callable[["Sequence[Column]", "Sink"], AbstractContextManager[Write]]
"""writer(columns, sink) opens a table. The table is complete when the context ends normally."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of a table. `binary`: not for a terminal, and compressed already."""

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    binary: bool
    writer_name: str  # "module:function" of its Writer

    def writer(self) -> Writer:
        """Import and return the writer of this format."""
        # Deferred until a table is written: pyarrow alone takes 40 MB of memory.
        module, _, name = self.writer_name.partition(":")
        return cast(Writer, getattr(import_module(module), name))


SPREADSHEET = Format("csv", (), "text/csv", False, "soulspot.export.text:spreadsheet_rows")
"""The variant of CSV that a spreadsheet opens without running formulas."""

FORMATS = {
    format_.name: format_
    for format_ in (
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
    """Return the format called `name`, or that of the suffix of `out`, and whether to use gzip.

    Without a name and a file the format is csv. Raises ValueError for an unknown name or suffix,
    and for gzip of a format that is compressed already."""
    gzip = out is not None and out.name.lower().endswith(GZIP_SUFFIX)
    if name is None:
        format_ = FORMATS["csv"] if out is None else _by_suffix(out)
    elif name in FORMATS:
        format_ = FORMATS[name]
    else:
        raise ValueError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    if gzip and format_.binary:
        raise ValueError(f"{format_.name} is not packed with gzip: leave out {GZIP_SUFFIX}")
    return format_, gzip


def _by_suffix(out: Path) -> Format:
    # "tracks.csv.gz" is CSV: the suffix before .gz decides.
    suffix = Path(out.name.lower().removesuffix(GZIP_SUFFIX)).suffix
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    known = " ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise ValueError(f"{out.name!r} says no format: say --format, or let it end in one of {known}")
