"""The files of an open database: are they still there, and as SoulSpot left them?"""

import os
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from soulspot.store.ownership import Identity

SUFFIXES = ("", "-wal", "-shm")
# The layouts are those of https://sqlite.org/walformat.html; the index is in native byte order.
INDEX_HEADER, BACKFILLED_AT = 48, 96
WAL_HEADER, FRAME_HEADER = 32, 24
DATABASE_HEADER = 100


class _Left(NamedTuple):
    """The state of the files after our own last write."""

    size: int
    mtime_ns: int
    header: bytes  # of the database file
    log_state: bytes  # changes with every commit and every checkpoint, whoever makes it


class OpenFiles:
    """The database file with its log and the log's index, as this process has them open.

    SQLite goes on writing to files that were removed, replaced or overwritten. Their contents are
    read through the handles that SQLite has: opening and closing another one would free SQLite's
    locks (POSIX locks belong to the process, not to the handle)."""

    def __init__(self, database: Path) -> None:
        """Note the files of a database that is open in this process."""
        self._paths = {suffix: f"{database}{suffix}" for suffix in SUFFIXES}
        self._identities = {suffix: _identity(path) for suffix, path in self._paths.items()}
        self._handles = _handles_of(self._identities)
        self._left: _Left | None = None
        self.note()

    def why_gone(self) -> str | None:
        """Return which of the files were removed or replaced; None when none was. Cheap, and may be
        asked in any thread."""
        gone = [path for suffix, path in self._paths.items() if _identity(path) != self._identities[suffix]]
        if not gone:
            return None
        names = " and ".join(map(os.path.basename, gone))
        return f"{names} {'was' if len(gone) == 1 else 'were'} removed or replaced while SoulSpot works on it"

    def note(self) -> None:
        """Note the state of the files, after a write of ours."""
        self._left = self._look()

    def why_changed(self, check: Callable[[], str | None]) -> str | None:
        """Return which file somebody else has overwritten since `note`; None when none was, or
        where that cannot be told. `check` looks for damage, after a change that may be harmless. To
        be asked in the writer's thread, between transactions."""
        if why := self._why_log_broken():
            return why
        before, now, name = self._left, self._look(), os.path.basename(self._paths[""])
        self._left = now
        # A program that works on the database by way of SQLite changes the log's state too.
        if before is None or now is None or now[:2] == before[:2] or now.log_state != before.log_state:
            return None
        if now.size < before.size or now.header != before.header:
            return f"{name} was overwritten while SoulSpot works on it"
        return (why := check()) and f"{name} was changed by another program while SoulSpot works on it: {why}"

    def _look(self) -> _Left | None:
        index, header = self._read("-shm", BACKFILLED_AT + 4, 0), self._read("", DATABASE_HEADER, 0)
        with suppress(OSError):
            if index and header is not None:
                found = os.stat(self._paths[""])
                state = index[:INDEX_HEADER] + index[BACKFILLED_AT:]
                return _Left(found.st_size, found.st_mtime_ns, header, state)
        return None

    def _why_log_broken(self) -> str | None:
        """Return why the log is not the one that its index describes. The frame that was written
        last shows it: its checksum covers all frames before it."""
        index = self._read("-shm", 2 * INDEX_HEADER, 0)
        # Two copies that differ: another process is writing the index right now.
        if index is None or index[:INDEX_HEADER] != index[INDEX_HEADER:]:
            return None
        page_size, frames, _, first_sum, second_sum = struct.unpack_from("=HIIII", index, 14)
        salts = index[32:40]
        if not frames:
            return None
        page_size = (page_size & 0xFE00) | ((page_size & 1) << 16)
        last = WAL_HEADER + (frames - 1) * (FRAME_HEADER + page_size)
        header, frame = self._read("-wal", WAL_HEADER, 0), self._read("-wal", FRAME_HEADER + page_size, last)
        if header is None or frame is None:
            return None
        expected = salts + struct.pack(">II", first_sum, second_sum)
        if header[16:24] == salts and len(frame) == FRAME_HEADER + page_size and frame[8:FRAME_HEADER] == expected:
            return None
        return f"{os.path.basename(self._paths['-wal'])} was cut off or overwritten while SoulSpot works on it"

    def _read(self, suffix: str, size: int, offset: int) -> bytes | None:
        """Return these bytes of a file, fewer at its end; None where SQLite's handle is unknown."""
        try:
            handle = self._handles[suffix]
            found = os.fstat(handle)
            # The number may have been given to another file, if somebody closed SQLite's.
            if (found.st_dev, found.st_ino) == self._identities[suffix]:
                return os.pread(handle, size, offset)
        except (OSError, KeyError):
            return None
        return None


def _identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _handles_of(identities: Mapping[str, Identity | None]) -> dict[str, int]:
    """Return the numbers of this process' handles of these files; none without /proc."""
    suffixes = {identity: suffix for suffix, identity in identities.items()}
    handles: dict[str, int] = {}
    with suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            # The handle of the listing itself is closed by now.
            with suppress(OSError, KeyError):
                found = os.fstat(int(name))
                handles[suffixes[found.st_dev, found.st_ino]] = int(name)
    return handles
