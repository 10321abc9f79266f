"""Where an export goes: a file that is written aside and takes its place whole, or a stream."""

from __future__ import annotations

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

BUFFER = 1 << 20  # bytes
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Sink:
    """What is written to. `path` is the empty file behind it, for what needs a name; None when there is none."""

    file: BinaryIO
    path: Path | None


@contextmanager
def replacing(path: Path) -> Iterator[Sink]:
    """Write aside; at the end the file takes the place of `path`, on the disk for good. When anything is raised, what
    stood there stays and nothing is left. ExportError when it is a folder, or another export writes it just now.

    What is no plain file (a pipe, /dev/null) is written to as it is."""
    if path.is_dir():
        raise ExportError(f"{path} is a folder; name a file in it")
    if path.exists() and not path.is_file():
        with _named(path), path.open("wb", buffering=BUFFER) as file:
            yield Sink(file, None)
        return
    place = Path(os.path.realpath(path))  # a link goes on pointing to the file
    if not place.parent.is_dir():
        raise ExportError(f"{path}: there is no folder {place.parent}")
    aside = aside_of(place)
    with _named(path):
        handle = _own(aside, path)
    try:
        with _named(path), os.fdopen(handle, "wb", buffering=BUFFER) as file:
            yield Sink(file, aside)
            file.flush()
            os.fsync(file.fileno())
            if place.exists():
                os.fchmod(file.fileno(), stat.S_IMODE(place.stat().st_mode))
            aside.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    _sync_folder(place.parent)


@contextmanager
def streaming(file: BinaryIO) -> Iterator[Sink]:
    """Write to what is open already, and leave it open."""
    yield Sink(file, None)
    file.flush()


@contextmanager
def packed(sink: Sink) -> Iterator[Sink]:
    """The same with gzip: equal data are equal bytes, whenever and under whatever name they are packed."""
    with gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=sink.file, mtime=0) as file:
        yield Sink(cast(BinaryIO, file), None)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What the disk refuses bears the name of the file that was asked for, not of the one aside or none."""
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(aside_of(Path(os.path.realpath(path))))):
            error.filename = str(path)
        raise


def aside_of(path: Path) -> Path:
    """Where a file is written until it is whole. A process that was killed leaves it, and the next one takes it."""
    return path.with_name(f".{path.name}.part")


def messages_of(path: Path) -> Path:
    """Where release messages lie until all of them are in one file."""
    return path.with_name(f".{path.name}.messages")


def _own(aside: Path, path: Path) -> int:
    """The file aside, empty and ours alone. A lock says so, which the kernel frees even after kill -9."""
    while True:
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise ExportError(f"{path}: another export is writing it") from None
        except OSError:
            pass  # a file system without locks must do without
        if _is_same(handle, aside):
            os.ftruncate(handle, 0)
            return handle
        os.close(handle)  # whoever had it has just finished: that file is theirs


def _is_same(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot; the file itself is safe
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
