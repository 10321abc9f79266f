"""Tracks without files, read row by row from CSV, JSON, NDJSON or release messages (DDEX ERN)."""

import gzip
import io
import os
import stat
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from soulspot.imports.columns import Columns
from soulspot.imports.records import READERS, FileStopped
from soulspot.imports.rows import BadRow, ImportRow, parse_row
from soulspot.library import values

MAX_UNPACKED = 8 << 30  # bytes that a compressed file may hold
_MAX_UNKNOWN = 100  # unknown column names that are remembered
MESSAGE = ".xml"  # the suffix of a release message
TEXT = ".txt"  # the suffix of tables that music programs export, and of much else
SUFFIXES = (*READERS, MESSAGE)


class UnusableFile(ValueError):
    """An import file that cannot be understood; the message says why."""


class _TooLarge(ValueError):
    """A compressed file that holds more than `MAX_UNPACKED` bytes."""


class _Unpacked(gzip.GzipFile):
    """A compressed file, read up to `MAX_UNPACKED` bytes."""

    _count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._count += len(data)
        if self._count > MAX_UNPACKED:
            raise _TooLarge(f"it holds over {MAX_UNPACKED >> 20} MB; split it")
        return data


_PASSED_OVER = BadRow(0, "")


def list_import_files(path: Path) -> list[Path]:
    """Return the file itself, or the import files in and below a folder, sorted, without hidden
    ones. Raises UnusableFile when the folder holds no import file."""
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        # Most texts in a folder are no tables.
        and _format_of(file)[0] in set(SUFFIXES) - {TEXT}
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise UnusableFile(
            f"{path}: holds no import file ({' '.join(SUFFIXES)}); `soulspot enrich {path}` reads the music in it"
        )
    return found


def check_readable(path: Path, columns: Mapping[str, str] | None = None) -> None:
    """Read an import file to its end, a release message to its first row, importing nothing.
    `columns` are those of an `ImportFile`.

    Raises UnusableFile when nothing can be used from some line on, and OSError."""
    try:
        file = ImportFile(path, columns)
    except ValueError as error:
        raise UnusableFile(str(error)) from error
    for row in file:
        if isinstance(row, BadRow) and row.ends_file:
            raise UnusableFile(f"{path}: line {row.line}: {row.reason}")
        # The worst that a message does later on is to break off, which refuses no import.
        if file.is_message:
            return


def _format_of(path: Path) -> tuple[str, bool]:
    """Return the suffix that names the file's format, and whether the file is compressed."""
    endings = [ending.lower() for ending in path.suffixes]
    is_packed = endings[-1:] == [".gz"]
    return "".join((endings[:-1] if is_packed else endings)[-1:]), is_packed


class ImportFile:
    """The rows of an import file: .csv .tsv .txt .json .ndjson .jsonl .xml, each also with .gz.

    A table needs a header line and has `,`, `;` or tabs between its columns. A .json file is one
    array of objects. `columns` has the heading of an import column, {"title": "Song"}, where it is
    not one that `soulspot.imports.columns` knows.

    The memory that is needed does not grow with the file. Iterating yields the rows in the file's
    order, and again reads the file again; OSError when it cannot be read, UnusableFile when it is
    no regular file. `unknown_columns` has the names of ignored columns, complete at the end. Raises
    ValueError for another suffix, and for unknown names in `columns`."""

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None) -> None:
        self._path = path
        self._given = columns
        Columns(columns)  # refuses unknown ones
        self._format, self._is_packed = _format_of(path)
        if self._format not in SUFFIXES:
            known = ", ".join(SUFFIXES)
            raise ValueError(f"{path.name}: an import file ends in one of {known}, or in one of them and .gz")
        self.is_message = self._format == MESSAGE
        self.unknown_columns: list[str] = []

    def __iter__(self) -> Iterator[ImportRow | BadRow]:
        return self._rows(0)

    def rows_after(self, count: int) -> Iterator[ImportRow | BadRow]:
        """Yield the rows behind the first `count`, which are only passed over."""
        return islice(self._rows(count), count, None)

    def _rows(self, passed_over: int) -> Iterator[ImportRow | BadRow]:
        self.unknown_columns = []
        last = 0
        try:
            for row in self._message() if self.is_message else self._table(passed_over):
                last = row.line
                yield row
        except FileStopped as stop:
            yield BadRow(stop.line, str(stop), ends_file=True)
        except (EOFError, zlib.error, gzip.BadGzipFile, _TooLarge) as error:
            # The rows before the damage are good.
            is_large = isinstance(error, _TooLarge)
            reason = str(error) if is_large else f"the compressed file is damaged from here on ({error})"
            yield BadRow(last + 1, reason, ends_file=last == 0)

    def _message(self) -> Iterator[ImportRow | BadRow]:
        # Here, because no other import needs lxml.
        from soulspot.imports.ern.messages import read_message

        return read_message(self._open_bytes)

    def _table(self, passed_over: int) -> Iterator[ImportRow | BadRow]:
        columns = Columns(self._given)
        with self._open_text() as file:
            for number, (line, record) in enumerate(READERS[self._format](file, columns)):
                if isinstance(record, str):
                    yield BadRow(line, record)
                    continue
                cells = columns.record(record)
                self._note_unknown(columns.unknown)
                # Most of the time goes into understanding a row.
                yield _PASSED_OVER if number < passed_over else parse_row(line, cells)

    def _open_bytes(self) -> io.BufferedReader:
        # Opening a pipe would wait for somebody to write into it, reading a device may never end.
        if not stat.S_ISREG(self._path.stat().st_mode):
            raise UnusableFile(f"{self._path}: not a regular file; save what comes out of it as a file first")
        raw: Any = io.FileIO(os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb")
        return io.BufferedReader(_Unpacked(fileobj=raw) if self._is_packed else raw)

    def _open_text(self) -> TextIO:
        file = self._open_bytes()
        try:
            # Spreadsheets save "Unicode text" as UTF-16 with a byte-order mark.
            is_utf16 = file.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
        except BaseException:
            file.close()
            raise
        if is_utf16:
            return io.TextIOWrapper(file, "utf-16", errors="replace", newline="")
        return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")

    def _note_unknown(self, headings: Sequence[str]) -> None:
        for name in headings:
            plain = values.clean_text(name)
            if plain and plain not in self.unknown_columns and len(self.unknown_columns) < _MAX_UNKNOWN:
                self.unknown_columns.append(plain)
