"""Puts tags into one file: a copy gets them, is read again and compared, and only then may take the file's place."""

# Paths are bytes here, which pathlib does not hold.
from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from soulspot.library.formats import suffix
from soulspot.library.guard import open_bounded
from soulspot.library.hardening import limited
from soulspot.library.tags import kinds, read_as, reason
from soulspot.models import FileStamp, TrackTags
from soulspot.tagging import copying as tag_copy
from soulspot.tagging import undo as tag_undo
from soulspot.tagging.copying import (
    Manner,
    Named,
    NotWritten,
    Prepared,
    beside,
    copy,
    may_be_replaced,
    stamp_of,
)
from soulspot.tagging.formats import names as tag_names
from soulspot.tagging.formats.opening import open_sheet
from soulspot.tagging.formats.sheet import Picture, Sheet, differs


@dataclass(frozen=True, slots=True)
class Said:
    """What a file's tags say now: the fields, and its front cover if there is one."""

    path: bytes  # of the file itself, links followed
    stamp: FileStamp
    fields: Mapping[str, Sequence[str]]
    kept: Mapping[str, Sequence[str]]  # the wanted values as this format can keep them
    front: Picture | None


def look(path: bytes, wanted: Mapping[str, Sequence[str]], max_file_size: int | None = None) -> Said:
    """What the tags of a file say of the wanted fields. Opens it for reading only. Raises NotWritten."""
    real = os.path.realpath(path)
    try:
        file, found = open_bounded(real, max_file_size)
        with file, limited():
            sheet = open_sheet(file, kinds(file, suffix(real)), real)
            if sheet is None:
                raise NotWritten(f"tags of .{suffix(real).decode(errors='replace')} files cannot be written")
            return Said(
                real, stamp_of(found), {field: sheet.get(field) for field in wanted},
                {field: sheet.as_kept(field, values) for field, values in wanted.items()}, sheet.front(),
            )  # fmt: skip
    except NotWritten:
        raise
    except FileNotFoundError:
        raise NotWritten("it is not there any more") from None
    except Exception as error:
        raise NotWritten(reason(real, error)) from error


def prepare(
    path: bytes, stamp: FileStamp, changes: Mapping[str, Sequence[str]], front: Picture | None, manner: Manner
) -> Prepared:
    """A copy of the file with these values and this front cover. Raises NotWritten; then nothing is left behind.

    `stamp` is the file as the changes were made for."""
    found = may_be_replaced(path, manner)
    if stamp_of(found) != stamp:
        raise NotWritten("was changed meanwhile")

    def fill(old: IO[bytes], new: Named) -> tuple[bytes, TrackTags]:
        copy(old, new.file)
        tag_copy.step("copied")
        old.seek(0)
        sheet = _opened(old, path)
        untouched = _untouched(sheet, changes, front)
        for field, values in changes.items():
            sheet.set(field, values)
        if front is not None:
            sheet.set_front(front)
        sheet.save(new.file)
        new.file.flush()
        tag_copy.step("tagged")
        return _verified(old, new, path, changes, front, untouched)

    return beside(path, found, manner, fill)


def prepare_back(path: bytes, digest: str, way: bytes, before: FileStamp, manner: Manner) -> Prepared:
    """A copy of the file as it was before (`before` has its time, `digest` its SHA-256). Raises NotWritten."""
    found = may_be_replaced(path, manner)

    def fill(present: IO[bytes], out: Named) -> tuple[bytes, TrackTags]:
        try:
            if tag_undo.go_back(way, present, out.file) != digest:
                raise NotWritten("its audio is not the one whose tags were written")
        except tag_undo.NoWayBack as error:
            raise NotWritten(str(error)) from error
        out.file.flush()
        return b"", read_as(out.name, path)

    return beside(path, found, manner, fill, mtime_ns=before.mtime_ns)


def _opened(file: IO[bytes], path: bytes) -> Sheet:
    with limited():
        sheet = open_sheet(file, None, path)
    if sheet is None:
        raise NotWritten("its tags cannot be written")
    return sheet


def _untouched(sheet: Sheet, changes: Iterable[str], front: Picture | None) -> dict[str, str]:
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
            raise NotWritten(f"{field} would not read as it was written", failed=True)
    if front is not None and ((there := sheet.front()) is None or there.data != front.data):
        raise NotWritten("its cover would not read as it was written", failed=True)
    there_now = _untouched(sheet, changes, front)
    if lost := [name for name, said in untouched.items() if there_now.get(name) != said]:
        raise NotWritten(f"other tags would be lost: {', '.join(sorted(lost)[:3])[:200]}", failed=True)
    try:
        way = tag_undo.way_back(old, new.file)
    except tag_undo.NoWayBack as error:
        raise NotWritten(str(error), failed=True) from error
    tags, before = read_as(new.name, path), read_as(path, path)
    if tags.duration_ms != before.duration_ms:
        raise NotWritten("its length would not be the same", failed=True)
    return way, tags
