"""The changes that writing tags would make in one file, found without writing anything."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Self

from soulspot.store.cover_index import CoverRecord
from soulspot.store.taggable import Taggable
from soulspot.tagging import rules
from soulspot.tagging.file_copies import FilePolicy, TagsNotWritten, check_replaceable
from soulspot.tagging.formats.base import Picture
from soulspot.tagging.formats.names import COVER
from soulspot.tagging.request import TagRequest
from soulspot.tagging.tagged_copies import CurrentTags, read_current_tags


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """A track's file with the changes to its tags; without changes there is nothing to write."""

    track: Taggable
    current: CurrentTags
    changes: rules.Changes
    front: Picture | None = None  # a front cover to put into the file

    def with_cover(self, new: Picture | str) -> Self:
        """Return this plan with a cover to write, or with only its address for a preview."""
        change = rules.cover_change(self.current.front, new)
        front = new if isinstance(new, Picture) else None
        return replace(self, changes={**self.changes, COVER: change}, front=front)


def preview_tags(
    track: Taggable, request: TagRequest, policy: FilePolicy, now: float, max_file_size: int | None = None
) -> PlannedWrite | TagsNotWritten | None:
    """Return the changes to a track's file, or the reason why it cannot be written.

    None stands for a file that changed less than `request.quiet` seconds before `now` (seconds
    since the epoch). `max_file_size` is in bytes. For the cover see `cover_to_embed`."""
    try:
        wanted = rules.values_to_write(track.row, request.fields)
        current = read_current_tags(track.path, wanted, max_file_size)
        if current.stamp != track.stamp:
            raise TagsNotWritten("was changed since it was scanned: `soulspot scan` reads it again")
        if request.quiet and now - current.stamp.mtime_ns / 1e9 < request.quiet:
            return None
        planned = PlannedWrite(track, current, rules.changed_fields(current, request.policy))
        if planned.changes or cover_to_embed(planned, request):
            check_replaceable(current.path, policy)
        return planned
    except TagsNotWritten as reason:
        return reason


def cover_to_embed(planned: PlannedWrite, request: TagRequest) -> str | None:
    """Return the address of the cover to put into the file; None when the file is to get none."""
    present = planned.current.front
    if not request.embed_covers or (present and request.policy == "only-empty"):
        return None
    return planned.track.row.cover_url


def cover_would_change(planned: PlannedWrite, cached: CoverRecord | None) -> bool:
    """Whether embedding a cover would change the file, judged by its record in the cache alone. A
    cover that was never fetched (None) counts as a change; one known to be missing does not."""
    if cached is None:
        return True
    present = planned.current.front
    return cached.digest is not None and (present is None or sha256(present.data).hexdigest() != cached.digest)


def display_path(path: bytes) -> str:
    """Return a path as people read it; bytes that are not UTF-8 become escapes such as \\xff."""
    return path.decode("utf-8", "backslashreplace")
