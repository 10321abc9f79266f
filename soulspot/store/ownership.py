"""The lock that lets one process work on a database; the kernel frees it even after kill -9."""

import fcntl
import json
import os
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from soulspot.errors import DatabaseOwned

ATTEMPTS = 4
BETWEEN_ATTEMPTS = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds the lock."""

    pid: int  # 0 when it could not be read
    address: str | None  # "http://host:port" when it serves HTTP


class Ownership(AbstractContextManager["Ownership"]):
    """The lock file beside a database, held from construction until `release`."""

    def __init__(self, database: Path) -> None:
        """Take the lock. Raises DatabaseOwned when another process holds it."""
        self.path = database.with_name(database.name + ".lock")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _lock(self._file):
            os.close(self._file)
            owner = read_owner(database)
            who = f"process {owner.pid}" if owner and owner.pid else "another process"
            raise DatabaseOwned(f"{database}: {who} already works on this database")
        self.announce(None)

    def announce(self, address: str | None) -> None:
        """Write our process id and HTTP address into the lock file, for `read_owner`."""
        content = json.dumps({"pid": os.getpid(), "address": address}).encode()
        os.pwrite(self._file, content, 0)
        os.ftruncate(self._file, len(content))

    def release(self) -> None:
        """Free the lock. Harmless when it is free already."""
        # The file stays: if it were removed, two processes could each lock a file of this name.
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    def __exit__(self, *_: object) -> None:
        self.release()


def _lock(handle: int) -> bool:
    # A process in `read_owner` holds the lock for an instant: that is no reason to give up.
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(BETWEEN_ATTEMPTS)
    return False


def read_owner(database: Path) -> Owner | None:
    """Return the process that works on this database now, or None."""
    path = database.with_name(database.name + ".lock")
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
