"""Rules of writing tags: the fields, their policy, and the values and changes that follow; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from soulspot.library import values
from soulspot.models import EnrichedTrack
from soulspot.tagging.file_copies import FilePolicy
from soulspot.tagging.formats.base import Picture, differs
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.tagged_copies import CurrentTags

Policy = Literal["only-empty", "overwrite"]
Changes = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""Field -> (present values, new values)."""


@dataclass(frozen=True, slots=True)
class TagRules:
    """The settings of [write_tags], which hold where a request says nothing else."""

    enabled: bool = False
    fields: tuple[str, ...] = FIELDS
    policy: Policy = "only-empty"
    embed_covers: bool = False
    quiet: float = 60.0
    """Seconds for which a file must not have changed before the daemon writes it by itself."""
    keep_undo: float = 180 * 86_400.0
    """Seconds for which a write can be undone."""
    file_policy: FilePolicy = field(default_factory=FilePolicy)


def values_to_write(row: EnrichedTrack, fields: Sequence[str]) -> dict[str, list[str]]:
    """Return the values of these fields as tags have them. Unknown fields are left out, so that
    they never empty a field of a file."""
    found = {}
    for name in fields:
        value = getattr(row, name)
        listed = value if isinstance(value, tuple) else () if value is None else (str(value),)
        # In ID3 a NUL would part one value into two.
        if cleaned := [text for item in listed if (text := values.clean_text(item.replace("\0", " ")))]:
            found[name] = cleaned
    return found


def changed_fields(current: CurrentTags, policy: Policy) -> dict[str, tuple[list[str], list[str]]]:
    """Return, by field, (present, new) values where the wanted values would change the file's tags.
    "only-empty" changes no field that has a value."""
    found = {}
    for name, new in current.storable.items():
        present = list(current.fields[name])
        if (not present or policy == "overwrite") and differs(name, present, new):
            found[name] = (present, list(new))
    return found


def cover_change(present: Picture | None, new: Picture | str) -> tuple[list[str], list[str]]:
    """Return a cover's change for people: "image/png, 12,345 bytes" each, or `new`, an address."""
    return [_describe(present)] if present else [], [new if isinstance(new, str) else _describe(new)]


def _describe(picture: Picture) -> str:
    return f"{picture.mime}, {len(picture.data):,} bytes"
