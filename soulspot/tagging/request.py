"""What is wished of the tags, as JSON keeps it too, and the report of what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from soulspot.tagging import rules as tag_rules
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.rules import Changes, Policy, TagRules


@dataclass(frozen=True, slots=True)
class TagRequest:
    """What to write: to tracks at or below `places`, or to `track_ids`, or to all. Without `apply` it is only looked at.

    `quiet`: files that were changed within so many seconds wait."""

    fields: tuple[str, ...]
    policy: Policy
    apply: bool = False
    embed_covers: bool = False
    paths: tuple[bytes, ...] = ()
    track_ids: tuple[int, ...] | None = None
    quiet: float = 0.0


@dataclass(slots=True)
class TagReport:
    """What came of it, kept up to date while it runs. `written` are files that were, or without `apply` would be, changed.

    Those whose cover cannot be had now may have been written all the same. `files` and `problems` are the first of each."""

    applied: bool
    looked: int = 0
    written: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    waiting: int = 0
    covers_postponed: int = 0
    fields: Counter[str] = field(default_factory=Counter)
    files: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"fields": dict(self.fields)}


OnTagProgress = Callable[[TagReport, int], None]
"""Hears of the report so far, and how many tracks there are in all."""


def changes_to_json(changes: Changes) -> dict[str, dict[str, list[str]]]:
    """Changes as documents show them."""
    return {name: {"old": list(old), "new": list(new)} for name, (old, new) in changes.items()}


def tag_request(
    rules: TagRules,
    *,
    fields: Sequence[str] | None = None,
    policy: Policy | None = None,
    embed_covers: bool | None = None,
    **more: Any,
) -> TagRequest:
    """A wish, with the rules' own words where nothing else is said. ValueError names fields that there are not."""
    if wrong := tag_rules.unknown_fields(fields or ()):
        raise ValueError(f"fields: there is no {', '.join(wrong)}; there are {', '.join(FIELDS)}")
    return TagRequest(
        tuple(fields) if fields else rules.fields,
        policy or rules.policy,
        embed_covers=rules.embed_covers if embed_covers is None else embed_covers,
        **more,
    )


def request_to_json(wish: TagRequest) -> dict[str, Any]:
    """A wish as JSON can keep it; `from_request` is the way back."""
    # The stored key stays `places`: operations of earlier versions are resumed by it.
    names = {"paths": "places"}
    stored = asdict(wish) | {"paths": [path.hex() for path in wish.paths]}
    return {names.get(name, name): value for name, value in stored.items()}


def request_from_json(request: Mapping[str, Any]) -> TagRequest:
    known = {name: request[name] for name in TagRequest.__slots__ if name in request}
    paths = tuple(bytes.fromhex(place) for place in request["places"])
    ids = tuple(request["track_ids"]) if request["track_ids"] is not None else None
    return TagRequest(**(known | {"paths": paths, "track_ids": ids, "fields": tuple(request["fields"])}))


def nothing_to_undo_message(operation_id: int) -> str:
    """What to say of an operation that has no entry."""
    return f"operation {operation_id} has written no tags that could be taken back: see `soulspot write-tags --list`"
