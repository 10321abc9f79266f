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
        self._files: dict[str, io.TextIOWrapper] = {}
        self._binaries: dict[str, IO[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Tables":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, table: str, *values: Any) -> None:
        """Add a row; None is no value."""
        self.file(table).write("\t".join(map(_text, values)) + "\n")

    def file(self, table: str) -> io.TextIOWrapper:
        """Return the file of a table, to write rows that are text already."""
        if table not in self._files:
            # it is closed by the stack
            binary = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115
            self._binaries[table] = self._stack.enter_context(binary)
            self._files[table] = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        return self._files[table]

    def pack(self, path: Path, tables: Iterable[str], notes: Mapping[str, str], *, level: int) -> None:
        """Write these tables into a tar archive, packed with bzip2 at this level; 0 packs
        nothing."""
        with ExitStack() as stack:
            plain = stack.enter_context(path.open("wb", buffering=1 << 20))
            packed = stack.enter_context(bz2.open(plain, "wb", level)) if level else plain
            archive = stack.enter_context(tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT))
            for name, text in notes.items():
                _add(archive, name, io.BytesIO(text.encode()), len(text.encode()))
            for table in tables:
                rows = self.file(table)
                rows.flush()
                binary = self._binaries[table]
                size = binary.seek(0, io.SEEK_END)
                binary.seek(0)
                _add(archive, f"mbdump/{table}", binary, size)


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
