"""How much memory is resident: now, at most so far, and at most since a moment, which the kernel keeps count of."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

RESET = "5"  # to clear_refs: the kernel begins anew to note the most


class Since:
    """A moment; `peak` is the most memory that was resident since then, in bytes, as of the last look."""

    def __init__(self) -> None:
        self.peak = 0


class ResidentMemory:
    """Of this process, in bytes. Between two looks the kernel notes the most, where it lets us begin that anew;
    elsewhere only what was seen counts."""

    def __init__(
        self,
        *,
        now: Callable[[], int] | None = None,
        most: Callable[[], int] | None = None,
        begin_anew: Callable[[], bool] | None = None,
    ) -> None:
        self._now = now or rss_bytes
        self._most = most or peak_bytes
        self._begin_anew = begin_anew or forget_peak
        self._moments: WeakSet[Since] = WeakSet()
        self._can_reset = False
        self.peak = 0

    def now(self) -> int:
        """How much it is; also brings every peak up to date."""
        now, most = self._now(), self._most()
        self.peak = max(self.peak, now, most)
        for moment in self._moments:
            moment.peak = max(moment.peak, now, most if self._can_reset else 0)
        return now

    def start_peak(self) -> Since:
        """Now, as a moment to ask for the most since."""
        self.now()  # the older moments must not lose what was noted until here
        self._can_reset = self._begin_anew()
        moment = Since()
        self._moments.add(moment)
        self.now()
        return moment


def rss_bytes() -> int:
    """Resident memory of this process in bytes; 0 where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def peak_bytes() -> int:
    """The most memory that was ever resident, in bytes; 0 where /proc does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def forget_peak() -> bool:
    """Let the kernel note the most memory from now on. Returns whether it does."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(RESET, encoding="ascii")
        return True
    return False
