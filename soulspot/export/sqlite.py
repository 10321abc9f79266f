"""A SQLite file of its own with one table, `tracks`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from soulspot.export.columns import Column, Kind
from soulspot.export.formats import Options, Write
from soulspot.export.target import Sink
from soulspot.export.values import Values
from soulspot.store.table_file import create_table_file

TABLE, KEY = "tracks", "track_id"
TYPES = {
    Kind.INTEGER: int,
    Kind.TRUTH: bool,
    Kind.NUMBER: float,
    Kind.BYTES: bytes,
}  # everything else is text


@contextmanager
def sqlite_rows(columns: Sequence[Column], sink: Sink, values: Values, options: Options) -> Iterator[Write]:
    """Lists and sources are JSON, as in enriched_tracks; truth values are 0 and 1."""
    types = {column.name: TYPES.get(column.kind, str) for column in columns}
    with ExitStack() as stack:
        path = sink.path
        if path is None:  # a stream: SQLite must seek
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soulspot-export-"))
            path = Path(folder) / "tracks.db"
        with create_table_file(path, TABLE, types, KEY) as table:

            def write(track_ids: Sequence[int], stored: Sequence[Sequence[Any]]) -> None:
                made = [
                    one if column.kind in TYPES else values.written(column, one)
                    for column, one in zip(columns, stored, strict=True)
                ]
                table.insert(zip(*made, strict=True))

            yield write
        if sink.path is None:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sink.file, 1 << 20)
