"""Records of CSV, JSON and NDJSON files: cells by column, not yet understood as a track."""

import csv
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TextIO

COLUMNS = (
    "key", "spotify_id", "isrc", "mb_recording_id", "mb_release_id", "artist", "title", "album", "album_artist",
    "duration_ms", "track_number", "disc_number",
)  # fmt: skip
MAX_LINE = 1 << 20  # characters of a line, or of an item of a JSON array; a longer one is no row
MAX_CELL_LINES = 1000  # lines of a row whose cells have line breaks
MAX_READ_AGAIN = 1 << 20  # lines of a file that are read again, behind quotes that do not close
WINDOW = 1 << 16  # characters that are read at a time of a JSON array
MAX_DIGITS = 4000  # of a whole number: Python refuses longer ones
Record = Mapping[str, Any] | str
"""The cells of a row by column, or the reason why the row has none, in words for people."""
SURPLUS = "\0surplus"
"""In a record: the cells behind the last column, whose meaning nobody knows."""
MAX_PREFACE = 10  # lines that may stand before the headings, as "Shazam Library" or "sep=;"
_NO_OBJECT = "not a JSON object"
_OPEN_QUOTE = "a quoted value begins in this line and does not end; the rows behind it are read on their own"
_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) <= MAX_DIGITS else None)
# Russian, Japanese or Macintosh bytes make long runs, signs within words, or capitals behind small
# letters of them.
_NOT_WESTERN = re.compile(
    r"[À-ÿŠšŽžŒœŸ]{3}|[^\x00-\x7fÀ-ÖØ-öø-þŠšŽžŒœŸ‘’“”„‚…–—´¡¿«»°·•©®™€£ªº\xa0§²³¹½¼¾&×]"
    r"|[a-zß-þšžœ][À-ÖØ-ÞŠŽŒŸ]|[A-Za-zÀ-þ][„‚…•©€£¡¿§¹²³¼½¾ªº«»¶](?=[A-Za-zÀ-þ])"
)
_ESCAPED_BYTE = re.compile(r"[\udc80-\udcff]")  # a byte that is not UTF-8, by "surrogateescape"


class FileStopped(ValueError):
    """Nothing in an import file can be used from `line` on; the message says why."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


class _LineTooLong(ValueError):
    """A line beyond `MAX_LINE`, which has been skipped."""


class _RowTooLong(ValueError):
    """A row of more than `MAX_CELL_LINES` lines or `MAX_LINE` characters."""


class _Lines:
    """The lines of a file, none longer than `MAX_LINE`; `number` is that of the last line read.
    `row` has the lines since the last `begin_row`, which can be read again."""

    # Not a generator, which would end with its first exception: lines follow a long one.

    def __init__(self, file: TextIO, mend: Callable[[str], str] = str) -> None:
        self._file = file
        self._mend = mend
        self.number = 0
        self.row: list[str] = []
        self.is_end = False  # somebody has asked for a line behind the last
        self._row_size = 0
        self._again: deque[str] = deque()
        self._left = MAX_READ_AGAIN

    def begin_row(self) -> None:
        self.row, self._row_size, self.is_end = [], 0, False

    def read_rest_again(self) -> None:
        """Yield the lines of this row behind the first once more. Raises FileStopped when that
        was done for too many lines: a file full of stray quotes would never end."""
        rest = self.row[1:]
        self.number -= len(rest)
        self._left -= len(rest)
        if self._left < 0:
            raise FileStopped(self.number, "too many quoted values in this file do not end")
        self._again.extendleft(reversed(rest))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read_line()
        if not line:
            self.is_end = True
            raise StopIteration
        self.number += 1
        self.row.append(line)
        self._row_size += len(line)
        if _is_too_long(line):
            raise _LineTooLong(f"the line is longer than {MAX_LINE} characters")
        self.row[-1] = line = self._mend(line)
        _refuse_escaped(line, self.number)
        if len(self.row) > 1 and (len(self.row) > MAX_CELL_LINES or self._row_size > MAX_LINE):
            raise _RowTooLong
        return line

    def _read_line(self) -> str:
        line = self._file.readline(MAX_LINE)
        if _is_too_long(line):
            while (rest := self._file.readline(MAX_LINE)) and not rest.endswith("\n"):
                pass
        return line


def _is_too_long(line: str) -> bool:
    return len(line) == MAX_LINE and not line.endswith("\n")


def _refuse_escaped(text: str, first_line: int) -> None:
    # To guess at an encoding would look up names that nobody wrote.
    if not text.isascii() and (stray := _ESCAPED_BYTE.search(text)):
        line = first_line + text.count("\n", 0, stray.start())
        raise FileStopped(line, f"line {line} is not UTF-8; convert the file with iconv -f latin1 -t utf8")


def _from_cp1252(line: str) -> str:
    """Return a line that is not UTF-8 as Windows-1252 has it, where that reads like Western text;
    otherwise the line as it is."""
    if line.isascii() or not _ESCAPED_BYTE.search(line):
        return line
    try:
        text = line.encode("utf-8", "surrogateescape").decode("cp1252")
    except UnicodeDecodeError:
        return line
    return line if _NOT_WESTERN.search(text) else text


class Headings(Protocol):
    """The reading of a table's headings; see `soulspot.imports.columns.Columns`."""

    def count(self, headings: Iterable[str]) -> int: ...
    def missing(self, headings: Iterable[str]) -> list[str]: ...


