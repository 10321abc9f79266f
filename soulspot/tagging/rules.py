"""What is to be written into tags: which fields, over which others, and the values of a row as tags have them; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from soulspot.library import values
from soulspot.models import EnrichedTrack
from soulspot.tagging.file_copies import FilePolicy
from soulspot.tagging.formats.base import Picture, differs
from soulspot.tagging.formats.names import FIELDS
from soulspot.tagging.tagged_copies import Said

Policy = Literal["only-empty", "overwrite"]
Changes = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""field -> (values there, values to be)"""


@dataclass(frozen=True, slots=True)
class TagRules:
    """How tags are written where nothing else is said. `quiet` (seconds) is how long a file must have been left alone
    before the daemon writes it by itself, `keep_undo` for how long what was written can be taken back."""

    enabled: bool = False
    fields: tuple[str, ...] = FIELDS
    policy: Policy = "only-empty"
    embed_covers: bool = False
    quiet: float = 60.0
    keep_undo: float = 180 * 86_400.0
    file_policy: FilePolicy = field(default_factory=FilePolicy)


def wanted(row: EnrichedTrack, fields: Sequence[str]) -> dict[str, list[str]]:
    """The values of these fields; what is not known is left out, and so never taken out of a file."""
    found = {}
    for name in fields:
        value = getattr(row, name)
        listed = list(value) if isinstance(value, tuple) else [] if value is None else [str(value)]
        if kept := [clean for one in listed if (clean := values.clean_text(one.replace("\0", " ")))]:
            found[name] = kept
    return found


def changes(said: Said, policy: Policy) -> dict[str, tuple[list[str], list[str]]]:
    """What of the wanted values would change the file's tags. `only-empty` changes no field that has a value."""
    found = {}
    for name, kept in said.kept.items():
        there = list(said.fields[name])
        if (not there or policy == "overwrite") and differs(name, there, kept):
            found[name] = (there, list(kept))
    return found


def unknown_fields(fields: Sequence[str]) -> list[str]:
    """Those that are no fields of tags."""
    return [one for one in fields if one not in FIELDS]


def cover_change(there: Picture | None, new: Picture | str) -> tuple[list[str], list[str]]:
    """A cover as the diff shows it; one that has not been fetched by its address."""
    return [_picture(there)] if there else [], [new if isinstance(new, str) else _picture(new)]


def _picture(picture: Picture) -> str:
    return f"{picture.mime}, {len(picture.data):,} bytes"
