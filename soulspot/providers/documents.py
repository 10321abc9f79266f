"""JSON from outside: decoded defensively, and read field by field without ever trusting a type."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from soulspot.errors import BadAnswer

_DATE = re.compile(r"([1-9][0-9]{3})(-(?:0[1-9]|1[0-2])(-(?:0[1-9]|[12][0-9]|3[01]))?)?", re.ASCII)
_LARGEST = 2**53


def decode_json(body: bytes | str) -> Any:
    """The document in `body`. Lone surrogates become "?", so that every string can be stored.

    BadAnswer for everything that is not JSON or cannot be taken in: HTML, truncation, NaN, numbers of
    thousands of digits, nesting deeper than the interpreter's stack."""
    try:
        text = body if isinstance(body, str) else body.decode("utf-8-sig", "replace")
        document = json.loads(text, parse_constant=_refuse)
        if "\\ud" in text or "\\uD" in text:
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"the answer is not usable JSON: {str(error)[:200]}") from error
    return document


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def text_of(value: Any) -> str | None:
    """A string with something to read in it, stripped; anything else is None."""
    if not isinstance(value, str):
        return None
    return value.strip() or None


def number_of(value: Any, least: int = 1) -> int | None:
    """A whole number from `least` to 2**53, also when written as a string (MusicBrainz did so until 2015)."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 17:
        value = int(value)
    return value if type(value) is int and least <= value <= _LARGEST else None


def date_of(value: Any) -> str | None:
    """YYYY, YYYY-MM or YYYY-MM-DD, cut where it stops making sense: "1994-00-00" is 1994, "0000" is None."""
    found = _DATE.match(value) if isinstance(value, str) else None
    return found.group(0) if found else None


def dicts_in(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of a list; everything else in it, and anything that is not a list, is passed over."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def dict_of(value: Any) -> dict[str, Any]:
    """`value` when it is an object, otherwise an empty one."""
    return value if isinstance(value, dict) else {}


def distinct(values: Iterable[str | None]) -> list[str]:
    """The strings that are there, each once, in their order."""
    return list(dict.fromkeys(value for value in values if value))


def present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` without what the service did not say: None, and empty strings and lists."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def by_count(tags: Any, name: str) -> list[str]:
    """The names of tags or genres that more people voted for than against, most votes first, lower case."""
    voted = [(number_of(tag.get("count")), text_of(tag.get(name))) for tag in dicts_in(tags)]
    ranked = sorted(((count, word) for count, word in voted if count and word), key=lambda pair: -pair[0])
    return distinct(word.lower() for _, word in ranked)
