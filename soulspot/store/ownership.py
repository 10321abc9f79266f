"""The lock that lets one process work on a database; the kernel frees it even after kill -9."""

import fcntl
import json
import os
import stat
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soulspot.errors import DatabaseOwned
from soulspot.store.file_systems import network_file_system

Identity = tuple[int, int]

ATTEMPTS = 4
BETWEEN_ATTEMPTS = 0.02  # seconds

_held: set[Identity] = set()  # database files that this process has locked


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds the lock."""

    pid: int  # 0 when it could not be read
    address: str | None  # "http://host:port" when it serves HTTP


class Ownership(AbstractContextManager["Ownership"]):
    """The lock on a database file, held from construction until `release`.

    It is on the file itself, so that neither a symbolic or hard link nor a bind mount leads around
    it. A lock file beside the database says who holds it."""

    def __init__(self, database: Path) -> None:
        """Take the lock, making an empty file where there is none. Raises DatabaseOwned when
        another process holds it. No connection to the file may be open in this process."""
        self._database = Path(os.path.realpath(database))
        self.path = _lock_file(self._database)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle, self._identity = -1, file_identity(self._database)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _lock(self._file):
                raise _owned(database, _owner_by_lock_file(self.path))
            if not self._lock_database():
                raise _owned(database, _owner_by_kernel(self._database))
        except BaseException:
            os.close(self._file)
            raise
        self.announce(None)

    def _lock_database(self) -> bool:
        # flock and SQLite's own locks ignore each other, but only on local file systems. There the
        # lock file has to do.
        if network_file_system(self._database):
            return True
        while True:
            # Closing any handle of a file frees all of SQLite's locks on it in this process: where
            # this process works on it, it is not even opened.
            if file_identity(self._database) in _held:
                return False
            handle = os.open(self._database, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if not _lock(handle):
                os.close(handle)
                return False
            found = os.fstat(handle)
            _keep_from_others(self._database)
            self._handle, self._identity = handle, (found.st_dev, found.st_ino)
            if self.holds_current_file():
                _held.add(self._identity)
                return True
            # replaced or removed between the two steps
            os.close(handle)

    def holds_current_file(self) -> bool:
        """Whether the file at the database's path is still the one that is locked: false when it
        was removed, or replaced by another (a restored backup, say)."""
        return file_identity(self._database) == self._identity

    def announce(self, address: str | None) -> None:
        """Write our process id and HTTP address into the lock file, for `read_owner`."""
        content = json.dumps({"pid": os.getpid(), "address": address}).encode()
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))

    def release(self) -> None:
        """Free the lock. Harmless when it is free already."""
        if self._file < 0:
            return
        if self._handle >= 0:
            # made by us for a database that then could not be opened
            if os.fstat(self._handle).st_size == 0 and self.holds_current_file():
                self._database.unlink()
            _held.discard(self._identity)
            os.close(self._handle)
        # The lock file stays: without it nobody could tell who owns a database on a network.
        os.ftruncate(self._file, 0)
        os.close(self._file)
        self._handle = self._file = -1

    def __exit__(self, *_: object) -> None:
        self.release()


def _keep_from_others(database: Path) -> None:
    """Take the rights of every other user from a database and its log. Those of its group stay: a
    person has given them."""
    for path in (database, *(database.with_name(database.name + end) for end in ("-wal", "-shm"))):
        # a file of another user, whose rights are that user's business
        with suppress(OSError):
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o007:
                path.chmod(mode & ~0o007)


def _lock(handle: int) -> bool:
    # A process in `read_owner` holds the lock for an instant: that is no reason to give up.
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(BETWEEN_ATTEMPTS)
    return False


def file_identity(path: Path) -> Identity | None:
    """Return device and inode of the file at `path`, by whichever name; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def describe_file(database: Path) -> dict[str, Any]:
    """Return the names and numbers by which `is_same_file` recognizes a database, also in another
    process: `path`, `real_path`, `device` and `inode`, which are None without a file."""
    device, inode = file_identity(database) or (None, None)
    path, real = os.path.abspath(database), os.path.realpath(database)
    return {"path": path, "real_path": real, "device": device, "inode": inode}


def is_same_file(database: Path, described: Mapping[str, Any]) -> bool:
    """Whether `described`, by `describe_file`, is this database: by its numbers, or by its name
    where this user may not look at the file."""
    ours = describe_file(database)
    if ours["inode"] is not None and described.get("inode") is not None:
        return all(ours[name] == described.get(name) for name in ("device", "inode"))
    return not {ours["path"], ours["real_path"]}.isdisjoint((described.get("path"), described.get("real_path")))


def read_owner(database: Path) -> Owner | None:
    """Return the process that works on this database now, or None.

    The database itself is not opened. Without its lock file, and by the name of a hard link, the
    owner is known only where /proc/locks shows it, and then without its address."""
    real = Path(os.path.realpath(database))
    return _owner_by_lock_file(_lock_file(real)) or _owner_by_kernel(real)


def _lock_file(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


def _owner_by_lock_file(path: Path) -> Owner | None:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except BlockingIOError:
            text = os.pread(handle, 4096, 0)
    finally:
        os.close(handle)
    try:
        content = json.loads(text)
        return Owner(int(content["pid"]), content["address"])
    except (ValueError, KeyError, TypeError):
        return Owner(0, None)


def _owner_by_kernel(database: Path) -> Owner | None:
    if (identity := file_identity(database)) is None:
        return None
    device, inode = identity
    mark = f"{os.major(device):02x}:{os.minor(device):02x}:{inode}"
    with suppress(OSError, ValueError):
        # "1: FLOCK  ADVISORY  WRITE 1234 08:01:393217 0 EOF"; "->" stands before those who wait
        for line in Path("/proc/locks").read_text().splitlines():
            _, kind, _, _, pid, place, *_ = line.split()
            if kind == "FLOCK" and place == mark:
                return Owner(int(pid), None)
    return None


def _owned(database: Path, owner: Owner | None) -> DatabaseOwned:
    who = f"process {owner.pid}" if owner and owner.pid else "another process"
    return DatabaseOwned(f"{database}: {who} already works on this database")
