"""What the table stores, made into values of each column's kind; a page of a column at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from soulspot.errors import ExportError
from soulspot.export.columns import Column, Kind


class Values:
    """Makes values. `odd_paths` counts the paths that are not UTF-8, and so stand escaped in a text column."""

    def __init__(self) -> None:
        self.odd_paths = 0

    def made(self, column: Column, stored: Sequence[Any], track_ids: Sequence[int]) -> Sequence[Any]:
        """Values of Python: int, float, bool, str, bytes, list or dict. ExportError names a track whose list is none."""
        match column.kind:
            case Kind.TRUTH:
                return [None if value is None else bool(value) for value in stored]
            case Kind.PATH:
                return self._paths(stored)
            case Kind.TEXTS | Kind.SOURCES:
                return _parsed(column, stored, track_ids)
            case _:
                return stored

    def written(self, column: Column, stored: Sequence[Any]) -> Sequence[Any]:
        """The same as they stand in CSV: "true" and "false", lists and sources as JSON, bytes in hexadecimal."""
        match column.kind:
            case Kind.TRUTH:
                return [None if value is None else "true" if value else "false" for value in stored]
            case Kind.PATH:
                return self._paths(stored)
            case Kind.TEXTS | Kind.SOURCES:
                nothing = nothing_of(column.kind)
                return [value or nothing for value in stored]
            case Kind.BYTES:
                return hexadecimal(stored)
            case _:
                return stored

    def _paths(self, stored: Sequence[bytes | None]) -> Sequence[str | None]:
        try:
            return [None if path is None else path.decode() for path in stored]
        except UnicodeDecodeError:
            return [None if path is None else self._path(path) for path in stored]

    def _path(self, path: bytes) -> str:
        try:
            return path.decode()
        except UnicodeDecodeError:
            self.odd_paths += 1
            return path.decode("utf-8", "backslashreplace")


def nothing_of(kind: Kind) -> str:
    """The JSON of an empty list, or of no sources."""
    return "[]" if kind is Kind.TEXTS else "{}"


def hexadecimal(stored: Iterable[bytes | None]) -> list[str | None]:
    return [None if value is None else value.hex() for value in stored]


def _parsed(column: Column, stored: Sequence[str | None], track_ids: Sequence[int]) -> list[Any]:
    nothing = nothing_of(column.kind)
    texts = [text or nothing for text in stored]
    together = f"[{','.join(texts)}]"
    try:
        found: list[Any] = json.loads(together)  # one call for a page is a third of the time
    except ValueError:
        found = [_parsed_alone(column, text, track) for text, track in zip(texts, track_ids, strict=True)]
    if "\\ud" in together or "\\uD" in together:
        found = [_whole(value) for value in found]
    return found


def _parsed_alone(column: Column, text: str, track_id: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ExportError(f"track {track_id}: {column.name} is no JSON in the database: {error}") from error


def _whole(value: Any) -> Any:
    """Half a surrogate pair, which JSON can escape and UTF-8 cannot hold, as it was escaped."""
    mend: Callable[[str], str] = lambda text: text.encode("utf-8", "backslashreplace").decode()  # noqa: E731
    if isinstance(value, dict):
        return {mend(key): _whole(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_whole(one) for one in value]
    return mend(value) if isinstance(value, str) else value
