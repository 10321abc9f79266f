"""What writing tags would change in one file: looked at, and nothing else done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from soulspot.store.cover_index import CoverRecord
from soulspot.store.taggable import Taggable
from soulspot.tagging import file_copies, tagged_copies
from soulspot.tagging import rules as tag_rules
from soulspot.tagging.file_copies import FilePolicy, TagsNotWritten
from soulspot.tagging.formats.base import Picture
from soulspot.tagging.formats.names import COVER
from soulspot.tagging.request import TagRequest
from soulspot.tagging.rules import Changes


@dataclass(frozen=True, slots=True)
class Planned:
    """A file, and what of its tags would change. `front` is set when a cover is to be put into it."""

    track: Taggable
    said: tagged_copies.Said
    changes: Changes
    front: Picture | None = None

    def with_cover(self, new: Picture | str) -> Planned:
        """The same with this cover; by its address alone it is only shown."""
        change = tag_rules.cover_change(self.said.front, new)
        front = new if isinstance(new, Picture) else None
        return replace(self, changes={**self.changes, COVER: change}, front=front)


def preview_tags(
    track: Taggable, wish: TagRequest, file_policy: FilePolicy, now: float, max_file_size: int | None = None
) -> Planned | TagsNotWritten | None:
    """What would change in a track's file; what keeps it from being written; None while it is not quiet yet."""
    try:
        values = tag_rules.wanted(track.row, wish.fields)
        said = tagged_copies.look(track.path, values, max_file_size)
        if said.stamp != track.stamp:
            raise TagsNotWritten("was changed since it was scanned: `soulspot scan` reads it again")
        if wish.quiet and now - said.stamp.mtime_ns / 1e9 < wish.quiet:
            return None
        found = tag_rules.changes(said, wish.policy)
        planned = Planned(track, said, found)
        if found or cover_to_embed(planned, wish):
            file_copies.may_be_replaced(said.path, file_policy)
        return planned
    except TagsNotWritten as why:
        return why


def cover_to_embed(planned: Planned, wish: TagRequest) -> str | None:
    """The address of the cover that is to be put into the file; None when there is none to be put."""
    there = planned.said.front
    if not wish.embed_covers or (there and wish.policy == "only-empty"):
        return None
    return planned.track.row.cover_url


def cover_would_change(planned: Planned, known: CoverRecord | None) -> bool:
    """Whether a cover of which this is known would change the file; nobody is asked for one that is not known."""
    if known is None:
        return True
    there = planned.said.front
    return known.digest is not None and (there is None or sha256(there.data).hexdigest() != known.digest)


def display_path(path: bytes) -> str:
    """A path as people read it."""
    return path.decode("utf-8", "backslashreplace")
