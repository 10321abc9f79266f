"""The program that keeps SoulSpot from writing, as far as Linux tells."""

import os
from contextlib import suppress
from pathlib import Path

# SQLite's write lock is a lock of this byte of the -shm file: https://sqlite.org/walformat.html
WRITE_LOCK = 120


def describe_lock_holder(database: str | Path) -> str:
    """Return who holds the write lock of this database, as "sqlite3 (process 17)"; "another
    program" where that cannot be told."""
    with suppress(OSError):
        inode = os.stat(f"{os.path.realpath(database)}-shm").st_ino
        for line in Path("/proc/locks").read_text(encoding="ascii", errors="replace").splitlines():
            # 7: POSIX ADVISORY WRITE 17 fe:01:262146 120 120; who waits has "->" behind the number
            *_, kind, pid, place, first, last = ["", *line.split()]
            is_held = kind == "WRITE" and "->" not in line and int(first) <= WRITE_LOCK <= _last_byte(last)
            if is_held and place.rsplit(":", 1)[-1] == str(inode):
                return f"{_name_of(pid)} (process {pid})"
    return "another program"


def _last_byte(text: str) -> float:
    return float("inf") if text == "EOF" else int(text)


def _name_of(pid: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    return "another program"
