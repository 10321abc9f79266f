"""Replacing a file by a copy of itself: made beside it, given its attributes, renamed over it."""

# Paths are bytes here, because a file name need not be UTF-8; pathlib does not hold bytes.
import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Literal, TypeVar

from soulspot.errors import SoulSpotError
from soulspot.library.bounded_file import stamp_of
from soulspot.library.tags import unreadable_reason
from soulspot.models import FileStamp, TrackTags

# The suffix is none of audio, so that a scan ignores a copy that was left behind.
TEMPORARY, ENDING = b".soulspot-", b".tmp"
T = TypeVar("T")
_SPARE = 1 << 20  # bytes that the disk must have besides the copy


def report_step(name: str) -> None:
    """Take note of a finished step; tests replace this function to stop the process at a step."""


class TagsNotWritten(SoulSpotError):
    """The tags of a file were not written; the message says why. `failed` is true when something
    went wrong, and false when the file is left alone on purpose."""

    def __init__(self, reason: str, *, failed: bool = False) -> None:
        super().__init__(reason)
        self.failed = failed


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """Attributes that a replaced file keeps: the settings of [write_tags]."""

    mtime: Literal["touch", "keep"] = "touch"  # "touch": the time of writing
    keep_owner: bool = True  # leave a file alone whose owner only root could keep
    hard_links: Literal["skip", "part"] = "skip"  # "part": the other names keep the old file


@dataclass(frozen=True, slots=True)
class PreparedCopy:
    """A finished copy with the new tags, ready to take the file's place."""

    path: bytes
    temporary: bytes
    before: FileStamp  # of the file to replace
    after: FileStamp  # of the copy
    digest: str  # SHA-256 of the file before
    way_back: bytes  # the file before can be restored from it, see `undo`
    tags: TrackTags  # the tags that a scan will read


Fill = Callable[[IO[bytes], IO[bytes], bytes], tuple[bytes, TrackTags]]
"""Writes a copy's content: (old file, new file, path of the new file) -> (way back, new tags)."""


def attempt(work: Callable[[], T]) -> T | TagsNotWritten:
    """Return the result of `work`, or the TagsNotWritten that it raised."""
    try:
        return work()
    except TagsNotWritten as reason:
        return reason


def check_replaceable(path: bytes, policy: FilePolicy) -> os.stat_result:
    """Return the file's status. Raises TagsNotWritten when the file should be left alone."""
    try:
        status = os.stat(path, follow_symlinks=False)
    except OSError as error:
        raise TagsNotWritten(_reason(path, error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise TagsNotWritten("is no regular file")
    if not status.st_mode & 0o222 or not os.access(path, os.W_OK):
        raise TagsNotWritten("is read-only")
    if status.st_nlink > 1 and policy.hard_links == "skip":
        names = f"has {status.st_nlink} names (hard links)"
        raise TagsNotWritten(f"{names}, which writing would part: see write_tags.hard_links")
    folder = os.path.dirname(path)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TagsNotWritten("its folder is read-only")
    with contextlib.suppress(OSError):
        disk = os.statvfs(folder)
        # A file system that reports no blocks at all does not say how much room it has.
        if disk.f_blocks and disk.f_bavail * disk.f_frsize < status.st_size + _SPARE:
            raise TagsNotWritten("the disk is full: there must be room for a copy of the file", failed=True)
    return status


def prepare_copy(
    path: bytes, status: os.stat_result, policy: FilePolicy, fill: Fill, mtime_ns: int | None = None
) -> PreparedCopy:
    """Make a new file beside the old one, with the old one's mode, owner and attributes. `fill`
    writes its content. Raises TagsNotWritten; then nothing is left behind."""
    # Mode 600 until the copy has the attributes of the file: nobody else may read it before.
    temporary = os.path.join(os.path.dirname(path), TEMPORARY + secrets.token_hex(8).encode() + ENDING)
    try:
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            with open(handle, "r+b", closefd=True) as new, open(path, "rb") as old:
                report_step("created")
                way_back, tags = fill(old, new, temporary)
                old.seek(0)
                digest = hashlib.file_digest(old, "sha256").hexdigest()
                _copy_attributes(new.fileno(), path, status, policy)
                if mtime_ns is None and policy.mtime == "keep":
                    mtime_ns = status.st_mtime_ns
                if mtime_ns is not None:
                    os.utime(new.fileno(), ns=(status.st_atime_ns, mtime_ns))
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
        raise TagsNotWritten(_reason(path, error), failed=True) from error
    except Exception as error:
        reason = f"its tags cannot be written: {unreadable_reason(path, error)}"
        raise TagsNotWritten(reason, failed=True) from error
    return PreparedCopy(path, temporary, stamp_of(status), stamp_of(after), digest, way_back, tags)


def _copy_attributes(handle: int, path: bytes, status: os.stat_result, policy: FilePolicy) -> None:
    new = os.fstat(handle)
    if (new.st_uid, new.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.fchown(handle, status.st_uid, status.st_gid)
        except PermissionError:
            if policy.keep_owner:
                raise TagsNotWritten(
                    "belongs to another user, and only root could keep it so: see write_tags.keep_owner"
                ) from None
            with contextlib.suppress(OSError):
                os.fchown(handle, -1, status.st_gid)
    # Not every file system has modes to change.
    if os.fstat(handle).st_mode != status.st_mode:
        os.fchmod(handle, stat.S_IMODE(status.st_mode))
    for name in _attributes(path):
        try:
            os.setxattr(handle, name, os.getxattr(path, name))
        except OSError:
            # The kernel's own attributes (security.*) are not ours to set.
            if name.startswith(("user.", "system.posix_acl")):
                raise


def _attributes(path: bytes) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError as error:
        # Many network file systems have no extended attributes.
        if error.errno in (errno.ENOTSUP, errno.ENOSYS):
            return []
        raise


def replace_original(prepared: PreparedCopy) -> None:
    """Rename the copy over the file; raises TagsNotWritten if the file has changed meanwhile."""
    try:
        if stamp_of(os.stat(prepared.path, follow_symlinks=False)) != prepared.before:
            raise TagsNotWritten("was changed meanwhile")
        os.rename(prepared.temporary, prepared.path)
    except (OSError, TagsNotWritten) as error:
        discard(prepared)
        if isinstance(error, TagsNotWritten):
            raise
        raise TagsNotWritten(_reason(prepared.path, error), failed=True) from error
    report_step("renamed")
    # Some file systems cannot sync a folder; the file is whole all the same.
    with contextlib.suppress(OSError):
        sync_folder(os.path.dirname(prepared.path))
    report_step("folder synced")


def discard(prepared: PreparedCopy) -> None:
    with contextlib.suppress(OSError):
        os.unlink(prepared.temporary)


def sync_folder(folder: bytes) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_leftovers(folders: Iterable[bytes]) -> int:
    """Delete the copies that a killed process left in these folders; return how many."""
    count = 0
    for folder in folders:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(TEMPORARY) and entry.name.endswith(ENDING):
                    with contextlib.suppress(OSError):
                        os.unlink(entry.path)
                        count += 1
    return count


def _reason(path: bytes, error: OSError) -> str:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return "the disk is full" if is_full else unreadable_reason(path, error)
