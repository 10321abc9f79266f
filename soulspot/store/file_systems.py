"""The file system that a path lies on: locks of network file systems cannot be relied on."""

import os
import re
from pathlib import Path

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})


def network_file_system(path: os.PathLike[str], mounts: Path = Path("/proc/mounts")) -> str | None:
    """Return the type of the network file system that holds `path`; None for a local one, and where
    `mounts`, the kernel's table, does not tell."""
    real, best_point, best_kind = os.path.realpath(path), "", ""
    try:
        with mounts.open(encoding="utf-8", errors="surrogateescape") as table:
            for line in table:
                _, point, kind, *_ = line.split()
                # the kernel writes blanks and backslashes of a path as octal numbers
                point = re.sub(r"\\([0-7]{3})", lambda escape: chr(int(escape[1], 8)), point)
                holds = real == point or real.startswith(point.rstrip("/") + "/")
                # the innermost mount holds the path; of two at one point the later hides the other
                if holds and len(point) >= len(best_point):
                    best_point, best_kind = point, kind
    except (OSError, ValueError):
        return None
    return best_kind if best_kind in NETWORK_FILE_SYSTEMS else None
