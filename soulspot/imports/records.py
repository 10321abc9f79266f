"""Records of CSV, JSON and NDJSON files: cells by column, not yet understood as a track."""

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

COLUMNS = (
    "key", "spotify_id", "isrc", "mb_recording_id", "mb_release_id", "artist", "title", "album", "album_artist",
    "duration_ms", "track_number", "disc_number",
)  # fmt: skip
MAX_LINE = 1 << 20  # characters of a line; a longer one is no row
MAX_JSON = 256 << 20  # characters of a .json file, which is loaded whole
Record = Mapping[str, Any] | str
"""The cells of a row by column, or the reason why the row has none, in words for people."""
KNOWN = frozenset(COLUMNS)
SURPLUS = "\0surplus"
"""In a record: the cells behind the last column, whose meaning nobody knows."""
_NO_OBJECT = "not a JSON object"
_ESCAPED_BYTE = re.compile(r"[\udc80-\udcff]")  # a byte that is not UTF-8, by "surrogateescape"


class FileStopped(ValueError):
    """Nothing in an import file can be used from `line` on; the message says why."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


class _LineTooLong(ValueError):
    """A line beyond `MAX_LINE`, which has been skipped."""


class _Lines:
    """The lines of a file, none longer than `MAX_LINE`; `number` is that of the last line read."""

    # Not a generator, which would end with its first exception: lines follow a long one.

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
            raise _LineTooLong(f"the line is longer than {MAX_LINE} characters")
        _refuse_escaped(line, self.number)
        return line


def _refuse_escaped(text: str, first_line: int) -> None:
    # To guess at an encoding would look up names that nobody wrote.
    if not text.isascii() and (stray := _ESCAPED_BYTE.search(text)):
        line = first_line + text.count("\n", 0, stray.start())
        raise FileStopped(line, f"line {line} is not UTF-8; convert the file with iconv -f latin1 -t utf8")


def _read_table(file: TextIO) -> Iterator[tuple[int, Record]]:
    lines = _Lines(file)
    try:
        header = next(lines, "")
    except _LineTooLong as error:
        raise FileStopped(1, str(error)) from error
    if not header.strip():
        empty = "the first line is empty; it has to name the columns" if header else "the file is empty"
        raise FileStopped(1, empty)
    # The names are known, so the right delimiter is the one that shows most of them.
    columns, delimiter = max(
        ((_split_header(header, mark), mark) for mark in ",;\t"), key=lambda split: len(KNOWN.intersection(split[0]))
    )
    if not KNOWN.intersection(columns):
        named = ", ".join(name[:40] for name in columns[:20] if name)
        known = f"the first line names the columns; known are {', '.join(COLUMNS)}"
        raise FileStopped(1, f"none of its columns is known: {named} ({known})")
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        start = lines.number + 1
        try:
            cells = next(rows, None)
        except (csv.Error, _LineTooLong) as error:
            why = f"a quoted value does not end; passed over to line {lines.number}"
            yield start, str(error) if lines.number <= start else f"{why} ({error})"
            continue
        if cells is None:
            return
        if any(cells):
            surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
            yield start, dict(zip(columns, cells, strict=False)) | ({SURPLUS: surplus} if surplus else {})


def _split_header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _read_json_lines(file: TextIO) -> Iterator[tuple[int, Record]]:
    lines = _Lines(file)
    while True:
        try:
            line = next(lines, None)
        except _LineTooLong as error:
            yield lines.number, str(error)
            continue
        if line is None:
            break
        if line.strip():
            parsed = _parse_json(line)
            yield lines.number, parsed if isinstance(parsed, (str, dict)) else _NO_OBJECT
    if not lines.number:
        raise FileStopped(1, "the file is empty: not one JSON object")


def _read_json_array(file: TextIO) -> Iterator[tuple[int, Record]]:
    text = file.read(MAX_JSON + 1)
    if len(text) > MAX_JSON:
        limit = f"larger than {MAX_JSON >> 20} million characters"
        raise FileStopped(1, f"{limit}; save it as .ndjson, one object a line")
    if not text.strip():
        raise FileStopped(1, "the file is empty: no JSON array")
    _refuse_escaped(text, 1)
    parsed = _parse_json(text)
    if not isinstance(parsed, list):
        raise FileStopped(1, parsed if isinstance(parsed, str) else "not a JSON array of objects")
    for number, item in enumerate(parsed, 1):
        yield number, item if isinstance(item, dict) else _NO_OBJECT


def _parse_json(text: str) -> dict[str, Any] | list[Any] | str | None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return parsed if isinstance(parsed, (dict, list)) else None


# They yield each record with its line, or its position in a JSON array, from 1.
READERS: dict[str, Callable[[TextIO], Iterator[tuple[int, Record]]]] = {
    ".csv": _read_table, ".tsv": _read_table, ".json": _read_json_array, ".ndjson": _read_json_lines,
    ".jsonl": _read_json_lines,
}  # fmt: skip
