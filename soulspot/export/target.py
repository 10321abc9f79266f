"""The target of an export: a file that appears whole under its name, or a stream."""

import contextlib
import fcntl
import gzip
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from soulspot.errors import ExportError

BUFFER_BYTES = 1 << 20
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Sink:
    """An open binary file. `path` names the empty file behind it; None for a stream."""

    file: BinaryIO
    path: Path | None


@contextmanager
def replacing(path: Path) -> Iterator[Sink]:
    """Write a temporary file, then rename it to `path` once it is on the disk.

    On any exception the old file stays and the temporary file is removed. A pipe or a device is
    written directly. Raises ExportError for a folder, and while another export writes the file."""
    if path.is_dir():
        raise ExportError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        with _naming(path), path.open("wb", buffering=BUFFER_BYTES) as file:
            yield Sink(file, None)
        return
    # Replace the file that a symbolic link points to, not the link.
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise ExportError(f"{path}: there is no folder {target.parent}")
    part = part_path(target)
    with _naming(path):
        handle = _claim(part, path)
    try:
        with _naming(path), os.fdopen(handle, "wb", buffering=BUFFER_BYTES) as file:
            yield Sink(file, part)
            file.flush()
            os.fsync(file.fileno())
            # An export into an existing file keeps its permissions.
            if target.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
            part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    # A rename is durable once its folder is synced, which some file systems cannot do.
    with contextlib.suppress(OSError):
        handle = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def streaming(file: BinaryIO) -> Iterator[Sink]:
    """Give the block a sink that writes to the open `file`. Flush the file when the block ends
    without an error, and never close it."""
    yield Sink(file, None)
    file.flush()


@contextmanager
def gzipped(sink: Sink) -> Iterator[Sink]:
    """Compress all that is written with gzip. Equal data give equal bytes: no name, no time."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=sink.file, mtime=0) as file:
        yield Sink(cast(BinaryIO, file), None)


def part_path(path: Path) -> Path:
    """Return the temporary file of `path`. A killed export leaves it; the next one reuses it."""
    return path.with_name(f".{path.name}.part")


def messages_folder(path: Path) -> Path:
    """Return the temporary folder with the release messages that go into the file `path`."""
    return path.with_name(f".{path.name}.messages")


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Give an OSError the name that the caller asked for instead of the temporary file's."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(part_path(Path(os.path.realpath(path))))):
            error.filename = str(path)
        raise


def _claim(part: Path, path: Path) -> int:
    """Open the temporary file, emptied and locked for this process; return its descriptor."""
    while True:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            # The kernel frees the lock even after kill -9.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise ExportError(f"{path}: another export is writing it") from None
        except OSError:
            # Some network file systems have no locks; write without one.
            pass
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), part.stat()):
                os.ftruncate(handle, 0)
                return handle
        # Another export renamed the file between open and lock: it is theirs, so open a new one.
        os.close(handle)
