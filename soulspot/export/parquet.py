"""Parquet files with typed columns, written with pyarrow."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from soulspot.export.columns import Column, Kind
from soulspot.export.formats import Write
from soulspot.export.target import Sink
from soulspot.export.values import Page

# A row group is written at the first of these limits, since its rows stay in memory until then.
GROUP_ROWS, GROUP_BYTES = 100_000, 8 << 20

TYPES = {
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TRUTH: pa.bool_(),
    Kind.TEXT: pa.string(),
    Kind.TIME: pa.timestamp("ms", tz="UTC"),
    Kind.TEXTS: pa.list_(pa.string()),
    Kind.SOURCES: pa.map_(pa.string(), pa.string()),
    Kind.PATH: pa.string(),
    Kind.BYTES: pa.binary(),
}


@contextmanager
def parquet_rows(columns: Sequence[Column], sink: Sink) -> Iterator[Write]:
    """Write row groups of bounded size, compressed with zstd."""
    # Every row has a track_id; all other columns may be null.
    schema = pa.schema([pa.field(column.name, TYPES[column.kind], column.name != "track_id") for column in columns])
    # The default memory pool keeps freed memory for later; this pool returns it to the system.
    pool = pa.system_memory_pool()
    writer = pq.ParquetWriter(sink.file, schema, compression="zstd", memory_pool=pool)
    batches: list[pa.RecordBatch] = []

    def flush() -> None:
        if batches:
            table = pa.Table.from_batches(batches, schema)
            writer.write_table(table, row_group_size=table.num_rows)
            batches.clear()

    def write(page: Page) -> None:
        arrays = [_array(column, values, pool) for column, values in zip(columns, page.values(), strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        rows, size = (sum(getattr(batch, name) for batch in batches) for name in ("num_rows", "nbytes"))
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            flush()

    try:
        yield write
        flush()
    except BaseException:
        # Closing writes a footer, which may fail too and would hide the first error.
        with suppress(Exception):
            writer.close()
        raise
    writer.close()


def _array(column: Column, values: Sequence[Any], pool: pa.MemoryPool) -> pa.Array:
    if column.kind is Kind.TIME:
        return pa.array(values, pa.string(), memory_pool=pool).cast(TYPES[Kind.TIME], memory_pool=pool)
    # Arrow builds a map from pairs, not from a dict.
    if column.kind is Kind.SOURCES:
        values = [list(sources.items()) for sources in values]
    return pa.array(values, TYPES[column.kind], memory_pool=pool)
