"""CSV, JSON and NDJSON, row by row, in UTF-8."""

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from soulspot.export.columns import Column
from soulspot.export.formats import Write
from soulspot.export.target import Sink
from soulspot.export.values import Page

BOM = "\ufeff"
# A cell that begins so runs as a formula or a command (OWASP, "CSV injection"), also in full-width
# forms, and behind blanks and quotes that a spreadsheet takes away.
FORMULA = re.compile(r"[\t\r\n]|[\s'\"`\ufeff\u200b]*[=+\-@|%\uff1d\uff0b\uff0d\uff20\uff5c\uff05]")


@contextmanager
def csv_rows(columns: Sequence[Column], sink: Sink, *, spreadsheet: bool = False) -> Iterator[Write]:
    """Write CSV by RFC 4180: a header, CRLF, quotes where needed; NULL is an empty cell.

    `spreadsheet` writes a `'` before cells that a spreadsheet would run as a formula."""
    text = io.TextIOWrapper(sink.file, encoding="utf-8", errors="backslashreplace", newline="")
    if spreadsheet:
        # Excel assumes a legacy encoding unless the file begins with a byte order mark.
        text.write(BOM)
    writer = csv.writer(text)
    writer.writerow([column.name for column in columns])

    def write(page: Page) -> None:
        cells = page.texts()
        if spreadsheet:
            cells = [[_harmless(cell) for cell in column] for column in cells]
        writer.writerows(zip(*cells, strict=True))

    try:
        yield write
        text.flush()
    finally:
        text.detach()


def spreadsheet_rows(columns: Sequence[Column], sink: Sink) -> Any:
    """Write CSV that a spreadsheet opens without running formulas."""
    return csv_rows(columns, sink, spreadsheet=True)


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


@contextmanager
def json_rows(columns: Sequence[Column], sink: Sink) -> Iterator[Write]:
    """Write one JSON array with an object a line."""
    separator = b"[\n"

    def write(page: Page) -> None:
        nonlocal separator
        for line in _json_lines(page):
            sink.file.write(separator + line)
            separator = b",\n"

    yield write
    sink.file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


@contextmanager
def ndjson_rows(columns: Sequence[Column], sink: Sink) -> Iterator[Write]:
    """Write one JSON object a line."""
    yield lambda page: sink.file.writelines(line + b"\n" for line in _json_lines(page))


def _json_lines(page: Page) -> Iterator[bytes]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    return (encode(row).encode() for row in page.objects(hexadecimal=True))
