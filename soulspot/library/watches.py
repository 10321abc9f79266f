"""The kernel's watches: how many folders need one, how many are set, and how to allow more."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

# the first holds for a user of the machine, the second for one of its namespaces (a container)
_LIMITS = ("fs.inotify.max_user_watches", "user.max_inotify_watches")
_ENOUGH = 1_048_576  # watches; each that is used takes about a kilobyte of the kernel's memory


def folders_to_watch(roots: Iterable[bytes]) -> Iterator[bytes]:
    """Yield each readable folder at and below `roots` once, also those behind symbolic links, which
    watchfiles follows."""
    seen, left = set(), list(roots)
    while left:
        path = left.pop()
        try:
            status = os.stat(path)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                left += [one.path for one in entries if _leads_to_folder(one)]
        except OSError:
            continue
        yield path


def _leads_to_folder(entry: os.DirEntry[bytes]) -> bool:
    # DirEntry.is_dir raises for links that lead in a circle
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def count_watches() -> int | None:
    """Return how many watches of inotify this process holds; None when it uses no inotify."""
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{descriptor}") == "anon_inode:inotify":
                with open(f"/proc/self/fdinfo/{descriptor}", "rb") as lines:
                    found.append(sum(line.startswith(b"inotify wd:") for line in lines))
        except OSError:
            # closed since the folder was listed, like the descriptor of the list itself
            continue
    return sum(found) if found else None


def tightest_limit() -> tuple[str, int] | None:
    """Return the sysctl that limits this user's watches most, and its value."""
    found = []
    for name in _LIMITS:
        try:
            found.append((int(Path("/proc/sys", *name.split(".")).read_text(encoding="ascii")), name))
        except (OSError, ValueError):
            continue
    return (min(found)[1], min(found)[0]) if found else None


def command_to_allow(folders: int) -> str:
    """Return the command that lets the kernel watch so many folders and as many again."""
    limit = tightest_limit()
    return f"sysctl {limit[0] if limit else _LIMITS[0]}={max(_ENOUGH, 2 * folders)}"
