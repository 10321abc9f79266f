"""Read JSON from outside: decode it defensively, and take fields without trusting their type."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from soulspot.errors import BadAnswer

_DATE = re.compile(r"([1-9][0-9]{3})(-(?:0[1-9]|1[0-2])(-(?:0[1-9]|[12][0-9]|3[01]))?)?", re.ASCII)
_LARGEST = 2**53
# A full answer of ListenBrainz, about 1,000 recordings, has some 200,000.
MAX_VALUES = 500_000
MOST_OBJECTS = 10_000  # of one list: more than any answer to what is asked here


def decode_json(body: bytes | str) -> Any:
    """Return the document in `body`, with lone surrogates as "?": every string can be stored.
    Raises BadAnswer for HTML, truncation, NaN, numbers of thousands of digits, nesting deeper than
    the interpreter's stack, and more than MAX_VALUES values."""
    try:
        text = body if isinstance(body, str) else body.decode("utf-8-sig", "replace")
        # nothing else runs while a document is parsed, and 16 MB of "[]," take eight seconds
        if sum(map(text.count, ",[{")) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES:,} values")
        document = json.loads(text, parse_constant=_refuse_constant)
        # SQLite refuses lone surrogates, which JSON can spell as escapes.
        if "\\ud" in text or "\\uD" in text:
            document = json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"the answer is not usable JSON: {str(error)[:200]}") from error
    return document


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def as_text(value: Any) -> str | None:
    """Return a string stripped of white space; None for a blank one and for anything else."""
    if not isinstance(value, str):
        return None
    return value.strip() or None


def as_number(value: Any, least: int = 1) -> int | None:
    """Return a whole number from `least` to 2**53, else None. Accepts strings of digits:
    MusicBrainz sent numbers so until 2015."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 17:
        value = int(value)
    return value if type(value) is int and least <= value <= _LARGEST else None


def as_date(value: Any) -> str | None:
    """Return YYYY, YYYY-MM or YYYY-MM-DD, cut before an impossible part; None for no date.
    "1994-00-00" gives "1994", "0000" gives None."""
    match = _DATE.match(value) if isinstance(value, str) else None
    return match.group(0) if match else None


def as_object(value: Any) -> dict[str, Any]:
    """Return `value` when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a list, at most MOST_OBJECTS; nothing for other items, or when
    `value` is no list."""
    if isinstance(value, list):
        yield from islice((item for item in value if isinstance(item, dict)), MOST_OBJECTS)


def parse_each(value: Any, parse: Callable[[Any], str | None]) -> list[str]:
    """Return the distinct strings that `parse` finds in the items of a list; [] for no list."""
    return distinct(map(parse, value)) if isinstance(value, list) else []


def distinct(values: Iterable[str | None]) -> list[str]:
    """Return the strings among `values`, each once, in order; None and "" are left out."""
    return list(dict.fromkeys(value for value in values if value))


def without_empty(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return `fields` without None and without empty strings and lists."""
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def rank_by_votes(tags: Any, name: str) -> list[str]:
    """Return the names of tags in lower case, most votes first. `tags` is a list of objects with a
    `count` (votes for minus against; only positive ones stay) and the name under the key `name`."""
    voted = [(as_number(tag.get("count")), as_text(tag.get(name))) for tag in objects_in(tags)]
    ranked = sorted(((count, word) for count, word in voted if count and word), key=lambda pair: -pair[0])
    return distinct(word.lower() for _, word in ranked)
