"""Reads tracks without files from CSV, JSON, NDJSON or release messages (DDEX ERN), row by row."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

from soulspot.library import values
from soulspot.library.records import KNOWN, READERS, Reader, WholeFile
from soulspot.library.rows import BadRow, ImportRow, row_of

_MAX_UNKNOWN = 100  # unknown column names that are remembered
_MAX_REMARKS = 100
MESSAGE = ".xml"  # what a release message ends in


class UnusableFile(ValueError):
    """An import file that cannot be understood; the message says why."""


@dataclass(slots=True)
class Preview:
    """What an import will not take as it is written: the first hundred remarks (line, words), and how many there are."""

    remarks: list[tuple[int, str]] = field(default_factory=list)
    remarked: int = 0


def preview(path: Path) -> Preview:
    """Read an import file to its end without taking anything. Raises UnusableFile, or OSError as reading does."""
    if path.is_dir():
        raise UnusableFile(
            f"{path} is a folder; name a file (`soulspot enrich {path}` reads the music in it)"
        )
    found = Preview()
    try:
        for row in read_rows(path):
            if isinstance(row, BadRow):
                if row.ends:
                    raise UnusableFile(f"{path}: {row.reason}")
                continue
            for remark in row.remarks:
                found.remarked += 1
                if len(found.remarks) < _MAX_REMARKS:
                    found.remarks.append((row.line, remark))
    except UnusableFile:
        raise
    except ValueError as error:  # an ending that nobody knows
        raise UnusableFile(str(error)) from error
    return found


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
    endings = [ending.lower() for ending in path.suffixes]
    packed = endings[-1:] == [".gz"]
    kind = "".join((endings[:-1] if packed else endings)[-1:])
    if kind == MESSAGE:
        from soulspot.library.ern import ErnRows  # with lxml, which no other import needs

        return ErnRows(lambda: _bytes(path, packed))
    reader = READERS.get(kind)
    if reader is None:
        known = ", ".join((*READERS, MESSAGE))
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
                        yield row_of(line, record)
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
        for name in record.keys() - KNOWN:
            if name not in self.unknown_columns and len(self.unknown_columns) < _MAX_UNKNOWN:
                self.unknown_columns.append(values.clean(name))
