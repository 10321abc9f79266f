"""Where the lines of a log come from: a file with those it was rotated into, standard input, or the journal."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

LONGEST = 1 << 20  # characters; a longer line is none of ours and is passed over
_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def rotated_files(path: Path, since: float | None = None) -> list[Path]:
    """The file and those it was rotated into (`.1`, `-20261122`, also packed), oldest first.

    Those that were last written to before `since` (epoch seconds) are left out."""
    # a file that disappears meanwhile has been rotated away
    dated = []
    for one in [path, *path.parent.glob(f"{_literal(path.name)}[.-]*")]:
        try:
            written = one.stat().st_mtime
        except FileNotFoundError:
            continue
        if one.is_file() and (since is None or written >= since):
            dated.append((written, one == path, one))
    return [one for _, _, one in sorted(dated)]


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def file_lines(paths: list[Path]) -> Iterator[bytes]:
    """The lines of these files. OSError when one cannot be read; one that is cut off ends in a line that is no event."""
    for path in paths:
        with _OPENERS.get(path.suffix, open)(path, "rb") as file:
            try:
                yield from bounded_lines(file)
            except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error):
                yield b"{"


def stdin_lines() -> Iterator[bytes]:
    """The lines of standard input."""
    return bounded_lines(sys.stdin.buffer)


def journal_lines(unit: str, since: float | None, until: float | None) -> Iterator[bytes]:
    """The lines that the service wrote into the journal. OSError when it cannot be asked."""
    command = ["journalctl", "--output=cat", "--no-pager", "--quiet", f"--unit={unit}"]
    command += [f"--since=@{since:.0f}"] if since is not None else []
    command += [f"--until=@{until + 1:.0f}"] if until is not None else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as journal:
        assert journal.stdout is not None
        assert journal.stderr is not None
        yield from bounded_lines(journal.stdout)
        words = journal.stderr.read(2000).decode(errors="replace").strip()
    if journal.returncode:
        raise OSError(f"journalctl: {words or f'exit code {journal.returncode}'}")


def bounded_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file, however long one may be: what is too long comes as b"{", which is no event."""
    while line := file.readline(LONGEST):
        if line.endswith(b"\n") or len(line) < LONGEST:
            yield line
            continue
        while (rest := file.readline(LONGEST)) and not rest.endswith(b"\n"):
            pass
        yield b"{"
