"""A file is replaced by a copy of itself, whole: made beside it, dressed as it, and renamed over it."""

# Paths are bytes here, which pathlib does not hold.
from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Literal

from soulspot.errors import SoulSpotError
from soulspot.library.tags import unreadable_reason
from soulspot.models import FileStamp, TrackTags
from soulspot.tagging.audio_layout import BLOCK

TEMPORARY, ENDING = b".soulspot-", b".tmp"  # no name of audio: nobody scans it
_SPARE = 1 << 20  # bytes that the disk must have besides the copy


def report_step(name: str) -> None:
    """Hears of each step as it is done; tests put something in its place that stops the process there."""


class TagsNotWritten(SoulSpotError):
    """The tags of a file were not written; the message says why. `failed`: something went wrong, in contrast to a file
    that is left alone on purpose."""

    def __init__(self, why: str, *, failed: bool = False) -> None:
        super().__init__(why)
        self.failed = failed


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """How files are replaced."""

    mtime: Literal["touch", "keep"] = "touch"
    keep_owner: bool = True
    hard_links: Literal["skip", "part"] = "skip"


@dataclass(frozen=True, slots=True)
class PreparedCopy:
    """A copy with the new tags, ready to take the file's place."""

    path: bytes
    temporary: bytes
    before: FileStamp
    after: FileStamp
    digest: str  # SHA-256 of the file as it was
    way_back: bytes
    tags: TrackTags  # what a scan will read


def may_be_replaced(path: bytes, file_policy: FilePolicy) -> os.stat_result:
    """What the file is like. Raises TagsNotWritten when it should be left alone."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError as error:
        raise TagsNotWritten(_words(error)) from error
    if not stat.S_ISREG(found.st_mode):
        raise TagsNotWritten("is no regular file")
    if not found.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise TagsNotWritten("is read-only")
    if found.st_nlink > 1 and file_policy.hard_links == "skip":
        raise TagsNotWritten(
            f"has {found.st_nlink} names (hard links), which writing would part: see write_tags.hard_links"
        )
    folder = os.path.dirname(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TagsNotWritten("its folder is read-only")
    with contextlib.suppress(OSError):
        room = os.statvfs(folder)
        # a file system that has no blocks at all does not say how much room there is
        if room.f_blocks and room.f_bavail * room.f_frsize < found.st_size + _SPARE:
            raise TagsNotWritten("the disk is full: there must be room for a copy of the file", failed=True)
    return found


def beside(
    path: bytes, found: os.stat_result, file_policy: FilePolicy,
    fill: Callable[[IO[bytes], Named], tuple[bytes, TrackTags]], mtime_ns: int | None = None,
) -> PreparedCopy:  # fmt: skip
    """Have a new file filled in beside the old one, with the old one's mode, owner, attributes."""
    temporary = os.path.join(os.path.dirname(path), TEMPORARY + secrets.token_hex(8).encode() + ENDING)
    try:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with open(handle, "r+b", closefd=True) as new, open(path, "rb") as old:
                report_step("created")
                way, tags = fill(old, Named(new, temporary))
                digest = _digest(old)
                _dress(new.fileno(), path, found, file_policy)
                if mtime_ns is None and file_policy.mtime == "keep":
                    mtime_ns = found.st_mtime_ns
                if mtime_ns is not None:
                    os.utime(new.fileno(), ns=(found.st_atime_ns, mtime_ns))
                os.fsync(new.fileno())
                report_step("synced")
                after = os.fstat(new.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except TagsNotWritten:
        raise
    except OSError as error:
        raise TagsNotWritten(_words(error), failed=True) from error
    except Exception as error:
        raise TagsNotWritten(
            f"its tags cannot be written: {unreadable_reason(path, error)}", failed=True
        ) from error
    return PreparedCopy(path, temporary, stamp_of(found), stamp_of(after), digest, way, tags)


@dataclass(frozen=True, slots=True)
class Named:
    """An opened file, and by which name it can be opened again."""

    file: IO[bytes]
    name: bytes


def copy(old: IO[bytes], new: IO[bytes]) -> None:
    while block := old.read(BLOCK):
        new.write(block)
    new.flush()


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _dress(handle: int, path: bytes, found: os.stat_result, file_policy: FilePolicy) -> None:
    """Give the new file the owner, the mode and the extended attributes (ACLs among them) of the old one."""
    made = os.fstat(handle)
    if (made.st_uid, made.st_gid) != (found.st_uid, found.st_gid):
        try:
            os.fchown(handle, found.st_uid, found.st_gid)
        except PermissionError:
            if file_policy.keep_owner:
                raise TagsNotWritten(
                    "belongs to another user, and only root could keep it so: see write_tags.keep_owner"
                ) from None
            with contextlib.suppress(OSError):
                os.fchown(handle, -1, found.st_gid)
    if os.fstat(handle).st_mode != found.st_mode:  # not every file system has modes to change
        os.fchmod(handle, stat.S_IMODE(found.st_mode))
    for name in _attributes(path):
        try:
            os.setxattr(handle, name, os.getxattr(path, name))
        except OSError:
            if name.startswith(("user.", "system.posix_acl")):
                raise


def _attributes(path: bytes) -> list[str]:
    """The names of the extended attributes; none on a file system that has none, as many over the network."""
    try:
        return os.listxattr(path)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return []
        raise


def replace(prepared: PreparedCopy) -> None:
    """The copy takes the file's place, unless the file has changed meanwhile. Raises TagsNotWritten."""
    try:
        if stamp_of(os.stat(prepared.path, follow_symlinks=False)) != prepared.before:
            raise TagsNotWritten("was changed meanwhile")
        os.rename(prepared.temporary, prepared.path)
    except (OSError, TagsNotWritten) as error:
        give_up(prepared)
        raise (
            error if isinstance(error, TagsNotWritten) else TagsNotWritten(_words(error), failed=True)
        ) from error
    report_step("renamed")
    with contextlib.suppress(OSError):  # some file systems cannot; the file is whole all the same
        sync_folder(os.path.dirname(prepared.path))
    report_step("folder synced")


def give_up(prepared: PreparedCopy) -> None:
    """Take the copy away again."""
    with contextlib.suppress(OSError):
        os.unlink(prepared.temporary)


def sync_folder(folder: bytes) -> None:
    """Make the names in a folder last."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folders: Iterable[bytes], spared: frozenset[bytes] = frozenset()) -> int:
    """Remove copies that a process left in these folders when it was killed. Returns how many."""
    count = 0
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if (
                    entry.name.startswith(TEMPORARY)
                    and entry.name.endswith(ENDING)
                    and entry.path not in spared
                ):
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)
                        count += 1
    return count


def stamp_of(found: os.stat_result) -> FileStamp:
    return FileStamp(found.st_size, found.st_mtime_ns, found.st_ino)


def _words(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full"
    return (error.strerror or str(error)).lower()
