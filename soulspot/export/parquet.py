"""Parquet with real types by pyarrow: integers, truth values, lists of texts, times in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from soulspot.export.columns import Column, Kind
from soulspot.export.formats import Options, Write
from soulspot.export.target import Sink
from soulspot.export.values import Values

GROUP_ROWS, GROUP_BYTES = 100_000, 8 << 20
"""A row group is written when it has so many rows, or as many bytes in memory: it is held until then."""

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
def parquet_rows(columns: Sequence[Column], sink: Sink, values: Values, options: Options) -> Iterator[Write]:
    """Row groups of bounded size, packed with zstd."""
    # a column of the key is a number in every row
    schema = pa.schema(
        [pa.field(column.name, TYPES[column.kind], column.name != "track_id") for column in columns]
    )
    pool = pa.system_memory_pool()  # gives back what is freed; the default one keeps it for later
    writer = pq.ParquetWriter(sink.file, schema, compression="zstd", memory_pool=pool)
    batches: list[pa.RecordBatch] = []
    rows = size = 0

    def flush() -> None:
        nonlocal rows, size
        if batches:
            writer.write_table(pa.Table.from_batches(batches, schema), row_group_size=rows)
            batches.clear()
            rows = size = 0

    def write(track_ids: Sequence[int], stored: Sequence[Sequence[Any]]) -> None:
        nonlocal rows, size
        arrays = [
            _array(column, values.made(column, one, track_ids), pool)
            for column, one in zip(columns, stored, strict=True)
        ]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        rows += batches[-1].num_rows
        size += batches[-1].nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            flush()

    try:
        yield write
        flush()
    except BaseException:
        with suppress(Exception):  # what it writes last is of no use any more
            writer.close()
        raise
    writer.close()


def _array(column: Column, made: Sequence[Any], pool: pa.MemoryPool) -> pa.Array:
    if column.kind is Kind.TIME:
        return pa.array(made, pa.string(), memory_pool=pool).cast(TYPES[Kind.TIME], memory_pool=pool)
    if column.kind is Kind.SOURCES:
        made = [list(one.items()) for one in made]
    return pa.array(made, TYPES[column.kind], memory_pool=pool)
