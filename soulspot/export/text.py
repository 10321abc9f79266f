"""CSV, JSON and NDJSON, row by row, in UTF-8."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from soulspot.export.columns import Column, Kind
from soulspot.export.formats import Options, Write
from soulspot.export.target import Sink
from soulspot.export.values import Values, hexadecimal

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection"), in full width too."""


@contextmanager
def csv_rows(columns: Sequence[Column], sink: Sink, values: Values, options: Options) -> Iterator[Write]:
    """RFC 4180: a header, CRLF, quotes where they are needed; what is NULL is empty."""
    text = io.TextIOWrapper(sink.file, encoding="utf-8", errors="backslashreplace", newline="")
    if options.spreadsheet:
        text.write(BOM)  # without it Excel takes UTF-8 for something else
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])

    def write(track_ids: Sequence[int], stored: Sequence[Sequence[Any]]) -> None:
        made = [values.written(column, one) for column, one in zip(columns, stored, strict=True)]
        if options.spreadsheet:
            made = [[_harmless(value) for value in one] for one in made]
        writer.writerows(zip(*made, strict=True))

    try:
        yield write
        text.flush()
    finally:
        text.detach()


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


@contextmanager
def json_rows(columns: Sequence[Column], sink: Sink, values: Values, options: Options) -> Iterator[Write]:
    """One array with an object a line."""
    between = b"[\n"

    def write(track_ids: Sequence[int], stored: Sequence[Sequence[Any]]) -> None:
        nonlocal between
        for line in _objects(columns, values, track_ids, stored):
            sink.file.write(between)
            sink.file.write(line)
            between = b",\n"

    yield write
    sink.file.write(b"[]\n" if between == b"[\n" else b"\n]\n")


@contextmanager
def ndjson_rows(columns: Sequence[Column], sink: Sink, values: Values, options: Options) -> Iterator[Write]:
    """An object a line."""

    def write(track_ids: Sequence[int], stored: Sequence[Sequence[Any]]) -> None:
        for line in _objects(columns, values, track_ids, stored):
            sink.file.write(line + b"\n")

    yield write


def _objects(
    columns: Sequence[Column], values: Values, track_ids: Sequence[int], stored: Sequence[Sequence[Any]]
) -> Iterator[bytes]:
    names = [column.name for column in columns]
    made = [
        hexadecimal(one) if column.kind is Kind.BYTES else values.made(column, one, track_ids)
        for column, one in zip(columns, stored, strict=True)
    ]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for row in zip(*made, strict=True):
        yield encode(dict(zip(names, row, strict=True))).encode()
