"""Sources of log lines: a log file with its predecessors, standard input, or the journal."""

import bz2
import glob
import gzip
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

MAX_LINE = 1 << 20  # bytes; a longer line is no event of ours, and must not fill the memory
# Stands for a line that cannot be read: it is no JSON, so Stats counts it as skipped.
NO_EVENT = b"{"
_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def rotated_files(path: Path, since: float | None = None) -> list[Path]:
    """Return the log file and its rotated ones (`.1`, `-20261122`, also packed), oldest first,
    without files last written to before `since` (epoch seconds)."""
    dated = []
    for file in [path, *path.parent.glob(f"{glob.escape(path.name)}[.-]*")]:
        # A file may be rotated away between the listing and this look at it.
        try:
            written = file.stat().st_mtime
        except FileNotFoundError:
            continue
        if file.is_file() and (since is None or written >= since):
            dated.append((written, file == path, file))
    return [file for _, _, file in sorted(dated)]


def file_lines(paths: list[Path]) -> Iterator[bytes]:
    """Yield the lines of these files, unpacking .gz, .bz2 and .xz. A packed file that is cut off
    ends in NO_EVENT. Raises OSError when a file cannot be read."""
    for path in paths:
        with _OPENERS.get(path.suffix, open)(path, "rb") as file:
            try:
                yield from bounded_lines(file)
            except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error):
                yield NO_EVENT


def stdin_lines() -> Iterator[bytes]:
    """Return an iterator over the lines of standard input."""
    return bounded_lines(sys.stdin.buffer)


def journal_lines(unit: str, since: float | None, until: float | None) -> Iterator[bytes]:
    """Yield a systemd unit's lines in the journal between two times (epoch seconds). Raises OSError
    when journalctl is missing or fails."""
    command = ["journalctl", "--output=cat", "--no-pager", "--quiet", f"--unit={unit}"]
    command += [f"--since=@{since:.0f}"] if since is not None else []
    command += [f"--until=@{until + 1:.0f}"] if until is not None else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as journal:
        assert journal.stdout is not None
        assert journal.stderr is not None
        yield from bounded_lines(journal.stdout)
        error = journal.stderr.read(2000).decode(errors="replace").strip()
    if journal.returncode:
        raise OSError(f"journalctl: {error or f'exit code {journal.returncode}'}")


def bounded_lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file; a line longer than MAX_LINE comes as NO_EVENT."""
    while line := file.readline(MAX_LINE):
        if line.endswith(b"\n") or len(line) < MAX_LINE:
            yield line
            continue
        while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass
        yield NO_EVENT
