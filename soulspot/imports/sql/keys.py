"""Values of key columns: compared, displayed, and remembered as JSON; pure."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from soulspot.imports import cells
from soulspot.imports.sql.url import SourceError
from soulspot.text import latin

Key = tuple[Any, ...]
"""The values of a row's key columns, as the driver returns them."""

# Types that JSON does not have: {"uuid": "..."}. A datetime is a date too, so it stands first.
_TYPES: Mapping[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat), "decimal": (Decimal, str, Decimal),
    "uuid": (uuid.UUID, str, uuid.UUID), "bytes": (bytes, bytes.hex, bytes.fromhex),
}  # fmt: skip


def key_to_json(key: Key) -> list[Any]:
    """Return the key as JSON can keep it; SourceError for a type that it cannot."""
    return [_value_to_json(value) for value in key]


def key_from_json(position: Sequence[Any]) -> Key:
    """Return the key that `key_to_json` turned into `position`; SourceError for anything else."""
    try:
        return tuple(_value_from_json(value) for value in position)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError("the stored position of this import cannot be read; begin again with --restart") from None


def _value_to_json(value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    for name, (kind, to_text, _) in _TYPES.items():
        if isinstance(value, kind):
            return {name: to_text(value)}
    raise SourceError(f"a key of type {type(value).__name__} cannot be stored; make it text or a number in the query")


def _value_from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    [(name, text)] = value.items()
    return _TYPES[name][2](text)


def display_key(key: Key) -> str:
    """Return the key as people read it and as `source_key`: its value, or a JSON list of many."""
    plain = [value.hex() if isinstance(value, bytes) else cells.plain_value(value) for value in key]
    if len(plain) > 1:
        return json.dumps(plain, ensure_ascii=False)
    value = plain[0]
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def collation_key(key: Key) -> tuple[Any, ...]:
    """Return a form of the key that is equal wherever a database may take two keys for equal."""
    # Capitals, accents and trailing blanks count in some collations and not in others.
    return tuple(latin(value) if isinstance(value, str) else value for value in key)
