"""A request to write tags, as JSON keeps it too, and the report of its results."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.rules import Changes, Policy, TagRules


@dataclass(frozen=True, slots=True)
class TagRequest:
    """The tags to write, to tracks at or below `paths`, to `track_ids`, or to all tracks."""

    fields: tuple[str, ...]
    policy: Policy
    apply: bool = False  # without, the differences are found and nothing is written
    embed_covers: bool = False
    paths: tuple[bytes, ...] = ()
    track_ids: tuple[int, ...] | None = None
    quiet: float = 0.0  # files changed within so many seconds wait


@dataclass(slots=True)
class TagReport:
    """Counts of files, kept up to date while the work runs; the fields of the stored JSON."""

    applied: bool
    looked: int = 0
    written: int = 0  # without `apply`: files that would be written
    unchanged: int = 0
    skipped: int = 0  # left alone on purpose
    failed: int = 0
    waiting: int = 0  # changed too recently
    covers_postponed: int = 0  # their other tags may have been written
    fields: Counter[str] = field(default_factory=Counter)
    files: list[dict[str, Any]] = field(default_factory=list)  # the first of them, with their changes
    problems: list[dict[str, str]] = field(default_factory=list)  # the first of them, with their reasons

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"fields": dict(self.fields)}


OnTagProgress = Callable[[TagReport, int], None]
"""Called with the report so far and the number of all tracks."""


def changes_to_json(changes: Changes) -> dict[str, dict[str, list[str]]]:
    """Return changes as documents show them: `{"title": {"old": [], "new": ["One"]}}`."""
    return {name: {"old": list(old), "new": list(new)} for name, (old, new) in changes.items()}


def tag_request(
    rules: TagRules, *, fields: Sequence[str] | None = None, policy: Policy | None = None,
    embed_covers: bool | None = None, **more: Any,
) -> TagRequest:  # fmt: skip
    """Return a request with the rules' values for everything that is None; `more` are other fields
    of it. Raises ValueError for fields that tags do not have."""
    if wrong := [name for name in fields or () if name not in FIELDS]:
        raise ValueError(f"fields: there is no {', '.join(wrong)}; there are {', '.join(FIELDS)}")
    return TagRequest(
        tuple(fields) if fields else rules.fields,
        policy or rules.policy,
        embed_covers=rules.embed_covers if embed_covers is None else embed_covers,
        **more,
    )


def request_to_json(request: TagRequest) -> dict[str, Any]:
    """Return the request as an operation stores it: `paths` as hex under "places"."""
    # The stored key stays "places", because operations of earlier versions are resumed by it.
    stored = asdict(request) | {"paths": [path.hex() for path in request.paths]}
    return {"places" if name == "paths" else name: value for name, value in stored.items()}


def request_from_json(stored: Mapping[str, Any]) -> TagRequest:
    known = {name: stored[name] for name in TagRequest.__slots__ if name in stored}
    return TagRequest(**known | {
        "paths": tuple(bytes.fromhex(path) for path in stored["places"]),
        "track_ids": tuple(stored["track_ids"]) if stored["track_ids"] is not None else None,
        "fields": tuple(stored["fields"]),
    })  # fmt: skip


def nothing_to_undo_message(operation_id: int) -> str:
    return f"operation {operation_id} has written no tags that could be taken back: see `soulspot write-tags --list`"