def _read_headings(lines: _Lines, known: Headings) -> tuple[list[str], str]:
    """Pass over the lines up to the headings, and return these and the delimiter."""
    first: list[str] | None = None
    for number in range(MAX_PREFACE):
        try:
            line = next(lines, "")
        except _LineTooLong as error:
            raise FileStopped(lines.number, str(error)) from error
        if not line:
            break
        # The names are known, so the right delimiter is the one that shows most of them.
        splits = [(_split_header(line, mark), mark) for mark in ",;\t"]
        headings, delimiter = max(splits, key=lambda split: known.count(split[0]))
        # Further down one known word may well be a cell.
        if known.count(headings) > min(number, 1):
            _refuse_missing(headings, known, lines.number)
            return headings, delimiter
        first = first or (headings if line.strip() else None)
    if first is None:
        raise FileStopped(1, "the file is empty")
    _refuse_missing(first, known, 1)
    hint = f"the first line names the columns; known are {', '.join(COLUMNS)}; say which is which with --columns"
    raise FileStopped(1, f"none of its columns is known: {_named(first)} ({hint} title=NAME)")


def _refuse_missing(headings: Sequence[str], known: Headings, line: int) -> None:
    if missing := known.missing(headings):
        raise FileStopped(line, f"there is no column {missing[0]!r}; there are {_named(headings)}")


def _named(headings: Sequence[str]) -> str:
    return ", ".join(name[:40] for name in headings[:20] if name)


def _read_table(file: TextIO, known: Headings) -> Iterator[tuple[int, Record]]:
    lines = _Lines(file, _from_cp1252)
    columns, delimiter = _read_headings(lines, known)
    rows = csv.reader(lines, delimiter=delimiter)
    while True:
        start = lines.number + 1
        lines.begin_row()
        try:
            cells = next(rows, None)
            # A value may go over several lines. One whose quote is forgotten takes rows into
            # itself, up to the next quote or the end: strict rules tell the two apart.
            is_odd = len(lines.row) > 1 or (lines.is_end and bool(lines.row))
            fault = _OPEN_QUOTE if is_odd and not _is_strict_row(lines.row, delimiter) else None
        except (csv.Error, _LineTooLong, _RowTooLong, FileStopped) as error:
            # What is wrong with a later line shows again when that line is read on its own.
            if isinstance(error, FileStopped) and len(lines.row) == 1:
                raise
            cells, fault = None, str(error) if len(lines.row) == 1 else _OPEN_QUOTE
        if fault:
            lines.read_rest_again()
            yield start, fault
        elif cells is None:
            return
        elif any(cells):
            surplus = [cell for cell in cells[len(columns) :] if cell.strip()]
            yield start, dict(zip(columns, cells, strict=False)) | ({SURPLUS: surplus} if surplus else {})


