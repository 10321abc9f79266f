"""Rows of PostgreSQL's `COPY table TO stdout`: one a line, tabs between, `\\N` for no value."""

import re
from collections.abc import Collection, Iterator
from typing import IO

from soulspot.errors import CatalogueError

CHUNK = 1 << 20
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_MEANT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_rows(file: IO[bytes], name: str, widths: Collection[int]) -> Iterator[list[str | None]]:
    """Yield the fields of each row. Raises CatalogueError for a row of another width, and for an
    unfinished last row: the archive was cut off."""
    number, rest = 0, b""
    while chunk := file.read(CHUNK):
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        for line in lines:
            number += 1
            fields = line.split(b"\t")
            if len(fields) not in widths:
                expected = " or ".join(map(str, sorted(widths)))
                raise CatalogueError(f"row {number} of {name} has {len(fields)} columns instead of {expected}")
            yield [_value(field) for field in fields]
    if rest:
        raise CatalogueError(f"{name} ends in the middle of row {number + 1}: the file was cut off")


def _value(field: bytes) -> str | None:
    text = field.decode("utf-8", "replace")
    if "\\" not in text:
        return text
    return None if text == "\\N" else _ESCAPE.sub(lambda found: _MEANT.get(found[1], found[1]), text)
