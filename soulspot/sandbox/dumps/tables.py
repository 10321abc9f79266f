"""Tables of a PostgreSQL dump while they are written: `COPY table TO stdout`, a file a table."""

import bz2
import io
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})


class Tables:
    """Rows of many tables at once, each in a temporary file beside the archive: of any number."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Tables":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, table: str, *values: Any) -> None:
        """Add a row; None is no value."""
        self.write(table, ("\t".join(map(_text, values)) + "\n").encode())

    def write(self, table: str, rows: bytes | memoryview) -> None:
        """Add rows that are lines of text already."""
        self._file(table).write(rows)

    def _file(self, table: str) -> IO[bytes]:
        if table not in self._files:
            # it is closed by the stack
            file = tempfile.TemporaryFile(dir=self._folder, buffering=1 << 18)  # noqa: SIM115
            self._files[table] = self._stack.enter_context(file)
        return self._files[table]

    def pack(self, path: Path, tables: Iterable[str], notes: Mapping[str, str], *, level: int) -> None:
        """Write these tables into a tar archive, packed with bzip2 at this level; 0 packs nothing.

        A table's rows are gone from the disk as soon as they stand in the archive."""
        with ExitStack() as stack:
            plain = stack.enter_context(path.open("wb", buffering=1 << 20))
            packed = stack.enter_context(bz2.open(plain, "wb", level)) if level else plain
            archive = stack.enter_context(tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT))
            for name, text in notes.items():
                _add(archive, name, io.BytesIO(text.encode()), len(text.encode()))
            for table in tables:
                with self._file(table) as rows:
                    size = rows.seek(0, io.SEEK_END)
                    rows.seek(0)
                    _add(archive, f"mbdump/{table}", rows, size)


def _add(archive: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = size
    archive.addfile(member, content)


def _text(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value).translate(_ESCAPES)
