"""What a process holds, sampled, and whether that grows."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

MB = 1e6


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a daemon, `at` seconds after the start. Sizes are in MB (10^6 bytes)."""

    at: float
    rss: float
    children_rss: float
    children: int
    threads: int
    handles: int
    database: float
    wal: float
    tracks: int
    waiting: int
    requests: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the kernel says of a process and its children."""

    rss: float
    children_rss: float
    children: int
    threads: int
    handles: int


def held_by(pid: int) -> Held:
    """Return what a process holds now. Raises FileNotFoundError when there is no such process."""
    rss, threads = _status(pid)
    below = [_status(child)[0] for child in _descendants(pid)]
    return Held(rss, sum(below), len(below), threads, len(os.listdir(f"/proc/{pid}/fd")))


def _status(pid: int) -> tuple[float, int]:
    """Return RSS in MB and the number of threads; zeros for a process that has just ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0, 0
    kib = re.search(r"VmRSS:\s+(\d+)", text)
    threads = re.search(r"Threads:\s+(\d+)", text)
    return int(kib[1]) * 1024 / MB if kib else 0.0, int(threads[1]) if threads else 0


def _descendants(pid: int) -> list[int]:
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(word) for word in file.read_text().split()]
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


@dataclass(frozen=True, slots=True)
class Growth:
    """The straight line through values over time: MB or handles an hour, and its standard error."""

    per_hour: float
    error: float

    def exceeds(self, limit: float) -> bool:
        """Whether the growth is above `limit` an hour beyond its doubled error."""
        return self.per_hour - 2 * self.error > limit


def growth(times: Sequence[float], values: Sequence[float]) -> Growth:
    """Return the growth by least squares; `times` are seconds. Three points are the least."""
    mean_time, mean = fmean(times), fmean(values)
    spread = sum((time - mean_time) ** 2 for time in times)
    slope = sum((time - mean_time) * (value - mean) for time, value in zip(times, values, strict=True)) / spread
    rest = sum((value - mean - slope * (time - mean_time)) ** 2 for time, value in zip(times, values, strict=True))
    return Growth(slope * 3600, 3600 * (rest / (len(times) - 2) / spread) ** 0.5)


def by_minute(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Return the samples of each minute. Neighbours resemble each other, so that the mean of a
    minute is one value for `growth`, not six."""
    minutes: dict[int, list[Sample]] = {}
    for sample in samples:
        minutes.setdefault(int(sample.at // 60), []).append(sample)
    return [minutes[minute] for minute in sorted(minutes)]
