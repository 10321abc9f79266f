"""Track tags to and from the JSON text in `tracks.tags`."""

import dataclasses
import json
from typing import Any

from soulspot.models import Identifiers, TrackTags


def encode(tags: TrackTags) -> str:
    """Return the set fields as JSON in a stable order, so that equal tags are equal text."""
    return json.dumps(_set_fields(tags), ensure_ascii=False, sort_keys=True)


def decode(text: str) -> TrackTags:
    """Return the tags that `encode` wrote as `text`."""
    values = _with_tuples(json.loads(text))
    ids = Identifiers(**values.pop("ids", {}))
    return TrackTags(**values, ids=ids)


def _set_fields(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that are not empty, also of dataclasses in it."""
    found = {}
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        if dataclasses.is_dataclass(content):
            content = _set_fields(content)
        if content not in (None, (), {}, False):
            found[field.name] = content
    return found


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            value = tuple(value)
        found[name] = _with_tuples(value) if isinstance(value, dict) else value
    return found
