"""Resident memory of this process: now, at most so far, and at most since a given moment."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from weakref import WeakSet

RESET_PEAK = "5"  # written to clear_refs, this resets the kernel's peak (proc_pid_clear_refs(5))


class PeakSince:
    """The most memory that was resident since this object was made: `peak`, in bytes."""

    def __init__(self) -> None:
        self.peak = 0


class ResidentMemory:
    """Measures resident memory in bytes. The kernel notes the peak between two measurements, where
    it lets us reset that note; elsewhere only measured values count. `now`, `most` and `reset_peak`
    stand for the kernel in tests."""

    def __init__(
        self, *, now: Callable[[], int] | None = None, most: Callable[[], int] | None = None,
        reset_peak: Callable[[], bool] | None = None,
    ) -> None:  # fmt: skip
        self._now = now or read_rss_bytes
        self._most = most or read_peak_bytes
        self._reset_peak = reset_peak or reset_kernel_peak
        self._since: WeakSet[PeakSince] = WeakSet()
        self._can_reset = False
        self.peak = 0

    def now(self) -> int:
        """Measure and return the resident memory in bytes, and bring every peak up to date."""
        now, most = self._now(), self._most()
        self.peak = max(self.peak, now, most)
        for since in self._since:
            since.peak = max(since.peak, now, most if self._can_reset else 0)
        return now

    def start_peak(self) -> PeakSince:
        """Return a peak measured from now on, for as long as the caller keeps the object."""
        # The peaks that are being followed must get what the kernel noted before it is reset.
        self.now()
        self._can_reset = self._reset_peak()
        since = PeakSince()
        self._since.add(since)
        self.now()
        return since


def read_rss_bytes() -> int:
    """Return the resident memory of this process in bytes; 0 on systems without /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def read_peak_bytes() -> int:
    """Return the most memory that the kernel noted as resident, in bytes; 0 without /proc."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def reset_kernel_peak() -> bool:
    """Let the kernel note the peak from now on. Returns whether it does."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(RESET_PEAK, encoding="ascii")
        return True
    return False
