"""A SQLite file of its own with one table, `tracks`."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from soulspot.export.columns import Column, Kind
from soulspot.export.formats import Write
from soulspot.export.target import Sink
from soulspot.store.table_file import create_table_file

TABLE, KEY = "tracks", "track_id"
# Columns of all other kinds are text.
TYPES = {Kind.INTEGER: int, Kind.TRUTH: bool, Kind.NUMBER: float, Kind.BYTES: bytes}


@contextmanager
def sqlite_rows(columns: Sequence[Column], sink: Sink) -> Iterator[Write]:
    """Write a table in which lists and sources are JSON, and booleans are 0 and 1."""
    types = {column.name: TYPES.get(column.kind, str) for column in columns}
    with ExitStack() as stack:
        path = sink.path
        if path is None:
            # SQLite must seek, which a stream cannot: write a file, then copy it.
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="soulspot-export-"))
            path = Path(folder) / "tracks.db"
        with create_table_file(path, TABLE, types, KEY) as table:
            yield lambda page: table.insert(zip(*page.texts(raw=TYPES), strict=True))
        if sink.path is None:
            with path.open("rb") as file:
                shutil.copyfileobj(file, sink.file, 1 << 20)
