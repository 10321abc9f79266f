"""The file system that a path lies on: locks of network file systems cannot be relied on."""

import os

NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "ceph"})


def network_file_system(path: os.PathLike[str]) -> str | None:
    """Return the type of the network file system that holds `path`; None for a local one, and where
    /proc/mounts does not tell."""
    real, best_point, best_kind = os.path.realpath(path), "", ""
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                _, point, kind, *_ = line.split()
                holds = real == point or real.startswith(point.rstrip("/") + "/")
                # the innermost mount holds the path; of two at one point the later hides the other
                if holds and len(point) >= len(best_point):
                    best_point, best_kind = point, kind
    except (OSError, ValueError):
        return None
    return best_kind if best_kind in NETWORK_FILE_SYSTEMS else None
