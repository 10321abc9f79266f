"""One process works on a database: a lock that the kernel frees, even after kill -9."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from soulspot.errors import DatabaseOwned

LOOKS = 4
BETWEEN_LOOKS = 0.02  # seconds


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds the lock: its process id and, when it serves HTTP, the address as "http://host:port"."""

    pid: int
    address: str | None


class Ownership:
    """The lock beside the database file. Raises DatabaseOwned when another process holds it."""

    def __init__(self, database: Path) -> None:
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
        """Write who we are, and where we can be reached, for other processes to read."""
        said = json.dumps({"pid": os.getpid(), "address": address}).encode()
        os.pwrite(self._file, said, 0)
        os.ftruncate(self._file, len(said))

    def release(self) -> None:
        """Free the lock; the file stays, because removing it would let two processes lock two files."""
        if self._file >= 0:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.release()


def _lock(handle: int) -> bool:
    """Take the lock, unless somebody keeps it: whoever runs `read_owner` has it for an instant only."""
    for _ in range(LOOKS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(BETWEEN_LOOKS)
    return False


def read_owner(database: Path) -> Owner | None:
    """Who works on this database now; None when nobody does."""
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
            said = os.pread(handle, 4096, 0)
    finally:
        os.close(handle)
    try:
        content = json.loads(said)
        return Owner(int(content["pid"]), content["address"])
    except (ValueError, KeyError, TypeError):
        return Owner(0, None)
