"""Reads CSV, JSON and NDJSON files into records; what a record means is settled in imports.py."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

COLUMNS = (
    "key",
    "spotify_id",
    "isrc",
    "mb_recording_id",
    "mb_release_id",
    "artist",
    "title",
    "album",
    "album_artist",
    "duration_ms",
    "track_number",
    "disc_number",
)
MAX_LINE = 1 << 20  # characters of a line; a longer one is no row
MAX_JSON = 256 << 20  # characters of a .json file, which is loaded whole

Record = Mapping[str, Any] | str  # a row's cells by column, or why there are none


KNOWN = frozenset(COLUMNS)
SURPLUS = "\0surplus"  # in a record: cells behind the last column, which nobody knows the meaning of
_ESCAPED = re.compile(r"[\udc80-\udcff]")  # bytes that were no UTF-8, as "surrogateescape" hands them on


class WholeFile(str):
    """Why nothing in a file can be used from here on, in place of a record."""


class _Lines:
    """The lines of a file, none longer than `MAX_LINE`; `number` is that of the last one.

    Not a generator, which would end with its first exception: there are lines after one that is too long."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == MAX_LINE and not line.endswith("\n"):
            while (rest := self._file.readline(MAX_LINE)) and not rest.endswith("\n"):
                pass
            raise _TooLong(f"the line is longer than {MAX_LINE} characters")
        if not line.isascii() and _ESCAPED.search(line):
            raise _NotUtf8(_not_utf8(self.number))
        return line


class _TooLong(ValueError):
    """A line beyond `MAX_LINE`; it has been passed over."""


class _NotUtf8(ValueError):
    """Bytes that are no UTF-8: to guess at them would look up names that nobody wrote."""


def _not_utf8(line: int) -> WholeFile:
    return WholeFile(f"line {line} is not UTF-8; convert the file with iconv -f latin1 -t utf8")


def _table(file: TextIO) -> Iterator[tuple[int, Record]]:
    lines = _Lines(file)
    try:
        header = next(lines, "")
    except (_TooLong, _NotUtf8) as error:
        yield 1, WholeFile(error)
        return
    if not header.strip():
        yield (
            1,
            WholeFile(
                "the file is empty" if not header else "the first line is empty; it has to name the columns"
            ),
        )
        return
    # csv.Sniffer would guess; but the names are known, so the one that shows most of them is right.
    columns, delimiter = max(
        ((_header(header, mark), mark) for mark in ",;\t"),
        key=lambda found: len(KNOWN.intersection(found[0])),
    )
    if not KNOWN.intersection(columns):
        named = ", ".join(name[:40] for name in columns[:20] if name)
        yield (
            1,
            WholeFile(
                f"none of its columns is known: {named} (the first line names the columns; known are {', '.join(COLUMNS)})"
            ),
        )
        return
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        start = lines.number + 1
        try:
            cells = next(rows, None)
        except _NotUtf8 as error:
            yield lines.number, WholeFile(error)
            return
        except (csv.Error, _TooLong) as error:
            why = f"a quoted value does not end; passed over to line {lines.number}"
            yield start, str(error) if lines.number <= start else f"{why} ({error})"
            continue
        if cells is None:
            return
        if any(cells):
            surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
            yield start, dict(zip(columns, cells, strict=False)) | ({SURPLUS: surplus} if surplus else {})


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _objects(file: TextIO) -> Iterator[tuple[int, Record]]:
    lines = _Lines(file)
    while True:
        try:
            line = next(lines)
        except StopIteration:
            if not lines.number:
                yield 1, WholeFile("the file is empty: not one JSON object")
            return
        except _NotUtf8 as error:
            yield lines.number, WholeFile(error)
            return
        except _TooLong as error:
            yield lines.number, str(error)
            continue
        if line.strip():
            yield lines.number, _object(line)


def _object(text: str) -> Record:
    found = _parsed(text)
    if isinstance(found, (str, dict)):
        return found
    return "not a JSON object"


def _array(file: TextIO) -> Iterator[tuple[int, Record]]:
    text = file.read(MAX_JSON + 1)
    if len(text) > MAX_JSON:
        yield (
            1,
            WholeFile(
                f"larger than {MAX_JSON >> 20} million characters; save it as .ndjson, one object a line"
            ),
        )
        return
    if not text.strip():
        yield 1, WholeFile("the file is empty: no JSON array")
        return
    if not text.isascii() and (stray := _ESCAPED.search(text)):
        line = text.count("\n", 0, stray.start()) + 1
        yield line, _not_utf8(line)
        return
    found = _parsed(text)
    if not isinstance(found, list):
        yield 1, WholeFile(found if isinstance(found, str) else "not a JSON array of objects")
        return
    for line, record in enumerate(found, 1):
        yield line, record if isinstance(record, dict) else "not a JSON object"


def _parsed(text: str) -> dict[str, Any] | list[Any] | str | None:
    """The object or array, or why it cannot be read, or None for any other JSON."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return found if isinstance(found, (dict, list)) else None


Reader = Callable[[TextIO], Iterator[tuple[int, Record]]]
READERS: dict[str, Reader] = {
    ".csv": _table,
    ".tsv": _table,
    ".json": _array,
    ".ndjson": _objects,
    ".jsonl": _objects,
}
