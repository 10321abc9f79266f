"""The count of commits, kept beside the database: it shows when a part of the database was lost."""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from soulspot.errors import DatabaseDamaged
from soulspot.store.ownership import file_identity

SIZE = 200  # bytes, always the same: written over in place, so that a kill leaves the old or the new
RESCUED = ".rescued-"  # part of the name of a copy that was made when the file was removed
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class CommitMark:
    """The file `soulspot.db-commits`: how many commits the database has had.

    The database counts them too, in `commit_count`. SQLite itself does not notice when its
    write-ahead log is gone, cut off or overwritten after a crash: it opens the database as it was
    earlier. The mark is written behind each commit and not flushed, so it is never ahead of the
    database after a crash of the process. After a power failure it may be."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self.path = database.with_name(database.name + "-commits")
        self._file = -1
        self._fixed: dict[str, Any] = {}
        # Read before the database is: a process that works on it counts there first.
        self._known = self._read()

    def require_file(self) -> None:
        """Raise DatabaseDamaged when the database is gone or empty although it had commits."""
        is_empty = not self._database.exists() or not self._database.stat().st_size
        if is_empty and (commits := self._known.get("commits")):
            rescued = max(map(str, self._database.parent.glob(f"{self._database.name}{RESCUED}*")), default="FILE")
            raise DatabaseDamaged(
                f"{self._database}: the file is gone or empty, though it had {commits:,} changes; put it back, or a"
                f" backup with `soulspot restore {rescued}`. To begin a new one, delete {self.path.name} beside it"
            )

    def lost(self, commits: int) -> tuple[int, bool]:
        """Return how many commits a database that has `commits` has lost, and whether the machine
        went down meanwhile, which may lose the last of them without any damage."""
        known = self._known
        # An older copy in the place of a database that was closed in order is somebody's wish.
        if not known.get("is_open") or known.get("file") != self._identity():
            return 0, False
        return max(0, int(known.get("commits", 0)) - commits), known.get("boot") != _boot_id()

    def begin(self, commits: int) -> None:
        """Note that the database is open from now on."""
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._fixed = {"boot": _boot_id(), "file": self._identity()}
        self.note(commits)

    def note(self, commits: int, *, is_open: bool = True) -> None:
        """Note the number of commits."""
        text = json.dumps({"commits": commits, "is_open": is_open, **self._fixed})
        # A mark that is behind claims nothing: a full disk here harms nobody.
        with suppress(OSError):
            os.pwrite(self._file, text.ljust(SIZE).encode(), 0)

    def end(self, commits: int | None) -> None:
        """Close the file; with `commits` note that the database was closed in order."""
        if self._file >= 0:
            if commits is not None:
                self.note(commits, is_open=False)
            os.close(self._file)
            self._file = -1

    def _identity(self) -> list[int]:
        return list(file_identity(self._database) or ())

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found = json.loads(self.path.read_bytes())
            if isinstance(found, dict):
                return found
        return {}


def _boot_id() -> str:
    with suppress(OSError):
        return BOOT_ID.read_text(encoding="ascii").strip()
    return ""