def _is_strict_row(lines: Sequence[str], delimiter: str) -> bool:
    try:
        return len([*csv.reader(lines, delimiter=delimiter, strict=True)]) == 1
    except csv.Error:
        return False


def _split_header(line: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _read_json_lines(file: TextIO, _known: Headings) -> Iterator[tuple[int, Record]]:
    lines = _Lines(file)
    while True:
        lines.begin_row()
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


class _Window:
    """The text of a file from the first character on that is not passed over yet."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.text = ""
        self.at = 0  # where in `text` reading stands
        self.line = 1
        self.is_end = False  # `text` goes to the end of the file

    def read_more(self) -> None:
        """Read at least as much as is there, so that a long item is looked at only a few times."""
        unread = self.text[self.at :]
        more = self._file.read(max(WINDOW, len(unread)))
        self.text, self.at, self.is_end = unread + more, 0, not more

    def pass_over(self, end: int) -> None:
        """Set the place to `end` in `text`. Raises FileStopped for text that is not UTF-8."""
        passed = self.text[self.at : end]
        _refuse_escaped(passed, self.line)
        self.line += passed.count("\n")
        self.at = end

    def next_mark(self) -> str:
        """Return the next character that is no blank, without passing over it; "" at the end."""
        while True:
            blank = _BLANKS.match(self.text, self.at)
            self.pass_over(blank.end() if blank else self.at)
            if self.at < len(self.text) or self.is_end:
                return self.text[self.at : self.at + 1]
            self.read_more()

    def next_value(self) -> Any:
        """Pass over the next JSON value and return it. ValueError says why there is none."""
        while True:
            unread = len(self.text) - self.at
            try:
                value, end = _DECODER.raw_decode(self.text, self.at)
            except RecursionError:
                raise ValueError("nested too deep") from None
            except json.JSONDecodeError as error:
                if self.is_end or unread > MAX_LINE:
                    raise ValueError(f"{error.msg}; an item has at most {MAX_LINE} characters") from None
            else:
                # A number may go on behind the end of the window.
                if end < len(self.text) or self.is_end:
                    self.pass_over(end)
                    return value
            self.read_more()


def _read_json_array(file: TextIO, _known: Headings) -> Iterator[tuple[int, Record]]:
    window, number = _Window(file), 0
    first = window.next_mark()
    if first != "[":
        raise FileStopped(1, "not a JSON array of objects" if first else "the file is empty: no JSON array")
    while True:
        window.pass_over(window.at + 1)
        if window.next_mark() == "]" and not number:
            break
        number, line = number + 1, window.line
        try:
            item = window.next_value()
        except ValueError as error:
            if isinstance(error, FileStopped):
                raise
            raise FileStopped(number, f"not JSON from line {line} on, item {number}: {error}") from error
        yield number, item if isinstance(item, dict) else _NO_OBJECT
        if (mark := window.next_mark()) == "]":
            break
        if mark != ",":
            raise FileStopped(number + 1, f"not JSON from line {window.line} on: the array does not go on or end")
    window.pass_over(window.at + 1)
    if window.next_mark():
        raise FileStopped(number + 1, f"not JSON from line {window.line} on: something follows the array")


def _parse_json(text: str) -> dict[str, Any] | list[Any] | str | None:
    try:
        parsed = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return f"not JSON: {error}"
    return parsed if isinstance(parsed, (dict, list)) else None


# They yield each record with its line, or its position in a JSON array, from 1.
READERS: dict[str, Callable[[TextIO, Headings], Iterator[tuple[int, Record]]]] = {
    ".csv": _read_table, ".tsv": _read_table, ".txt": _read_table, ".json": _read_json_array, ".ndjson": _read_json_lines,
    ".jsonl": _read_json_lines,
}  # fmt: skip
