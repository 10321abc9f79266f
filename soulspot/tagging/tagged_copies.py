"""Puts tags into one file: a copy gets them, is read again and compared, and only then may take the file's place."""

# Paths are bytes here, which pathlib does not hold.
from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from soulspot.library.bounded_file import open_bounded
from soulspot.library.mutagen_limits import limited
from soulspot.library.suffixes import suffix
from soulspot.library.tags import likely_readers, read_tags_as, unreadable_reason
from soulspot.models import FileStamp, TrackTags
from soulspot.tagging import file_copies, undo
from soulspot.tagging.file_copies import (
    FilePolicy,
    Named,
    PreparedCopy,
    TagsNotWritten,
    beside,
    copy,
    may_be_replaced,
    stamp_of,
)
from soulspot.tagging.formats import names as tag_names
from soulspot.tagging.formats.base import FileTags, Picture, differs
from soulspot.tagging.formats.opening import open_tags


@dataclass(frozen=True, slots=True)
class Said:
    """What a file's tags say now: the fields, and its front cover if there is one."""

    path: bytes  # of the file itself, links followed
    stamp: FileStamp
    fields: Mapping[str, Sequence[str]]
    kept: Mapping[str, Sequence[str]]  # the wanted values as this format can keep them
    front: Picture | None


def look(path: bytes, wanted: Mapping[str, Sequence[str]], max_file_size: int | None = None) -> Said:
    """What the tags of a file say of the wanted fields. Opens it for reading only. Raises TagsNotWritten."""
    real = os.path.realpath(path)
    try:
        file, found = open_bounded(real, max_file_size)
        with file, limited():
            sheet = open_tags(file, likely_readers(file, suffix(real)), real)
            if sheet is None:
                raise TagsNotWritten(
                    f"tags of .{suffix(real).decode(errors='replace')} files cannot be written"
                )
            return Said(
                real, stamp_of(found), {field: sheet.get(field) for field in wanted},
                {field: sheet.as_kept(field, values) for field, values in wanted.items()}, sheet.front(),
            )  # fmt: skip
    except TagsNotWritten:
        raise
    except FileNotFoundError:
        raise TagsNotWritten("it is not there any more") from None
    except Exception as error:
        raise TagsNotWritten(unreadable_reason(real, error)) from error


def prepare(
    path: bytes,
    stamp: FileStamp,
    changes: Mapping[str, Sequence[str]],
    front: Picture | None,
    file_policy: FilePolicy,
) -> PreparedCopy:
    """A copy of the file with these values and this front cover. Raises TagsNotWritten; then nothing is left behind.

    `stamp` is the file as the changes were made for."""
    found = may_be_replaced(path, file_policy)
    if stamp_of(found) != stamp:
        raise TagsNotWritten("was changed meanwhile")

    def fill(old: IO[bytes], new: Named) -> tuple[bytes, TrackTags]:
        copy(old, new.file)
        file_copies.report_step("copied")
        old.seek(0)
        sheet = _opened(old, path)
        untouched = _untouched(sheet, changes, front)
        for field, values in changes.items():
            sheet.set(field, values)
        if front is not None:
            sheet.set_front(front)
        sheet.save(new.file)
        new.file.flush()
        file_copies.report_step("tagged")
        return _verified(old, new, path, changes, front, untouched)

    return beside(path, found, file_policy, fill)


def prepare_back(
    path: bytes, digest: str, way: bytes, before: FileStamp, file_policy: FilePolicy
) -> PreparedCopy:
    """A copy of the file as it was before (`before` has its time, `digest` its SHA-256). Raises TagsNotWritten."""
    found = may_be_replaced(path, file_policy)

    def fill(present: IO[bytes], out: Named) -> tuple[bytes, TrackTags]:
        try:
            if undo.go_back(way, present, out.file) != digest:
                raise TagsNotWritten("its audio is not the one whose tags were written")
        except undo.NoWayBack as error:
            raise TagsNotWritten(str(error)) from error
        out.file.flush()
        return b"", read_tags_as(out.name, path)

    return beside(path, found, file_policy, fill, mtime_ns=before.mtime_ns)


def _opened(file: IO[bytes], path: bytes) -> FileTags:
    with limited():
        sheet = open_tags(file, None, path)
    if sheet is None:
        raise TagsNotWritten("its tags cannot be written")
    return sheet


def _untouched(sheet: FileTags, changes: Iterable[str], front: Picture | None) -> dict[str, str]:
    """What must be there again: all but what the changes may touch."""
    touched: set[str] = set()
    for field in [*changes, *([tag_names.COVER] if front else [])]:
        touched |= sheet.names(field)
    return {name: said for name, said in sheet.everything().items() if name not in touched}


def _verified(
    old: IO[bytes], new: Named, path: bytes, changes: Mapping[str, Sequence[str]], front: Picture | None,
    untouched: Mapping[str, str],
) -> tuple[bytes, TrackTags]:  # fmt: skip
    """The way back, and what a scan will read, when the new file holds what it should and all that the old one did."""
    new.file.seek(0)
    sheet = _opened(new.file, path)
    for field, values in changes.items():
        if differs(field, sheet.get(field), sheet.as_kept(field, values)):
            raise TagsNotWritten(f"{field} would not read as it was written", failed=True)
    if front is not None and ((there := sheet.front()) is None or there.data != front.data):
        raise TagsNotWritten("its cover would not read as it was written", failed=True)
    there_now = _untouched(sheet, changes, front)
    if lost := [name for name, said in untouched.items() if there_now.get(name) != said]:
        raise TagsNotWritten(f"other tags would be lost: {', '.join(sorted(lost)[:3])[:200]}", failed=True)
    try:
        way = undo.way_back(old, new.file)
    except undo.NoWayBack as error:
        raise TagsNotWritten(str(error), failed=True) from error
    tags, before = read_tags_as(new.name, path), read_tags_as(path, path)
    if tags.duration_ms != before.duration_ms:
        raise TagsNotWritten("its length would not be the same", failed=True)
    return way, tags
