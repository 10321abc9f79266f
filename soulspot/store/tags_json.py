"""Track tags to and from the JSON that `tracks.tags` holds."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from soulspot.models import Identifiers, TrackTags


def encode(tags: TrackTags) -> str:
    """Only what is set, in a stable order: equal tags give equal text."""
    return json.dumps(_set_fields(tags), ensure_ascii=False, sort_keys=True)


def decode(text: str) -> TrackTags:
    """The inverse of `encode`."""
    values = _tuples(json.loads(text))
    ids = Identifiers(**values.pop("ids", {}))
    return TrackTags(**values, ids=ids)


def _set_fields(value: Any) -> dict[str, Any]:
    found = {}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        if dataclasses.is_dataclass(content):
            content = _set_fields(content)
        if content not in (None, (), {}, False):
            found[field.name] = content
    return found


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value)
        if isinstance(value, list)
        else _tuples(value)
        if isinstance(value, dict)
        else value
        for name, value in values.items()
    }
