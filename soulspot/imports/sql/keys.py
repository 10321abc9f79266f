"""Values of key columns: how they are compared, shown, and remembered as JSON; pure."""

from __future__ import annotations

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
# kinds that JSON does not have, by name; datetime goes before date, which it is as well
_KINDS: Mapping[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "date": (date, date.isoformat, date.fromisoformat),
    "decimal": (Decimal, str, Decimal),
    "uuid": (uuid.UUID, str, uuid.UUID),
    "bytes": (bytes, bytes.hex, bytes.fromhex),
}


def key_to_json(key: Key) -> list[Any]:
    """As JSON can keep it. SourceError for a kind that cannot be kept."""
    return [_to_json(value) for value in key]


def key_from_json(position: Sequence[Any]) -> Key:
    """The inverse. SourceError when it is something else."""
    try:
        return tuple(_from_json(value) for value in position)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(
            "what was remembered of this import cannot be read; --restart begins anew"
        ) from None


def _to_json(value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    for name, (kind, told, _) in _KINDS.items():
        if isinstance(value, kind):
            return {name: told(value)}
    raise SourceError(
        f"a key of type {type(value).__name__} cannot be remembered; make it text or a number in the query"
    )


def _from_json(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    [(name, said)] = value.items()
    return _KINDS[name][2](said)


def display_key(key: Key) -> str:
    """As people read it, and as it comes back in `source_key`: the value, or the JSON list of several."""
    plain = [value.hex() if isinstance(value, bytes) else cells.plain_value(value) for value in key]
    if len(plain) > 1:
        return json.dumps(plain, ensure_ascii=False)
    value = plain[0]
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def signature(key: Key) -> tuple[Any, ...]:
    """Equal at least wherever a database may take two keys for equal: capitals, accents and blanks at the end count in
    some collations and in others not."""
    return tuple(latin(value) if isinstance(value, str) else value for value in key)
