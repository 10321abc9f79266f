"""A copy of one file with new tags: written, read again and compared before it replaces it."""

# Paths are bytes here, because a file name need not be UTF-8; pathlib does not hold bytes.
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from soulspot.library.bounded_file import open_bounded, stamp_of
from soulspot.library.mutagen_limits import limited
from soulspot.library.suffixes import suffix
from soulspot.library.tags import read_tags_as, unreadable_reason
from soulspot.models import FileStamp, TrackTags
from soulspot.tagging import file_copies, undo
from soulspot.tagging.audio_layout import BLOCK
from soulspot.tagging.file_copies import FilePolicy, PreparedCopy, TagsNotWritten, check_replaceable, prepare_copy
from soulspot.tagging.formats.base import FileTags, Picture, differs
from soulspot.tagging.formats.names import COVER
from soulspot.tagging.formats.opening import open_tags


@dataclass(frozen=True, slots=True)
class CurrentTags:
    """The tags that a file has now, as far as they concern the wanted values."""

    path: bytes  # the file itself, symbolic links followed
    stamp: FileStamp
    fields: Mapping[str, Sequence[str]]  # field -> present values
    storable: Mapping[str, Sequence[str]]  # field -> the wanted values as this format can store them
    front: Picture | None  # the front cover


def read_current_tags(
    path: bytes, wanted: Mapping[str, Sequence[str]], max_file_size: int | None = None
) -> CurrentTags:
    """Return the tags that a file has of the `wanted` fields, opened for reading only. Raises
    TagsNotWritten with the reason when the file cannot be read or its tags not be written."""
    # The copy replaces the file itself, and a symbolic link to it stays a link.
    real = os.path.realpath(path)
    try:
        file, status = open_bounded(real, max_file_size)
        with file, limited():
            tags = open_tags(file, real)
            if tags is None:
                ending = suffix(real).decode(errors="replace")
                raise TagsNotWritten(f"tags of .{ending} files cannot be written")
            fields = {field: tags.get(field) for field in wanted}
            storable = {field: tags.storable(field, values) for field, values in wanted.items()}
            return CurrentTags(real, stamp_of(status), fields, storable, tags.front())
    except TagsNotWritten:
        raise
    except FileNotFoundError:
        raise TagsNotWritten("it is not there any more") from None
    except Exception as error:
        raise TagsNotWritten(unreadable_reason(real, error)) from error


def prepare_tagged_copy(
    path: bytes, stamp: FileStamp, changes: Mapping[str, Sequence[str]], front: Picture | None, policy: FilePolicy
) -> PreparedCopy:  # fmt: skip
    """Make a copy of the file with these values and, if given, this front cover. `changes` was
    computed for the file as of `stamp`. Raises TagsNotWritten; then nothing is left behind."""
    status = check_replaceable(path, policy)
    if stamp_of(status) != stamp:
        raise TagsNotWritten("was changed meanwhile")

    def fill(old: IO[bytes], new: IO[bytes], new_path: bytes) -> tuple[bytes, TrackTags]:
        copy_content(old, new)
        file_copies.report_step("copied")
        old.seek(0)
        tags = _open(old, path)
        others = _other_tags(tags, changes, front)
        for field, values in changes.items():
            tags.set(field, values)
        if front is not None:
            tags.set_front(front)
        tags.save(new)
        new.flush()
        file_copies.report_step("tagged")
        _verify_tags(new, path, changes, front, others)
        try:
            way_back = undo.make_way_back(old, new)
        except undo.CannotRestore as error:
            raise TagsNotWritten(str(error), failed=True) from error
        read = read_tags_as(new_path, path)
        if read.duration_ms != read_tags_as(path, path).duration_ms:
            raise TagsNotWritten("its length would not be the same", failed=True)
        return way_back, read

    return prepare_copy(path, status, policy, fill)


def copy_content(old: IO[bytes], new: IO[bytes]) -> None:
    shutil.copyfileobj(old, new, BLOCK)
    new.flush()


def prepare_restored_copy(
    path: bytes, digest: str, way_back: bytes, before: FileStamp, policy: FilePolicy
) -> PreparedCopy:
    """Make a copy of the file as it was before its tags were written. Raises TagsNotWritten.
    `before` and `digest` are the stamp and the SHA-256 of the file at that time."""
    status = check_replaceable(path, policy)

    def fill(present: IO[bytes], out: IO[bytes], out_path: bytes) -> tuple[bytes, TrackTags]:
        try:
            if undo.restore(way_back, present, out) != digest:
                raise TagsNotWritten("its audio is not the one whose tags were written")
        except undo.CannotRestore as error:
            raise TagsNotWritten(str(error)) from error
        out.flush()
        return b"", read_tags_as(out_path, path)

    return prepare_copy(path, status, policy, fill, mtime_ns=before.mtime_ns)


def _open(file: IO[bytes], path: bytes) -> FileTags:
    with limited():
        tags = open_tags(file, path)
    if tags is None:
        raise TagsNotWritten("its tags cannot be written")
    return tags


def _other_tags(tags: FileTags, changes: Iterable[str], front: Picture | None) -> dict[str, str]:
    touched: set[str] = set()
    for field in [*changes, *([COVER] if front else [])]:
        touched |= tags.native_names(field)
    return {name: value for name, value in tags.native_tags().items() if name not in touched}


def _verify_tags(
    new: IO[bytes], path: bytes, changes: Mapping[str, Sequence[str]], front: Picture | None,
    others: Mapping[str, str],
) -> None:  # fmt: skip
    new.seek(0)
    tags = _open(new, path)
    for field, values in changes.items():
        if differs(field, tags.get(field), tags.storable(field, values)):
            raise TagsNotWritten(f"{field} would not read as it was written", failed=True)
    if front is not None and ((there := tags.front()) is None or there.data != front.data):
        raise TagsNotWritten("its cover would not read as it was written", failed=True)
    now = _other_tags(tags, changes, front)
    if lost := [name for name, value in others.items() if now.get(name) != value]:
        raise TagsNotWritten(f"other tags would be lost: {', '.join(sorted(lost)[:3])[:200]}", failed=True)
