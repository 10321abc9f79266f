"""Reads tracks without files from CSV, JSON, NDJSON or release messages (DDEX ERN), row by row."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from soulspot.imports.records import KNOWN, READERS, SURPLUS, Reader, WholeFile
from soulspot.imports.rows import BadRow, ImportRow, parse_row
from soulspot.library import values

_MAX_UNKNOWN = 100  # unknown column names that are remembered
MESSAGE = ".xml"  # what a release message ends in
KINDS = (*READERS, MESSAGE)


class UnusableFile(ValueError):
    """An import file that cannot be understood; the message says why."""


def list_import_files(path: Path) -> list[Path]:
    """The file itself, or every import file in a folder and below it, sorted; what begins with a dot is left out.

    Raises UnusableFile when there is none in the folder."""
    if not path.is_dir():
        return [path]
    found = sorted(
        one for one in path.rglob("*") if one.is_file() and _kind(one)[0] in KINDS and not _hidden(one, path)
    )
    if not found:
        raise UnusableFile(
            f"{path}: holds no import file ({' '.join(KINDS)}); `soulspot enrich {path}` reads the music in it"
        )
    return found


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def check_readable(path: Path) -> None:
    """Read an import file to its end without taking anything. Raises UnusableFile, or OSError as reading does."""
    try:
        for row in read_rows(path):
            if isinstance(row, BadRow) and row.ends:
                raise UnusableFile(f"{path}: line {row.line}: {row.reason}")
            if _kind(path)[0] == MESSAGE:  # that breaks off, at worst
                return
    except UnusableFile:
        raise
    except ValueError as error:  # an ending that nobody knows
        raise UnusableFile(str(error)) from error


def _kind(path: Path) -> tuple[str, bool]:
    """The suffix that says what is in a file, and whether it is packed."""
    endings = [ending.lower() for ending in path.suffixes]
    packed = endings[-1:] == [".gz"]
    return "".join((endings[:-1] if packed else endings)[-1:]), packed


class ImportRows(Protocol):
    """The rows of one file in its order. Iterating again reads the file again.

    `unknown_columns` has the columns that were ignored, complete at the end."""

    @property
    def unknown_columns(self) -> Sequence[str]: ...

    def __iter__(self) -> Iterator[ImportRow | BadRow]: ...


def read_rows(path: Path) -> ImportRows:
    """The rows of an import file. Its suffix says what it is: .csv .tsv .json .ndjson .jsonl .xml, each also .gz.

    CSV needs a header line and has `,`, `;` or tabs between its columns. Its memory use does not grow with
    the file, nor does that of NDJSON and messages; a .json file is one array of objects and is loaded whole.
    Raises ValueError for another suffix, and OSError while iterating when the file cannot be read."""
    kind, packed = _kind(path)
    if kind == MESSAGE:
        from soulspot.imports.ern.messages import ErnRows  # with lxml, which no other import needs

        return ErnRows(lambda: _bytes(path, packed))
    reader = READERS.get(kind)
    if reader is None:
        known = ", ".join(KINDS)
        raise ValueError(f"{path.name}: an import file ends in one of {known}, or in one of them and .gz")
    return Rows(path, packed, reader)


def _bytes(path: Path, packed: bool) -> io.BufferedReader:
    raw: Any = gzip.GzipFile(path) if packed else path.open("rb", buffering=0)
    return io.BufferedReader(raw)


class Rows:
    """The rows of a table or of JSON."""

    def __init__(self, path: Path, packed: bool, reader: Reader) -> None:
        self._path = path
        self._packed = packed
        self._reader = reader
        self.unknown_columns: list[str] = []

    def __iter__(self) -> Iterator[ImportRow | BadRow]:
        self.unknown_columns = []
        last = 0
        try:
            with self._open() as file:
                for line, record in self._reader(file):
                    last = line
                    if isinstance(record, str):
                        yield BadRow(line, str(record), ends=isinstance(record, WholeFile))
                    else:
                        self._note_unknown(record)
                        yield parse_row(line, record)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            yield BadRow(last + 1, f"the compressed file is damaged from here on ({error})", ends=last == 0)

    def _open(self) -> TextIO:
        file = _bytes(self._path, self._packed)
        try:
            wide = file.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")  # what spreadsheets save as "Unicode text"
        except BaseException:
            file.close()
            raise
        if wide:
            return io.TextIOWrapper(file, "utf-16", errors="replace", newline="")
        return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")

    def _note_unknown(self, record: Mapping[str, Any]) -> None:
        for name in record.keys() - KNOWN - {SURPLUS}:
            if name not in self.unknown_columns and len(self.unknown_columns) < _MAX_UNKNOWN:
                self.unknown_columns.append(values.clean_text(name))
