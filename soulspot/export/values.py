"""Conversion of stored cells into Python values or text, a page of rows at a time."""

import json
from collections.abc import Container, Iterator, Sequence
from typing import Any

from soulspot.errors import ExportError
from soulspot.export.columns import Column, Kind


class Page:
    """A page of exported rows, converted column by column.

    `rows` are at least one stored row: the track id, then one cell for each of `columns`.
    `odd_paths` counts the converted paths that are not UTF-8, whose bytes are escaped in text."""

    def __init__(self, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        self._columns = columns
        self._track_ids, *self._stored = zip(*rows, strict=True)
        self.size = len(rows)
        self.odd_paths = 0

    def values(self) -> list[Sequence[Any]]:
        """Return each column as Python values: int, float, bool, str, bytes, list or dict.

        Raises ExportError when a stored list or mapping is not JSON."""
        return [self._values(column, cells) for column, cells in self._cells()]

    def texts(self, *, raw: Container[Kind] = ()) -> list[Sequence[Any]]:
        """Return each column as in CSV: "true" and "false", lists as JSON, bytes in hexadecimal.

        Numbers and None stay as they are; columns of a kind in `raw` stay as stored."""
        return [cells if column.kind in raw else self._texts(column.kind, cells) for column, cells in self._cells()]

    def objects(self, *, hexadecimal: bool = False) -> Iterator[dict[str, Any]]:
        """Yield each row as {column name: Python value}; `hexadecimal` writes bytes as text."""
        columns = [
            _hexadecimal(cells) if hexadecimal and column.kind is Kind.BYTES else self._values(column, cells)
            for column, cells in self._cells()
        ]
        names = [column.name for column in self._columns]
        return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))

    def _cells(self) -> Iterator[tuple[Column, Sequence[Any]]]:
        return zip(self._columns, self._stored, strict=True)

    def _values(self, column: Column, cells: Sequence[Any]) -> Sequence[Any]:
        if column.kind is Kind.TRUTH:
            return [None if cell is None else bool(cell) for cell in cells]
        if column.kind is Kind.PATH:
            return [self._path(cell) for cell in cells]
        return self._parsed(column, cells) if column.kind in (Kind.TEXTS, Kind.SOURCES) else cells

    def _texts(self, kind: Kind, cells: Sequence[Any]) -> Sequence[Any]:
        if kind is Kind.TRUTH:
            return [None if cell is None else "true" if cell else "false" for cell in cells]
        if kind is Kind.PATH:
            return [self._path(cell) for cell in cells]
        if kind in (Kind.TEXTS, Kind.SOURCES):
            return [cell or _empty_json(kind) for cell in cells]
        return _hexadecimal(cells) if kind is Kind.BYTES else cells

    def _path(self, path: bytes | None) -> str | None:
        # Nearly every path is UTF-8, so the exception is cheaper than a check.
        try:
            return None if path is None else path.decode()
        except UnicodeDecodeError:
            self.odd_paths += 1
            return path.decode("utf-8", "backslashreplace") if path else None

    def _parsed(self, column: Column, cells: Sequence[str | None]) -> list[Any]:
        texts = [cell or _empty_json(column.kind) for cell in cells]
        page = f"[{','.join(texts)}]"
        try:
            # One call a page takes a third of the time of one call a cell.
            parsed: list[Any] = json.loads(page)
        except ValueError:
            parsed = [
                _parsed_cell(column, text, track_id) for text, track_id in zip(texts, self._track_ids, strict=True)
            ]
        return [_without_surrogates(value) for value in parsed] if "\\ud" in page.lower() else parsed


def _empty_json(kind: Kind) -> str:
    return "[]" if kind is Kind.TEXTS else "{}"


def _hexadecimal(cells: Sequence[bytes | None]) -> list[str | None]:
    return [None if cell is None else cell.hex() for cell in cells]


def _parsed_cell(column: Column, text: str, track_id: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ExportError(f"track {track_id}: {column.name} is no JSON in the database: {error}") from error


def _without_surrogates(value: Any) -> Any:
    """Return a JSON value with each unpaired surrogate as its escape: UTF-8 cannot hold it."""
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
